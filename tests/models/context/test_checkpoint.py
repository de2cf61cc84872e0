"""A dialogue checkpoint: what was saved comes back, and what is wrong with one is said at once."""

from __future__ import annotations

import json
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from core.errors import CheckpointError
from core.models.checkpoint import load_checkpoint, read_info
from core.models.context.bilstm import BiLSTM
from core.models.context.checkpoint import (
    DialogueInfo,
    load_dialogue_checkpoint,
    read_dialogue_info,
    save_dialogue_checkpoint,
)
from core.models.context.inputs import DialogueInputs
from core.models.context.specification import DialogueSpecification, FeatureSize
from core.models.manifest import sealed
from tests.checkpoints import make_checkpoint

SPECIFICATION = DialogueSpecification(
    ("neutral", "happy", "sad"),
    {"text": FeatureSize(6), "speech": FeatureSize(4, layers=2)},
    window=5,
    speakers=3,
    utterance_model="ab" * 32,
    utterance_name="tiny",
    languages=("ko",),
)


def make_model(seed: int = 0) -> BiLSTM:
    torch.manual_seed(seed)
    return BiLSTM.from_config(SPECIFICATION, {"hidden": 8, "layers": 1})


def save(folder: Path, model: BiLSTM | None = None, **options) -> DialogueInfo:
    facts = {"name": "tiny", "architecture": "bilstm", "training": {"seed": 0}, "metrics": {}}
    return save_dialogue_checkpoint(
        folder, model or make_model(), **{**facts, "card": "# Tiny\n", **options}
    )


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Path:
    folder: Path = tmp_path_factory.mktemp("dialogue") / "tiny"
    return save(folder, temperature=1.7).path


@pytest.fixture
def copy(original, tmp_path) -> Path:
    """A copy of the checkpoint that a test may damage."""
    return Path(shutil.copytree(original, tmp_path / "tiny"))


def complaint(folder: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        load_dialogue_checkpoint(folder)
    return str(caught.value)


def change_config(folder: Path, **values: object) -> None:
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**config, **values}), encoding="utf-8")


def change_weights(folder: Path, change) -> None:
    """Change stored weights and make the manifest agree, as a wrong training would."""
    state = load_file(folder / "model.safetensors")
    change(state)
    save_file(state, folder / "model.safetensors")
    sealed(read_dialogue_info(folder))


def test_what_was_saved_answers_the_same_when_loaded(tmp_path):
    model = make_model(seed=1).eval()
    save(tmp_path / "a", model, half=False, training={"seed": 1}, metrics={"dev": 0.5})
    loaded = load_dialogue_checkpoint(tmp_path / "a")
    mask = torch.ones(1, 4, dtype=torch.bool)
    features = {"text": torch.randn(1, 4, 6), "speech": torch.randn(1, 4, 2, 4)}
    inputs = DialogueInputs(features, dict.fromkeys(features, mask), torch.zeros(1, 4).int(), mask)
    assert torch.equal(loaded.model(inputs).logits, model(inputs).logits)
    assert not loaded.model.training
    assert not any(p.requires_grad for p in loaded.model.parameters())
    assert json.loads((tmp_path / "a" / "metrics.json").read_text()) == {"dev": 0.5}


def test_a_checkpoint_says_what_it_is(original):
    info = load_dialogue_checkpoint(original).info
    assert info == read_dialogue_info(original)
    assert info.specification == SPECIFICATION
    assert (info.name, info.architecture, info.temperature) == ("tiny", "bilstm", 1.7)
    assert info.model_config == make_model().config()
    assert len(info.digest) == 64
    assert set(info.files) == {"README.md", "metrics.json", "model.safetensors", "training.yaml"}


def test_weights_are_stored_in_half_and_loaded_in_single_precision(original):
    stored = load_file(original / "model.safetensors")
    loaded = load_dialogue_checkpoint(original).model.state_dict()
    assert {t.dtype for t in stored.values()} == {torch.float16}
    assert all(torch.equal(loaded[name], tensor.float()) for name, tensor in stored.items())


