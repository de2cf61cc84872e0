from __future__ import annotations

import numpy as np
import pytest

from core.audio.io import read_audio
from core.audio.vad import SileroVad
from core.resources import sample_dialogue
from core.types import WINDOW, FloatArray


@pytest.fixture(scope="module")
def speech() -> FloatArray:
    path = sample_dialogue()
    if not path.is_file():
        pytest.skip("the bundled sample is not there")
    samples = read_audio(path)[0, : WINDOW * 400].copy()
    samples[-WINDOW:] = 0  # the batch call zeroes the end of the last window
    return samples


def streamed(vad: SileroVad, samples: FloatArray) -> list[float]:
    return [vad.probability(window) for window in samples.reshape(-1, WINDOW)]


def test_frame_by_frame_it_says_what_the_batch_model_says(speech: FloatArray) -> None:
    from faster_whisper.vad import get_vad_model

    batch = get_vad_model()(speech.copy()).reshape(-1)
    stream = streamed(SileroVad(), speech)
    np.testing.assert_allclose(stream, batch, atol=1e-4)
    assert max(stream) > 0.9
    assert min(stream) < 0.1


def test_reset_forgets_and_two_detectors_do_not_disturb_each_other(speech: FloatArray) -> None:
    first, second = SileroVad(), SileroVad()
    expected = streamed(first, speech)
    first.reset()
    mixed = []
    for window in speech.reshape(-1, WINDOW):
        mixed.append(first.probability(window))
        second.probability(-window[::-1])
    assert mixed == expected
