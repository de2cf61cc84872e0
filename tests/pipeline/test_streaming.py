"""Looks at a growing utterance: what they compute, and that they say what a fresh look would."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.models.pretrained_processor import PretrainedProcessor
from core.pipeline.analyzer import ModelAnalyzer, load_analyzer
from core.pipeline.hearing import hearing_for
from core.pipeline.wave_hearing import GROWING_SECONDS, WHOLE_CLIP_SECONDS, WaveHearing
from core.types import Modality, Transcript, Utterance
from tests.checkpoints import make_checkpoint, make_speech_text_checkpoint, voice

SECOND = 16_000
FRAMES_A_SECOND = 50
SENTENCE = "I am so happy to see you today and it is nothing the train is late again"
WORDS = tuple(SENTENCE.split())


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("streaming")


@pytest.fixture(scope="module")
def checkpoint(folder) -> Path:
    """wav2vec2-large's kind of convolutions, waveforms scaled as the published models want it."""
    return make_speech_text_checkpoint(folder / "cat", system="cat", pretrained=True)


@pytest.fixture(scope="module")
def loaded(checkpoint) -> ModelAnalyzer:
    analyzer = load_analyzer(checkpoint, "cpu")
    analyzer.warm_up()
    return analyzer


@pytest.fixture
def analyzer(loaded) -> ModelAnalyzer:
    loaded.reset()
    return loaded


@pytest.fixture
def unscaled(checkpoint) -> ModelAnalyzer:
    """The same model, its samples taken as they are."""
    analyzer = load_analyzer(checkpoint, "cpu")
    analyzer.warm_up()
    fitted = analyzer._fitted
    had = fitted.loaded
    processor = PretrainedProcessor(
        replace(had.processor.config, normalise=False), had.processor.tokenizer
    )
    fitted.loaded = replace(had, processor=processor)
    analyzer._heard = hearing_for(fitted.loaded)
    return analyzer


def said(seconds: float, index: int = 0) -> Utterance:
    samples = voice(seconds, seed=index)
    return Utterance(index, 0, samples.size, samples)


def grown(whole: Utterance, seconds: float) -> Utterance:
    n = round(seconds * SECOND)
    return replace(whole, end=n, samples=whole.samples[:n], is_final=False)


def text(words: int) -> Transcript:
    return Transcript(" ".join(WORDS[:words]), language="en", is_final=False)


def test_a_look_costs_the_new_sound_and_the_newest_seconds_at_any_length(analyzer):
    whole, convolved, encoded = said(16.0), [], []
    for quarter in range(16, 65):
        before = analyzer.work
        analyzer.partial(grown(whole, quarter / 4), None)
        spent = analyzer.work - before
        convolved.append(spent.frames_convolved)
        encoded.append(spent.frames_encoded)
    assert max(convolved[1:]) <= np.ceil(FRAMES_A_SECOND / 4)
    assert max(encoded) <= GROWING_SECONDS * FRAMES_A_SECOND
    assert max(encoded) <= 1.1 * encoded[0]


def test_a_look_says_what_one_that_begins_afresh_says(analyzer, checkpoint):
    """The scale stays that of an earlier look: the difference it makes, and none beyond it."""
    whole = said(12.0)
    for quarter in range(2, 48):
        found = analyzer.partial(grown(whole, quarter / 4), None)
    analyzer.reset()
    fresh = analyzer.partial(grown(whole, 47 / 4), None)
    assert found.probabilities == pytest.approx(fresh.probabilities, abs=2e-2)
    assert found.label == fresh.label


def test_without_a_scale_a_look_equals_a_fresh_one_exactly(unscaled):
    whole = said(12.0)
    for quarter in range(2, 48):
        found = unscaled.partial(grown(whole, quarter / 4), None)
    unscaled.reset()
    fresh = unscaled.partial(grown(whole, 47 / 4), None)
    assert found.probabilities == pytest.approx(fresh.probabilities, abs=1e-5)


def test_a_final_is_as_in_training_whatever_was_looked_at_before(analyzer):
    whole = said(5.0)
    samples = whole.samples.copy()
    samples[: 2 * SECOND] *= 0.8
    whole = replace(whole, samples=samples)
    for quarter in range(2, 20):
        analyzer.partial(grown(whole, quarter / 4), None)
    result = analyzer.final(whole, None)
    model, processor = analyzer._fitted.loaded.model, analyzer._fitted.loaded.processor
    with torch.inference_mode():
        encoded = model.encode(processor(whole.samples)).speech
    np.testing.assert_allclose(result.features[Modality.SPEECH], encoded.pooled[0], atol=1e-5)


