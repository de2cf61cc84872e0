from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from core.errors import CheckpointError
from core.models.checkpoint import (
    load_checkpoint,
    read_info,
    read_training,
    save_checkpoint,
    seal,
)
from core.models.manifest import FORMAT_VERSION
from tests.checkpoints import SPECIFICATION, make_checkpoint, make_model, make_processor


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("models") / "tiny", trained_on={"speakers": {}})


@pytest.fixture
def copy(original, tmp_path) -> Path:
    """A copy of the checkpoint that a test may damage."""
    return Path(shutil.copytree(original, tmp_path / "tiny"))


def change_weights(directory: Path, change) -> None:
    """Change stored weights and make the manifest agree, as a wrong training would."""
    state = load_file(directory / "model.safetensors")
    change(state)
    save_file(state, directory / "model.safetensors")
    seal(directory)


def complaint(directory: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(directory)
    return str(caught.value)


def test_what_was_saved_comes_back(tmp_path):
    processor, model = make_processor(), make_model(seed=1)
    save_checkpoint(
        tmp_path / "a",
        model,
        processor,
        name="a",
        architecture="bimodal",
        training={"seed": 1},
        metrics={},
        card="# A\n",
        half=False,
    )
    loaded = load_checkpoint(tmp_path / "a")
    for name, tensor in model.state_dict().items():
        assert torch.equal(loaded.model.state_dict()[name], tensor)
    assert loaded.specification == SPECIFICATION
    assert not loaded.model.training
    assert not any(p.requires_grad for p in loaded.model.parameters())
    assert loaded.processor.tokenize("왜 happy").ids == processor.tokenize("왜 happy").ids


def test_half_precision_is_loaded_as_single(original):
    stored = load_file(original / "model.safetensors")
    assert stored["text.head.weight"].dtype == torch.float16
    loaded = load_checkpoint(original)
    weight = loaded.model.state_dict()["text.head.weight"]
    assert weight.dtype == torch.float32
    assert torch.equal(weight, stored["text.head.weight"].float())
    assert loaded.calibration.temperature("speech_raw") == 1.3


def test_reading_about_a_checkpoint_imports_no_torch(original):
    code = (
        "import sys; from core.models.checkpoint import read_info; "
        f"print(read_info({str(original)!r}).name); sys.exit('torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "tiny"


def test_a_checkpoint_can_be_moved_and_replaced(original, tmp_path):
    moved = Path(shutil.copytree(original, tmp_path / "elsewhere" / "renamed"))
    digest = load_checkpoint(moved).info.digest
    make_checkpoint(moved, seed=5)
    assert load_checkpoint(moved).info.digest != digest
    assert [p.name for p in moved.parent.iterdir()] == ["renamed"]


def test_a_failed_save_leaves_the_old_one_alone(copy):
    model = make_model()
    with torch.no_grad():
        model.text.head.bias[0] = float("inf")
    before = read_info(copy).digest
    with pytest.raises(CheckpointError, match=r"head\.bias"):
        save_checkpoint(
            copy,
            model,
            make_processor(),
            name="x",
            architecture="bimodal",
            training={},
            metrics={},
            card="",
        )
    assert load_checkpoint(copy).info.digest == before
    assert [p.name for p in copy.parent.iterdir()] == [copy.name]


@pytest.mark.parametrize("name", ["model.safetensors", "processor/tokenizer.json", "README.md"])
def test_a_truncated_file_is_named(copy, name):
    content = (copy / name).read_bytes()
    (copy / name).write_bytes(content[: len(content) // 2])
    assert f"{name} is damaged" in complaint(copy)


def test_a_flipped_bit_is_noticed(copy):
    path = copy / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(bytes(content))
    assert "model.safetensors is damaged" in complaint(copy)


@pytest.mark.parametrize("name", ["model.safetensors", "processor/tokenizer.json", "training.yaml"])
def test_a_missing_file_is_named(copy, name):
    (copy / name).unlink()
    assert f"{name} is missing" in complaint(copy)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            lambda s: s.pop("text.head.bias"),
            "weight text.head.bias is missing",
        ),
        (lambda s: s.update(extra=torch.zeros(1)), "weight extra is unexpected"),
        (
            lambda s: s.update({"text.head.bias": torch.zeros(3)}),
            "weight text.head.bias has shape (3,)",
        ),
        (
            lambda s: s["text.head.bias"].fill_(float("nan")),
            "weight text.head.bias is not finite",
        ),
        (
            lambda s: s.update({"text.head.bias": torch.zeros(7, dtype=torch.int64)}),
            "int64",
        ),
    ],
)
def test_wrong_weights_are_named(copy, change, expected):
    change_weights(copy, change)
    assert expected in complaint(copy)


def test_every_problem_is_in_one_error(copy):
    def damage(state):
        state.pop("text.head.bias")
        state["text.head.weight"][0, 0] = float("inf")
        state["odd"] = torch.zeros(2)

    change_weights(copy, damage)
    (copy / "metrics.json").unlink()
    (copy / "README.md").write_text("changed")
    (copy / "old.pkl").write_bytes(pickle.dumps({}))
    found = complaint(copy)
    for part in (
        "text.head.bias is missing",
        "text.head.weight is not finite",
        "odd is unexpected",
        "metrics.json is missing",
        "README.md is damaged",
        "old.pkl may be a pickle",
    ):
        assert part in found


def edit_config(directory: Path, **changes) -> None:
    path = directory / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize("version", [FORMAT_VERSION + 1, None, "1"])
def test_an_unknown_format_version_is_refused(copy, version):
    edit_config(copy, format_version=version)
    with pytest.raises(CheckpointError, match="format version"):
        read_info(copy)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"architecture": "os:system"}, "no architecture named 'os:system'"),
        ({"model": {"speech": {"depth": 3}}}, "model section makes no sense"),
        ({"model": {}}, "model section makes no sense"),
        ({"files": {"model.safetensors": "0", "../../secret": "0"}}, "outside the checkpoint"),
        ({"specification": {"labels": []}}, "specification"),
        ({"calibration": {"temperatures": {"fused": -1}}}, "calibration"),
    ],
)
def test_a_config_that_makes_no_sense_is_refused(copy, changes, expected):
    edit_config(copy, **changes)
    assert expected in complaint(copy)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"format_version": 1}'])
def test_a_config_that_is_none_is_refused(copy, content):
    (copy / "config.json").write_text(content)
    with pytest.raises(CheckpointError, match=r"config\.json"):
        read_info(copy)


def test_a_directory_without_config_is_no_checkpoint(tmp_path):
    with pytest.raises(CheckpointError, match="not a checkpoint"):
        read_info(tmp_path)


def test_training_can_be_read_back(original):
    assert read_training(read_info(original)) == {"seed": 0, "trained_on": {"speakers": {}}}
