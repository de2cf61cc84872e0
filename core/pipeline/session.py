"""One session: a source is heard, cut into utterances, recognised and judged, until it ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeAlias

from core.dialogue.recording import Annotation
from core.pipeline.context import DialogueContext
from core.pipeline.cutting import AnnotationCutter, Cutter, VoiceCutter
from core.pipeline.dispatch import Dispatcher
from core.pipeline.emotion import EmotionWorker
from core.pipeline.events import Notice, SessionState, Severity, TurnUpdated
from core.pipeline.history import History
from core.pipeline.in_context import InContext, ready_context
from core.pipeline.lifecycle import Lifecycle, Listener
from core.pipeline.listening import ListeningWorker
from core.pipeline.naming import SpeakerNames, ready_speakers
from core.pipeline.pace import Pace
from core.pipeline.protocols import Analyzer, AudioSource, Transcriber
from core.pipeline.recognition import RecognitionWorker
from core.pipeline.settings import SessionSettings
from core.pipeline.speakers import SpeakerTracker
from core.types import AudioBlock, ContextResult, Message, ModelInfo, Turn, TurnStatus

CutterFactory: TypeAlias = Callable[[Sequence[str | None]], Cutter]


class SessionJournal(Protocol):
    """What a session asks of its journal; `core.dialogue.journal.Journal` is one.

    No method raises: trouble with the disk is told through the listener given to `begin`.
    """

    def begin(self, channels: int, facts: Mapping[str, object], listener: Listener) -> None:
        """Start writing a session with these facts about it."""
        ...

    def describe_model(self, model: ModelInfo) -> None:
        """Note which model judges; may come before `begin`."""
        ...

    def write_audio(self, block: AudioBlock) -> None:
        """Append a block of sound."""
        ...

    def write_turn(self, turn: Turn) -> None:
        """Append a complete turn; the final one replaces the one judged by speech alone."""
        ...

    def write_hindsight(self, index: int, hindsight: ContextResult) -> None:
        """Append what later turns say of a turn that was written."""
        ...

    def close(self) -> None:
        """Mark the session as complete."""
        ...


class Session:
    """The pipeline of one live session or one recording; used once.

    Threads: listening (source, voice activity, journal), recognition, emotion. The models load on
    their own threads while the source is already heard, so nothing said meanwhile is lost.
    Without a working transcriber the session goes on with speech alone; an utterance that can't be
    judged becomes a turn with a note; a source that fails ends the session as FAILED after
    everything heard before was judged; an analyzer that can't be loaded fails it at once.

    Args:
        analyzer: the analyzer, or a function that makes it (called on the emotion thread).
        transcriber: loaded on the recognition thread; None for speech alone.
        listener: called with every event, from several threads; it must return quickly.
        annotations: utterances that somebody transcribed; recognition is then skipped.
        cutter: makes what finds the utterances, from the speakers by channel.
        context: reads each turn among the others, or a function that makes it; without one that
            works, or with one for features of another utterance model, turns have no `context`.
        speakers: names who speaks where nothing else does, or a function that makes it.
    """

    def __init__(
        self,
        source: AudioSource,
        settings: SessionSettings,
        analyzer: Analyzer | Callable[[], Analyzer],
        transcriber: Transcriber | None,
        listener: Listener,
        journal: SessionJournal | None = None,
        annotations: Sequence[Annotation] = (),
        cutter: CutterFactory | None = None,
        context: DialogueContext | Callable[[], DialogueContext] | None = None,
        speakers: SpeakerTracker | Callable[[], SpeakerTracker] | None = None,
    ) -> None:
        self._source = source
        self._settings = settings
        self._analyzer = analyzer
        self._context = context
        self._speakers = speakers
        self._journal = journal
        self._annotations = annotations
        self._make_cutter = cutter or self._default_cutter
        self._cancelled = False
        self._life = Lifecycle(listener)
        self._pace = Pace()
        self._dispatch = Dispatcher(settings)
        if transcriber is not None and not annotations:
            self._dispatch.recognizer = self._recognizer(transcriber)
        self.history = History(settings.attention_limit)

    @property
    def state(self) -> SessionState:
        """IDLE before the start and after a good end."""
        return self._life.state

    @property
    def error(self) -> Exception | None:
        """What made the session fail."""
        return self._life.error

    @property
    def position(self) -> int:
        """Sample index up to which the source was heard."""
        return self._pace.position

    def start(self) -> None:
        """Begin; returns at once. Raises RuntimeError when it was started before."""
        work = {"listening": self._listen, "emotion": self._judge}
        if self._dispatch.recognizer is not None:
            work["recognition"] = self._recognize
        self._life.start(work)

    def stop(self) -> None:
        """End after everything heard so far has been judged; returns at once: see `join`."""
        self._life.stop()

    def cancel(self) -> None:
        """End without judging what still waits; what is in hand is finished. Returns at once."""
        self._cancelled = True
        self._life.stop()
        self._dispatch.abandon()

    def join(self, timeout: float | None = None) -> bool:
        """Wait until every thread has ended; false when that takes longer than `timeout` (s)."""
        return self._life.join(timeout)

    # Listening thread.

    def _listen(self) -> None:
        try:
            self._source.start()
            channels = self._source.channels
            speakers = [self._settings.speaker_of(c, channels) for c in range(channels)]
            self._begin_journal(channels, speakers)
            self._now_loaded("source")
            self._listening_worker().run(self._make_cutter(speakers))
        except Exception as error:
            self._life.fail(error)
        finally:
            self._source.stop()
            self._life.stop()
            self._dispatch.recognition.close()
            if self._dispatch.recognizer is None:
                self._dispatch.emotion.close()

    def _listening_worker(self) -> ListeningWorker:
        return ListeningWorker(
            self._source,
            self._pace,
            self._life.stopping,
            self._life.emit,
            self._dispatch,
            self._check_pace,
            live=self._settings.live,
            sink=self._journal,
        )

    def _begin_journal(self, channels: int, speakers: Sequence[str | None]) -> None:
        if self._journal is None:
            return
        recognizer = self._dispatch.recognizer
        facts = {
            "source": self._source.description,
            "speakers": list(speakers),
            "language": self._settings.language,
            "transcriber": recognizer.name if recognizer else "",
        }
        self._journal.begin(channels, facts, self._life.emit)

    def _default_cutter(self, speakers: Sequence[str | None]) -> Cutter:
        if not self._annotations:
            return VoiceCutter(speakers)
        return AnnotationCutter(self._annotations, self._tell_missing)

    def _tell_missing(self, count: int) -> None:
        message = Message("annotations_beyond_end", {"count": str(count)})
        self._life.emit(Notice(message, Severity.WARNING))

    def _check_pace(self) -> None:
        if self.state is SessionState.RUNNING and (notice := self._dispatch.check_pace()):
            self._life.emit(notice)

    # Recognition thread.

    def _recognizer(self, transcriber: Transcriber) -> RecognitionWorker:
        return RecognitionWorker(
            transcriber,
            self._dispatch.recognition,
            self._dispatch.emotion,
            self._life.emit,
            self._settings.recognition_failures,
        )

    def _recognize(self) -> None:
        assert self._dispatch.recognizer is not None
        try:
            self._dispatch.recognizer.run()
        finally:
            self._dispatch.emotion.close()

    # Emotion thread, the last to end.

    def _judge(self) -> None:
        try:
            analyzer = self._loaded_analyzer()
            finals, names = self._loaded_extras(analyzer)
            self._now_loaded("analyzer")
            worker = EmotionWorker(
                analyzer, self._dispatch.emotion, self._publish, self._life.emit, finals, names
            )
            worker.run()
            if self._cancelled:
                worker.surrender()
            else:
                finals.finish()
        except BaseException as error:
            self._life.fail(error)
        finally:
            # Whatever the reason, nobody may go on waiting for this thread.
            self._life.stop()
            self._dispatch.abandon()
            self._life.end(self._close)

    def _loaded_analyzer(self) -> Analyzer:
        given = self._analyzer
        analyzer = given() if callable(given) else given
        analyzer.reset()
        analyzer.warm_up()
        if self._journal is not None:
            self._journal.describe_model(analyzer.model)
        return analyzer

    def _loaded_extras(self, analyzer: Analyzer) -> tuple[InContext, SpeakerNames]:
        """Return what a session can do without: the dialogue model, and who tells voices apart."""
        context = ready_context(self._context, analyzer.model, self._life.emit)
        speakers = ready_speakers(self._speakers, self._life.emit)
        finals = InContext(context, self._publish, self._revise, self._life.emit)
        return finals, SpeakerNames(speakers, self._life.emit)

    def _now_loaded(self, part: str) -> None:
        if self._life.loaded(part):
            self._pace.restart()

    def _publish(self, turn: Turn) -> None:
        self.history.update(turn)
        if turn.status is not TurnStatus.PARTIAL and self._journal is not None:
            self._journal.write_turn(turn)
        self._life.emit(
            TurnUpdated(turn, self._pace.lag(turn.end) if self._settings.live else None)
        )

    def _revise(self, index: int, hindsight: ContextResult) -> None:
        turn = self.history.revise(index, hindsight)
        if turn is None:
            return
        if self._journal is not None:
            self._journal.write_hindsight(index, hindsight)
        # No lag: what is late here is hindsight, not the result of a turn.
        self._life.emit(TurnUpdated(turn))

    def _close(self) -> None:
        total = self._source.total_samples
        if not self._settings.live and (progress := self._pace.progress(total, last=True)):
            self._life.emit(progress)
        if self._journal is not None:
            self._journal.close()
