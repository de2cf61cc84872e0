from __future__ import annotations

import itertools
import threading
import time

import numpy as np
import pytest

from core.audio.io import read_audio
from core.dialogue.recording import Annotation
from core.errors import CheckpointError, DeviceError, MediaError, RecognitionError
from core.pipeline.events import AudioHeard, Notice, Progress, SessionState, TurnUpdated
from core.pipeline.protocols import Analyzer, Transcriber
from core.pipeline.session import Session
from core.pipeline.settings import SessionSettings
from core.resources import sample_dialogue
from core.types import SAMPLE_RATE, Message, Modality, Transcript, TurnStatus, Utterance
from tests.fakes import (
    FakeAnalyzer,
    FakeTranscriber,
    LoudnessCutter,
    ScriptedSource,
    conversation,
    silence,
    tone,
)
from tests.pipeline.conftest import Events

FILE = SessionSettings(live=False)
LIVE = SessionSettings(live=True)


def run(
    events: Events,
    source: ScriptedSource,
    settings: SessionSettings = FILE,
    analyzer: Analyzer | None = None,
    transcriber: Transcriber | None = None,
    annotations: tuple[Annotation, ...] = (),
) -> Session:
    cutter = None if annotations else LoudnessCutter
    session = Session(
        source,
        settings,
        analyzer or FakeAnalyzer(),
        transcriber,
        events,
        annotations=annotations,
        cutter=cutter,
    )
    session.start()
    assert session.join(30)
    return session


def test_a_recording_becomes_turns_in_order(events: Events) -> None:
    source = ScriptedSource(conversation(1.0, 2.0, 0.8))
    session = run(events, source, transcriber=FakeTranscriber({0: "hello", 2: "안녕하세요"}))
    turns = session.history.snapshot()
    assert [turn.index for turn in turns] == [0, 1, 2]
    assert [turn.transcript.text for turn in turns if turn.transcript] == [
        "hello",
        "utterance 1",
        "안녕하세요",
    ]
    assert [round(t.start / SAMPLE_RATE, 1) for t in turns] == [1.0, 3.0, 6.0]
    assert all(turn.status is TurnStatus.FINAL for turn in turns)
    assert events.states() == ["loading", "running", "stopping", "idle"]


def test_a_recording_has_one_judgement_per_utterance_and_no_partials(events: Events) -> None:
    analyzer = FakeAnalyzer()
    run(events, ScriptedSource(conversation(1, 2, 3)), FILE, analyzer, FakeTranscriber())
    assert [c[0] for c in analyzer.calls if c[1] >= 0] == ["final", "remember"] * 3
    assert len(events.turns()) == 3


def test_a_recording_waits_for_a_slow_emotion_model(events: Events) -> None:
    analyzer, transcriber = FakeAnalyzer(), FakeTranscriber()
    analyzer.gate = threading.Event()
    settings = SessionSettings(live=False, file_backlog=2)
    source = ScriptedSource(conversation(*[0.5] * 12, pause=0.5))
    session = Session(source, settings, analyzer, transcriber, events, cutter=LoudnessCutter)
    session.start()
    time.sleep(0.5)  # time enough to run ahead, if it would
    transcribed = [what for what, _, _ in transcriber.calls].count("final")
    analyzer.gate.set()
    assert session.join(20)
    assert transcribed <= 4, "one in hand, two that wait, one that waits for a place"
    assert len(events.finals()) == 12


def test_without_a_transcriber_the_speech_result_is_final_at_once(events: Events) -> None:
    run(events, ScriptedSource(conversation(1.0), live=True), LIVE)
    statuses = [turn.status for turn in events.turns()]
    assert TurnStatus.SPEECH not in statuses
    assert statuses[-1] is TurnStatus.FINAL
    (turn,) = events.finals()
    assert turn.transcript is None
    assert turn.emotion is not None
    assert turn.emotion.modalities == (Modality.SPEECH,)


def test_live_the_speech_result_comes_first_and_the_text_later(events: Events) -> None:
    transcriber = FakeTranscriber({0: "hello there"})
    transcriber.gate = threading.Event()
    source = ScriptedSource(conversation(1.0), live=True)
    session = Session(source, LIVE, FakeAnalyzer(), transcriber, events, cutter=LoudnessCutter)
    session.start()
    events.wait_for(lambda e: bool(e.turns(TurnStatus.SPEECH)))
    assert not events.finals()
    transcriber.gate.set()
    assert session.join(10)
    (turn,) = events.finals()
    assert turn.transcript is not None
    assert turn.transcript.text == "hello there"
    assert turn.emotion is not None
    assert set(turn.emotion.modalities) == {Modality.SPEECH, Modality.TEXT}


