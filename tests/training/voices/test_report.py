"""The report, the checkpoint and its card: made by the commands, and agreeing with each other."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.models.voices.checkpoint import load_voice_checkpoint
from core.models.voices.clustering import ClusteringConfig
from core.resources import voice_checkpoint
from tests.training.voices.conftest import PEOPLE, quick
from training import config as configuration
from training.voices import dialogues, trials
from training.voices import report as reporting
from training.voices.__main__ import main
from training.voices.card import is_experimental, voice_card
from training.voices.config import VoicesConfig
from training.voices.data import VoiceData
from training.voices.report import CONDITIONS, NETWORK, WHOLE

REPORT = Path(__file__).resolve().parents[3] / "training" / "reports" / "voices.json"


@pytest.fixture(scope="module")
def shipped() -> dict[str, object]:
    return dict(json.loads(REPORT.read_text(encoding="utf-8")))


def test_the_shipped_card_and_thresholds_are_those_of_the_report(shipped) -> None:
    info = load_voice_checkpoint(voice_checkpoint()).info
    assert (info.path / "README.md").read_text(encoding="utf-8") == voice_card(shipped)
    assert json.loads((info.path / "metrics.json").read_text(encoding="utf-8")) == shipped
    assert info.clustering == ClusteringConfig.from_dict(shipped["clustering"])
    assert info.experimental == is_experimental(shipped)


def test_the_shipped_folds_hold_out_every_speaker_once(shipped) -> None:
    names = [name for fold in shipped["folds"] for name in fold]
    assert len(names) == len(set(names)) == 40


def test_poor_figures_are_experimental_and_good_ones_are_not(shipped) -> None:
    good = json.loads(json.dumps(shipped))
    good["equal_error_rate"][WHOLE][NETWORK]["all"]["value"] = 0.05
    good["dialogues"][NETWORK]["2 and 3 voices"]["right"]["value"] = 0.95
    assert not is_experimental(good)
    assert "Experimental" not in voice_card(good)
    for path in (
        ("equal_error_rate", WHOLE, NETWORK, "all"),
        ("dialogues", NETWORK, "2 and 3 voices", "right"),
    ):
        poor = json.loads(json.dumps(good))
        figure = poor
        for key in path:
            figure = figure[key]
        figure["value"] = 0.5
        assert is_experimental(poor)
        assert "Experimental" in voice_card(poor)


@pytest.fixture
def options(corpus: Path, recipe: VoicesConfig, tmp_path: Path) -> list[str]:
    """Options of both commands; the clips were measured by others before."""
    config = replace(quick(recipe, 1), folds=2, copies=recipe.copies[:1])
    configuration.dump(config, tmp_path / "voices.yaml")
    given = [str(tmp_path / "voices.yaml"), "--data", str(corpus), "--out", str(corpus)]
    given += ["--report", str(tmp_path / "voices.json")]
    return [*given, "--checkpoint", str(tmp_path / "checkpoint")]


def test_without_figures_nothing_is_trained(data: VoiceData, options, capsys) -> None:
    assert main(["train", *options]) == 2
    assert "voices report" in capsys.readouterr().err


def test_the_commands_make_a_report_and_a_checkpoint(
    data: VoiceData, options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporting, "_THRESHOLDS", np.array([0.3, 0.6]))
    monkeypatch.setattr(reporting, "_MARGINS", (0.05,))
    monkeypatch.setattr(reporting, "_DIALOGUES", 1)
    monkeypatch.setattr(reporting, "CONDITIONS", {WHOLE: CONDITIONS[WHOLE]})
    monkeypatch.setattr(trials, "RESAMPLES", 10)
    monkeypatch.setattr(dialogues, "_RESAMPLES", 10)
    figures, folder = tmp_path / "voices.json", tmp_path / "checkpoint"
    assert main(["report", *options]) == 0
    found = json.loads(figures.read_text(encoding="utf-8"))
    assert sorted(name for fold in found["folds"] for name in fold) == sorted(PEOPLE)
    methods = found["equal_error_rate"][WHOLE]
    assert len(methods) == 5
    assert all(0 <= rates["all"]["value"] <= 1 for rates in methods.values())
    assert main(["train", *options]) == 0
    loaded = load_voice_checkpoint(folder)
    assert loaded.model.config.embedding == 16
    assert "8 speakers" in (folder / "README.md").read_text(encoding="utf-8")
