"""Features that are added as sound comes in equal those of the whole waveform."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.models.encoders import streaming
from core.models.encoders.pretrained import load_pretrained_speech
from core.models.encoders.streaming import GrowingFeatures, field_of, stride_of
from core.models.outputs import Features, ModelInputs
from core.models.place import Place
from core.models.runtimes.base import Speech
from core.types import Modality, RuntimeInfo

STRIDE = 320
FRAMES_A_SECOND = 50
LOCAL = ("wav2vec2_large_like", "wavlm_like", "xls_r_like")
OVER_THE_CLIP = ("wav2vec2_base_like", "hubert_like")


class OnlySpeech:
    """As much of a model as the encoding of speech needs."""

    def __init__(self, encoder) -> None:
        self.speech = encoder

    def encode(self, inputs: ModelInputs) -> Features:
        return Features(speech=self.speech(inputs))


def encoder_of(tiny_encoder, kind: str, **options):
    return load_pretrained_speech(tiny_encoder(kind), **options).encoder.eval()


def inputs_of(waveform: np.ndarray) -> ModelInputs:
    row = torch.from_numpy(waveform)[None]
    return ModelInputs(waveform=row, waveform_mask=torch.ones_like(row, dtype=torch.bool))


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, round(seconds * 16_000)).astype(np.float32)


@pytest.mark.parametrize("kind", LOCAL)
@pytest.mark.parametrize("output", ["last_hidden_state", "extract_features"])
@torch.inference_mode()
def test_a_waveform_in_pieces_of_any_size_gives_what_it_gives_whole(tiny_encoder, kind, output):
    encoder = encoder_of(tiny_encoder, kind, output=output)
    growing, model, sound = GrowingFeatures(encoder), OnlySpeech(encoder), noise(4.0)
    for end in (401, 3_999, 4_000, 9_777, 25_001, 64_000):
        inputs = inputs_of(sound[:end])
        found = growing.encode(model, inputs, Place("a")).speech
        whole = encoder(inputs)
        torch.testing.assert_close(found.sequence, whole.sequence, atol=1e-5, rtol=0)
        torch.testing.assert_close(found.pooled, whole.pooled, atol=1e-5, rtol=0)
        assert bool(found.mask.all())
    assert growing.convolved == whole.sequence.shape[1]


@torch.inference_mode()
def test_a_window_that_slides_costs_what_is_new_at_any_length(tiny_encoder):
    encoder = encoder_of(tiny_encoder, "wav2vec2_large_like")
    growing, model, sound = GrowingFeatures(encoder), OnlySpeech(encoder), noise(16.0)
    costs = []
    for quarter in range(4, 65):
        end = quarter * 4_000
        first = -(-max(0, end - 48_000) // STRIDE) * STRIDE
        before, inputs = growing.convolved, inputs_of(sound[first:end])
        found = growing.encode(model, inputs, Place("a", first)).speech
        costs.append(growing.convolved - before)
        if quarter % 12 == 0:
            torch.testing.assert_close(found.sequence, encoder(inputs).sequence, atol=1e-5, rtol=0)
    assert max(costs[1:]) <= np.ceil(FRAMES_A_SECOND / 4)
    assert sum(costs) == (sound.size - 400) // STRIDE + 1


@torch.inference_mode()
def test_the_final_finds_the_features_of_the_looks_before_it(tiny_encoder):
    encoder = encoder_of(tiny_encoder, "wav2vec2_large_like")
    growing, sound = GrowingFeatures(encoder), noise(6.0)
    for end in range(8_000, 96_000, 8_000):
        first = max(0, end - 48_000) // STRIDE * STRIDE
        growing.features(torch.from_numpy(sound[None, first:end]), Place("a", first))
    before = growing.convolved
    found = growing.features(torch.from_numpy(sound[None]), Place("a"))
    assert growing.convolved - before <= FRAMES_A_SECOND // 2 + 1
    expected = encoder.convolve(torch.from_numpy(sound[None]))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    shorter = growing.features(torch.from_numpy(sound[None, :50_000]), Place("a"))
    torch.testing.assert_close(shorter, expected[:, : shorter.shape[1]], atol=1e-5, rtol=0)


@torch.inference_mode()
def test_features_that_are_gone_are_made_again(tiny_encoder, monkeypatch):
    monkeypatch.setattr(streaming, "MOST_FRAMES", 40)
    monkeypatch.setattr(streaming, "MOST_STREAMS", 2)
    encoder = encoder_of(tiny_encoder, "wav2vec2_large_like")
    growing, sound = GrowingFeatures(encoder), torch.from_numpy(noise(3.0)[None])
    for end in (16_000, 32_000, 48_000):
        first = (end - 12_800) // STRIDE * STRIDE
        growing.features(sound[:, first:end], Place("a", first))
    expected = encoder.convolve(sound)
    torch.testing.assert_close(growing.features(sound, Place("a")), expected, atol=1e-5, rtol=0)
    before = growing.convolved
    growing.features(sound, Place("a"))
    assert growing.convolved == before  # what a look needs is kept, however long it is
    for stream in ("b", "c", "a"):
        growing.features(sound, Place(stream))
    assert growing.convolved == before + 3 * expected.shape[1]
    growing.forget()
    growing.features(sound, Place("a"))
    assert growing.convolved == before + 4 * expected.shape[1]


@torch.inference_mode()
def test_other_runtimes_convolve_what_is_new_and_stay_in_place(tiny_encoder):
    encoder = encoder_of(tiny_encoder, "wav2vec2_large_like")
    convolved: list[int] = []
    contextualised: list[int] = []

    def convolve(waveform):
        convolved.append(waveform.shape[1])
        return encoder.convolve_by_torch(waveform)

    def contextualise(features):
        contextualised.append(features.shape[1])
        return encoder.contextualise_by_torch(features)

    stages = Speech(RuntimeInfo(Modality.SPEECH, "counted"), convolve, contextualise)
    encoder.run_on(stages)
    growing, model, sound = GrowingFeatures(encoder), OnlySpeech(encoder), noise(2.0)
    growing.encode(model, inputs_of(sound[:16_000]), Place("a"))
    found = growing.encode(model, inputs_of(sound[:20_000]), Place("a")).speech
    assert convolved == [16_000, 20_000 - 49 * STRIDE]
    assert contextualised == [49, 62]
    assert encoder.stages is stages
    encoder.run_on(None)
    expected = encoder(inputs_of(sound[:20_000]))
    torch.testing.assert_close(found.pooled, expected.pooled, atol=1e-5, rtol=0)


def test_a_failure_leaves_the_encoder_as_it_was(tiny_encoder):
    encoder = encoder_of(tiny_encoder, "wav2vec2_large_like")

    class Broken(OnlySpeech):
        def encode(self, inputs):
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"), torch.inference_mode():
        GrowingFeatures(encoder).encode(Broken(encoder), inputs_of(noise(1.0)), Place("a"))
    assert encoder.stages is None


@pytest.mark.parametrize("kind", OVER_THE_CLIP)
def test_models_that_normalise_over_the_clip_are_refused(tiny_encoder, kind):
    with pytest.raises(ValueError, match="whole clip"):
        GrowingFeatures(encoder_of(tiny_encoder, kind))


@pytest.mark.parametrize("kind", LOCAL)
def test_steps_and_reach_of_a_frame_are_those_of_the_published_models(tiny_encoder, kind):
    encoder = encoder_of(tiny_encoder, kind)
    assert (stride_of(encoder), field_of(encoder)) == (320, 400)
