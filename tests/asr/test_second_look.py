"""Quick finals, and a second look that only ever improves on them."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from core.asr.decoder import DecoderChoice
from core.asr.engine import Engine
from core.asr.whisper import WhisperSettings, WhisperTranscriber
from core.types import SAMPLE_RATE, Transcript
from tests.asr.clips import MODEL, SpokenClip, in_order, time_errors, utterance_of
from tests.asr.fake_decoder import Asked, FakeDecoder, transcriber_of

SPEECH = utterance_of(np.zeros(2 * SAMPLE_RATE, np.float32))


def looks(greedy: str, beam: str, **likely: float) -> tuple[WhisperTranscriber, FakeDecoder]:
    decoder = FakeDecoder(lambda asked: greedy if asked.beam == 1 else beam, likely=likely)
    return transcriber_of(decoder, quick_finals=True, language="en"), decoder


def test_a_recording_is_transcribed_thoroughly_at_once_and_a_conversation_quickly() -> None:
    thorough, quick = FakeDecoder(), FakeDecoder()
    assert transcriber_of(thorough).final(SPEECH).words
    assert transcriber_of(quick, quick_finals=True).final(SPEECH).words
    assert thorough.asked[-1] == Asked("windows", 2.0, beam=5, timed=True)
    assert quick.asked[-1] == Asked("once", 2.0, beam=1, timed=True)


def test_after_a_thorough_final_there_is_nothing_to_improve() -> None:
    decoder = FakeDecoder()
    transcriber = transcriber_of(decoder)
    transcript = transcriber.final(SPEECH)
    asked = len(decoder.asked)
    assert transcriber.better(SPEECH, transcript) is None
    assert len(decoder.asked) == asked


def test_a_likelier_text_takes_the_place_of_the_quick_one() -> None:
    transcriber, decoder = looks("there", "their", there=-0.5, their=-0.2)
    again = transcriber.better(SPEECH, transcriber.final(SPEECH))
    assert again is not None
    assert again.text == "their"
    assert again.is_final
    assert again.words
    assert [asked.beam for asked in decoder.asked if asked.what == "once"] == [1, 5]


@pytest.mark.parametrize("likelihood", [-0.5, -0.6])
def test_a_text_that_is_not_likelier_changes_nothing(likelihood: float) -> None:
    transcriber, _ = looks("there", "their", there=-0.5, their=likelihood)
    assert transcriber.better(SPEECH, transcriber.final(SPEECH)) is None


def test_a_text_found_long_ago_is_judged_again_by_the_same_measure() -> None:
    transcriber, decoder = looks("there", "their", there=-0.5, their=-0.2)
    first = transcriber.final(SPEECH)
    for index in range(1, 9):
        transcriber.final(replace(SPEECH, index=index))
    assert decoder.count("likelihood") == 0
    again = transcriber.better(SPEECH, first)
    assert decoder.count("likelihood") == 1
    assert again is not None
    assert again.text == "their"


def test_the_same_text_is_no_news() -> None:
    transcriber, decoder = looks("there", "there")
    assert transcriber.better(SPEECH, transcriber.final(SPEECH)) is None
    assert decoder.count("likelihood") == 0


def test_the_same_text_brings_the_word_times_that_were_missing() -> None:
    transcriber, _ = looks("there", "there")
    without = replace(transcriber.final(SPEECH), words=())
    again = transcriber.better(SPEECH, without)
    assert again is not None
    assert [word.text for word in again.words] == ["there"]


def test_what_the_gates_refuse_never_takes_the_place_of_a_text() -> None:
    transcriber, _ = looks("there", "(made up)")
    assert transcriber.better(SPEECH, transcriber.final(SPEECH)) is None


def test_a_refused_text_stays_refused_unless_a_better_one_passes_the_gates() -> None:
    transcriber, _ = looks("(made up)", "(made up too)")
    refused = transcriber.final(SPEECH)
    assert refused.rejection == "low_log_probability"
    assert transcriber.better(SPEECH, refused) is None
    transcriber, _ = looks("(made up)", "really said")
    again = transcriber.better(SPEECH, transcriber.final(SPEECH))
    assert again is not None
    assert again.text == "really said"
    assert again.rejection is None


@pytest.mark.parametrize("rejection", ["too_short", "not_a_number"])
def test_sound_that_could_not_be_decoded_is_not_decoded_later(rejection: str) -> None:
    transcriber, decoder = looks("there", "their")
    empty = Transcript("", confidence=0.0, rejection=rejection)
    assert transcriber.better(SPEECH, empty) is None
    assert decoder.asked == []


def test_a_second_look_keeps_the_language() -> None:
    decoder = FakeDecoder(language="ko", likely={"there": -0.5, "their": -0.1})
    decoder.hears = lambda asked: "there" if asked.beam == 1 else "their"
    transcriber = transcriber_of(decoder, quick_finals=True)
    transcript = transcriber.final(SPEECH)
    decoder.language = "en"
    again = transcriber.better(SPEECH, transcript)
    assert again is not None
    assert again.language == transcript.language == "ko"


def test_the_better_text_is_what_later_ones_are_heard_in_the_context_of() -> None:
    decoder = FakeDecoder(likely={"there": -0.5, "their": -0.1})
    decoder.hears = lambda asked: "there" if asked.beam == 1 else "their"
    transcriber = transcriber_of(decoder, quick_finals=True, use_context=True)
    transcriber.better(SPEECH, transcriber.final(SPEECH))
    transcriber.final(utterance_of(SPEECH.samples, 1, start=3 * SAMPLE_RATE))
    assert [asked.prompt for asked in decoder.asked if asked.prompt] == ["their"]


@pytest.fixture(scope="module")
def quick_engine() -> Engine:
    return Engine(DecoderChoice(MODEL, "cpu"))


@pytest.fixture
def quick(quick_engine: Engine) -> WhisperTranscriber:
    settings = WhisperSettings(model=str(MODEL), device="cpu", quick_finals=True)
    return WhisperTranscriber(settings, load=lambda choice: quick_engine)


def test_quick_finals_hear_what_thorough_ones_do(
    quick: WhisperTranscriber, known_clips: list[SpokenClip]
) -> None:
    right = errors = 0
    for index, clip in enumerate(known_clips):
        heard = quick.final(utterance_of(clip.samples, index))
        assert heard.language == clip.language
        assert in_order(heard)
        if heard.text == clip.text:
            right += 1
            errors += max(time_errors(heard, clip)) > 0.5
    assert right >= 20
    assert errors <= 1


def test_quick_finals_refuse_what_was_never_said(
    quick: WhisperTranscriber, unheard_clips: list[SpokenClip]
) -> None:
    rng = np.random.default_rng(3)
    noises = [rng.normal(0, 0.05, SAMPLE_RATE * 2).astype(np.float32) for _ in range(4)]
    for noise in [*noises, np.zeros(SAMPLE_RATE, np.float32)]:
        heard = quick.final(utterance_of(noise))
        assert heard.text == ""
        assert heard.rejection
    refused = [quick.final(utterance_of(clip.samples)).rejection for clip in unheard_clips]
    assert sum(reason is not None for reason in refused) >= 4


def test_a_second_look_never_makes_a_text_worse(
    quick: WhisperTranscriber, known_clips: list[SpokenClip]
) -> None:
    for index, clip in enumerate(known_clips):
        utterance = utterance_of(clip.samples, index)
        first = quick.final(utterance)
        again = quick.better(utterance, first)
        assert first.text != clip.text or again is None


def test_a_second_look_repairs_a_text_that_is_wrong(
    quick: WhisperTranscriber, known_clips: list[SpokenClip]
) -> None:
    clip = known_clips[0]
    utterance = utterance_of(clip.samples)
    wrong = replace(quick.final(utterance), stable=known_clips[3].text)
    again = quick.better(utterance, wrong)
    assert again is not None
    assert again.text == clip.text


def test_the_encoder_works_once_for_language_text_words_and_second_look(
    quick: WhisperTranscriber, quick_engine: Engine, known_clips: list[SpokenClip]
) -> None:
    utterance = utterance_of(known_clips[5].samples)
    before = quick_engine.encoded_seconds
    first = quick.final(utterance)
    quick.better(utterance, replace(first, stable="something that nobody said"))
    assert quick_engine.encoded_seconds - before == 30.0


def test_likelihood_tells_what_was_said_from_what_was_not(
    quick_engine: Engine, known_clips: list[SpokenClip]
) -> None:
    for clip, other in pairwise(known_clips[:7]):
        said = quick_engine.likelihood(clip.samples, clip.language, clip.text)
        not_said = quick_engine.likelihood(clip.samples, clip.language, other.text)
        cut = quick_engine.likelihood(clip.samples, clip.language, clip.text.split()[0])
        assert said > not_said
        assert said > cut  # that the text ends there is judged too


def test_likelihood_is_what_a_greedy_pass_measures_of_its_own_text(
    quick_engine: Engine, known_clips: list[SpokenClip]
) -> None:
    for clip in known_clips[::5]:
        (segment,) = quick_engine.decode_once(clip.samples, clip.language).segments
        again = quick_engine.likelihood(clip.samples, clip.language, segment.text)
        assert again == pytest.approx(segment.average_log_probability, abs=2e-3)
