"""What is handed to which worker, and how often, as the effort allows."""

from __future__ import annotations

import numpy as np
import pytest

from core.pipeline.cutting import Cut
from core.pipeline.dispatch import Dispatcher
from core.pipeline.effort import LADDER
from core.pipeline.jobs import EmotionJob, Judge, Prepare, ShowText, Stage, partial_keys
from core.pipeline.recognition import RecognitionWorker
from core.pipeline.settings import SessionSettings
from core.types import SAMPLE_RATE, Transcript, Utterance
from tests.fakes import FakeTranscriber

LAST = len(LADDER) - 1


class Available:
    """As much of a recogniser as a dispatcher asks for."""

    available = ready = True


def dispatcher(level: int, *, live: bool = True, ahead: bool = True) -> Dispatcher:
    made = Dispatcher(SessionSettings(live=live, ahead=ahead))
    made.recognizer = Available()  # type: ignore[assignment]
    made.governor.level = level
    return made


def utterance(end: float, *, paused: bool = False, final: bool = False) -> Utterance:
    count = round(end * SAMPLE_RATE)
    samples = np.zeros(count, np.float32)
    return Utterance(0, 0, count, samples, is_final=final, paused=paused)


def handed(made: Dispatcher, utterances: list[Utterance]) -> tuple[list[float], list[float]]:
    """Return how long each utterance was that emotion, and recognition, got to see."""
    judged, recognised = [], []
    for one in utterances:
        made(Cut(one))
        while made.emotion.offered > len(judged):
            job = made.emotion.get()
            assert isinstance(job, Judge)
            judged.append(job.utterance.duration)
        while made.recognition.offered > len(recognised):
            growing = made.recognition.get()
            assert isinstance(growing, Utterance)
            recognised.append(growing.duration)
    return judged, recognised


GROWING = [utterance(0.256 * step) for step in range(1, 33)]


@pytest.mark.parametrize("level", range(len(LADDER)))
def test_partials_come_as_often_as_the_effort_allows(level: int) -> None:
    judged, recognised = handed(dispatcher(level), GROWING)
    interval = LADDER[level].partial_interval
    gaps = np.diff(judged)
    assert gaps.min() >= interval - 1e-6
    assert gaps.max() <= interval + 0.256
    assert recognised == (judged if LADDER[level].partial_text else [])


def test_a_pause_is_handed_on_at_once_while_it_is_worked_ahead() -> None:
    growing = [utterance(0.25), utterance(0.5), utterance(0.6, paused=True)]
    for level in range(LAST):
        assert LADDER[level].ahead
        judged, recognised = handed(dispatcher(level), growing)
        assert judged[-1] == recognised[-1] == pytest.approx(0.6)
    judged, recognised = handed(dispatcher(LAST), growing)
    assert judged == [0.25]
    assert recognised == []


def test_a_text_that_was_foreseen_saves_a_final_the_way_through_recognition() -> None:
    made = dispatcher(0)
    made.texts.keep(utterance(1.0, paused=True), Transcript("said"))
    made(Cut(utterance(1.0, paused=True)))
    made(Cut(utterance(1.0, final=True)))
    job = made.emotion.get()
    assert isinstance(job, Judge)
    assert (job.stage, job.transcript) == (Stage.FINAL, Transcript("said"))
    made.recognition.close()
    assert made.recognition.get() is None, "the pause that waited is needed no more"


def test_a_text_of_other_samples_is_not_used() -> None:
    made = dispatcher(0)
    made.texts.keep(utterance(1.0, paused=True), Transcript("said"))
    made(Cut(utterance(1.1, final=True)))
    job = made.emotion.get()
    assert isinstance(job, Judge)
    assert (job.stage, job.transcript) == (Stage.SPEECH, None)
    waiting = made.recognition.get()
    assert isinstance(waiting, Utterance)
    assert waiting.is_final


def test_nothing_is_said_about_pace_before_everything_is_loaded() -> None:
    made = dispatcher(0)
    made.recognizer.ready = False  # type: ignore[union-attr]
    assert not made.keeps_pace
    assert made.check_pace() is None
    assert not made.check_effort()
    assert not dispatcher(0, live=False).keeps_pace


def waiting(made: Dispatcher) -> list[EmotionJob]:
    """Return what the emotion thread would get, in order."""
    made.emotion.close()
    return list(iter(made.emotion.get, None))


def test_what_is_prepared_in_a_pause_comes_after_the_sound_of_it() -> None:
    """Also while an older text still waits: else the speech alone would be shown last."""
    made = dispatcher(0)
    made.recognizer = worker = RecognitionWorker(
        FakeTranscriber(),
        made.recognition,
        made.emotion,
        lambda notice: None,
        3,
        made.texts,
        made.ahead_rule(),
        made.bettering,
        made.effort,
    )
    made.emotion.put_partial(partial_keys(0)[1], ShowText(0, Transcript("so it")))
    made(Cut(utterance(0.6, paused=True)))
    made.recognition.close()
    worker.run()
    assert [type(job) for job in waiting(made)] == [ShowText, Judge, Prepare]


def test_a_final_overtakes_every_partial_of_its_utterance() -> None:
    made = dispatcher(0)
    for key in partial_keys(0):
        made.emotion.put_partial(key, ShowText(0, Transcript("so it")))
    made(Cut(utterance(0.6, final=True)))
    assert [type(job) for job in waiting(made)] == [Judge]
