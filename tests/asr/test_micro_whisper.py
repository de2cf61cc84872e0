"""Real decoding, end to end through faster-whisper.

The sentences are those that the micro Whisper was trained on, at a rate and pitch that it was not.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from core.asr.decoder import DecoderChoice
from core.asr.engine import Engine
from core.asr.gates import rejection
from core.asr.segments import Segment
from core.asr.whisper import WhisperTranscriber
from core.types import SAMPLE_RATE, FloatArray, Transcript
from tests.asr.clips import MODEL, SpokenClip, in_order, time_errors, utterance_of, with_pause

WANTED = 20
"""Of 24 sentences, word for word."""
Decoded = list[tuple[SpokenClip, Transcript]]


@pytest.fixture(scope="module")
def singles(loaded_whisper: WhisperTranscriber, known_clips: list[SpokenClip]) -> Decoded:
    return [(clip, loaded_whisper.final(utterance_of(clip.samples))) for clip in known_clips]


@pytest.fixture(scope="module")
def pairs(loaded_whisper: WhisperTranscriber, known_clips: list[SpokenClip]) -> Decoded:
    """Every sentence once before and once behind a pause of 0.6 s."""
    order = [number + 1 if number % 2 == 0 else number - 1 for number in range(len(known_clips))]
    joined = [with_pause(a, known_clips[i], 0.6) for a, i in zip(known_clips, order, strict=True)]
    return [(clip, loaded_whisper.final(utterance_of(clip.samples))) for clip in joined]


def right(decoded: Decoded) -> Decoded:
    return [(clip, heard) for clip, heard in decoded if heard.text == clip.text]


def test_single_sentences_come_out_word_for_word(singles: Decoded) -> None:
    assert len(singles) == 24
    assert len(right(singles)) >= WANTED


def test_sentences_in_pairs_come_out_word_for_word(pairs: Decoded) -> None:
    assert len(pairs) == 24
    assert len(right(pairs)) >= WANTED


@pytest.mark.parametrize("kind", ["singles", "pairs"])
def test_word_times_are_in_order_and_within_half_a_second(
    kind: str, request: pytest.FixtureRequest
) -> None:
    decoded = right(request.getfixturevalue(kind))
    assert decoded
    for clip, heard in decoded:
        assert in_order(heard)
        assert max(time_errors(heard, clip)) <= 0.5, clip.text


def test_word_times_are_close_at_the_median(singles: Decoded) -> None:
    errors = [error for clip, heard in right(singles) for error in time_errors(heard, clip)]
    assert np.median(errors) < 0.1


def test_the_language_is_heard(singles: Decoded, pairs: Decoded) -> None:
    heard = [transcript.language == clip.language for clip, transcript in [*singles, *pairs]]
    assert sum(heard) >= len(heard) - 1


def test_recognised_words_carry_a_confidence(singles: Decoded) -> None:
    for _, heard in right(singles):
        assert all(0.0 <= word.confidence <= 1.0 for word in heard.words)
        assert heard.confidence > 0.5


def brown_noise(seconds: float, rng: np.random.Generator) -> FloatArray:
    spectrum = np.fft.rfft(rng.standard_normal(int(seconds * SAMPLE_RATE)))
    spectrum /= np.maximum(np.arange(len(spectrum)), 100.0)
    return as_sound(np.fft.irfft(spectrum), rng)


def white_noise(seconds: float, rng: np.random.Generator) -> FloatArray:
    return as_sound(rng.standard_normal(int(seconds * SAMPLE_RATE)), rng)


def organ(seconds: float, rng: np.random.Generator) -> FloatArray:
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    notes = rng.uniform(100, 800, 3)
    return as_sound(sum(np.sin(2 * np.pi * note * time) for note in notes), rng)


def silence(seconds: float, _: np.random.Generator) -> FloatArray:
    return np.zeros(int(seconds * SAMPLE_RATE), np.float32)


def as_sound(wave: np.ndarray, rng: np.random.Generator) -> FloatArray:
    return (wave / np.abs(wave).max() * 10 ** rng.uniform(-2.5, -0.7)).astype(np.float32)


@pytest.mark.parametrize("sound", [silence, white_noise, brown_noise, organ])
@pytest.mark.parametrize("seconds", [0.7, 2.0, 4.0])
def test_no_text_comes_of_silence_and_noise(
    loaded_whisper: WhisperTranscriber,
    sound: Callable[[float, np.random.Generator], FloatArray],
    seconds: float,
) -> None:
    rng = np.random.default_rng(11)
    for _ in range(3):
        heard = loaded_whisper.final(utterance_of(sound(seconds, rng)))
        assert heard.text == ""
        assert heard.words == ()
        assert heard.rejection


def test_most_speech_it_never_heard_is_refused(
    loaded_whisper: WhisperTranscriber, unheard_clips: list[SpokenClip]
) -> None:
    heard = [loaded_whisper.final(utterance_of(clip.samples)) for clip in unheard_clips]
    assert len(heard) == 6
    refused = [transcript for transcript in heard if transcript.rejection]
    assert len(refused) >= 4
    assert all(transcript.text == "" and transcript.words == () for transcript in refused)


def test_the_gates_tell_made_up_text_from_heard_text(
    known_clips: list[SpokenClip], unheard_clips: list[SpokenClip]
) -> None:
    """A beam writes something for most speech; what it writes is judged before any gate saw it."""
    engine = Engine(DecoderChoice(MODEL, "cpu"))

    def written(clips: list[SpokenClip]) -> list[Segment]:
        languages = [clip.language if clip.language == "ko" else "en" for clip in clips]
        found = [
            engine.decode(clip.samples, language, beam_size=5)
            for clip, language in zip(clips, languages, strict=True)
        ]
        return [segment for decoding in found for segment in decoding.segments]

    assert sum(rejection(segment) == "no_speech" for segment in written(unheard_clips)) >= 2
    true = written(known_clips)
    assert sum(rejection(segment) is None for segment in true) >= WANTED


def test_audio_that_is_not_a_number_is_refused(loaded_whisper: WhisperTranscriber) -> None:
    samples = np.full(SAMPLE_RATE, np.nan, np.float32)
    heard = loaded_whisper.final(utterance_of(samples))
    assert heard.text == ""
    assert heard.rejection == "not_a_number"
