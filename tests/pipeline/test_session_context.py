"""Sessions with a dialogue model, and with somebody who tells voices apart."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.dialogue.journal import Journal
from core.dialogue.recording import Annotation
from core.dialogue.sessions import read_session
from core.errors import CheckpointError
from core.models.checkpoint import read_info
from core.pipeline import in_context
from core.pipeline.analyzer import load_analyzer
from core.pipeline.context import DialogueContext, UtteranceModel
from core.pipeline.dialogue_context import load_context
from core.pipeline.events import ContextReady, Notice, TurnUpdated
from core.pipeline.protocols import Analyzer, Transcriber
from core.pipeline.session import Session
from core.pipeline.settings import SessionSettings
from core.pipeline.speakers import SpeakerTracker
from core.types import ContextScope, FloatArray, Modality, Transcript, Turn, TurnStatus, Utterance
from tests.checkpoints import make_checkpoint, make_dialogue_checkpoint, voice
from tests.fakes import (
    FAKE_CONTEXT,
    FakeAnalyzer,
    FakeContext,
    FakeSpeakers,
    FakeTranscriber,
    LoudnessCutter,
    ScriptedSource,
    silence,
    tone,
)
from tests.pipeline.conftest import Events

FILE = SessionSettings(live=False)
LIVE = SessionSettings(live=True)


@pytest.fixture(autouse=True)
def busy_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is busy with something else must not look like a slow dialogue model."""
    monkeypatch.setattr(in_context, "FRAME", 60.0)


def changing(count: int) -> FloatArray:
    """Turns that are loud and quiet by turns, so that neighbours say something else."""
    parts = [
        part
        for i in range(count)
        for part in (silence(0.5), tone(0.8, amplitude=0.5 if i % 4 < 2 else 0.02))
    ]
    return np.concatenate([*parts, silence(0.5)])


def run(
    events: Events,
    samples: FloatArray,
    context: DialogueContext | None = None,
    speakers: SpeakerTracker | None = None,
    *,
    settings: SessionSettings = FILE,
    analyzer: Analyzer | None = None,
    transcriber: Transcriber | None = None,
    annotations: tuple[Annotation, ...] = (),
    journal: Journal | None = None,
) -> Session:
    session = Session(
        ScriptedSource(samples, live=settings.live),
        settings,
        analyzer or FakeAnalyzer(),
        transcriber,
        events,
        journal,
        annotations,
        None if annotations else LoudnessCutter,
        context,
        speakers,
    )
    session.start()
    assert session.join(30)
    return session


def first_finals(events: Events) -> dict[int, Turn]:
    """Each turn as it was when it first became final."""
    found: dict[int, Turn] = {}
    for turn in events.finals():
        found.setdefault(turn.index, turn)
    return found


def test_a_final_turn_is_published_once_with_its_context(events: Events) -> None:
    context = FakeContext()
    session = run(events, changing(6), context, transcriber=FakeTranscriber())
    before_hindsight = [t for t in events.finals() if t.hindsight is None]
    assert [t.index for t in before_hindsight] == list(range(6))
    for turn in before_hindsight:
        assert turn.context is not None
        assert turn.context.scope is ContextScope.PAST
        assert turn.context.turns == tuple(range(turn.index + 1))
        assert turn.context.model == FAKE_CONTEXT
    (ready,) = events.of(ContextReady)
    assert ready.info.window == 8
    assert len(session.history) == 6


def test_what_was_said_first_stays_and_hindsight_comes_as_a_revision(events: Events) -> None:
    context = FakeContext(own=0.2)
    session = run(events, changing(9), context)
    said = first_finals(events)
    revised = [t for t in events.finals() if t.hindsight is not None]
    during = [e.turn for e in events.of(TurnUpdated) if e.turn.hindsight is not None]
    assert len(during) > 9, "some labels change while the dialogue goes on, all turns have an end"
    for turn in revised:
        assert turn.context == said[turn.index].context
        assert turn.emotion == said[turn.index].emotion
    for turn in session.history.snapshot():
        assert turn.context == said[turn.index].context
        assert turn.hindsight is not None
        assert turn.hindsight.turns == tuple(range(max(0, turn.index - 7), min(9, turn.index + 8)))


@pytest.mark.parametrize("settings", [FILE, LIVE])
def test_in_the_end_every_turn_has_the_hindsight_of_the_whole_dialogue(
    events: Events, settings: SessionSettings
) -> None:
    context = FakeContext()
    session = run(events, changing(5), context, settings=settings, transcriber=FakeTranscriber())
    assert context.calls[-1] == ("finish", -1)
    assert all(turn.hindsight is not None for turn in session.history.snapshot())
    assert events.states()[-1] == "idle"


