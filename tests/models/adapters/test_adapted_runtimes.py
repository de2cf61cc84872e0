"""Whatever computes an adapted encoder computes its adapters too, or declines."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.models.adapters import attach, detach, load_adapter_state, merge, switch
from core.models.encoders.streaming import GrowingFeatures
from core.models.half import InHalf
from core.models.outputs import Features, ModelInputs
from core.models.place import Place
from core.models.runtimes.base import Mode
from core.models.runtimes.equip import equip
from core.models.runtimes.packed import Packed
from core.models.runtimes.subjects import SpeechSubject, weights_hash
from core.types import Modality
from tests.models.adapters.material import (
    BOTTLENECK,
    KINDS,
    LORA,
    adapted,
    encoder_of,
    heard_by,
    learnt,
    said_by,
)
from tests.models.runtimes.test_agreement import EXACT, LOSSY, Holder, assert_equal, both, made

TYPES = ("wav2vec2", "xls-r", "wavlm", "unispeech")


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    return tmp_path_factory.mktemp("exports")


def merged(family: str, config=KINDS["both"]):
    encoder = adapted(family, config)
    merge(encoder)
    return encoder


@pytest.mark.parametrize("family", TYPES)
@pytest.mark.parametrize("mode", EXACT, ids=str)
def test_every_runtime_computes_what_torch_computes(exports, mode, family):
    encoder = merged(family)
    stages = made(mode, encoder, exports)
    found, expected = both(encoder, stages, heard_by(encoder, 9_000))
    assert_equal(found, expected)
    without = said_by(encoder_of(family), 9_000)
    assert float((found.sequence - without).abs().max()) > 1e-2


@pytest.mark.parametrize("mode", LOSSY, ids=str)
def test_lossy_runtimes_are_near(exports, mode):
    encoder = merged("wav2vec2")
    found, expected = both(encoder, made(mode, encoder, exports), heard_by(encoder, 9_000))
    without = said_by(encoder_of("wav2vec2"), 9_000)
    error = (found.sequence - expected.sequence).abs().mean()
    assert float(error) < 0.2 * float((without - expected.sequence).abs().mean())


@pytest.mark.parametrize("family", TYPES)
def test_lora_that_is_open_is_left_to_torch(family, tmp_path):
    encoder = adapted(family, LORA)
    said = said_by(encoder, 9_000)
    assert not SpeechSubject(encoder).can_change
    info = equip(Holder(encoder), None, "", "packed", cache=tmp_path)
    assert [found.name for found in info] == ["torch"]
    assert torch.equal(said_by(encoder, 9_000), said)
    merge(encoder)
    assert SpeechSubject(encoder).can_change
    info = equip(Holder(encoder), None, "", "packed", cache=tmp_path)
    assert [found.name for found in info] == ["packed"]
    torch.testing.assert_close(said_by(encoder, 9_000), said, atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_every_change_of_adapters_drops_what_was_made_of_other_weights(kind):
    config = KINDS[kind]
    state = learnt(adapted("wav2vec2", config))
    encoder = encoder_of("wav2vec2")

    def fit() -> None:
        encoder.run_on(Packed(Mode("packed")).speech(encoder))

    changes = [
        lambda: attach(encoder, config),
        lambda: load_adapter_state(encoder, state),
        lambda: detach(encoder),
        lambda: switch(encoder, state, config),
        lambda: load_adapter_state(encoder, learnt(encoder, seed=9)),
        lambda: switch(encoder, None),
    ]
    for change in changes:
        fit()
        change()
        assert encoder.stages is None


def test_merging_drops_what_was_made_of_other_weights():
    encoder = adapted("wav2vec2")
    encoder.run_on(Packed(Mode("packed")).speech(encoder_of("wav2vec2")))
    merge(encoder)
    assert encoder.stages is None


def test_an_adapted_encoder_is_exported_anew():
    base, first, second = (
        encoder_of("wav2vec2"),
        merged("wav2vec2", BOTTLENECK),
        merged("wav2vec2", LORA),
    )
    hashes = {weights_hash(encoder, "", Modality.SPEECH) for encoder in (base, first, second)}
    assert len(hashes) == 3


@pytest.mark.parametrize("family", ["wav2vec2", "xls-r", "wavlm", "hubert"])
def test_half_precision_is_near(family):
    encoder = merged(family)
    expected = said_by(encoder, 9_000)
    without = said_by(encoder_of(family), 9_000)
    halved = InHalf(encoder, torch.bfloat16, "cpu")
    with torch.inference_mode():
        found = halved(heard_by(encoder, 9_000)).sequence
    error = (found - expected).abs().mean()
    assert float(error) < 0.2 * float((without - expected).abs().mean())


class OnlySpeech:
    """As much of a model as the encoding of speech needs."""

    def __init__(self, encoder) -> None:
        self.speech = encoder

    def encode(self, inputs: ModelInputs) -> Features:
        return Features(speech=self.speech(inputs))


@pytest.mark.parametrize("family", ["xls-r", "hubert-large", "wavlm-large"])
@pytest.mark.parametrize("packed", [False, True])
@torch.inference_mode()
def test_an_utterance_that_grows_is_heard_through_the_adapters(family, packed):
    encoder = merged(family)
    sound = np.random.default_rng(0).normal(0, 1, 48_000).astype(np.float32)
    rows = [torch.from_numpy(sound[:end])[None] for end in (3_999, 20_001, 48_000)]
    inputs = [ModelInputs(waveform=row, waveform_mask=row.isfinite()) for row in rows]
    expected = [encoder(each).sequence for each in inputs]
    if packed:
        encoder.run_on(Packed(Mode("packed")).speech(encoder))
    growing, model = GrowingFeatures(encoder), OnlySpeech(encoder)
    for each, whole in zip(inputs, expected, strict=True):
        found = growing.encode(model, each, Place("a")).speech.sequence
        torch.testing.assert_close(found, whole, atol=2e-5, rtol=0)
    assert growing.convolved == expected[-1].shape[1]
