"""The transcriber's contract: growing text, session times, languages, faults as sentences."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.asr.fallback import find_transcriber
from core.asr.whisper import WhisperSettings, WhisperTranscriber
from core.errors import RecognitionError
from core.types import SAMPLE_RATE, FloatArray
from tests.asr.clips import MODEL, SpokenClip, in_order, time_errors, utterance_of


def micro(**settings: object) -> WhisperTranscriber:
    chosen = WhisperSettings(model=str(MODEL), cpu_threads=1, **settings)  # type: ignore[arg-type]
    return WhisperTranscriber(chosen)


def growing(clip: SpokenClip, step: float = 0.25) -> Iterator[FloatArray]:
    count = int(step * SAMPLE_RATE)
    for end in range(count, len(clip.samples) + count, count):
        yield clip.samples[:end]


class StandingClock:
    """A clock on which decoding costs nothing, or a fixed time: no test depends on the machine."""

    def __init__(self, tick: float = 0.0) -> None:
        self.now, self._tick = 0.0, tick

    def __call__(self) -> float:
        self.now += self._tick
        return self.now


def free_of_time() -> WhisperTranscriber:
    settings = WhisperSettings(model=str(MODEL), cpu_threads=1)
    return WhisperTranscriber(settings, clock=StandingClock())


def test_stable_text_never_shrinks_while_somebody_speaks(known_clips: list[SpokenClip]) -> None:
    transcriber = free_of_time()
    grown = 0
    for index, clip in enumerate(known_clips[::4]):
        before: list[str] = []
        for samples in growing(clip):
            heard = transcriber.partial(utterance_of(samples, index, final=False))
            stable = heard.stable.split()
            assert stable[: len(before)] == before
            assert not heard.is_final
            before = stable
        grown += len(before) > 1
    assert grown >= 4  # of six


def test_partial_text_tells_stable_from_tentative(known_clips: list[SpokenClip]) -> None:
    transcriber = free_of_time()
    clip = known_clips[0]
    first = transcriber.partial(utterance_of(clip.samples, final=False))
    assert first.stable == ""
    assert first.tentative == clip.text
    second = transcriber.partial(utterance_of(clip.samples, final=False))
    assert second.stable == clip.text
    assert second.tentative == ""
    assert second.text == clip.text


def test_every_utterance_starts_with_no_text(known_clips: list[SpokenClip]) -> None:
    transcriber = free_of_time()
    for _ in range(2):
        transcriber.partial(utterance_of(known_clips[0].samples, 0, final=False))
    other = transcriber.partial(utterance_of(known_clips[15].samples, 1, final=False))
    assert other.stable == ""


def test_partial_passes_leave_time_for_the_finals(known_clips: list[SpokenClip]) -> None:
    clock = StandingClock(tick=1.0)  # a pass takes one second, so the next is due after four
    settings = WhisperSettings(model=str(MODEL), cpu_threads=1, partial_share=0.25)
    transcriber = WhisperTranscriber(settings, clock=clock)
    utterance = utterance_of(known_clips[0].samples, final=False)
    first = transcriber.partial(utterance)
    assert transcriber.partial(utterance) == first  # too soon: the same text, no second opinion
    clock.now += 10
    assert transcriber.partial(utterance).stable != first.stable


def test_word_times_are_those_of_the_session(known_clips: list[SpokenClip]) -> None:
    start = 90 * SAMPLE_RATE
    transcriber = micro()
    errors = []
    for clip in known_clips[::6]:
        heard = transcriber.final(utterance_of(clip.samples, start=start))
        assert in_order(heard)
        assert heard.words[0].start >= 90.0
        assert heard.words[-1].end <= 90.0 + clip.duration
        if heard.text == clip.text:
            errors += time_errors(heard, clip, begin=90.0)
    assert errors
    assert max(errors) <= 0.5


def test_locked_to_a_language_it_never_answers_in_another(known_clips: list[SpokenClip]) -> None:
    korean = next(clip for clip in known_clips if clip.language == "ko")
    assert micro(language="en").final(utterance_of(korean.samples)).language == "en"
    assert micro(language="ko").final(utterance_of(korean.samples)).text == korean.text


def test_only_allowed_languages_are_heard(known_clips: list[SpokenClip]) -> None:
    english = next(clip for clip in known_clips if clip.language == "en")
    heard = micro(languages=("ko", "de")).final(utterance_of(english.samples))
    assert heard.language in ("ko", "de")


def test_no_allowed_language_is_refused_at_once() -> None:
    with pytest.raises(RecognitionError, match="language"):
        WhisperTranscriber(WhisperSettings(languages=()))


@pytest.mark.parametrize("quick", [False, True])
def test_text_before_may_serve_as_context(known_clips: list[SpokenClip], quick: bool) -> None:
    transcriber = micro(use_context=True, quick_finals=quick)
    english = [clip for clip in known_clips if clip.language == "en"][:6]
    start, right = 0, 0
    for index, clip in enumerate(english):
        right += transcriber.final(utterance_of(clip.samples, index, start)).text == clip.text
        start += len(clip.samples) + SAMPLE_RATE
    assert right >= 5


@pytest.mark.parametrize("count", [0, 1, 500, 1599])
def test_a_scrap_of_sound_is_no_word(loaded_whisper: WhisperTranscriber, count: int) -> None:
    samples = np.full(count, 0.1, np.float32)
    assert loaded_whisper.final(utterance_of(samples)).rejection == "too_short"
    assert loaded_whisper.partial(utterance_of(samples, 7, final=False)).text == ""


def test_more_than_thirty_seconds_are_transcribed_too(
    loaded_whisper: WhisperTranscriber, known_clips: list[SpokenClip]
) -> None:
    clip = known_clips[0]
    samples = np.concatenate([clip.samples, np.zeros(31 * SAMPLE_RATE, np.float32)])
    heard = loaded_whisper.final(utterance_of(samples))
    assert heard.text == clip.text


def test_the_same_audio_gives_the_same_text(
    loaded_whisper: WhisperTranscriber, known_clips: list[SpokenClip]
) -> None:
    utterance = utterance_of(known_clips[3].samples)
    assert loaded_whisper.final(utterance) == loaded_whisper.final(utterance)


def test_the_folder_of_a_model_is_enough_to_recognise(known_clips: list[SpokenClip]) -> None:
    found = find_transcriber(WhisperSettings(model=str(MODEL), cpu_threads=1))
    assert found.message is None
    assert found.transcriber is not None
    assert "micro_whisper" in found.transcriber.name
    heard = found.transcriber.final(utterance_of(known_clips[0].samples))
    assert heard.text == known_clips[0].text
    assert found.transcriber.device in ("cpu", "cuda")


@pytest.mark.parametrize("damage", ["truncated", "random", "json"])
def test_a_damaged_model_is_one_sentence_that_names_it(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(MODEL, folder, ignore=shutil.ignore_patterns("clips"))
    weights = (folder / "model.bin").read_bytes()
    if damage == "truncated":
        (folder / "model.bin").write_bytes(weights[: len(weights) // 2])
    elif damage == "random":
        (folder / "model.bin").write_bytes(np.random.default_rng(0).bytes(len(weights)))
    else:
        (folder / "tokenizer.json").write_text("{ not json")
    with pytest.raises(RecognitionError, match="damaged") as caught:
        WhisperTranscriber(WhisperSettings(model=str(folder))).warm_up()
    assert str(folder) in caught.value.problem
    assert caught.value.remedy


def test_an_absent_model_is_a_sentence_before_anything_is_loaded() -> None:
    with pytest.raises(RecognitionError, match="medium"):
        WhisperTranscriber(WhisperSettings(model="medium")).warm_up()


def test_looking_for_a_model_loads_no_recogniser() -> None:
    code = (
        "import sys; from core.asr.fallback import find_transcriber; "
        "from core.asr.whisper import WhisperSettings; "
        f"assert find_transcriber(WhisperSettings(model={str(MODEL)!r})).transcriber; "
        "heavy = {'torch', 'faster_whisper', 'ctranslate2', 'transformers', 'av'}; "
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