def test_a_final_of_unscaled_samples_convolves_only_what_no_look_had(unscaled):
    whole = said(5.0)
    for quarter in range(1, 20):
        unscaled.partial(grown(whole, quarter / 4), None)
    before = unscaled.work
    result = unscaled.final(whole, None)
    spent = unscaled.work - before
    assert spent.frames_convolved <= FRAMES_A_SECOND / 4 + 1
    assert spent.frames_encoded == (5 * SECOND - 400) // 320 + 1
    unscaled.reset()
    afresh = unscaled.final(whole, None)
    assert result.probabilities == pytest.approx(afresh.probabilities, abs=1e-5)
    np.testing.assert_allclose(
        result.features[Modality.SPEECH], afresh.features[Modality.SPEECH], atol=1e-5
    )


def test_a_long_final_of_unscaled_samples_is_cut_as_in_training(unscaled):
    whole = said(14.0)
    for half in range(1, 28):
        unscaled.partial(grown(whole, half / 2), None)
    result = unscaled.final(whole, None)
    unscaled.reset()
    afresh = unscaled.final(whole, None)
    assert result.probabilities == pytest.approx(afresh.probabilities, abs=1e-5)


def test_a_text_is_read_again_only_when_it_changed(analyzer):
    whole = said(4.0)
    spent = []
    for quarter, words in enumerate((3, 3, 3, 4, 4, 5), start=4):
        before = analyzer.work
        analyzer.partial(grown(whole, quarter / 4), text(words))
        spent.append((analyzer.work - before).tokens_read > 0)
    assert spent == [True, False, False, True, False, True]


def test_a_final_after_a_pause_that_was_judged_ahead_costs_its_text_alone(analyzer):
    whole = said(3.0)
    paused = replace(whole, is_final=False, paused=True)
    ahead = analyzer.final(paused, None)
    before = analyzer.work
    final = analyzer.final(whole, text(5))
    spent = analyzer.work - before
    assert (spent.frames_convolved, spent.frames_encoded) == (0, 0)
    assert spent.tokens_read > 0
    assert final.by_modality[Modality.SPEECH] == pytest.approx(
        ahead.by_modality[Modality.SPEECH], abs=1e-6
    )


@pytest.mark.parametrize("seconds", [1.5, 1.75, 2.0])
def test_a_shorter_look_is_honoured(analyzer, seconds):
    whole = said(8.0)
    before = analyzer.work
    asked = analyzer.partial(grown(whole, 8.0), None, seconds)
    spent = analyzer.work - before
    frames = FRAMES_A_SECOND * seconds
    assert frames - 2 <= spent.frames_encoded <= frames
    suits = analyzer.partial(grown(whole, 8.0), None)
    assert asked.probabilities != suits.probabilities
    before = analyzer.work
    analyzer.partial(grown(whole, 8.0), None, 60.0)  # never more than suits the model
    assert (analyzer.work - before).frames_encoded <= GROWING_SECONDS * FRAMES_A_SECOND


def test_a_shorter_look_at_measured_frames_is_honoured(folder):
    analyzer = load_analyzer(make_checkpoint(folder / "tiny"), "cpu")
    whole = said(8.0)
    asked = analyzer.partial(whole, text(16), 1.5)
    newest = replace(whole, start=104_000, samples=whole.samples[104_000:], index=9)
    alone = analyzer.partial(newest, Transcript(" ".join(WORDS[12:16]), language="en"))
    assert asked.by_modality[Modality.TEXT] == pytest.approx(
        alone.by_modality[Modality.TEXT], abs=1e-5
    )
    full = analyzer.partial(whole, text(16))
    assert asked.probabilities != full.probabilities
    assert analyzer.partial_seconds == 4.0


def test_looks_at_two_channels_do_not_mix(analyzer):
    one, other = said(4.0, 1), replace(said(4.0, 2), channel=1)
    both = []
    for quarter in range(2, 17):
        both = [analyzer.partial(grown(u, quarter / 4), None) for u in (one, other)]
    for utterance, found in zip((one, other), both, strict=True):
        analyzer.reset()
        fresh = analyzer.partial(grown(utterance, 4.0), None)
        assert found.probabilities == pytest.approx(fresh.probabilities, abs=2e-2)


@pytest.mark.parametrize("seconds", [0.01, 0.024, 0.026, 0.1])
def test_the_very_first_looks_work(analyzer, seconds):
    assert analyzer.partial(grown(said(1.0), seconds), None) is not None


def test_an_encoder_that_hears_the_whole_clip_looks_at_less_and_always_at_as_much(loaded):
    hearing = WaveHearing(loaded._fitted.loaded.processor)
    whole = said(16.0)
    for seconds in (4.0, 16.0):
        (chunk,) = hearing.newest(grown(whole, seconds)).chunks
        assert chunk.size == WHOLE_CLIP_SECONDS * SECOND
        (chunk,) = hearing.newest(grown(whole, seconds), 1.5).chunks
        assert chunk.size == 1.5 * SECOND
    heard = hearing.newest(grown(whole, 4.0))
    assert heard.place is None
    assert heard.starts == (4.0 - WHOLE_CLIP_SECONDS,)
