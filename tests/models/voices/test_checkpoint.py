"""A voice checkpoint: what was saved comes back, and what is wrong with one is said at once."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from core.errors import CheckpointError
from core.models.checkpoint import read_info
from core.models.manifest import sealed
from core.models.voices.checkpoint import (
    VoiceInfo,
    load_voice_checkpoint,
    read_voice_info,
    save_voice_checkpoint,
)
from core.models.voices.clustering import ClusteringConfig
from core.models.voices.front_end import VoiceFrontEndConfig
from core.models.voices.inference import VoiceEmbedder
from core.models.voices.network import VoiceNetwork, VoiceNetworkConfig
from core.pipeline.voice_speakers import load_voice_speakers
from core.resources import embedded_checkpoint
from tests.models.voices.synthetic import MAN, speak

CLUSTERING = ClusteringConfig(threshold=0.42, most=4)


def save(folder: Path) -> VoiceInfo:
    torch.manual_seed(0)
    return save_voice_checkpoint(
        folder,
        VoiceNetwork(VoiceNetworkConfig(dim=16, layers=1, embedding=8)),
        name="tiny",
        front_end=VoiceFrontEndConfig(longest=3.0),
        clustering=CLUSTERING,
        experimental=True,
        training={"seed": 0},
        metrics={},
        card="# Tiny\n",
    )


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("voices") / "tiny").path


@pytest.fixture
def copy(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "tiny"))


def complaint(folder: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        load_voice_checkpoint(folder)
    return str(caught.value)


def change_config(folder: Path, **values: object) -> None:
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**config, **values}), encoding="utf-8")


def test_a_checkpoint_says_what_it_is(original: Path) -> None:
    loaded = load_voice_checkpoint(original)
    assert loaded.info == read_voice_info(original)
    assert (loaded.info.name, loaded.info.experimental) == ("tiny", True)
    assert loaded.info.clustering == CLUSTERING
    assert loaded.front_end.config == VoiceFrontEndConfig(longest=3.0)
    assert loaded.model.config == VoiceNetworkConfig(dim=16, layers=1, embedding=8)
    assert not loaded.model.training


def test_what_was_saved_answers_the_same_when_loaded(original: Path) -> None:
    again = VoiceEmbedder(load_voice_checkpoint(original))
    first, seconds = again.embed(speak(MAN, 1.0, 0))
    second, _ = VoiceEmbedder(load_voice_checkpoint(original)).embed(speak(MAN, 1.0, 0))
    np.testing.assert_array_equal(first, second)
    assert first.shape == (8,)
    assert np.linalg.norm(first) == pytest.approx(1, abs=1e-5)
    assert 0.4 < seconds <= 1.0


def test_reading_about_it_imports_no_torch(original: Path) -> None:
    code = (
        "import sys; from core.pipeline.voice_speakers import load_voice_speakers; "
        f"print(load_voice_speakers({str(original)!r}).info.name); sys.exit('torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "tiny"


def test_one_error_names_everything_that_is_wrong(copy: Path) -> None:
    (copy / "README.md").unlink()
    (copy / "metrics.json").write_text("{ }", encoding="utf-8")
    (copy / "extra.pkl").write_bytes(pickle.dumps({}))
    change_config(copy, model={"dim": 16, "depth": 3})
    text = complaint(copy)
    for part in (
        "README.md is missing",
        "metrics.json is damaged",
        "extra.pkl may be a pickle",
        "model configuration makes no sense",
    ):
        assert part in text


def test_weights_that_do_not_fit_are_named(copy: Path) -> None:
    state = load_file(copy / "model.safetensors")
    state["embed.bias"][:] = float("nan")
    del state["enter.weight"]
    save_file(state, copy / "model.safetensors")
    sealed(read_voice_info(copy))
    text = complaint(copy)
    assert "weight enter.weight is missing" in text
    assert "weight embed.bias is not finite" in text


def test_a_pickle_in_place_of_the_weights_is_refused_and_not_run(
    copy: Path, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"

    class Malicious:
        def __reduce__(self) -> object:
            return (Path.touch, (ran,))

    (copy / "model.safetensors").write_bytes(pickle.dumps(Malicious()))
    sealed(read_voice_info(copy))
    assert "model.safetensors can't be read" in complaint(copy)
    assert not ran.exists()


@pytest.mark.parametrize(
    "values",
    [
        {"clustering": {"threshold": 3.0}},
        {"clustering": {"treshold": 0.5}},
        {"clustering": []},
        {"front_end": {"speech": {}, "longest": -1}},
        {"front_end": {}},
        {"format_version": 99},
    ],
)
def test_a_config_that_makes_no_sense_is_refused(copy: Path, values: dict[str, object]) -> None:
    change_config(copy, **values)
    assert str(copy) in complaint(copy)


def test_each_kind_of_checkpoint_is_refused_in_place_of_the_other(original: Path) -> None:
    with pytest.raises(CheckpointError, match="tells speakers apart"):
        read_info(original)
    with pytest.raises(CheckpointError, match="single utterances"):
        load_voice_speakers(embedded_checkpoint())