def test_a_revision_has_no_lag(events: Events) -> None:
    run(events, changing(4), FakeContext(), settings=LIVE)
    for event in events.of(TurnUpdated):
        assert (event.lag is None) == (event.turn.hindsight is not None)


def test_a_cancelled_session_does_not_wait_for_hindsight(events: Events) -> None:
    context = FakeContext()
    source = ScriptedSource(np.concatenate([silence(0.2), tone(60)]), realtime=True)
    session = Session(
        source, LIVE, FakeAnalyzer(), None, events, cutter=LoudnessCutter, context=context
    )
    session.start()
    events.wait_for(lambda e: bool(e.turns(TurnStatus.PARTIAL)))
    session.cancel()
    assert session.join(10)
    assert context.count("finish") == 0
    assert [turn.notes for turn in events.finals()] == [("interrupted",)]


def test_no_turn_that_leaves_holds_features(events: Events, tmp_path: Path) -> None:
    analyzer = FakeAnalyzer()
    samples = tone(1.0)
    result = analyzer.final(Utterance(0, 0, samples.size, samples), None)
    assert result is not None
    assert result.features, "or this test shows nothing"
    for context in (FakeContext(), None):
        for settings in (FILE, LIVE):
            transcriber = FakeTranscriber()
            session = run(events, changing(3), context, settings=settings, transcriber=transcriber)
            turns = [*session.history.snapshot(), *events.turns()]
            assert any(turn.emotion for turn in turns)
            assert not any(turn.emotion.features for turn in turns if turn.emotion)


def test_a_failing_dialogue_model_costs_the_context_and_no_turn(events: Events) -> None:
    session = run(events, changing(4), FakeContext(fail_on=[1]), transcriber=FakeTranscriber())
    turns = session.history.snapshot()
    assert [turn.context is not None for turn in turns] == [True, False, True, True]
    assert turns[1].notes == ("context_failed",)
    assert turns[1].emotion is not None
    assert events.notices() == ["context_failed"]
    assert events.states()[-1] == "idle"


def test_a_dialogue_model_that_can_not_load_is_gone_without(events: Events) -> None:
    broken = FakeContext(fail_to_load=CheckpointError("It is damaged.", "Copy it again."))
    session = run(events, changing(2), broken)
    assert [turn.context for turn in session.history.snapshot()] == [None, None]
    (notice,) = events.of(Notice)
    assert notice.message.code == "context_unavailable"
    assert notice.message.values["reason"] == "It is damaged. Copy it again."
    assert not events.of(ContextReady)


def test_a_dialogue_model_that_can_not_be_made_is_gone_without(events: Events) -> None:
    def make() -> DialogueContext:
        raise CheckpointError("There is none.")

    session = Session(
        ScriptedSource(changing(2)), FILE, FakeAnalyzer(), None, events, cutter=LoudnessCutter,
        context=make,
    )  # fmt: skip
    session.start()
    assert session.join(10)
    assert events.notices() == ["context_unavailable"]
    assert len(events.finals()) == 2


def test_a_dialogue_model_of_another_utterance_model_is_not_used(events: Events) -> None:
    other = FakeContext(trained_on=UtteranceModel("large", "a" * 64))
    session = run(events, changing(2), other)
    (notice,) = events.of(Notice)
    assert notice.message.code == "context_other_model"
    assert dict(notice.message.values) == {"needed": "large", "used": "fake"}
    assert other.calls == []
    assert [turn.context for turn in session.history.snapshot()] == [None, None]


def test_models_are_made_and_used_on_the_emotion_thread(events: Events) -> None:
    made: list[str] = []
    context, speakers = FakeContext(), FakeSpeakers()

    def make_context() -> FakeContext:
        made.append(threading.current_thread().name)
        return context

    def make_speakers() -> FakeSpeakers:
        made.append(threading.current_thread().name)
        return speakers

    session = Session(
        ScriptedSource(changing(3)), FILE, FakeAnalyzer(), None, events, cutter=LoudnessCutter,
        context=make_context, speakers=make_speakers,
    )  # fmt: skip
    session.start()
    assert session.join(10)
    assert made == ["emoscope-emotion"] * 2
    assert context.threads == speakers.threads == {"emoscope-emotion"}


def test_a_slow_dialogue_model_does_not_hold_up_the_emotion(
    events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_context, "FRAME", 0.1)
    run(events, changing(4), FakeContext(delay=0.15))
    fourth = [e.turn for e in events.of(TurnUpdated) if e.turn.index == 3]
    assert fourth[0].status is TurnStatus.FINAL
    assert fourth[0].emotion is not None
    assert fourth[0].context is None
    assert fourth[1].context is not None
    assert fourth[1].emotion == fourth[0].emotion


