"""Finished texts that are looked at again, and what may not happen meanwhile."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.dialogue.journal import Journal
from core.dialogue.sessions import read_session
from core.pipeline.bettering import LONGEST, Bettering
from core.pipeline.effort import Effort
from core.pipeline.events import TurnUpdated
from core.pipeline.jobs import Better, RecognitionJob
from core.pipeline.session import Session
from core.pipeline.settings import SessionSettings
from core.pipeline.work_queue import WorkQueue
from core.types import EmotionResult, FloatArray, Transcript, Turn, Utterance
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


def bettered(events: Events) -> list[Turn]:
    return [turn for turn in events.finals() if "text_bettered" in turn.notes]


def run_until_bettered(
    events: Events,
    transcriber: FakeTranscriber,
    analyzer: FakeAnalyzer | None = None,
    *,
    samples: FloatArray | None = None,
    context: FakeContext | None = None,
    journal: Journal | None = None,
    wanted: int = 1,
) -> Session:
    """Speak, stay silent until the texts were bettered, and stop."""
    said = conversation(1.0) if samples is None else samples
    source = ScriptedSource(np.concatenate([said, silence(60)]), realtime=True, rate=3)
    session = Session(
        source,
        LIVE,
        analyzer or FakeAnalyzer(),
        transcriber,
        events,
        journal,
        cutter=LoudnessCutter,
        context=context,
    )
    session.start()
    events.wait_for(lambda e: len(bettered(e)) >= wanted)
    session.stop()
    assert session.join(20)
    return session


def test_a_better_text_replaces_that_of_a_final_turn_and_its_emotion(events: Events) -> None:
    transcriber = FakeTranscriber({0: "hello their"}, better={0: "hello there you"})
    session = run_until_bettered(events, transcriber)
    first, second = events.finals()
    assert first.transcript is not None
    assert second.transcript is not None
    assert (first.transcript.text, second.transcript.text) == ("hello their", "hello there you")
    assert first.emotion is not None
    assert second.emotion is not None
    assert first.emotion.probabilities != second.emotion.probabilities
    assert second.emotion.features == {}
    assert second.notes == ("text_bettered",)
    assert session.history.snapshot() == (second,)


def test_a_better_text_is_not_late(events: Events) -> None:
    run_until_bettered(events, FakeTranscriber(better={0: "better"}))
    lags = {"text_bettered" in e.turn.notes: e.lag for e in events.of(TurnUpdated)}
    assert lags[True] is None
    assert lags[False] is not None


def test_what_the_dialogue_said_stays_and_it_is_told_once(events: Events) -> None:
    context, analyzer = FakeContext(), FakeAnalyzer()
    transcriber = FakeTranscriber(better={0: "much better"})
    session = run_until_bettered(events, transcriber, analyzer, context=context)
    assert context.count("add") == 1
    assert analyzer.count("remember") == 1
    first = events.finals()[0]
    (turn,) = session.history.snapshot()
    assert turn.context == first.context
    assert turn.transcript is not None
    assert turn.transcript.text == "much better", "hindsight came after it and kept it"
    assert turn.hindsight is not None


def test_a_session_read_back_has_the_better_text(events: Events, tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    session = run_until_bettered(
        events, FakeTranscriber({0: "worse"}, better={0: "better"}), journal=journal
    )
    assert journal.folder is not None
    (read,) = read_session(journal.folder).turns
    (kept,) = session.history.snapshot()
    assert read.transcript is not None
    assert read.transcript.text == "better"
    assert "text_bettered" in read.notes
    assert read.emotion is not None
    assert kept.emotion is not None
    assert read.emotion.probabilities == pytest.approx(kept.emotion.probabilities, abs=1e-3)
    text = (journal.folder / "turns.jsonl").read_text(encoding="utf-8")
    assert text.index("worse") < text.index("better")


def test_a_text_that_stands_changes_nothing(events: Events) -> None:
    transcriber = FakeTranscriber(better={1: "better"})
    run_until_bettered(events, transcriber, samples=conversation(1.0, 1.0))
    assert ("better", 0) in [(what, index) for what, index, _ in transcriber.calls]
    assert [turn.index for turn in bettered(events)] == [1]


def test_only_word_times_that_change_ask_no_model(events: Events) -> None:
    class Same(FakeTranscriber):
        def better(self, utterance: Utterance, transcript: Transcript) -> Transcript | None:
            return replace(transcript, confidence=0.99)

    analyzer = FakeAnalyzer()
    run_until_bettered(events, Same(), analyzer)
    first, second = events.finals()
    assert second.emotion is first.emotion or second.emotion == first.emotion
    assert second.transcript is not None
    assert second.transcript.confidence == 0.99
    last = max(i for i, call in enumerate(analyzer.calls) if call[0] == "remember")
    assert not [call for call in analyzer.calls[last:] if call[0] == "final"]


def test_a_text_that_can_not_be_judged_leaves_the_turn_as_it_was(events: Events) -> None:
    class Refusing(FakeAnalyzer):
        def final(
            self, utterance: Utterance, transcript: Transcript | None
        ) -> EmotionResult | None:
            if transcript is not None and transcript.text == "poison":
                raise RuntimeError("told to fail")
            return super().final(utterance, transcript)

    transcriber = FakeTranscriber({0: "good"}, better={0: "poison", 1: "fine"})
    session = run_until_bettered(
        events, transcriber, Refusing(), samples=conversation(1.0, 1.0, pause=3.0)
    )
    texts = [turn.transcript.text for turn in session.history.snapshot() if turn.transcript]
    assert texts == ["good", "fine"]
    assert events.notices() == []


def test_a_turn_that_can_be_judged_after_all_no_longer_says_it_could_not(events: Events) -> None:
    transcriber = FakeTranscriber({0: ""}, better={0: "there was something"})
    run_until_bettered(events, transcriber, FakeTextAnalyzer())
    first, second = events.finals()
    assert first.emotion is None
    assert first.notes == ("no_text_to_judge",)
    assert second.emotion is not None
    assert second.notes == ("text_bettered",)


def test_trouble_with_a_second_look_is_no_trouble(events: Events) -> None:
    class Broken(FakeTranscriber):
        def better(self, utterance: Utterance, transcript: Transcript) -> Transcript | None:
            self._note("better", utterance.index, 0)
            if utterance.index == 0:
                raise RuntimeError("told to fail")
            return replace(transcript, stable="better")

    samples = conversation(1.0, 1.0, pause=3.0)
    run_until_bettered(events, Broken(), samples=samples)
    assert [turn.index for turn in bettered(events)] == [1]
    assert events.notices() == []


def test_nobody_looks_again_while_somebody_speaks(events: Events) -> None:
    transcriber = FakeTranscriber(better={0: "better", 1: "better"})
    samples = conversation(1.0, 4.0, pause=0.4)
    run_until_bettered(events, transcriber, samples=samples, wanted=2)
    order = [(what, index) for what, index, _ in transcriber.calls]
    assert order.index(("better", 0)) > order.index(("final", 1))


@pytest.mark.parametrize(
    "settings", [SessionSettings(live=True, better_text=False), SessionSettings(live=False)]
)
def test_texts_are_left_alone_where_that_is_not_wanted(
    events: Events, settings: SessionSettings
) -> None:
    transcriber = FakeTranscriber(better={0: "better"})
    samples = np.concatenate([conversation(1.0), silence(4)])
    source = ScriptedSource(samples, live=settings.live, realtime=True, rate=3)
    session = Session(source, settings, FakeAnalyzer(), transcriber, events, cutter=LoudnessCutter)
    session.start()
    assert session.join(20)
    assert "better" not in [what for what, _, _ in transcriber.calls]


def test_a_session_that_ends_does_not_look_again(events: Events) -> None:
    transcriber = FakeTranscriber(better=dict.fromkeys(range(4), "better"))
    source = ScriptedSource(conversation(1, 1, 1, 1), live=True)
    session = Session(source, LIVE, FakeAnalyzer(), transcriber, events, cutter=LoudnessCutter)
    session.start()
    assert session.join(20)
    assert "better" not in [what for what, _, _ in transcriber.calls]
    assert len(events.finals()) == 4


def utterance(index: int, seconds: float = 1.0) -> Utterance:
    samples = tone(seconds)
    return Utterance(index, 0, samples.size, samples)


def drain_spare(queue: WorkQueue[RecognitionJob], count: int) -> list[int]:
    jobs = [queue.get() for _ in range(count)]
    return [job.utterance.index for job in jobs if isinstance(job, Better)]


def test_the_sound_of_a_few_utterances_is_kept_and_the_newest_comes_first() -> None:
    queue: WorkQueue[RecognitionJob] = WorkQueue(rest=0.0, spare=3)
    bettering = Bettering(queue, lambda: Effort())
    for index in range(10):
        bettering.offer(utterance(index), Transcript("text"))
    assert drain_spare(queue, 3) == [9, 8, 7]
    queue.close()
    assert queue.get() is None


def test_a_machine_that_falls_behind_looks_at_nothing_twice() -> None:
    queue: WorkQueue[RecognitionJob] = WorkQueue(rest=0.0)
    effort = Effort()
    bettering = Bettering(queue, lambda: effort)
    bettering.offer(utterance(0), Transcript("text"))
    assert drain_spare(queue, 1) == [0]
    effort = Effort(better_text=False)
    assert not bettering.worth(utterance(0))
    bettering.offer(utterance(1), Transcript("text"))
    queue.close()
    assert queue.get() is None


def test_looks_that_take_too_long_are_left_out_but_not_for_good() -> None:
    bettering = Bettering(WorkQueue(), lambda: Effort())
    assert bettering.worth(utterance(0, 10.0))
    bettering.took(utterance(0, 10.0), seconds=2 * LONGEST)
    assert not bettering.worth(utterance(1, 10.0))
    assert bettering.worth(utterance(2, 2.0)), "a shorter one takes less"
    tried = [bettering.worth(utterance(index, 10.0)) for index in range(3, 15)]
    assert not tried[0]
    assert tried[-1]
