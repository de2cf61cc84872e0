"""Text of a growing utterance: never taken back, and at a cost that length does not raise."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pytest

from core.asr.growing import LONGEST, GrowingText, Heard, heard_words
from core.asr.whisper import WhisperSettings, WhisperTranscriber
from core.types import SAMPLE_RATE, Transcript, Utterance, Word
from tests.asr.clips import MODEL, SpokenClip, utterance_of, with_pause
from tests.asr.fake_decoder import WORD_SECONDS, Asked, FakeDecoder, Loader, transcriber_of

STORY = [f"word{number}" for number in range(200)]
"""Spoken one every `WORD_SECONDS`."""


def samples_of(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE)


def ideal(begin: int, length: int) -> Heard:
    """What a perfect ear hears of the story between two samples: whole words only."""
    first = -(-begin // samples_of(WORD_SECONDS))
    last = length // samples_of(WORD_SECONDS)
    starts = [number * WORD_SECONDS - begin / SAMPLE_RATE for number in range(first, last)]
    ends = tuple(start + WORD_SECONDS for start in starts)
    return Heard(tuple(STORY[first:last]), tuple(starts), ends)


def told(text: GrowingText) -> list[str]:
    return text.transcript().text.split()


def test_a_perfect_ear_writes_the_whole_story_though_it_hears_only_the_end_of_it() -> None:
    text = GrowingText()
    for step in range(1, 100):
        length = samples_of(0.25 * step)
        text.ready(length)
        assert length - text.begin <= samples_of(LONGEST)
        text.hear(ideal(text.begin, length), length)
        assert told(text) == STORY[: length // samples_of(WORD_SECONDS)]
    assert text.begin > samples_of(15.0)


def test_a_pass_hears_no_more_at_fifteen_seconds_than_at_five() -> None:
    text = GrowingText()
    heard: dict[int, list[int]] = {5: [], 15: []}
    for step in range(1, 80):
        length = samples_of(0.25 * step)
        text.ready(length)
        for second, lengths in heard.items():
            if second - 2 <= length / SAMPLE_RATE <= second:
                lengths.append(length - text.begin)
        text.hear(ideal(text.begin, length), length)
    assert max(heard[15]) <= max(heard[5])
    assert sum(heard[15]) <= sum(heard[5]) * 1.1


@pytest.mark.parametrize("seed", range(20))
def test_whatever_the_passes_say_stable_text_only_grows_and_the_cost_is_bounded(seed: int) -> None:
    draw = random.Random(seed)
    text, length, before = GrowingText(), 0, ""
    for _ in range(80):
        length += samples_of(draw.choice([0.1, 0.25, 1.0, 3.0, 9.0]))
        timed = text.ready(length)
        assert 0 <= text.begin <= length
        assert length - text.begin <= samples_of(LONGEST)
        duration = (length - text.begin) / SAMPLE_RATE
        words = [draw.choice("ab") for _ in range(draw.randrange(12))]
        edges = sorted(draw.uniform(0, duration) for _ in range(2 * len(words)))
        pieces = [Word(w, edges[2 * i], edges[2 * i + 1], 1.0) for i, w in enumerate(words)]
        text.hear(heard_words(" ".join(words), pieces if timed else (), duration), length)
        stable = text.transcript().stable
        assert stable == before or stable.startswith(f"{before} ".lstrip())
        before = stable


def test_words_at_a_seam_are_not_written_twice() -> None:
    text = GrowingText()
    for length in (samples_of(4.0), samples_of(4.25)):
        text.ready(length)
        text.hear(ideal(text.begin, length), length)
    kept = text.kept.split()
    assert kept
    rest = ideal(text.begin, samples_of(4.5))
    again = Heard((kept[-1].upper(), *rest.words), (0.0, *rest.starts), (0.1, *rest.ends))
    text.hear(again, samples_of(4.5))
    assert told(text) == STORY[:11]


def test_a_part_that_nothing_is_heard_in_is_left_behind_too() -> None:
    text = GrowingText()
    for step in range(1, 60):
        length = samples_of(0.25 * step)
        text.ready(length)
        text.hear(Heard(), length)
        assert length - text.begin <= samples_of(LONGEST)
    assert told(text) == []


def test_confirmed_words_survive_a_leap_that_leaves_their_sound_behind() -> None:
    text = GrowingText()
    for _ in range(2):
        text.hear(Heard(("we", "met"), (0.0, 0.5), (0.5, 1.0)), samples_of(2.0))
    text.hear(Heard(), samples_of(2.5))
    text.ready(samples_of(60.0))
    assert text.begin == samples_of(54.0)
    text.hear(Heard(("home",), (0.0,), (0.5,)), samples_of(60.0))
    assert told(text) == ["we", "met", "home"]


def test_words_that_were_not_timed_are_spread_over_the_sound() -> None:
    heard = heard_words("one two", (), 2.0)
    assert heard.starts == (0.0, 1.0)
    assert heard.ends == (1.0, 2.0)


def test_times_of_pieces_become_times_of_what_stands_between_spaces() -> None:
    pieces = [Word("I", 0.0, 0.1, 1.0), Word("'m", 0.1, 0.3, 1.0), Word("here.", 0.5, 0.9, 1.0)]
    assert heard_words("I'm here.", pieces, 1.0) == Heard(("I'm", "here."), (0.0, 0.5), (0.3, 0.9))
    assert heard_words("", (), 1.0) == Heard()


def test_a_language_without_spaces_is_one_piece_and_its_cost_is_bounded() -> None:
    text = GrowingText()
    for step in range(1, 60):
        length = samples_of(0.25 * step)
        timed = text.ready(length)
        assert length - text.begin <= samples_of(LONGEST)
        written = "今日は" * (1 + (length - text.begin) // SAMPLE_RATE)
        pieces = [Word(c, 0.1 * i, 0.1 * i + 0.1, 1.0) for i, c in enumerate(written)]
        duration = (length - text.begin) / SAMPLE_RATE
        text.hear(heard_words(written, pieces if timed else (), duration), length)
    assert text.transcript().text


def story_told(asked: Asked) -> str:
    """What a greedy pass writes about the newest seconds: always the same number of words."""
    return " ".join(STORY[: int(asked.seconds / WORD_SECONDS)])


def partials(transcriber: object, seconds: float, step: float, index: int = 0) -> list[Transcript]:
    lengths = np.arange(step, seconds + step / 2, step)
    grown = [np.zeros(samples_of(float(length)), np.float32) for length in lengths]
    return [
        transcriber.partial(utterance_of(samples, index, final=False))  # type: ignore[attr-defined]
        for samples in grown
    ]


def test_the_transcriber_decodes_bounded_sound_and_hands_on_what_it_left_behind() -> None:
    decoder = FakeDecoder(story_told)
    transcriber = transcriber_of(decoder)
    partials(transcriber, 15.0, 0.25)
    decoded = [asked for asked in decoder.asked if asked.what == "once"]
    assert 60 <= len(decoded) < 65  # what happens to repeat its prompt is asked about again
    assert max(asked.seconds for asked in decoded) <= LONGEST
    late = [asked.seconds for asked in decoded[40:]]
    assert np.mean(late) <= 5.0
    assert decoded[0].prompt is None
    assert decoded[-1].prompt
    assert decoder.asked[-1].what == "once"  # the language is settled once sound is left behind


def test_a_prompt_that_silences_the_model_is_dropped() -> None:
    decoder = FakeDecoder(lambda asked: "(made up)" if asked.prompt else story_told(asked))
    transcriber = transcriber_of(decoder)
    text = partials(transcriber, 12.0, 0.25)[-1].text
    assert "made up" not in text
    assert len(text.split()) > 12


def test_a_prompt_that_the_model_only_repeats_is_not_written_again() -> None:
    decoder = FakeDecoder(lambda asked: f"{asked.prompt}." if asked.prompt else story_told(asked))
    echoing = partials(transcriber_of(decoder), 12.0, 0.25)
    assert any(asked.prompt for asked in decoder.asked)
    deaf = FakeDecoder(lambda asked: "(made up)" if asked.prompt else story_told(asked))
    assert echoing == partials(transcriber_of(deaf), 12.0, 0.25)


def stable_prefixes(transcripts: list[Transcript]) -> bool:
    return all(
        not a.stable or b.stable == a.stable or b.stable.startswith(f"{a.stable} ")
        for a, b in pairwise(transcripts)
    )


def test_what_is_found_out_in_a_pause_takes_nothing_back_when_speech_resumes() -> None:
    decoder = FakeDecoder(story_told)
    transcriber = transcriber_of(decoder, quick_finals=True)
    before = partials(transcriber, 3.0, 0.5)
    assert before[-1].stable
    silence = np.zeros(samples_of(3.0), np.float32)
    paused = Utterance(0, 0, silence.size, silence, is_final=False, paused=True)
    decoder.hears = lambda asked: "something else entirely"
    assert transcriber.final(paused).is_final
    resumed = partials(transcriber, 6.0, 0.5)[6:]
    assert stable_prefixes([*before, *resumed])
    assert resumed[-1].stable.startswith(before[-1].stable)


def test_two_people_who_speak_at_once_keep_their_own_texts() -> None:
    transcriber = transcriber_of(FakeDecoder(story_told))
    said: dict[int, list[Transcript]] = {0: [], 1: []}
    for step in range(1, 24):
        samples = np.zeros(samples_of(0.25 * step), np.float32)
        for index, transcripts in said.items():
            transcripts.append(transcriber.partial(utterance_of(samples, index, final=False)))
    for transcripts in said.values():
        assert stable_prefixes(transcripts)
        assert len(transcripts[-1].stable.split()) > 5


def test_of_two_people_who_speak_at_once_neither_is_left_without_a_text() -> None:
    now = [0.0]

    def slowly(asked: Asked) -> str:
        now[0] += 0.5
        return story_told(asked)

    settings = WhisperSettings(model=str(MODEL), language="en")
    loader = Loader(FakeDecoder(slowly))
    transcriber = WhisperTranscriber(settings, clock=lambda: now[0], load=loader)
    transcriber.warm_up()
    said: dict[int, set[str]] = {0: set(), 1: set()}
    for step in range(1, 33):
        now[0] = max(now[0], 0.25 * step)
        samples = np.zeros(samples_of(0.25 * step), np.float32)
        for index in said:
            said[index].add(transcriber.partial(utterance_of(samples, index, final=False)).text)
    assert min(map(len, said.values())) >= 3


def test_an_index_that_comes_again_after_its_final_begins_anew() -> None:
    transcriber = transcriber_of(FakeDecoder(story_told))
    assert partials(transcriber, 3.0, 0.5)[-1].stable
    transcriber.final(utterance_of(np.zeros(samples_of(3.0), np.float32), 0))
    assert partials(transcriber, 1.0, 1.0)[-1].stable == ""


def test_utterances_that_are_never_finished_are_forgotten_in_time() -> None:
    transcriber = transcriber_of(FakeDecoder(story_told))
    for index in range(50):
        partials(transcriber, 1.0, 0.5, index)
    assert len(transcriber._growing) < 20


@pytest.mark.parametrize("step", [0.25, 0.7])
def test_real_passes_over_long_speech_are_bounded_and_take_nothing_back(
    known_clips: list[SpokenClip], step: float
) -> None:
    from core.asr.engine import Engine
    from core.asr.host import load_engine
    from core.asr.whisper import WhisperSettings, WhisperTranscriber

    settings = WhisperSettings(
        model=str(MODEL), cpu_threads=1, language="en", device="cpu", encoder_window="speech"
    )
    engines: list[Engine] = []

    def load(choice: object) -> Engine:
        engines.append(load_engine(choice))  # type: ignore[arg-type]
        return engines[0]

    transcriber = WhisperTranscriber(settings, clock=lambda: 0.0, load=load)
    transcriber.warm_up()
    english = [clip for clip in known_clips if clip.language == "en"]
    first, second = (with_pause(english[i], english[i + 1], 0.4) for i in (0, 2))
    long = with_pause(first, second, 0.4)
    count = samples_of(step)
    spent, heard = [], []
    for end in range(count, len(long.samples), count):
        before = engines[0].encoded_seconds
        heard.append(transcriber.partial(utterance_of(long.samples[:end], final=False)))
        spent.append(engines[0].encoded_seconds - before)
    assert long.duration > 8
    assert stable_prefixes(heard)
    assert len(heard[-1].stable.split()) >= 5
    assert max(spent) <= LONGEST + 2.6