def test_a_slow_transcriber_does_not_hold_up_the_emotion(events: Events) -> None:
    transcriber = FakeTranscriber()
    transcriber.gate = threading.Event()
    analyzer = FakeAnalyzer()
    source = ScriptedSource(conversation(2.0, 2.0, 2.0), live=True)
    session = Session(source, LIVE, analyzer, transcriber, events, cutter=LoudnessCutter)
    session.start()
    events.wait_for(lambda e: len(e.turns(TurnStatus.SPEECH)) == 3)
    assert analyzer.count("remember") == 0
    transcriber.gate.set()
    assert session.join(10)
    assert len(events.finals()) == 3


def test_each_utterance_is_remembered_once_after_it_was_judged(events: Events) -> None:
    analyzer = FakeAnalyzer()
    source = ScriptedSource(conversation(1, 1, 1, 1), live=True)
    run(events, source, LIVE, analyzer, FakeTranscriber(reject=[1], fail_on=[2]))
    for index in range(4):
        mine = [what for what, i, _ in analyzer.calls if i == index]
        assert mine.count("remember") == 1
        assert mine[-1] == "remember"


def test_late_partials_are_dropped_and_finals_are_not(events: Events) -> None:
    analyzer = FakeAnalyzer()
    analyzer.gate = threading.Event()
    source = ScriptedSource(conversation(*[3.0] * 5), live=True)
    session = Session(source, LIVE, analyzer, None, events, cutter=LoudnessCutter)
    session.start()
    events.wait_for(lambda e: session.position > 5 * 4 * SAMPLE_RATE)
    analyzer.gate.set()
    assert session.join(10)
    # Five utterances of twelve partials each, but the analyzer was held on the first of them.
    assert analyzer.count("partial") <= 5
    assert [turn.index for turn in events.finals()] == [0, 1, 2, 3, 4]


def test_partial_texts_are_shown_and_stay_until_the_final_one(events: Events) -> None:
    source = ScriptedSource(conversation(1.5), live=True, realtime=True, rate=4)
    run(events, source, LIVE, transcriber=FakeTranscriber({0: "one two three"}))
    partial = [t.transcript for t in events.turns(TurnStatus.PARTIAL) if t.transcript]
    assert partial
    assert partial[-1].stable == "one two"
    assert partial[-1].tentative == "three"


def test_the_partial_text_stays_while_the_final_one_is_recognised(events: Events) -> None:
    class Held(FakeTranscriber):
        def final(self, utterance: Utterance) -> Transcript:
            events.wait_for(lambda e: bool(e.turns(TurnStatus.SPEECH)))
            return super().final(utterance)

    source = ScriptedSource(conversation(1.5), live=True, realtime=True, rate=4)
    run(events, source, LIVE, transcriber=Held({0: "one two three"}))
    (speech,) = events.turns(TurnStatus.SPEECH)
    assert speech.transcript is not None
    assert speech.transcript.stable == "one two"
    assert speech.emotion is not None
    assert speech.emotion.modalities == (Modality.SPEECH,)


def test_the_tail_is_flushed_when_the_source_ends_in_speech(events: Events) -> None:
    samples = np.concatenate([silence(1), tone(1.5)])
    session = run(events, ScriptedSource(samples))
    (turn,) = session.history.snapshot()
    assert turn.end / SAMPLE_RATE == pytest.approx(2.5, abs=0.05)


def test_the_tail_is_flushed_when_the_user_stops_in_speech(events: Events) -> None:
    source = ScriptedSource(np.concatenate([silence(0.2), tone(60)]), realtime=True)
    session = Session(source, LIVE, FakeAnalyzer(), None, events, cutter=LoudnessCutter)
    session.start()
    events.wait_for(lambda e: bool(e.turns(TurnStatus.PARTIAL)))
    session.stop()
    assert session.join(10)
    (turn,) = events.finals()
    assert turn.end == session.position
    assert events.states() == ["loading", "running", "stopping", "idle"]


