"""What can be wrong with an adapter is refused in one sentence that names it."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from core.errors import CheckpointError
from core.models.adapters.switching import switch_checkpoint
from core.models.checkpoint import load_checkpoint, read_info, seal
from tests.models.adapters.checkpoints import answer, make_adapter, make_base
from tests.models.adapters.material import same, snapshot


@pytest.fixture(scope="module")
def base(tmp_path_factory, tiny_encoder) -> Path:
    return make_base(tmp_path_factory.mktemp("bases") / "base", tiny_encoder("wav2vec2_base_like"))


@pytest.fixture(scope="module")
def original(base) -> Path:
    return make_adapter(base.parent / "adapter", base)


@pytest.fixture
def copy(base, original, tmp_path) -> Path:
    """An adapter that a test may damage; its base is where it was."""
    return Path(shutil.copytree(original, tmp_path / "adapter"))


def complaint(folder: Path, base: Path) -> str:
    """Return what is said when it is opened, and when a loaded model is switched to it."""
    with pytest.raises(CheckpointError) as opening:
        load_checkpoint(folder, base)
    loaded = load_checkpoint(base)
    before, said = snapshot(loaded.model), answer(loaded.model, loaded.processor)
    with pytest.raises(CheckpointError) as switching:
        switch_checkpoint(loaded, folder)
    assert same(snapshot(loaded.model), before)
    assert torch.equal(answer(loaded.model, loaded.processor), said)
    assert str(switching.value) == str(opening.value)
    text = str(opening.value)
    assert str(folder) in text
    assert "\n" not in text
    assert opening.value.remedy
    return text


def edit(folder: Path, change) -> None:
    path = folder / "config.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    change(values)
    path.write_text(json.dumps(values), encoding="utf-8")


def change_weights(folder: Path, change) -> None:
    path = folder / "adapter.safetensors"
    state = load_file(path)
    change(state)
    save_file(state, path)
    seal(folder)


A_FACTOR = "speech.model.encoder.layers.0.attention.q_proj.lora_A.weight"
A_HEAD = "classifiers.emotion.1.weight"


@pytest.mark.parametrize(
    "name", ["adapter.safetensors", "training.yaml", "metrics.json", "README.md"]
)
def test_a_missing_file_is_named(copy, base, name):
    (copy / name).unlink()
    assert f"{name} is missing" in complaint(copy, base)


@pytest.mark.parametrize("name", ["adapter.safetensors", "training.yaml", "README.md"])
def test_a_changed_file_is_named(copy, base, name):
    path = copy / name
    path.write_bytes(path.read_bytes() + b" ")
    assert f"{name} is damaged or was changed" in complaint(copy, base)


def test_weights_that_are_cut_off_are_named(copy, base):
    path = copy / "adapter.safetensors"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    seal(copy)
    assert "adapter.safetensors can't be read" in complaint(copy, base)


def test_weights_that_are_a_pickle_are_never_opened(copy, base):
    torch.save({"a": torch.zeros(1)}, copy / "adapter.safetensors")
    seal(copy)
    assert "adapter.safetensors can't be read" in complaint(copy, base)


@pytest.mark.parametrize("name", ["adapter.bin", "processor/vocabulary.pkl"])
def test_a_pickle_beside_them_is_refused(copy, base, name):
    (copy / name).parent.mkdir(exist_ok=True)
    (copy / name).write_bytes(pickle.dumps({}))
    assert f"{name} may be a pickle" in complaint(copy, base)


@pytest.mark.parametrize("name", [A_FACTOR, A_HEAD])
def test_a_weight_that_is_missing_is_named(copy, base, name):
    change_weights(copy, lambda state: state.pop(name))
    assert f"weight {name} is missing" in complaint(copy, base)


@pytest.mark.parametrize("name", [A_FACTOR, A_HEAD])
def test_a_weight_of_another_shape_is_named(copy, base, name):
    change_weights(copy, lambda state: state.update({name: torch.zeros(3, 2)}))
    assert f"weight {name} has shape (3, 2)" in complaint(copy, base)


@pytest.mark.parametrize("name", [A_FACTOR, A_HEAD])
def test_a_weight_that_is_not_finite_is_named(copy, base, name):
    change_weights(copy, lambda state: state[name].fill_(float("nan")))
    assert f"weight {name} is not finite" in complaint(copy, base)


@pytest.mark.parametrize("name", ["extra", "speech.extra"])
def test_a_weight_that_is_unexpected_is_named(copy, base, name):
    change_weights(copy, lambda state: state.update({name: torch.zeros(1)}))
    assert f"weight {name} is unexpected" in complaint(copy, base)


@pytest.mark.parametrize(
    "change",
    [
        lambda values: values["model"]["adapters"]["lora"].update(rank=5),
        lambda values: values["model"]["adapters"]["lora"].update(rank=10**9),
        lambda values: values["model"]["adapters"]["bottleneck"].update(width=10**9),
        lambda values: values["model"]["adapters"].update(lora=None),
        lambda values: values["model"]["adapters"]["lora"].update(rank=0),
        lambda values: values["model"]["adapters"].update(colour="red"),
        lambda values: values["model"].update(adapters=None),
        lambda values: values["model"]["heads"].update(adapter=10**9),
        lambda values: values["model"]["heads"].update(gender=["a"]),
        lambda values: values["model"]["heads"].update(fusion=False),
        lambda values: values["specification"]["labels"].pop(),
        lambda values: values.update(architecture="bimodal"),
    ],
)
def test_a_config_that_does_not_fit_the_weights_is_refused(copy, base, change):
    edit(copy, change)
    complaint(copy, base)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda values: values.pop("base"), "lacks 'base'"),
        (lambda values: values["base"].pop("sha256"), "lacks 'sha256'"),
        (lambda values: values["base"].update(sha256="abc"), "no sha256 in hex"),
        (lambda values: values["base"].update(kind="other"), "no known kind"),
        (lambda values: values.update(base=3), "can't be read"),
        (lambda values: values["files"].pop("adapter.safetensors"), "lists no adapter.safetensors"),
        (lambda values: values.update(kind="mystery"), "unknown here"),
        (lambda values: values.update(format_version=2), "format version 2"),
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(copy, base, change, said):
    edit(copy, change)
    assert said in complaint(copy, base)


@pytest.mark.parametrize("digest", ["0" * 64, "f" * 64])
def test_another_base_is_refused_with_both_digests(copy, base, digest):
    edit(copy, lambda values: values["base"].update(sha256=digest))
    with pytest.raises(CheckpointError) as error:
        load_checkpoint(copy, base)
    assert digest[:12] in str(error.value)
    assert read_info(base).digest[:12] in str(error.value)
    with pytest.raises(CheckpointError, match="is loaded"):
        switch_checkpoint(load_checkpoint(base), copy)


def test_an_adapter_of_another_encoder_is_refused(copy, base, tmp_path, tiny_encoder):
    other = make_base(tmp_path / "other", tiny_encoder("hubert_like"))
    edit(copy, lambda values: values["base"].update(sha256=read_info(other).digest))
    with pytest.raises(CheckpointError, match="not the one that the adapter describes"):
        load_checkpoint(copy, other)


def test_an_adapter_is_no_dialogue_model(copy):
    from core.models.context.manifest import read_dialogue_info

    with pytest.raises(CheckpointError, match="holds an adapter of a model of single utterances"):
        read_dialogue_info(copy)