def test_a_turn_that_was_not_judged_stays_in_the_dialogue(events: Events) -> None:
    context = FakeContext()
    session = run(events, changing(3), context, analyzer=FakeAnalyzer(fail_on=[1]))
    turns = session.history.snapshot()
    assert ("add", 1) in context.calls
    assert turns[1].context is None
    assert turns[1].notes == ("emotion_failed",)


def test_a_final_that_fails_still_has_the_features_of_its_speech(events: Events) -> None:
    class FailsOnText(FakeAnalyzer):
        def partial(self, utterance: Utterance, transcript: Transcript | None, seconds=None):  # type: ignore[no-untyped-def]
            return super().partial(utterance, None, seconds)

        def final(self, utterance: Utterance, transcript: Transcript | None):  # type: ignore[no-untyped-def]
            if transcript is not None:
                raise RuntimeError("not this text")
            return super().final(utterance, transcript)

    session = run(
        events, changing(2), FakeContext(), settings=LIVE, analyzer=FailsOnText(),
        transcriber=FakeTranscriber(),
    )  # fmt: skip
    for turn in session.history.snapshot():
        assert turn.notes == ("emotion_failed",)
        assert turn.emotion is not None
        assert turn.emotion.modalities == (Modality.SPEECH,)
        assert turn.context is not None


def test_a_dialogue_model_serves_one_session_after_the_other(events: Events) -> None:
    context = FakeContext()
    for _ in range(2):
        session = run(events, changing(3), context)
        newest = session.history.snapshot()[-1].context
        assert newest is not None
        assert newest.turns == (0, 1, 2)