def test_stop_returns_at_once_and_join_tells_when_it_is_over(events: Events) -> None:
    analyzer = FakeAnalyzer()
    analyzer.gate = threading.Event()
    source = ScriptedSource(conversation(1.0), live=True)
    session = Session(source, LIVE, analyzer, None, events, cutter=LoudnessCutter)
    session.start()
    events.wait_for(lambda e: session.position > 2 * SAMPLE_RATE)
    session.stop()
    assert session.join(0.05) is False
    assert session.state is SessionState.STOPPING
    analyzer.gate.set()
    assert session.join(10)
    assert session.state is SessionState.IDLE


def test_cancel_gives_up_what_waits(events: Events) -> None:
    transcriber = FakeTranscriber()
    transcriber.gate = threading.Event()
    source = ScriptedSource(conversation(*[1.0] * 6), live=True)
    session = Session(source, LIVE, FakeAnalyzer(), transcriber, events, cutter=LoudnessCutter)
    session.start()
    events.wait_for(lambda e: len(e.turns(TurnStatus.SPEECH)) == 6)
    session.cancel()
    transcriber.gate.set()
    assert session.join(10)
    finals = events.finals()
    assert len(finals) == 6
    assert all("text_skipped" in turn.notes for turn in finals)
    assert sum(call[0] == "final" for call in transcriber.calls) <= 1


def test_cancel_leaves_no_turn_that_looks_as_if_it_went_on(events: Events) -> None:
    source = ScriptedSource(np.concatenate([silence(0.2), tone(60)]), realtime=True)
    session = Session(source, LIVE, FakeAnalyzer(), None, events, cutter=LoudnessCutter)
    session.start()
    events.wait_for(lambda e: bool(e.turns(TurnStatus.PARTIAL)))
    session.cancel()
    assert session.join(10)
    (turn,) = session.history.snapshot()
    assert turn.status is TurnStatus.FINAL
    assert turn.notes == ("interrupted",)


def test_what_is_said_while_the_models_load_is_not_lost(events: Events) -> None:
    analyzer = FakeAnalyzer(load_delay=0.5)
    source = ScriptedSource(conversation(1, 1, 1), live=True)
    run(events, source, LIVE, analyzer, FakeTranscriber(load_delay=0.7))
    assert [turn.index for turn in events.finals()] == [0, 1, 2]
    assert all(turn.transcript is not None for turn in events.finals())


def test_an_analyzer_may_be_made_on_its_own_thread(events: Events) -> None:
    made: list[str] = []

    def make() -> FakeAnalyzer:
        made.append(threading.current_thread().name)
        return FakeAnalyzer()

    session = Session(
        ScriptedSource(conversation(1.0)), FILE, make, None, events, cutter=LoudnessCutter
    )
    session.start()
    assert session.join(10)
    assert made == ["emoscope-emotion"]
    assert len(events.finals()) == 1


def test_each_model_runs_on_one_thread_of_its_own(events: Events) -> None:
    analyzer, transcriber = FakeAnalyzer(), FakeTranscriber()
    run(events, ScriptedSource(conversation(1, 1), live=True), LIVE, analyzer, transcriber)
    assert analyzer.threads == {"emoscope-emotion"}
    assert transcriber.threads == {"emoscope-recognition"}


def test_a_transcriber_that_fails_once_costs_one_text(events: Events) -> None:
    run(
        events,
        ScriptedSource(conversation(1, 1, 1)),
        transcriber=FakeTranscriber(fail_on=[1]),
    )
    turns = events.finals()
    assert [turn.transcript is not None for turn in turns] == [True, False, True]
    assert turns[1].notes == ("recognition_failed",)
    assert turns[1].emotion is not None
    assert events.notices() == ["recognition_failed"]


def test_a_transcriber_that_keeps_failing_is_switched_off(events: Events) -> None:
    transcriber = FakeTranscriber(fail_on=range(100))
    run(events, ScriptedSource(conversation(*[1] * 8)), FILE, transcriber=transcriber)
    assert len(events.finals()) == 8
    assert events.notices().count("recognition_off") == 1
    assert len(transcriber.calls) == 4  # warm_up and three attempts


def test_a_transcriber_that_cannot_load_leaves_a_session_on_speech_alone(events: Events) -> None:
    broken = FakeTranscriber(fail_to_load=RecognitionError("No model.", "Choose a folder."))
    run(events, ScriptedSource(conversation(1, 1)), transcriber=broken)
    assert len(events.finals()) == 2
    assert events.states()[-1] == "idle"
    (notice,) = events.of(Notice)
    assert notice.message.code == "recognition_unavailable"
    assert notice.message.values["reason"] == "No model. Choose a folder."


