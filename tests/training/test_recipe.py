"""The recipe of the embedded checkpoint, end to end on a tiny data folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from core.models.baseline import FeatureStatistics
from core.models.checkpoint import load_checkpoint
from core.models.encoders.speech import SpeechEncoder, SpeechEncoderConfig
from core.models.processor import Processor, ProcessorConfig
from core.models.speech_features import SpeechFeatureExtractor
from core.types import Modality
from tests.training.corpus_factory import SPEAKERS, make_data
from training.speech_artifacts import save_speech_encoder
from training.train_command import main

CONFIGS = Path(__file__).resolve().parents[2] / "training" / "configs" / "embedded"


def save_untrained_speech(folder: Path) -> None:
    """Stand in for the speech stage."""
    folder.mkdir(parents=True)
    torch.manual_seed(0)
    extractor = SpeechFeatureExtractor()
    frames, functionals = extractor.frame_dim, extractor.functional_dim
    zeros, ones = (lambda n: np.zeros(n, np.float32)), (lambda n: np.ones(n, np.float32))
    statistics = FeatureStatistics(
        zeros(frames), ones(frames), zeros(functionals), ones(functionals)
    )
    processor = Processor(ProcessorConfig(), statistics)
    measures = processor.normalise(processor.measure(np.zeros(16_000, np.float32)))
    config = SpeechEncoderConfig(
        frame_dim=measures.frames.shape[1],
        functional_dim=measures.functionals.shape[0],
        dim=16,
        blocks=1,
        attention_layers=1,
        heads=2,
    )
    save_speech_encoder(folder, SpeechEncoder(config), processor)
    names = [f"tones/{speaker}" for speaker in SPEAKERS]
    split = {"train": names[:3], "calibration": names[3:4], "held_out": names[4:]}
    (folder / "split.json").write_text(json.dumps(split), encoding="utf-8")
    (folder / "done.json").write_text('{"config": "stand-in"}', encoding="utf-8")


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("recipe")
    data, out = make_data(root / "data"), root / "run"
    save_untrained_speech(out / "speech")
    recipe = root / "recipe.yaml"
    stages = [str(CONFIGS / f"{name}.yaml") for name in ("text", "fusion")]
    recipe.write_text(yaml.safe_dump({"name": "tiny", "stages": stages}), encoding="utf-8")
    arguments = [str(recipe), "--data", str(data), "--out", str(out), "--quick", "--threads", "1"]
    assert main(arguments) == 0
    assert main([*arguments, "--resume"]) == 0
    export = [str(CONFIGS / "export.yaml"), "--data", str(data), "--out", str(out)]
    assert main([*export, "--threads", "1"]) == 0
    return out


def test_the_recipe_leaves_a_checkpoint_that_loads(run_dir: Path) -> None:
    loaded = load_checkpoint(run_dir / "export" / "checkpoint")
    assert loaded.specification.modalities == (Modality.SPEECH, Modality.TEXT)
    assert loaded.specification.languages == ("en", "ko")
    assert len(loaded.calibration.text_thresholds) == 7
    assert set(loaded.calibration.temperatures) == {
        "speech_raw", "speech_personal", "text", "fused",
    }  # fmt: skip


def test_the_checkpoint_names_what_it_was_trained_on(run_dir: Path) -> None:
    path = run_dir / "export" / "checkpoint" / "training.yaml"
    trained_on = yaml.safe_load(path.read_text(encoding="utf-8"))["trained_on"]
    assert trained_on["speakers"] == {"tones": ["S0", "S1", "S2"]}
    assert trained_on["calibration_speakers"] == {"tones": ["S3"]}
    kote = next(part for part in trained_on["texts"] if part["corpus"] == "kote")
    assert len(kote["rows"]) == 72  # eight of eighty are scored


def test_metrics_and_card_hold_what_was_measured(run_dir: Path) -> None:
    folder = run_dir / "export" / "checkpoint"
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["held_out"]["corpora"]["tones"]["n"] == 16
    assert 0 <= metrics["text"]["goemotions_en/dev"]["f1_macro"] <= 1
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "tones/S4, tones/S5" in card
    assert f"{metrics['held_out']['corpora']['tones']['uar']:.3f}" in card
    assert "{" not in card


def test_finished_stages_are_kept_on_resume(run_dir: Path) -> None:
    before = (run_dir / "text" / "text.safetensors").stat().st_mtime_ns
    recipe = run_dir.parent / "recipe.yaml"
    data = str(run_dir.parent / "data")
    arguments = [str(recipe), "--data", data, "--out", str(run_dir), "--quick", "--resume"]
    assert main([*arguments, "--threads", "1"]) == 0
    assert (run_dir / "text" / "text.safetensors").stat().st_mtime_ns == before


def test_a_quick_export_is_not_judged(run_dir: Path, tmp_path: Path) -> None:
    quick = tmp_path / "run"
    for stage in ("speech", "text", "fusion"):
        shutil.copytree(run_dir / stage, quick / stage)
    arguments = [str(CONFIGS / "export.yaml"), "--data", str(run_dir.parent / "data")]
    assert main([*arguments, "--out", str(quick), "--quick"]) == 0
    folder = quick / "export" / "checkpoint"
    assert json.loads((folder / "metrics.json").read_text(encoding="utf-8")) == {}
    assert "never evaluated" in (folder / "README.md").read_text(encoding="utf-8")


def test_a_stage_that_lacks_another_says_which(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_data(tmp_path / "data")
    arguments = [str(CONFIGS / "fusion.yaml"), "--data", str(tmp_path / "data")]
    assert main([*arguments, "--out", str(tmp_path / "run"), "--quick"]) == 2
    assert "'speech'" in capsys.readouterr().err


def test_a_missing_data_folder_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(CONFIGS / "text.yaml"), "--data", str(tmp_path / "nowhere")]) == 2
    assert "nowhere" in capsys.readouterr().err
