"""Sessions with models that need text, or that are too slow for every partial update."""

from __future__ import annotations

import threading
from dataclasses import replace

from core.pipeline.session import Session
from core.pipeline.settings import SessionSettings
from core.types import EmotionResult, Transcript, TurnStatus, Utterance
from tests.fakes import (
    FakeAnalyzer,
    FakeTextAnalyzer,
    FakeTranscriber,
    LoudnessCutter,
    ScriptedSource,
    conversation,
)
from tests.pipeline.conftest import Events

FILE = SessionSettings(live=False)
LIVE = SessionSettings(live=True)


def test_a_model_of_text_waits_for_the_text_and_says_so(events: Events) -> None:
    transcriber = FakeTranscriber({0: "hello there"})
    transcriber.gate = threading.Event()
    source = ScriptedSource(conversation(1.0), live=True)
    session = Session(source, LIVE, FakeTextAnalyzer(), transcriber, events, cutter=LoudnessCutter)
    session.start()
    events.wait_for(lambda e: bool(e.turns(TurnStatus.SPEECH)))
    waiting = events.turns(TurnStatus.SPEECH)[-1]
    assert waiting.emotion is None
    assert waiting.notes == ("text_awaited",)
    transcriber.gate.set()
    assert session.join(10)
    (turn,) = events.finals()
    assert turn.emotion is not None
    assert "text_awaited" not in turn.notes
    assert "emotion_failed" not in events.notices()


def test_a_model_of_text_and_nobody_who_writes_any_is_said_once(events: Events) -> None:
    source = ScriptedSource(conversation(1.0, 1.0))
    session = Session(source, FILE, FakeTextAnalyzer(), None, events, cutter=LoudnessCutter)
    session.start()
    assert session.join(20)
    assert [turn.notes for turn in events.finals()] == [("no_text_to_judge",)] * 2
    assert all(turn.emotion is None for turn in events.finals())
    assert events.notices().count("model_reads_text") == 1


def test_a_text_no_gate_let_through_is_no_reason_to_ask_for_recognition(events: Events) -> None:
    transcriber = FakeTranscriber(reject=(0,))
    source = ScriptedSource(conversation(1.0))
    session = Session(source, FILE, FakeTextAnalyzer(), transcriber, events, cutter=LoudnessCutter)
    session.start()
    assert session.join(20)
    (turn,) = events.finals()
    assert turn.notes == ("no_text_to_judge",)
    assert "model_reads_text" not in events.notices()


class SlowToLook(FakeAnalyzer):
    """Takes longer for a look than speech takes to bring the next one."""

    def __init__(self, per_second: float) -> None:
        super().__init__()
        self._per_second = per_second
        self.judged: list[tuple[int, float]] = []

    def _judge(self, utterance: Utterance, transcript: Transcript | None) -> EmotionResult:
        self._delay = self._per_second * utterance.duration
        self.judged.append((utterance.index, utterance.duration))
        return super()._judge(utterance, transcript)


def test_a_slow_model_skips_partial_looks_and_never_a_final(events: Events) -> None:
    analyzer = SlowToLook(per_second=0.25)
    source = ScriptedSource(conversation(3.0, 3.0), realtime=True, rate=4.0)
    session = Session(source, LIVE, analyzer, None, events, cutter=LoudnessCutter)
    session.start()
    assert session.join(30)
    assert len(events.finals()) == 2
    assert all(turn.emotion is not None for turn in events.finals())
    # Twelve looks a turn were on offer, each as long as four of them take to come up.
    looks = analyzer.count("partial")
    assert 2 <= looks <= 10
    for index in (0, 1):
        lengths = [length for i, length in analyzer.judged if i == index]
        assert lengths == sorted(lengths)  # none came after a newer one


def test_a_result_that_failed_keeps_the_one_before_and_an_absent_one_does_not(
    events: Events,
) -> None:
    analyzer = FakeAnalyzer(fail_on=(0,))
    source = ScriptedSource(conversation(1.5), live=True, realtime=True, rate=4.0)
    session = Session(source, replace(LIVE), analyzer, None, events, cutter=LoudnessCutter)
    session.start()
    assert session.join(20)
    (turn,) = events.finals()
    assert "emotion_failed" in turn.notes
    assert "no_text_to_judge" not in turn.notes
    assert "emotion_failed" in events.notices()
