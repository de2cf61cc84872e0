"""The stage `system` from end to end on a generated corpus with tiny pretrained encoders."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from core.errors import CorpusError
from core.models.calibration import Path as Way
from core.models.checkpoint import load_checkpoint
from core.models.device import CPU, DeviceChoice
from core.models.inference import Inference
from core.models.specification import Problem
from core.types import Modality
from training import config as configuration
from training.data.corpora.registry import read_corpus
from training.data.loading import AudioLoader
from training.progress import Reporter
from training.stages import StageContext
from training.system import run
from training.train_command import main

from . import generated_kemdy


@pytest.fixture(scope="session")
def kemdy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generated_kemdy.make(tmp_path_factory.mktemp("kemdy"))


def context(kemdy: Path, out: Path) -> StageContext:
    return StageContext("system", kemdy, out, 7, False, False, Reporter(silent=True))


def trained(kemdy: Path, out: Path, **changes: object) -> Path:
    config = generated_kemdy.config(kemdy, **changes)
    (out / "system").mkdir(parents=True)
    run(config, context(kemdy, out))
    return out / "system"


@pytest.fixture(scope="module")
def early(kemdy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(kemdy, tmp_path_factory.mktemp("early"))


def predictions(folder: Path) -> list[dict[str, str]]:
    with (folder / "predictions.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_checkpoint_says_of_the_test_part_what_was_scored(early: Path, kemdy: Path) -> None:
    loaded = load_checkpoint(early / "checkpoint")
    judge = Inference(loaded.model, DeviceChoice(CPU, "test"))
    examples = {e.id: e for e in read_corpus("kemdy20", kemdy / "kemdy20").examples}
    loader = AudioLoader()
    for row in predictions(early)[:6]:
        example = examples[row["id"]]
        inputs = loaded.processor(samples=loader.samples(example), text=example.text, language="ko")
        said = judge(inputs)
        found = loaded.calibration.probabilities(said.logits, Way.FUSED)[0]
        expected = [float(row[f"p_{name}"]) for name in loaded.specification.labels]
        np.testing.assert_allclose(found, expected, atol=2e-5)
        assert set(said.alone) == {Modality.SPEECH, Modality.TEXT}


def test_the_checkpoint_states_what_it_is(early: Path) -> None:
    checkpoint = early / "checkpoint"
    card = (checkpoint / "README.md").read_text(encoding="utf-8")
    metrics = json.loads((checkpoint / "metrics.json").read_text(encoding="utf-8"))
    training = yaml.safe_load((checkpoint / "training.yaml").read_text(encoding="utf-8"))
    for expected in ("Licence of the corpus: generated", "0.8048", "No speaker is in two parts"):
        assert expected in card
    assert f"{metrics['test']['f1_macro']['value']:.4f}" in card
    assert metrics["rows"] == len(predictions(early)) == sum(metrics["predicted"])
    assert training["config"]["split"]["folds"] == 3
    assert len(training["split"]["digest"]) == 64


def test_no_speaker_of_the_test_part_was_trained_on(early: Path) -> None:
    training = yaml.safe_load((early / "checkpoint" / "training.yaml").read_text(encoding="utf-8"))
    parts = training["split"]["parts"]
    tested = {row["speaker"] for row in predictions(early)}
    assert parts["test"]["speakers"] == len(tested)
    assert sum(part["speakers"] for part in parts.values()) == 12


def test_predictions_give_the_figures_of_the_report(early: Path) -> None:
    from sklearn.metrics import f1_score

    rows = predictions(early)
    metrics = json.loads((early / "checkpoint" / "metrics.json").read_text(encoding="utf-8"))
    found = f1_score([r["true"] for r in rows], [r["predicted"] for r in rows], average="weighted")
    assert metrics["test"]["f1_weighted"]["value"] == pytest.approx(found)
    report = (early / "report" / "report.md").read_text(encoding="utf-8")
    assert f"{found:.4f} [" in report


def test_the_report_is_one_page_that_needs_nothing_else(early: Path) -> None:
    page = (early / "report" / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 5
    assert "currentColor" in page
    assert "prefers-color-scheme: dark" in page
    assert "src=" not in page.replace('src="data:', "")
    assert "Label transform added" in page


def test_rows_that_can_not_be_used_are_counted_and_listed(early: Path) -> None:
    lines = (early / "problems.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1 + 3  # what a generated corpus has that is odd
    assert "Sess01_eval.csv" in "".join(lines)


def test_the_state_of_the_training_is_gone(early: Path) -> None:
    assert not list((early / "training").glob("state*"))


def test_several_labels_and_affect_end_to_end(kemdy: Path, tmp_path: Path) -> None:
    folder = trained(
        kemdy, tmp_path,
        system="add", problem="multi_label", affect=True,
        corpus={"name": "kemdy20", "path": "kemdy20"},
        split={"folds": 3, "validation": 0.3, "labels": "all"},
        loss={"emotion": "multilabel_soft_margin", "affect": "ccc"},
        speech={"model": str(kemdy / "speech"), "trainable": "all_but_cnn"},
        text={"model": str(kemdy / "text"), "trainable": "all", "pooling": "cls"},
        trainer={"epochs": 1, "metric": "loss", "ema_decay": 0.0, "device": "cpu"},
    )  # fmt: skip
    loaded = load_checkpoint(folder / "checkpoint")
    assert loaded.specification.problem is Problem.MULTI_LABEL
    assert loaded.specification.affect
    assert len(loaded.calibration.thresholds) == 7
    metrics = json.loads((folder / "checkpoint" / "metrics.json").read_text(encoding="utf-8"))
    assert {"f1_micro", "element_accuracy", "ccc_arousal", "ccc_mean"} <= set(metrics["test"])
    assert any(";" in row["true"] for row in predictions(folder))
    report = (folder / "report" / "report.html").read_text(encoding="utf-8")
    assert "Arousal, CCC" in report
    inputs = loaded.processor(samples=np.zeros(8000, np.float32), text="안녕하세요", language="ko")
    said = Inference(loaded.model, DeviceChoice(CPU, "test"))(inputs)
    assert said.arousal is not None
    assert abs(said.arousal[0]) <= 1


def test_a_seed_decides_the_weights(kemdy: Path, tmp_path: Path) -> None:
    speech = {"system": "text", "speech": None}
    first = trained(kemdy, tmp_path / "a", **speech)
    again = trained(kemdy, tmp_path / "b", **speech)
    weights = [load_checkpoint(f / "checkpoint").model.state_dict() for f in (first, again)]
    assert all(torch.equal(weights[0][name], value) for name, value in weights[1].items())
    assert load_checkpoint(first / "checkpoint").specification.required == (Modality.TEXT,)


def test_the_command_trains_from_a_yaml(kemdy: Path, tmp_path: Path) -> None:
    mapping = {"stage": "system", **generated_kemdy.mapping(kemdy, system="speech", text=None)}
    configuration.dump(mapping, tmp_path / "speech.yaml")
    arguments = [str(tmp_path / "speech.yaml"), "--data", str(kemdy)]
    assert main([*arguments, "--out", str(tmp_path / "out"), "--quick"]) == 0
    assert load_checkpoint(tmp_path / "out" / "system" / "checkpoint").info.name == "trial"


def test_a_missing_folder_is_named(kemdy: Path, tmp_path: Path) -> None:
    config = generated_kemdy.config(kemdy, corpus={"name": "kemdy20", "path": "elsewhere"})
    with pytest.raises(CorpusError, match="elsewhere"):
        run(config, context(kemdy, tmp_path))


def test_a_table_of_ones_own_trains_on_the_compact_encoders(kemdy: Path, tmp_path: Path) -> None:
    own_data = Path(configuration.__file__).parent / "configs" / "own_data.yaml"
    with (tmp_path / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "text", "speaker", "label"])
        for example in read_corpus("kemdy20", kemdy / "kemdy20").examples:
            if example.label is not None:
                rows.writerow([example.audio, example.text, example.speaker, example.label])
    arguments = ["--data", str(tmp_path), "--out", str(tmp_path / "out"), "--quick"]
    assert main([str(own_data), *arguments]) == 0
    loaded = load_checkpoint(tmp_path / "out" / "system" / "checkpoint")
    card = (loaded.info.path / "README.md").read_text(encoding="utf-8")
    assert "not stated in the configuration" in card
    assert "compact ones" in card
    assert loaded.specification.languages == ("en", "ko")
