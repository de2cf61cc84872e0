"""Simulated corrections: of people who were never heard, through the real path, and counted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import CorpusError
from core.models.manifest import read_info
from core.personal.clips import write_clip
from core.personal.types import Gain
from tests.checkpoints import make_checkpoint
from tests.personal.people import clip
from training.personal.material import unseen_people
from training.personal.report import as_markdown, summary
from training.personal.simulate import _CHECKPOINT, _FOLDS, main
from training.personal.trials import CARELESS, SHUFFLED, TRUE, Outcome

CLIPS = 24


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Three people of one corpus, of whom the checkpoint has heard one."""
    folder = tmp_path_factory.mktemp("data") / "speech"
    lines = ["path,corpus,subset,speaker,gender,language,emotion,text,duration_s"]
    for speaker in ("A01", "A02", "A03"):
        for number in range(CLIPS):
            label = ("sad", "happy")[number % 2]
            name = f"toy/{speaker}/{number}.flac"
            write_clip(folder / name, clip(label, number))
            lines.append(f"{name},toy,,{speaker},f,en,{label},hello,1")
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")
    return folder.parent


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    trained_on = {"speakers": {"toy": ["A01"]}, "calibration_speakers": {"toy": ["A02"]}}
    return make_checkpoint(tmp_path_factory.mktemp("models") / "tiny", trained_on=trained_on)


def test_only_people_who_were_never_heard_take_part(data, checkpoint):
    people = unseen_people(data, read_info(checkpoint))
    assert [(p.speaker, p.flag, len(p.clips)) for p in people] == [
        ("A02", "calibrated", CLIPS),
        ("A03", "", CLIPS),
    ]


@pytest.mark.parametrize("trained_on", [{}, {"unknown": ["what others trained it on"]}])
def test_a_checkpoint_that_names_nobody_is_refused(data, tmp_path, trained_on):
    checkpoint = make_checkpoint(tmp_path / "tiny", trained_on=trained_on)
    with pytest.raises(CorpusError, match="nobody can be called unseen"):
        unseen_people(data, read_info(checkpoint))


def test_the_whole_way_from_clips_to_a_report(data, checkpoint, tmp_path):
    given = ["--data", str(data), "--checkpoint", str(checkpoint), "--draws", "1"]
    given += ["--corrections", "toy=12,99", "--json", str(tmp_path / "report.json")]
    assert main([*given, "--markdown", str(tmp_path / "report.md")]) == 0
    report = json.loads((tmp_path / "report.json").read_text())
    outcomes = report["outcomes"]
    assert sorted((o["speaker"], o["labels"]) for o in outcomes) == sorted(
        (speaker, labels) for speaker in ("A02", "A03") for labels in (TRUE, SHUFFLED, CARELESS)
    )
    (row,) = report["summary"]
    assert (row["corpus"], row["corrections"], row["speakers"]) == ("toy", 12, 2)
    assert row["keep"] == 1.0
    assert row["accuracy_before"] + row["accuracy_gain"][0] == pytest.approx(1.0)
    assert "| toy | 12 | 2 |" in (tmp_path / "report.md").read_text()


def test_what_cannot_be_simulated_is_said(data, checkpoint, tmp_path):
    given = ["--data", str(data), "--checkpoint", str(checkpoint)]
    assert main([*given, "--corrections", "toy=99"]) == 1
    assert main([*given, "--corrections", "toy=many"]) == 1
    assert main(["--data", str(tmp_path), "--checkpoint", str(checkpoint)]) == 1
    assert main([*given, "--speech-folds", str(tmp_path)]) == 1


def outcome(**changed: object) -> Outcome:
    one = Outcome(
        "toy", "A", "", 10, 0, TRUE, True, Gain(0.5, 0.7, 0.0, 0.4, 10), 0.5, 0.6, 0.4, 0.5
    )
    return replace(one, **changed)  # type: ignore[arg-type]


def test_figures_by_hand():
    outcomes = [
        outcome(),
        outcome(draw=1, after=0.3),
        outcome(speaker="B", kept=False, after=0.9),
        outcome(speaker="B", labels=SHUFFLED, kept=True),
        outcome(labels=SHUFFLED, kept=False),
        outcome(labels=CARELESS, kept=True, after=0.55),
    ]
    (row,) = summary(outcomes)
    assert row["speakers"] == 2
    # A: mean of +.1 and -.2; B: +.4
    assert row["accuracy_gain"][0] == pytest.approx((-0.05 + 0.4) / 2)
    assert row["keep"] == pytest.approx(2 / 3, abs=1e-4)
    assert row["kept_gain"] == pytest.approx(-0.05)
    assert row["harm"] == pytest.approx(1 / 3, abs=1e-4)
    assert row["gain_as_used"][0] == pytest.approx(-0.025)
    assert row["false_keep"] == 0.5
    assert row["careless_kept_gain"] == pytest.approx(0.05)
    low, high = row["accuracy_gain"][1:]
    assert low == pytest.approx(-0.05)
    assert high == pytest.approx(0.4)
    # told: +.2, from 0 to .4; on the rest: +.1, -.2, +.4
    assert row["told_covers"] == pytest.approx(2 / 3, abs=1e-4)
    assert row["kept_told"] == pytest.approx(0.2)
    about = {"checkpoint": "x", "sha256": "0", "draws": 1, "rest": 5, "texts": "not given"}
    for who, where in ((_CHECKPOINT, "x (sha256 0)"), (_FOLDS, "it was not trained on")):
        page = as_markdown(outcomes, {**who, **about})
        assert "| toy | 10 | 2 |" in page
        assert where in page
        assert "{" not in page
