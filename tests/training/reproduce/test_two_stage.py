"""`emoscope reproduce two-stage` on generated corpora, a few rows of each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from training.generated.iemocap_turns import GeneratedIemocap
from training.generated.kemdy_segments import GeneratedKemdy
from training.reproduce import two_stage_configs, two_stage_data, two_stage_lab
from training.reproduce.command import main


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shrink what --quick makes even more."""
    kemdy = GeneratedKemdy(sessions=4, segments=8, seconds=(0.4, 0.6), spoken_texts=True, odd=False)
    monkeypatch.setattr(two_stage_data, "QUICK_KEMDY", kemdy)
    monkeypatch.setattr(two_stage_data, "QUICK_IEMOCAP", GeneratedIemocap(utterances=12, odd=False))
    monkeypatch.setattr(two_stage_configs, "_QUICK_EPOCHS", 1)


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What each training that is run learns, in order."""
    names: list[str] = []
    train = two_stage_lab.train_stage

    def counted(config: Any, stage: Any, *rest: Any, **options: Any) -> Any:
        names.append("+".join(stage.losses))
        return train(config, stage, *rest, **options)

    monkeypatch.setattr(two_stage_lab, "train_stage", counted)
    return names


def reproduced(out: Path, *arguments: str) -> dict[str, Any]:
    command = ["two-stage", "--generated", "--quick", "--out", str(out), *arguments]
    assert main(command) == 0
    found: dict[str, Any] = json.loads((out / "results.json").read_text(encoding="utf-8"))
    return found


def rows(found: dict[str, Any], table: int) -> dict[str, Any]:
    return {row["name"]: row for row in found["tables"][table]["rows"]}


FIRST, SECOND = "emotion+recognition", "emotion+gender+style"


def test_rows_that_share_a_first_stage_train_it_once(
    tmp_path: Path, trained: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = "iemocap-full-ser-asr,iemocap-x_e,iemocap-scl-cos,iemocap-width-4,iemocap-width-16"
    found = reproduced(tmp_path, "--rows", asked)
    assert trained == [FIRST, SECOND, f"{SECOND}+scl_cos", SECOND]  # width 16 is the row x_e
    titles = [table["title"] for table in found["tables"]]
    assert [title.partition(":")[0] for title in titles[:3]] == [
        "IEMOCAP. Table 1", "IEMOCAP. Table 3", "IEMOCAP. Table 4"
    ]  # fmt: skip
    one = rows(found, 0)["iemocap-full-ser-asr"]
    assert one["published"]["figures"]["wer"] == pytest.approx(0.1999)
    assert set(one["figures"]) == {"uar", "wa", "wer", "cer", "trained", "stored"}
    narrow, base = rows(found, 3)["iemocap-width-4"], rows(found, 3)["iemocap-width-16"]
    assert base["figures"]["uar"] == rows(found, 1)["iemocap-x_e"]["figures"]["uar"]
    assert narrow["parameters"] < base["parameters"] < one["parameters"]
    assert narrow["figures"]["stored"]["value"] == 4 * narrow["parameters"]
    for name in ("gender", "style", "uar"):
        figure = base["figures"][name]
        assert 0 <= figure["low"] <= figure["value"] <= figure["high"] <= 1
    assert sum(base["occurring"]) == base["rows"]
    printed = capsys.readouterr().out
    for expected in ("78.49", "98.64", "Pepino", "generated", "always the commonest class"):
        assert expected in printed, expected
    assert "What differs from the paper" in (tmp_path / "report.html").read_text("utf-8")


def test_an_interrupted_run_goes_on_and_ends_with_the_same_figures(
    tmp_path: Path, trained: list[str]
) -> None:
    first = reproduced(tmp_path, "--rows", "iemocap-setting-2")
    kept = sorted((tmp_path / "trainings").iterdir())
    assert len(kept) == 1
    trained.clear()
    again = reproduced(tmp_path, "--rows", "iemocap-setting-2", "--resume")
    assert trained == []
    assert rows(again, 0) == rows(first, 0)
    kept[0].write_bytes(b"half a file")
    anew = reproduced(tmp_path, "--rows", "iemocap-setting-2", "--resume")
    assert trained == [FIRST, SECOND]
    assert _figures(anew) == _figures(first)


def test_what_was_said_of_other_recordings_is_not_taken(
    tmp_path: Path, trained: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    reproduced(tmp_path, "--rows", "iemocap-full-ser")
    other = GeneratedIemocap(utterances=12, odd=False, telling_texts=0.0)
    monkeypatch.setattr(two_stage_data, "QUICK_IEMOCAP", other)
    reproduced(tmp_path, "--rows", "iemocap-full-ser", "--resume")
    assert trained == ["emotion", "emotion"]


def _figures(found: dict[str, Any]) -> Sequence[Any]:
    return [row["figures"] for row in rows(found, 0).values()]


def test_both_kemdy_are_one_corpus_whose_style_is_acted_or_spontaneous(
    tmp_path: Path, trained: list[str]
) -> None:
    found = reproduced(tmp_path, "--rows", "kemdy-full-all", "--folds", "2")
    assert trained == ["emotion+recognition+gender+style"] * 2
    (row,) = rows(found, 0).values()
    assert row["published"]["figures"] == {}
    assert row["folds"] == 2
    assert {"uar", "cer", "gender", "style"} <= set(row["figures"])
    assert any("acted or spontaneous" in line for line in found["differences"])


def test_more_seeds_are_more_trainings(tmp_path: Path, trained: list[str]) -> None:
    found = reproduced(tmp_path, "--rows", "iemocap-full-ser", "--seeds", "2")
    assert trained == ["emotion", "emotion"]
    (row,) = rows(found, 0).values()
    assert row["seeds"] == [0, 1]
    assert len(list((tmp_path / "trainings").iterdir())) == 2


def test_a_corpus_that_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").mkdir()
    assert main(["two-stage", "--data", str(tmp_path / "data"), "--out", str(tmp_path)]) == 2
    assert "IEMOCAP" in capsys.readouterr().err