def test_reading_about_a_dialogue_checkpoint_imports_no_torch(original):
    code = (
        "import sys; from core.models.context.checkpoint import read_dialogue_info; "
        f"print(read_dialogue_info({str(original)!r}).name); sys.exit('torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "tiny"


def test_one_error_names_everything_that_is_wrong(copy):
    (copy / "README.md").unlink()
    (copy / "metrics.json").write_text("{ }", encoding="utf-8")
    (copy / "extra.pkl").write_bytes(pickle.dumps({}))
    change_config(copy, architecture="transformer")
    text = complaint(copy)
    for part in (
        "README.md is missing",
        "metrics.json is damaged",
        "extra.pkl may be a pickle",
        "no dialogue architecture named 'transformer'",
    ):
        assert part in text


def test_a_pickle_in_place_of_the_weights_is_refused_and_not_run(copy, tmp_path):
    ran = tmp_path / "ran"

    class Malicious:
        def __reduce__(self):
            return (Path.touch, (ran,))

    (copy / "model.safetensors").write_bytes(pickle.dumps(Malicious()))
    sealed(read_dialogue_info(copy))
    assert "model.safetensors can't be read" in complaint(copy)
    assert not ran.exists()


def test_weights_of_another_model_are_refused(copy):
    def change(state):
        name = next(n for n in state if n.startswith("classifier"))
        del state[name]
        state["stranger"] = torch.zeros(1)
        other = next(n for n, t in state.items() if t.ndim == 2)
        state[other] = state[other][:-1].contiguous()

    change_weights(copy, change)
    text = complaint(copy)
    assert "is missing" in text
    assert "weight stranger is unexpected" in text
    assert "has shape" in text


def test_a_failed_save_leaves_the_old_checkpoint_alone(copy):
    before = read_dialogue_info(copy).digest
    model = make_model()
    with torch.no_grad():
        next(model.parameters())[0] = float("nan")
    with pytest.raises(CheckpointError, match="not finite"):
        save(copy, model)
    with pytest.raises(CheckpointError, match="temperature"):
        save(copy, temperature=0.0)
    assert load_dialogue_checkpoint(copy).info.digest == before
    assert [p.name for p in copy.parent.iterdir()] == [copy.name]


def test_the_two_kinds_of_checkpoint_are_told_apart(original, tmp_path):
    utterances = make_checkpoint(tmp_path / "utterances")
    with pytest.raises(CheckpointError, match="holds a model of single utterances; needed is a"):
        load_dialogue_checkpoint(utterances)
    for read in (read_info, load_checkpoint):
        with pytest.raises(CheckpointError, match="holds a dialogue model"):
            read(original)


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"format_version": 99}, "format version 99"),
        ({"kind": "oracle"}, "of the kind 'oracle', which is unknown here"),
        ({"temperature": -1}, "temperature must be a number above zero"),
        ({"temperature": [1]}, "can't be read"),
        ({"specification": {"labels": []}}, "specification can't be read"),
        ({"files": ["model.safetensors"]}, "can't be read"),
        ({"files": {}}, "it lists no model.safetensors"),
        ({"model": {"hidden": 8, "wings": 2}}, "model configuration makes no sense"),
    ],
)
def test_a_config_that_makes_no_sense_is_refused(copy, values, problem):
    change_config(copy, **values)
    assert problem in complaint(copy)


@pytest.mark.parametrize("hidden", [2**20, 2**40])
def test_a_config_that_asks_for_far_more_than_its_weights_is_refused(copy, monkeypatch, hidden):
    devices = set()
    make = BiLSTM.from_config

    def seen(*arguments):
        devices.add(torch.empty(0).device.type)
        return make(*arguments)

    monkeypatch.setattr(BiLSTM, "from_config", seen)
    change_config(copy, model={"hidden": hidden, "layers": 1})
    assert re.search("has shape|makes no sense", complaint(copy))
    assert devices == {"meta"}  # where nothing takes memory


def test_a_folder_without_a_config_is_no_checkpoint(tmp_path):
    assert "is not a checkpoint" in complaint(tmp_path)