def test_the_journal_holds_context_and_hindsight(events: Events, tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    session = run(events, changing(4), FakeContext(), settings=LIVE, journal=journal)
    assert journal.folder is not None
    text = (journal.folder / "turns.jsonl").read_text(encoding="utf-8")
    assert '"features"' not in text
    assert json.loads((journal.folder / "closed").read_text(encoding="utf-8"))["turns"] == 4
    for read, turn in zip(
        read_session(journal.folder).turns, session.history.snapshot(), strict=True
    ):
        assert read.context is not None
        assert turn.context is not None
        assert read.context.label == turn.context.label
        assert read.context.turns == turn.context.turns
        assert read.hindsight is not None
        assert turn.hindsight is not None
        assert read.hindsight.probabilities == pytest.approx(turn.hindsight.probabilities, abs=1e-5)


# Speakers.


def seen_speakers(context: FakeContext, session: Session) -> list[str | None]:
    return [turn.speaker for turn in session.history.snapshot()]


class SpeakersSeen(FakeContext):
    """Notes who each turn it was given is by."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str | None] = []

    def add(self, turn: Turn, features: dict[Modality, FloatArray]):  # type: ignore[no-untyped-def]
        self.seen.append(turn.speaker)
        return super().add(turn, features)


def test_speakers_of_a_transcript_reach_the_dialogue_model(events: Events) -> None:
    annotations = tuple(
        Annotation(float(i), i + 0.9, f"line {i}", name) for i, name in enumerate("ABBA")
    )
    context, tracker = SpeakersSeen(), FakeSpeakers()
    run(events, tone(5.0), context, tracker, annotations=annotations)
    assert context.seen == ["A", "B", "B", "A"]
    assert ("name", 0) not in tracker.calls, "who speaks is known"


def test_speakers_of_two_channels_reach_the_dialogue_model(events: Events) -> None:
    left = np.concatenate([tone(1), silence(3)])
    right = np.concatenate([silence(1.5), tone(1), silence(1.5)])
    context, tracker = SpeakersSeen(), FakeSpeakers()
    run(events, np.stack([left, right]), context, tracker)
    assert context.seen == ["A", "B"]
    assert [call for call in tracker.calls if call[0] == "name"] == []


@pytest.mark.parametrize("settings", [FILE, LIVE, replace(LIVE, ahead=False)])
def test_a_voice_is_asked_for_once_per_utterance(events: Events, settings: SessionSettings) -> None:
    context, tracker = SpeakersSeen(), FakeSpeakers({2: None})
    session = run(
        events, changing(4), context, tracker, settings=settings, transcriber=FakeTranscriber()
    )
    assert [call for call in tracker.calls if call[0] == "name"] == [
        ("name", index) for index in range(4)
    ]
    expected = ["Voice 1", "Voice 2", None, "Voice 2"]
    assert context.seen == expected
    assert [turn.speaker for turn in session.history.snapshot()] == expected
    speech = [turn.speaker for turn in events.turns(TurnStatus.SPEECH)]
    if not (settings.live and settings.ahead):  # else it is final at once where it was foreseen
        assert speech == (expected if settings.live else [])


def test_annotated_lines_without_a_speaker_are_asked_for(events: Events) -> None:
    annotations = (Annotation(0.0, 0.9, "who", None), Annotation(1.0, 1.9, "me", "A"))
    context = SpeakersSeen()
    run(events, tone(3.0), context, FakeSpeakers(), annotations=annotations)
    assert context.seen == ["Voice 1", "A"]


def test_the_personal_baseline_stays_that_of_the_channel(events: Events) -> None:
    heard: list[str | None] = []

    class Watched(FakeAnalyzer):
        def remember(self, utterance: Utterance) -> None:
            heard.append(utterance.speaker)
            super().remember(utterance)

    run(events, changing(3), None, FakeSpeakers(), analyzer=Watched())
    assert heard == [None] * 3


def test_a_voice_that_can_not_be_told_costs_the_name_only(events: Events) -> None:
    session = run(events, changing(3), None, FakeSpeakers(fail_on=[1]))
    assert [turn.speaker for turn in session.history.snapshot()] == ["Voice 1", None, "Voice 1"]
    assert events.notices() == ["speakers_failed"]
    assert all(turn.emotion is not None for turn in events.finals())


def test_voices_that_can_not_be_loaded_are_gone_without(events: Events) -> None:
    broken = FakeSpeakers(fail_to_load=CheckpointError("It is damaged."))
    session = run(events, changing(2), FakeContext(), broken)
    assert [turn.speaker for turn in session.history.snapshot()] == [None, None]
    assert [turn.context is not None for turn in session.history.snapshot()] == [True, True]
    assert events.notices() == ["speakers_unavailable"]


# The real models together.


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("models")
    utterances = make_checkpoint(folder / "tiny")
    dialogues = make_dialogue_checkpoint(
        folder / "dialogue", utterance_model=read_info(utterances), window=4
    )
    return utterances, dialogues


def speech(count: int) -> FloatArray:
    parts = [
        p for i in range(count) for p in (silence(0.5), voice(1.0, pitch=110.0 + 40 * (i % 3)))
    ]
    return np.concatenate([*parts, silence(0.5)])


def test_a_real_dialogue_model_reads_a_real_utterance_model(
    events: Events, models: tuple[Path, Path]
) -> None:
    utterances, dialogues = models
    texts = dict.fromkeys((0, 2, 3), "I am so happy to see you today")
    session = run(
        events, speech(6), load_context(dialogues), analyzer=load_analyzer(utterances, "cpu"),
        transcriber=FakeTranscriber(texts, reject=[1]),
    )  # fmt: skip
    turns = session.history.snapshot()
    assert events.notices() == []
    assert len(turns) == 6
    for turn in turns:
        assert turn.emotion is not None
        assert not turn.emotion.features
        assert turn.context is not None
        assert turn.context.turns == tuple(range(max(0, turn.index - 3), turn.index + 1))
        assert turn.hindsight is not None
    assert turns[1].emotion is not None
    assert turns[1].emotion.modalities == (Modality.SPEECH,)


def test_a_real_dialogue_model_of_another_model_is_not_used(
    events: Events, models: tuple[Path, Path], tmp_path: Path
) -> None:
    other = make_checkpoint(tmp_path / "other", seed=5)
    session = run(events, speech(1), load_context(models[1]), analyzer=load_analyzer(other, "cpu"))
    assert events.notices() == ["context_other_model"]
    assert session.history.snapshot()[0].context is None


def test_features_over_pieces_are_weighed_as_logits_are(models: tuple[Path, Path]) -> None:
    analyzer = load_analyzer(models[0], "cpu")
    analyzer.warm_up()
    long = np.concatenate([voice(9.0, 120.0), voice(8.0, 210.0, seed=3)])
    utterance = Utterance(0, 0, long.size, long)
    fitted, hearing = analyzer._ready()
    heard = hearing.whole(utterance)
    assert len(heard.chunks) > 1
    judgement = fitted.inference(hearing.inputs(heard, None))
    result = analyzer.final(utterance, None)
    assert result is not None
    (vector,) = result.features.values()
    expected = heard.weights @ judgement.pooled[Modality.SPEECH]
    assert vector == pytest.approx(expected, abs=1e-5)
    growing = replace(utterance, is_final=False)
    partial = analyzer.partial(growing, None)
    assert partial is not None
    assert partial.features == {}


def test_a_thousand_turns_need_little_memory_and_no_more_time_each(
    models: tuple[Path, Path],
) -> None:
    import tracemalloc

    from tests.pipeline.test_dialogue_context import a_turn
    from tests.pipeline.test_dialogue_context import heard as features

    context = load_context(models[1])
    context.warm_up()
    costs = []
    tracemalloc.start()
    for index in range(1000):
        given = features(index)
        began = time.perf_counter()
        context.add(a_turn(index), given)
        costs.append(time.perf_counter() - began)
    during = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert during / 1000 < 6_000, "bytes a turn"
    assert np.median(costs[900:]) < 3 * np.median(costs[50:150])
