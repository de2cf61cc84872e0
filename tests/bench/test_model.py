from __future__ import annotations

import numpy as np
import pytest

from core.bench import model
from core.bench.material import ReadingTranscriber, continuous_speech, transcript, utterance
from core.types import SAMPLE_RATE
from tests.fakes import FakeAnalyzer


def test_speech_for_measuring_has_no_pauses() -> None:
    speech = continuous_speech(10.0)
    assert len(speech.samples) == 10 * SAMPLE_RATE
    frames = speech.samples.reshape(-1, SAMPLE_RATE // 2)
    assert np.sqrt((frames**2).mean(axis=1)).min() > 1e-3
    assert speech.language == "ko"


def test_text_grows_with_the_utterance() -> None:
    speech = continuous_speech(8.0, language="en")
    reader = ReadingTranscriber(speech)
    short = reader.partial(utterance(speech, 1.0)).text
    long = reader.final(utterance(speech, 4.0, is_final=True))
    assert long.text.startswith(short)
    assert len(long.text.split()) == 10
    assert transcript(speech, 4.0).language == "en"


def test_finals_are_compared_with_their_duration() -> None:
    speech = continuous_speech(model.FINAL_SECONDS)
    fused, alone = model._finals(FakeAnalyzer(), speech, rounds=3)
    for measurement in (fused, alone):
        assert measurement.target == pytest.approx(1 / 25)
        assert 0 < measurement.value < 1


def test_updates_around_four_and_sixteen_seconds_are_compared() -> None:
    speech = continuous_speech(model.LONG + model.NEAR)
    ratio, cost, saved = model._updates(FakeAnalyzer(), speech, rounds=2)
    assert ratio.target == model.LENGTH_RATIO
    assert ratio.value > 0
    assert cost.unit == "ms"
    assert saved.value > 0


def test_the_share_of_a_live_session_is_a_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "make_analyzer", FakeAnalyzer)
    share, rate = model._live_share(2.0)
    assert 0 < share.value < 200
    assert share.target == model.UPDATE_SHARE
    assert rate.value > 1
