"""A loaded model answers as another adapter of its base does, without loading the base again."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.errors import CheckpointError
from core.models import manifest
from core.models.adapters.switching import switch_checkpoint
from core.models.checkpoint import load_checkpoint, read_info
from core.models.encoders.pretrained import load_pretrained_speech, make_processor
from core.models.half import InHalf
from core.models.runtimes.base import Mode
from core.models.runtimes.packed import Packed
from tests.checkpoints import make_speech_text_checkpoint
from tests.models.adapters.checkpoints import (
    PAPERS,
    adapted_model,
    answer,
    make_adapter,
    make_base,
    narrower,
    save_adapter_checkpoint,
)
from tests.models.adapters.material import BOTTLENECK, LORA, same, snapshot


@pytest.fixture(scope="module")
def folders(tmp_path_factory, tiny_encoder) -> list[Path]:
    """A base and adapters of different kinds, with different heads."""
    root = tmp_path_factory.mktemp("bases")
    base = make_base(root / "base", tiny_encoder("xls_r_like"))
    return [
        base,
        make_adapter(root / "both", base),
        make_adapter(root / "lora", base, config=LORA, heads=narrower(), seed=2),
        make_adapter(root / "bottleneck", base, config=BOTTLENECK, seed=3),
    ]


def test_switched_is_as_opened_whatever_came_before(folders):
    expected = {folder: load_checkpoint(folder) for folder in folders}
    loaded = load_checkpoint(folders[0])
    for folder in (*folders, *reversed(folders), *folders[::2]):
        loaded = switch_checkpoint(loaded, folder)
        wanted = expected[folder]
        assert loaded.info == wanted.info
        assert same(loaded.model.state_dict(), wanted.model.state_dict())
        found = answer(loaded.model, loaded.processor)
        assert torch.equal(found, answer(wanted.model, wanted.processor))
        assert loaded.model.config() == wanted.model.config()
        assert not loaded.model.training
        assert not any(parameter.requires_grad for parameter in loaded.model.parameters())


def test_the_encoder_is_given_on_and_the_weights_of_the_base_are_not_read(folders, monkeypatch):
    loaded = load_checkpoint(folders[1])
    encoder = loaded.model.speech
    read = []
    original = manifest.sha256
    monkeypatch.setattr(manifest, "sha256", lambda path: read.append(path) or original(path))
    switched = switch_checkpoint(loaded, folders[2])
    assert switched.model.speech is encoder
    assert {path.parent for path in read} == {folders[2]}


def test_what_computed_the_encoder_before_is_let_go(folders):
    loaded = load_checkpoint(folders[1])
    encoder = loaded.model.speech
    encoder.run_on(Packed(Mode("packed")).speech(encoder))
    switched = switch_checkpoint(loaded, folders[2])
    assert switched.model.speech.stages is None
    wanted = load_checkpoint(folders[2])
    found = answer(switched.model, switched.processor)
    assert torch.equal(found, answer(wanted.model, wanted.processor))


def test_each_adapter_has_its_own_processor_if_it_was_saved_with_one(
    folders, tmp_path, tiny_encoder
):
    own = make_processor(load_pretrained_speech(tiny_encoder("xls_r_like")), longest_seconds=2.5)
    base = folders[0]
    model = adapted_model(base)
    target = tmp_path / "own"
    save_adapter_checkpoint(target, model, base=base, name="own", processor=own, **PAPERS)
    loaded = load_checkpoint(folders[1])
    seconds = []
    for folder in (target, folders[2], target, base):
        loaded = switch_checkpoint(loaded, folder)
        seconds.append(loaded.processor.config.longest_seconds)
    assert seconds == [2.5, 4.0, 2.5, 4.0]


def test_an_adapter_of_another_base_is_refused(folders, tmp_path, tiny_encoder):
    other = make_base(tmp_path / "other", tiny_encoder("xls_r_like"), seed=5)
    adapter = make_adapter(tmp_path / "adapter", other)
    loaded = load_checkpoint(folders[1])
    before = snapshot(loaded.model)
    with pytest.raises(CheckpointError) as error:
        switch_checkpoint(loaded, adapter)
    digests = read_info(other).digest[:12], read_info(folders[0]).digest[:12]
    assert error.value.problem == (
        f"{adapter} goes with first stage (sha256 {digests[0]}), while first stage ({digests[1]})"
        " is loaded."
    )
    assert same(snapshot(loaded.model), before)


def test_a_model_in_half_precision_is_not_switched(folders):
    loaded = load_checkpoint(folders[1])
    loaded.model.speech = InHalf(loaded.model.speech, torch.bfloat16, "cpu")
    with pytest.raises(CheckpointError, match="half precision"):
        switch_checkpoint(loaded, folders[2])


def test_a_model_without_such_an_encoder_is_not_switched(folders, tmp_path):
    loaded = load_checkpoint(make_speech_text_checkpoint(tmp_path / "tiny", system="early"))
    with pytest.raises(CheckpointError, match="is loaded"):
        switch_checkpoint(loaded, folders[1])