def test_a_refused_text_never_reaches_the_emotion_model(events: Events) -> None:
    run(events, ScriptedSource(conversation(1)), transcriber=FakeTranscriber(reject=[0]))
    (turn,) = events.finals()
    assert turn.transcript is not None
    assert turn.transcript.rejection == "no_speech"
    assert turn.emotion is not None
    assert turn.emotion.modalities == (Modality.SPEECH,)


def test_an_utterance_that_cannot_be_judged_is_a_turn_with_a_note(events: Events) -> None:
    run(
        events,
        ScriptedSource(conversation(1, 1, 1)),
        analyzer=FakeAnalyzer(fail_on=[1]),
        transcriber=FakeTranscriber(),
    )
    turns = events.finals()
    assert [turn.emotion is not None for turn in turns] == [True, False, True]
    assert turns[1].notes == ("emotion_failed",)
    assert turns[1].transcript is not None
    assert events.states()[-1] == "idle"


def test_an_analyzer_that_cannot_load_fails_the_session_with_its_sentence(events: Events) -> None:
    analyzer = FakeAnalyzer(fail_to_load=CheckpointError("It is damaged.", "Copy it again."))
    session = run(events, ScriptedSource(conversation(*[1] * 20)), analyzer=analyzer)
    assert session.state is SessionState.FAILED
    assert events.all[-1] == events.of(type(events.all[-1]))[-1]
    assert events.states()[-1] == "failed"
    assert isinstance(session.error, CheckpointError)


def test_a_source_that_cannot_start_fails_the_session(events: Events) -> None:
    source = ScriptedSource(silence(1), fail_to_start=DeviceError("It is gone.", "Plug it in."))
    session = run(events, source, LIVE)
    assert session.state is SessionState.FAILED
    assert str(session.error) == "It is gone. Plug it in."


def test_what_was_heard_before_a_source_failed_is_judged(events: Events) -> None:
    failure = MediaError("x.mp3 is damaged after 5.0 s.", "Copy it again.")
    source = ScriptedSource(conversation(1, 1, 1, 1), fail_at=5.0, failure=failure)
    waiting = SessionSettings(live=False, file_backlog=1)  # or it may end before it runs
    session = run(events, source, waiting, transcriber=FakeTranscriber())
    assert session.state is SessionState.FAILED
    assert session.error is failure
    assert [turn.index for turn in events.finals()] == [0, 1, 2]
    assert events.states() == ["loading", "running", "stopping", "failed"]


def test_two_channels_are_two_speakers(events: Events) -> None:
    left = np.concatenate([tone(1), silence(2)])
    right = np.concatenate([silence(1.5), tone(1), silence(0.5)])
    session = run(events, ScriptedSource(np.stack([left, right])))
    turns = session.history.snapshot()
    assert [(turn.speaker, turn.channel) for turn in turns] == [("A", 0), ("B", 1)]
    assert len({turn.index for turn in turns}) == 2


def test_speakers_may_be_named(events: Events) -> None:
    settings = SessionSettings(live=False, speakers=("민수",))
    session = run(events, ScriptedSource(conversation(1)), settings)
    assert session.history.snapshot()[0].speaker == "민수"


def test_what_happens_to_the_transcriber_is_told_once(events: Events) -> None:
    transcriber = FakeTranscriber()
    transcriber.messages.append(Message("whisper_on_cpu", {"model": "fake-whisper"}))
    run(events, ScriptedSource(conversation(1, 1)), transcriber=transcriber)
    assert events.notices() == ["whisper_on_cpu"]
    assert all(turn.transcript is not None for turn in events.finals())


