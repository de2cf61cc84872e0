"""Sessions that work ahead in pauses: nothing is done twice, and nothing else is said."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import pytest

from core.pipeline.ahead import AheadCounts
from core.pipeline.events import TurnUpdated
from core.pipeline.session import Session
from core.pipeline.settings import SessionSettings
from core.types import (
    AudioBlock,
    EmotionResult,
    FloatArray,
    Modality,
    Transcript,
    Turn,
    TurnStatus,
    Utterance,
)
from tests.fakes import (
    FakeAnalyzer,
    FakeContext,
    FakeTextAnalyzer,
    FakeTranscriber,
    LoudnessCutter,
    ScriptedSource,
    conversation,
    silence,
    tone,
)
from tests.pipeline.conftest import Events

LIVE = SessionSettings(live=True)
NOTHING_AHEAD = SessionSettings(live=True, ahead=False)


class Noting(FakeAnalyzer):
    """Keeps what the final judgements were asked about."""

    def __init__(self, fail_ahead: bool = False, fail_on: Iterable[int] = ()) -> None:
        super().__init__(fail_on=fail_on)
        self.finals: list[tuple[int, bool, str | None]] = []
        """(index, whether it was final, the text)."""
        self.given: list[EmotionResult | None] = []
        self._fail_ahead = fail_ahead

    def final(self, utterance: Utterance, transcript: Transcript | None) -> EmotionResult | None:
        text = None if transcript is None else transcript.text
        self.finals.append((utterance.index, utterance.is_final, text))
        if self._fail_ahead and not utterance.is_final:
            raise RuntimeError("told to fail ahead")
        self.given.append(super().final(utterance, transcript))
        return self.given[-1]


class Pausing(ScriptedSource):
    """Stands still in each silence, `after` seconds into it, until `go` is true."""

    def __init__(self, samples: FloatArray, go: Callable[[], bool], after: float = 0.2) -> None:
        super().__init__(samples, live=True)
        self._go = go
        self._after = after
        self._quiet = 0
        self._waited = False
        self.pauses = 0

    def read(self, timeout: float) -> AudioBlock | None:
        block = super().read(timeout)
        quiet = bool(np.abs(block.samples).max() < 0.01) if block is not None else False
        self._quiet = self._quiet + 512 if quiet else 0
        if self._quiet == 0:
            self._waited = False
        elif self._quiet >= self._after * 16_000 and not self._waited and self._spoken():
            self._waited = True
            self.pauses += 1
            wait_until(self._go, timeout=10.0)
        return block

    def _spoken(self) -> bool:
        return bool(np.abs(self._samples[:, : self._position]).max(initial=0) > 0.01)


def wait_until(condition: Callable[[], bool], timeout: float) -> None:
    ticks = threading.Event()
    for _ in range(round(timeout / 0.002)):
        if condition():
            return
        ticks.wait(0.002)
    raise AssertionError("it never happened")


def session_of(
    events: Events,
    samples: FloatArray,
    analyzer: Noting,
    transcriber: FakeTranscriber,
    settings: SessionSettings = LIVE,
    context: FakeContext | None = None,
) -> Session:
    """Run a session on a machine that always finishes within the hangover; return it, ended."""
    source = Pausing(samples, lambda: prepared(session, source, analyzer, events))
    session = Session(
        source, settings, analyzer, transcriber, events, cutter=LoudnessCutter, context=context
    )
    session.start()
    assert session.join(30)
    return session


def prepared(session: Session, source: Pausing, analyzer: Noting, events: Events) -> bool:
    """Whether a pause was judged by its speech, and with its text, and that was shown."""
    begun = session.transcribed_ahead.begun, session.judged_ahead.begun
    if min(begun) < source.pauses:
        return False
    shown, given = events.turns()[-1].emotion, analyzer.given[-1]
    if given is None or shown is None or Modality.TEXT not in given.by_modality:
        return False
    return shown == replace(given, features={})


def test_a_final_that_was_foreseen_asks_no_model_again(events: Events) -> None:
    analyzer, transcriber = Noting(), FakeTranscriber({0: "hello there"})
    session = session_of(events, conversation(1.0), analyzer, transcriber)
    assert analyzer.finals == [(0, False, None), (0, False, "hello there")]
    assert [c[0] for c in transcriber.calls if c[0] == "final"] == ["final"]
    (turn,) = events.finals()
    assert turn.transcript is not None
    assert turn.transcript.text == "hello there"
    assert turn.emotion is not None
    assert len(turn.emotion.modalities) == 2
    assert not events.turns(TurnStatus.SPEECH), "there was nothing to wait for"
    assert session.judged_ahead == session.transcribed_ahead == AheadCounts(1, 1, 0)


def test_the_result_of_a_pause_is_shown_as_that_of_the_growing_turn(events: Events) -> None:
    session_of(events, conversation(1.0), Noting(), FakeTranscriber({0: "hello there"}))
    (final,) = events.finals()
    shown = events.turns(TurnStatus.PARTIAL)[-1]
    assert (shown.start, shown.end) == (final.start, final.end)
    assert shown.emotion == final.emotion
    assert shown.transcript is None or not shown.transcript.is_final


def test_the_lag_of_a_foreseen_turn_holds_the_silence_that_it_took(events: Events) -> None:
    session_of(events, conversation(1.0), Noting(), FakeTranscriber())
    (told,) = [e for e in events.of(TurnUpdated) if e.turn.status is TurnStatus.FINAL]
    assert told.lag is not None
    assert told.lag >= 0.3


def test_what_was_foreseen_is_thrown_away_when_speech_resumes(events: Events) -> None:
    samples = np.concatenate([silence(1), tone(1), silence(0.24), tone(1), silence(1)])
    analyzer, transcriber = Noting(), FakeTranscriber()
    session = session_of(events, samples, analyzer, transcriber)
    (turn,) = events.finals()
    assert turn.end - turn.start > 2.2 * 16_000
    assert analyzer.finals == [(0, False, None), (0, False, "utterance 0")] * 2
    assert [c[0] for c in transcriber.calls].count("final") == 2
    assert session.judged_ahead == session.transcribed_ahead == AheadCounts(2, 1, 1)


@pytest.mark.parametrize("texts", [True, False])
def test_finals_say_the_same_with_and_without_work_ahead(events: Events, texts: bool) -> None:
    """Also where the baseline moves: what was judged before it did is judged again."""
    samples = np.concatenate([conversation(1.0, 0.7, 2.0, pause=0.5), conversation(1.3)])
    plain = Events()
    for listener, settings in ((events, LIVE), (plain, NOTHING_AHEAD)):
        transcriber = FakeTranscriber(reject=[1]) if texts else None
        source = ScriptedSource(samples, live=True, realtime=True, rate=8)
        session = Session(
            source, settings, FakeAnalyzer(), transcriber, listener, cutter=LoudnessCutter
        )
        session.start()
        assert session.join(30)
    assert [said(turn) for turn in events.finals()] == [said(turn) for turn in plain.finals()]
    assert len(plain.finals()) == 4


def said(turn: Turn) -> tuple[object, ...]:
    emotion = turn.emotion
    assert emotion is not None
    result = (emotion.probabilities, emotion.baseline_seconds, emotion.by_modality, emotion.doubts)
    return turn.index, turn.start, turn.end, turn.transcript, turn.notes, *result


def test_without_work_ahead_everything_is_asked_when_it_is_over(events: Events) -> None:
    analyzer = Noting()
    source = ScriptedSource(conversation(1, 1), live=True)
    session = Session(
        source, NOTHING_AHEAD, analyzer, FakeTranscriber(), events, cutter=LoudnessCutter
    )
    session.start()
    assert session.join(20)
    assert all(final for _, final, _ in analyzer.finals)
    assert len(analyzer.finals) == 4
    assert session.judged_ahead == session.transcribed_ahead == AheadCounts()


def test_a_recording_is_never_judged_ahead(events: Events) -> None:
    analyzer = Noting()
    settings = SessionSettings(live=False)
    source = ScriptedSource(conversation(1, 1))
    session = Session(source, settings, analyzer, FakeTranscriber(), events, cutter=LoudnessCutter)
    session.start()
    assert session.join(20)
    assert [final for _, final, _ in analyzer.finals] == [True, True]
    assert session.judged_ahead == AheadCounts()


def test_an_utterance_that_was_foreseen_is_remembered_and_put_in_context_once(
    events: Events,
) -> None:
    analyzer, context = Noting(), FakeContext()
    session_of(events, conversation(1.0, 1.0), analyzer, FakeTranscriber(), context=context)
    assert [index for what, index, _ in analyzer.calls if what == "remember"] == [0, 1]
    assert [index for what, index in context.calls if what == "add"] == [0, 1]
    first = {turn.index: turn for turn in reversed(events.finals())}
    assert all(turn.context is not None for turn in first.values())


def test_trouble_ahead_is_not_told_and_the_final_is_asked_for_again(events: Events) -> None:
    analyzer = Noting(fail_ahead=True)

    class FailingAhead(FakeTranscriber):
        def final(self, utterance: Utterance) -> Transcript:
            if not utterance.is_final:
                raise RuntimeError("told to fail ahead")
            return super().final(utterance)

    source = ScriptedSource(conversation(1.0, 1.0), live=True, realtime=True, rate=8)
    session = Session(source, LIVE, analyzer, FailingAhead(), events, cutter=LoudnessCutter)
    session.start()
    assert session.join(20)
    assert events.notices() == []
    assert [turn.notes for turn in events.finals()] == [(), ()]
    assert all(turn.emotion and turn.transcript for turn in events.finals())


def test_trouble_ahead_and_again_is_told_once(events: Events) -> None:
    source = ScriptedSource(conversation(1.0), live=True, realtime=True, rate=8)

    class OnlyFinals(FakeTranscriber):
        def partial(self, utterance: Utterance) -> Transcript:
            return Transcript("", is_final=False)

    transcriber = OnlyFinals(fail_on=[0])
    session = Session(
        source, LIVE, FakeAnalyzer(fail_on=[0]), transcriber, events, cutter=LoudnessCutter
    )
    session.start()
    assert session.join(20)
    assert events.notices().count("recognition_failed") == 1
    # by its speech, and as a whole, as it always was
    assert events.notices().count("emotion_failed") == 2
    (turn,) = events.finals()
    assert turn.notes == ("recognition_failed", "emotion_failed")


def test_a_model_of_text_is_prepared_too(events: Events) -> None:
    class NotingText(FakeTextAnalyzer, Noting):
        pass

    analyzer = NotingText()
    session = session_of(events, conversation(1.0), analyzer, FakeTranscriber({0: "hello"}))
    asked = [call for call in analyzer.finals if call[2] is not None]
    assert asked == [(0, False, "hello")]
    (turn,) = events.finals()
    assert turn.emotion is not None
    assert turn.notes == ()
    assert session.judged_ahead == AheadCounts(1, 1, 0)


def test_two_channels_are_prepared_each_by_itself(events: Events) -> None:
    left = np.concatenate([silence(1), tone(1), silence(3)])
    right = np.concatenate([silence(2.5), tone(1), silence(1.5)])
    analyzer = Noting()
    source = ScriptedSource(np.stack([left, right]), live=True, realtime=True, rate=6)
    session = Session(source, LIVE, analyzer, FakeTranscriber(), events, cutter=LoudnessCutter)
    session.start()
    assert session.join(20)
    turns = events.finals()
    assert [(t.speaker, t.channel) for t in turns] == [("A", 0), ("B", 1)]
    assert [index for what, index, _ in analyzer.calls if what == "remember"] == [0, 1]


def test_a_slow_recogniser_is_not_begun_ahead(events: Events) -> None:
    """Once it is known to take far longer than the hangover, and pauses are seldom the end."""
    parts = [part for _ in range(5) for part in (tone(0.6), silence(0.2))]
    samples = np.concatenate([conversation(0.6), *parts, silence(0.6)])
    transcriber = FakeTranscriber(delay=0.6)
    source = ScriptedSource(samples, live=True, realtime=True, rate=2)
    session = Session(source, LIVE, FakeAnalyzer(), transcriber, events, cutter=LoudnessCutter)
    session.start()
    assert session.join(30)
    assert len(events.finals()) == 2
    assert session.transcribed_ahead.begun <= 2, "of seven pauses"


def test_cancelling_in_a_pause_leaves_an_interrupted_turn(events: Events) -> None:
    made: list[Session] = []

    def cancel() -> bool:
        (session,) = made
        if not (session.judged_ahead.begun and session.transcribed_ahead.begun):
            return False
        session.cancel()
        return True

    source = Pausing(conversation(1.0), cancel)
    made.append(
        Session(source, LIVE, FakeAnalyzer(), FakeTranscriber(), events, cutter=LoudnessCutter)
    )
    made[0].start()
    assert made[0].join(20)
    (turn,) = made[0].history.snapshot()
    assert turn.notes == ("interrupted",)
    assert turn.emotion is not None
    assert turn.emotion.features == {}


def test_stopping_in_a_pause_uses_what_was_foreseen(events: Events) -> None:
    made: list[Session] = []

    def stop() -> bool:
        (session,) = made
        if not prepared(session, source, analyzer, events):
            return False
        session.stop()
        return True

    analyzer = Noting()
    source = Pausing(conversation(1.0)[: round(2.22 * 16_000)], stop, after=0.15)
    made.append(Session(source, LIVE, analyzer, FakeTranscriber(), events, cutter=LoudnessCutter))
    made[0].start()
    assert made[0].join(20)
    (turn,) = events.finals()
    assert turn.notes == ()
    assert [final for _, final, _ in analyzer.finals] == [False, False]
    assert made[0].judged_ahead == AheadCounts(1, 1, 0)


def test_a_final_that_waits_leaves_before_another_channels_pause(events: Events) -> None:
    analyzer = Noting()
    analyzer.gate = threading.Event()
    left = np.concatenate([tone(1), silence(0.5)])
    right = np.concatenate([tone(1.1), silence(0.4)])
    until = round(1.32 * 16_000)  # the left one is over, the right one has just paused
    source = ScriptedSource(np.stack([left, right])[:, :until], live=True, realtime=True)
    session = Session(source, LIVE, analyzer, None, events, cutter=LoudnessCutter)
    session.start()
    events.wait_for(lambda e: len(e.heard()) * 512 >= until)
    analyzer.gate.set()
    assert session.join(20)
    assert [index for index, _, _ in analyzer.finals] == [0, 1]
    assert sorted(turn.index for turn in events.finals()) == [0, 1]
