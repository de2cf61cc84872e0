"""Recordings of a batch share a recognition model, and what it remembers of one stays there."""

from __future__ import annotations

import pytest

from core.asr.decoder import DecoderChoice
from core.batch import recognition
from core.batch.recognition import Recogniser
from core.batch.values import Options
from core.types import SAMPLE_RATE, Transcript, Utterance
from tests.asr.clips import MODEL
from tests.asr.fake_decoder import FakeDecoder
from tests.checkpoints import voice


def utterance(seconds: float = 1.0) -> Utterance:
    return Utterance(0, 0, round(seconds * SAMPLE_RATE), voice(seconds))


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[DecoderChoice]:
    choices: list[DecoderChoice] = []

    def load(choice: DecoderChoice) -> FakeDecoder:
        choices.append(choice)
        return DECODER

    monkeypatch.setattr(recognition, "load_engine", load)
    return choices


DECODER = FakeDecoder()


def final(recogniser: Recogniser, language: str, sure: float) -> Transcript:
    DECODER.language, DECODER.sure = language, sure
    transcriber, message = recogniser.transcriber()
    assert transcriber is not None
    assert message is None
    transcriber.warm_up()
    return transcriber.final(utterance())


def test_each_recording_begins_without_the_one_before(loads: list[DecoderChoice]) -> None:
    recogniser = Recogniser(Options(whisper=str(MODEL)), threads=1)
    assert final(recogniser, "ko", 0.99).language == "ko"
    # a short one of no clear language is taken for what was spoken last: here nothing was
    assert final(recogniser, "en", 0.4).language == "en"
    assert [choice.threads for choice in loads] == [1]


def test_one_that_is_missing_is_told_once(loads: list[DecoderChoice]) -> None:
    recogniser = Recogniser(Options(whisper="./no such folder"))
    transcriber, message = recogniser.transcriber()
    assert transcriber is None
    assert message is not None
    assert message.code == "no_whisper_folder"
    assert recogniser.transcriber() == (None, None)
    assert Recogniser(Options(whisper="none")).transcriber() == (None, None)
    assert loads == []


def test_one_that_was_given_up_is_not_asked_for_again(loads: list[DecoderChoice]) -> None:
    recogniser = Recogniser(Options(whisper=str(MODEL)))
    assert recogniser.transcriber()[0] is not None
    recogniser.give_up()
    assert recogniser.transcriber() == (None, None)