def test_annotated_recordings_skip_recognition(events: Events) -> None:
    transcriber = FakeTranscriber()
    annotations = (
        Annotation(2.5, 3.5, "두 번째", "B"),
        Annotation(0.5, 2.0, "first", "A"),
        Annotation(1.5, 2.7, "overlapping", "B"),
        Annotation(9.5, 12.0, "cut short", "A"),
        Annotation(11.0, 12.0, "never heard", "A"),
    )
    source = ScriptedSource(tone(10.0))
    session = run(events, source, transcriber=transcriber, annotations=annotations)
    turns = session.history.snapshot()
    assert [(t.speaker, t.transcript.text) for t in turns if t.transcript] == [
        ("A", "first"),
        ("B", "overlapping"),
        ("B", "두 번째"),
        ("A", "cut short"),
    ]
    assert [t.end / SAMPLE_RATE for t in turns] == [2.0, 2.7, 3.5, 10.0]
    assert turns[3].notes == ("beyond_end_of_audio",)
    assert transcriber.calls == []
    assert events.notices() == ["annotations_beyond_end"]


def test_annotated_utterances_get_exactly_their_samples(events: Events) -> None:
    ramp = np.arange(4 * SAMPLE_RATE, dtype=np.float32) / (4 * SAMPLE_RATE)
    seen = []

    class Keeping(FakeAnalyzer):
        def final(self, utterance, transcript):  # type: ignore[no-untyped-def]
            seen.append(utterance)
            return super().final(utterance, transcript)

    annotations = (Annotation(0.1, 1.3, "a"), Annotation(1.0, 3.9999, "b"))
    run(events, ScriptedSource(ramp), analyzer=Keeping(), annotations=annotations)
    for utterance in seen:
        assert np.array_equal(utterance.samples, ramp[utterance.start : utterance.end])


def test_a_long_annotation_is_judged_in_pieces(events: Events) -> None:
    annotations = (Annotation(0.0, 70.0, "one two three four five six"),)
    session = run(events, ScriptedSource(tone(71.0)), annotations=annotations)
    turns = session.history.snapshot()
    assert len(turns) == 3
    assert turns[0].start == 0
    assert all(a.end == b.start for a, b in itertools.pairwise(turns))
    assert " ".join(t.transcript.text for t in turns if t.transcript) == annotations[0].text


def test_progress_is_told_for_recordings_and_ends_at_the_end(events: Events) -> None:
    source = ScriptedSource(conversation(1, 1))
    run(events, source)
    progress = events.of(Progress)
    assert progress[-1].done == progress[-1].total == source.total_samples
    assert progress[-1].speed > 0
    assert [p.done for p in progress] == sorted(p.done for p in progress)


def test_lag_is_told_for_live_sessions_only(events: Events) -> None:
    run(events, ScriptedSource(conversation(1), realtime=True, rate=4), LIVE)
    assert all(e.lag is not None and e.lag >= 0 for e in events.of(TurnUpdated))
    recorded = Events()
    run(recorded, ScriptedSource(conversation(1)), FILE)
    assert all(e.lag is None for e in recorded.of(TurnUpdated))


def test_the_lag_of_a_session_is_that_of_the_oldest_final_it_owes(events: Events) -> None:
    analyzer = FakeAnalyzer()
    analyzer.gate = threading.Event()
    source = ScriptedSource(conversation(1.0, 1.0, 30.0), live=True, realtime=True, rate=8)
    session = Session(source, LIVE, analyzer, None, events, cutter=LoudnessCutter)
    assert session.lag == 0.0
    session.start()
    events.wait_for(lambda e: session.position > 6 * SAMPLE_RATE)
    assert session.lag > 3.0, "the first one ended at two seconds"
    analyzer.gate.set()
    events.wait_for(lambda e: len(e.finals()) == 2)
    assert session.lag == 0.0
    session.stop()
    assert session.join(10)


def test_the_silence_that_ends_an_utterance_may_be_chosen(events: Events) -> None:
    samples = read_audio(sample_dialogue())[0][: 30 * SAMPLE_RATE]
    counts = []
    for hangover in (None, 1.5):
        settings = SessionSettings(live=False, hangover=hangover)
        session = Session(ScriptedSource(samples), settings, FakeAnalyzer(), None, Events())
        session.start()
        assert session.join(30)
        counts.append(len(session.history))
    assert counts[1] < counts[0]
    with pytest.raises(ValueError, match="hangover"):
        Session(
            ScriptedSource(samples), SessionSettings(hangover=0.01), FakeAnalyzer(), None, print
        )


def test_every_block_is_heard_with_its_level(events: Events) -> None:
    source = ScriptedSource(np.concatenate([silence(1), np.ones(SAMPLE_RATE, np.float32)]))
    run(events, source)
    heard = events.of(AudioHeard)
    assert [e.block.start for e in heard] == list(range(0, 2 * SAMPLE_RATE, 512))
    assert heard[0].level_dbfs[0] <= -100
    assert heard[40].level_dbfs[0] == pytest.approx(0, abs=0.1)
    assert heard[40].clipping == (1.0,)


