"""When looks at a growing utterance may share what was encoded of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.models.pretrained_processor import PretrainedProcessor, PretrainedProcessorConfig
from core.pipeline.scale import MOST, Scale, Streams, scale_of
from core.types import Utterance
from tests.checkpoints import voice


def heard(samples: np.ndarray, index: int = 0) -> Utterance:
    return Utterance(index, 0, samples.size, samples, is_final=False)


def test_a_scale_is_what_the_processor_does_to_a_piece():
    samples = voice(2.0) + 0.03
    expected = PretrainedProcessor(PretrainedProcessorConfig()).prepare(samples)
    found = Streams(True, 160_000).of(heard(samples)).scaled(samples)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_an_utterance_that_only_grows_keeps_its_stream():
    streams, sound = Streams(True, 160_000), voice(8.0)
    keys = {streams.of(heard(sound[:n])).key for n in range(16_000, 128_001, 4_000)}
    assert len(keys) == 1


def test_a_scale_that_is_off_by_much_begins_a_new_stream():
    streams, sound = Streams(True, 160_000), voice(8.0)
    sound[32_000:] *= 3.0
    first = streams.of(heard(sound[:32_000]))
    later = streams.of(heard(sound))
    assert later.key != first.key
    assert later.scale.deviation == pytest.approx(scale_of(sound).deviation)
    unscaled = Streams(False, 160_000)
    assert unscaled.of(heard(sound[:32_000])).key == unscaled.of(heard(sound)).key


@pytest.mark.parametrize("scaled", [True, False])
def test_other_sound_under_the_same_name_is_no_continuation(scaled):
    streams, sound = Streams(scaled, 160_000), voice(3.0)
    first = streams.of(heard(sound[:32_000])).key
    changed = sound.copy()
    changed[100] += 1e-4
    assert streams.of(heard(changed)).key != first


def test_a_final_may_end_before_the_last_look():
    streams, sound = Streams(True, 160_000), voice(3.0)
    key = streams.of(heard(sound)).key
    assert streams.of(heard(sound[:44_000])).key == key
    assert streams.of(heard(sound)).key == key


def test_utterances_and_channels_do_not_share_and_the_oldest_are_forgotten():
    streams, sound = Streams(False, 160_000), voice(1.0)
    keys = [streams.of(heard(sound, index)).key for index in range(MOST)]
    keys.append(streams.of(replace(heard(sound, MOST), channel=1)).key)
    assert len(set(keys)) == MOST + 1
    assert streams.of(heard(sound, 1)).key == keys[1]
    assert streams.of(heard(sound, 0)).key not in keys
    streams.clear()
    assert streams.of(heard(sound, 1)).key not in keys


def test_the_scale_of_a_long_utterance_is_that_of_a_piece():
    sound = np.concatenate([voice(10.0), 0.1 * voice(6.0)])
    assert Streams(True, 96_000).of(heard(sound)).scale == scale_of(sound[-96_000:])


def test_damaged_samples_and_silence_have_a_scale():
    sound = voice(1.0)
    sound[50] = np.nan
    stream = Streams(True, 160_000).of(heard(sound))
    assert np.isfinite(stream.scaled(sound)).all()
    silent = Streams(True, 160_000).of(heard(np.zeros(16_000, np.float32)))
    assert not silent.scaled(np.zeros(16_000, np.float32)).any()


def test_gain_and_shift_have_their_own_tolerance():
    one = Scale(0.0, 1.0)
    assert one.near(Scale(0.04, 1.19))
    assert not one.near(Scale(0.0, 1.3))
    assert not one.near(Scale(0.1, 1.0))
