"""A machine with one core that is too slow for everything, and is free again later."""

from __future__ import annotations

import itertools
import threading
import time
from pathlib import Path

import numpy as np

from core.audio.io import read_audio
from core.dialogue.journal import Journal
from core.dialogue.sessions import read_session
from core.pipeline.effort import LADDER
from core.pipeline.events import EffortChanged, Notice
from core.pipeline.session import Session
from core.pipeline.settings import SessionSettings
from core.types import EmotionResult, Transcript, TranscriptSource, Utterance
from tests.fakes import FakeAnalyzer, FakeTranscriber, LoudnessCutter, ScriptedSource, conversation
from tests.pipeline.conftest import Events

LAST = len(LADDER) - 1
RATE = 4
SETTINGS = SessionSettings(live=True, behind_after=0.5)


class Core:
    """The one core: whoever computes holds it, for as long as the work takes while it is busy."""

    def __init__(self) -> None:
        self._held = threading.Lock()
        self.busy = True

    def compute(self, seconds: float) -> None:
        with self._held:
            if self.busy:
                time.sleep(seconds)


class SlowAnalyzer(FakeAnalyzer):
    def __init__(self, core: Core) -> None:
        super().__init__()
        self._core = core
        self.looked: list[float | None] = []

    def partial(
        self, utterance: Utterance, transcript: Transcript | None, seconds: float | None = None
    ) -> EmotionResult | None:
        self.looked.append(seconds)
        self._core.compute(0.05)
        return super().partial(utterance, transcript, seconds)

    def final(self, utterance: Utterance, transcript: Transcript | None) -> EmotionResult | None:
        self._core.compute(0.05)
        return super().final(utterance, transcript)


class SlowTranscriber(FakeTranscriber):
    def __init__(self, core: Core) -> None:
        super().__init__(smaller="tiny")
        self._core = core

    def partial(self, utterance: Utterance) -> Transcript:
        self._core.compute(0.1)
        return super().partial(utterance)

    def final(self, utterance: Utterance) -> Transcript:
        self._core.compute(0.25)
        return super().final(utterance)


def level_now(events: Events) -> int:
    changes = events.of(EffortChanged)
    return changes[-1].level if changes else 0


def test_a_slow_machine_does_less_in_the_stated_order_and_loses_nothing(
    events: Events, tmp_path: Path
) -> None:
    core = Core()
    analyzer, transcriber = SlowAnalyzer(core), SlowTranscriber(core)
    samples = conversation(*[0.8] * 300, pause=0.4)
    source = ScriptedSource(samples, realtime=True, rate=RATE)
    journal = Journal(tmp_path)
    session = Session(
        source, SETTINGS, analyzer, transcriber, events, journal, cutter=LoudnessCutter
    )
    session.start()
    events.wait_for(lambda e: level_now(e) == LAST, timeout=60)
    worst = session.lag
    core.busy = False
    events.wait_for(lambda e: level_now(e) == 0, timeout=60)
    session.stop()
    assert session.join(30)

    changes = events.of(EffortChanged)
    levels = [change.level for change in changes]
    assert levels[:LAST] == list(range(1, LAST + 1)), "the stated order, one step at a time"
    assert all(abs(b - a) == 1 for a, b in itertools.pairwise(levels))
    assert {change.levels for change in changes} == {len(LADDER)}
    assert changes[LAST - 1].lag > 0
    assert worst > 0
    assert session.lag == 0.0
    advice = [n for n in events.of(Notice) if n.message.code == "smaller_whisper"]
    assert [n.active for n in advice] == [True, False]
    assert dict(advice[0].message.values) == {"model": "fake-whisper", "smaller": "tiny"}
    assert LADDER[LAST - 1].partial_seconds in analyzer.looked, "looks became shorter"

    expected = spans_in(samples[: session.position])
    turns = {turn.index: turn for turn in events.finals()}
    assert [(turns[i].start, turns[i].end) for i in sorted(turns)] == expected
    assert all(turn.emotion is not None for turn in turns.values())
    assert all(turn.transcript is not None for turn in turns.values())
    assert not any("skipped" in note for turn in turns.values() for note in turn.notes)
    assert analyzer.count("remember") == len(expected)
    heard_by_the_journal(journal, samples[: session.position])


def spans_in(samples: np.ndarray) -> list[tuple[int, int]]:  # type: ignore[type-arg]
    """Return what a session that has all the time in the world makes of it."""
    told = Events()
    source = ScriptedSource(samples)
    settings = SessionSettings(live=False)
    session = Session(source, settings, FakeAnalyzer(), None, told, cutter=LoudnessCutter)
    session.start()
    assert session.join(30)
    return [(turn.start, turn.end) for turn in session.history.snapshot()]


def heard_by_the_journal(journal: Journal, samples: np.ndarray) -> None:  # type: ignore[type-arg]
    """Every sample that was heard is on disk, and every turn with its text."""
    assert journal.folder is not None
    recording = read_session(journal.folder)
    assert recording.media is not None
    sound = read_audio(recording.media)[0]
    assert sound.size == samples.size
    np.testing.assert_allclose(sound, samples, atol=2 / 32768)
    texts = [turn.transcript for turn in recording.turns]
    assert all(t is not None and t.source is TranscriptSource.RECOGNITION for t in texts)
