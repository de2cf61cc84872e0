"""What was accepted before: a prior for the language, a prompt when it is recent."""

from __future__ import annotations

import numpy as np
import pytest

from core.asr.memory import PROMPT_CHARACTERS, AcceptedTexts, tail
from core.types import SAMPLE_RATE, Utterance
from tests.asr.fake_decoder import Asked, FakeDecoder, transcriber_of


def spoken(
    index: int,
    begin: float,
    end: float,
    speaker: str | None = None,
    channel: int = 0,
    paused: bool = False,
) -> Utterance:
    edges = round(begin * SAMPLE_RATE), round(end * SAMPLE_RATE)
    samples = np.zeros(edges[1] - edges[0], np.float32)
    final = not paused
    return Utterance(index, *edges, samples, speaker, channel, is_final=final, paused=paused)


@pytest.mark.parametrize(
    ("later", "language", "prompt"),
    [
        (spoken(1, 3, 5), "en", "we met"),
        (spoken(1, 13, 15), "en", None),
        (spoken(1, 3, 5), "ko", None),
        (spoken(1, 3, 5, "B"), "en", None),
        (spoken(1, 3, 5, channel=1), "en", None),
        (spoken(0, 0, 5), "en", None),
    ],
    ids=["next", "long ago", "language", "speaker", "channel", "the same one"],
)
def test_only_what_the_same_speaker_said_just_before_is_a_prompt(
    later: Utterance, language: str, prompt: str | None
) -> None:
    accepted = AcceptedTexts()
    accepted.accept(spoken(0, 0, 2), "en", "we met")
    assert accepted.prompt_for(later, language) == prompt


def test_a_longer_text_of_the_same_utterance_takes_the_place_of_the_one_in_its_pause() -> None:
    accepted = AcceptedTexts()
    accepted.accept(spoken(0, 0, 2), "en", "we met")
    accepted.accept(spoken(0, 0, 3), "en", "we met there")
    accepted.accept(spoken(1, 4, 5), "en", "then")
    assert accepted.prompt_for(spoken(1, 4, 6), "en") == "we met there"
    assert accepted.prompt_for(spoken(2, 6, 7), "en") == "then"


def test_what_was_accepted_in_a_pause_can_be_taken_back() -> None:
    accepted = AcceptedTexts()
    accepted.accept(spoken(0, 0, 2), "en", "we met")
    accepted.forget(spoken(0, 0, 3))
    assert accepted.prompt_for(spoken(1, 4, 6), "en") is None


def test_the_language_is_that_of_the_channel_and_of_anybody_where_nobody_spoke() -> None:
    accepted = AcceptedTexts()
    assert accepted.language_for(spoken(0, 0, 1)) is None
    accepted.accept(spoken(0, 0, 1), "ko", "네")
    accepted.accept(spoken(1, 1, 2, channel=1), "en", "yes")
    assert accepted.language_for(spoken(2, 2, 3)) == "ko"
    assert accepted.language_for(spoken(2, 2, 3, channel=1)) == "en"
    assert accepted.language_for(spoken(2, 2, 3, channel=2)) == "en"


def test_a_prompt_is_short_and_made_of_whole_words() -> None:
    text = " ".join(f"number{number}" for number in range(100))
    assert len(tail(text)) <= PROMPT_CHARACTERS
    assert text.endswith(f" {tail(text)}")
    assert tail("short") == "short"


def test_a_short_unclear_utterance_keeps_the_language_of_its_channel() -> None:
    decoder = FakeDecoder(language="ko")
    transcriber = transcriber_of(decoder)
    transcriber.final(spoken(0, 0, 3))
    decoder.language, decoder.sure = "en", 0.55
    assert transcriber.final(spoken(1, 4, 5)).language == "ko"
    assert transcriber.final(spoken(2, 6, 9)).language == "en"  # long enough to go by itself


def test_context_is_off_unless_asked_for() -> None:
    decoder = FakeDecoder()
    transcriber = transcriber_of(decoder)
    transcriber.final(spoken(0, 0, 2))
    transcriber.final(spoken(1, 2.5, 4))
    assert all(asked.prompt is None for asked in decoder.asked)


@pytest.mark.parametrize("quick", [False, True])
def test_a_text_that_the_gates_refuse_is_tried_again_without_the_prompt(quick: bool) -> None:
    decoder = FakeDecoder()
    transcriber = transcriber_of(decoder, use_context=True, quick_finals=quick)
    transcriber.final(spoken(0, 0, 2))
    decoder.hears = lambda asked: "(made up)" if asked.prompt else "it was late"
    assert transcriber.final(spoken(1, 2.5, 4)).text == "it was late"


def test_a_model_that_repeats_its_prompt_is_asked_again_without() -> None:
    decoder = FakeDecoder(lambda asked: asked.prompt or "we met there")
    transcriber = transcriber_of(decoder, use_context=True)
    transcriber.final(spoken(0, 0, 2))
    decoder.hears = lambda asked: asked.prompt or "and went home"
    assert transcriber.final(spoken(1, 2.5, 4)).text == "and went home"


def test_what_was_refused_is_no_context() -> None:
    prompts: list[str | None] = []

    def hears(asked: Asked) -> str:
        prompts.append(asked.prompt)
        return ["we met", "(made up)", "(made up)", "it was late"][len(prompts) - 1]

    transcriber = transcriber_of(FakeDecoder(), use_context=True)
    decoder = FakeDecoder(hears)
    transcriber._host.decoder = decoder
    for index in range(3):
        transcriber.final(spoken(index, 2.0 * index, 2.0 * index + 1.5))
    assert prompts == [None, "we met", None, "we met"]


def test_a_second_look_that_comes_late_does_not_push_newer_texts_aside() -> None:
    accepted = AcceptedTexts()
    for index, text in enumerate(["we met", "and talked", "till late"]):
        accepted.accept(spoken(index, 3 * index, 3 * index + 2), "en", text)
    accepted.accept(spoken(1, 3, 5), "ko", "둘이 얘기했어", -0.2)
    assert accepted.language_for(spoken(3, 9, 11)) == "en"
    assert accepted.prompt_for(spoken(3, 9, 11), "en") == "till late"
    assert accepted.likelihood_of(spoken(1, 3, 5), "둘이 얘기했어") == -0.2
    assert accepted.likelihood_of(spoken(1, 3, 5), "and talked") is None
    for index in range(3, 12):
        accepted.accept(spoken(index, 3 * index, 3 * index + 2), "en", "more")
    accepted.accept(spoken(0, 0, 2), "ko", "만났어")
    assert accepted.language_for(spoken(12, 36, 38)) == "en"


def test_another_session_knows_nothing_of_the_one_before() -> None:
    decoder = FakeDecoder(language="ko")
    transcriber = transcriber_of(decoder, use_context=True)
    transcriber.final(spoken(5, 0, 3))
    transcriber.warm_up()
    assert decoder.count("language") == 1  # and nothing is loaded or run again
    decoder.language, decoder.sure = "en", 0.55
    assert transcriber.final(spoken(0, 1, 2)).language == "en"
    assert all(asked.prompt is None for asked in decoder.asked)