def test_messages_of_the_source_become_notices(events: Events) -> None:
    messages = [(0.5, Message("device_lost", {"name": "USB"})), (1.0, Message("device_back"))]
    run(events, ScriptedSource(silence(2), live=True, messages=messages), LIVE)
    assert [(n.message.code, n.active) for n in events.of(Notice)] == [
        ("device_lost", True),
        ("device_lost", False),
        ("device_back", True),
    ]


@pytest.mark.parametrize("failure", [ValueError, SystemExit])
def test_a_listener_that_raises_does_no_harm(failure: type[BaseException]) -> None:
    def raising(event: object) -> None:
        raise failure("the window is gone")

    source = ScriptedSource(conversation(*[1.0] * 8))
    session = Session(source, FILE, FakeAnalyzer(), None, raising, cutter=LoudnessCutter)
    session.start()
    assert session.join(10)
    assert len(session.history) == 8
    assert session.state is SessionState.IDLE


def test_a_part_that_calls_exit_fails_the_session_and_hangs_nothing(events: Events) -> None:
    class Exiting(FakeAnalyzer):
        def final(self, utterance, transcript):  # type: ignore[no-untyped-def]
            raise SystemExit(3)

    session = run(events, ScriptedSource(conversation(*[1] * 12)), analyzer=Exiting())
    assert session.state is SessionState.FAILED
    assert "SystemExit" in str(session.error)


def test_falling_behind_is_said_and_drops_partials_only(events: Events) -> None:
    settings = SessionSettings(behind_after=0.5)
    source = ScriptedSource(conversation(*[3.0] * 4, pause=0.5), realtime=True, rate=4)
    run(events, source, settings, FakeAnalyzer(delay=0.4))
    assert "falling_behind" in events.notices()
    assert [turn.index for turn in events.finals()] == [0, 1, 2, 3]


def test_live_speech_beyond_the_backlog_goes_without_text(events: Events) -> None:
    transcriber = FakeTranscriber()
    transcriber.gate = threading.Event()
    settings = SessionSettings(live_backlog_seconds=3.0)
    # slow enough that judgements, which are not held up, do not fall behind as well
    source = ScriptedSource(conversation(*[1.0] * 8), live=True, realtime=True, rate=20)
    session = Session(source, settings, FakeAnalyzer(), transcriber, events, cutter=LoudnessCutter)
    session.start()
    events.wait_for(lambda e: bool(e.finals()))
    transcriber.gate.set()
    assert session.join(10)
    turns = sorted(events.finals(), key=lambda turn: turn.index)
    assert [turn.index for turn in turns] == list(range(8))
    assert any("text_skipped_falling_behind" in turn.notes for turn in turns)


def test_live_speech_beyond_the_backlog_of_judgements_is_still_a_turn(events: Events) -> None:
    analyzer = FakeAnalyzer()
    analyzer.gate = threading.Event()
    settings = SessionSettings(live_backlog_seconds=3.0)
    source = ScriptedSource(conversation(*[1.0] * 8), live=True)
    session = Session(source, settings, analyzer, None, events, cutter=LoudnessCutter)
    session.start()
    events.wait_for(lambda e: session.position > 16 * SAMPLE_RATE)
    analyzer.gate.set()
    assert session.join(10)
    turns = events.finals()
    assert [turn.index for turn in turns] == list(range(8))
    skipped = [t for t in turns if "emotion_skipped_falling_behind" in t.notes]
    assert 3 <= len(skipped) <= 6
    assert all(turn.emotion is None for turn in skipped)
    assert analyzer.count("remember") == 8 - len(skipped)


def test_a_session_starts_once(events: Events) -> None:
    session = run(events, ScriptedSource(silence(0.1)))
    with pytest.raises(RuntimeError):
        session.start()


def test_stopping_while_loading_ends_in_idle(events: Events) -> None:
    source = ScriptedSource(silence(60), realtime=True)
    session = Session(
        source, LIVE, FakeAnalyzer(load_delay=0.3), None, events, cutter=LoudnessCutter
    )
    session.start()
    session.stop()
    assert session.join(10)
    assert events.states() == ["loading", "stopping", "idle"]
