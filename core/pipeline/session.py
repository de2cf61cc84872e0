"""One session: a source is heard, cut into utterances, recognised and judged, until it ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from core.dialogue.recording import Annotation
from core.pipeline.ahead import AheadCounts
from core.pipeline.context import DialogueContext
from core.pipeline.cutting import AnnotationCutter, Cut, Cutter, VoiceCutter
from core.pipeline.dispatch import Dispatcher
from core.pipeline.events import Notice, SessionState, Severity
from core.pipeline.governor import EffortTeller
from core.pipeline.history import History
from core.pipeline.judging import Judging
from core.pipeline.lifecycle import Lifecycle, Listener
from core.pipeline.listening import ListeningWorker
from core.pipeline.loading import Models, load_models
from core.pipeline.pace import Pace
from core.pipeline.protocols import Analyzer, AudioSource, Transcriber
from core.pipeline.publishing import Publisher, SessionJournal
from core.pipeline.recognition import RecognitionWorker
from core.pipeline.settings import SessionSettings
from core.pipeline.speakers import SpeakerTracker
from core.types import Message

if TYPE_CHECKING:
    from core.personal.types import PersonalAdapterInfo

CutterFactory: TypeAlias = Callable[[Sequence[str | None]], Cutter]


class Session:
    """The pipeline of one live session or one recording; used once.

    Threads: listening (source, voice activity, journal), recognition, emotion. The models load on
    their own threads while the source is already heard, so nothing said meanwhile is lost.
    Without a working transcriber the session goes on with speech alone; an utterance that can't be
    judged becomes a turn with a note; a source that fails ends the session as FAILED after
    everything heard before was judged; an analyzer that can't be loaded fails it at once.
    Live, results are prepared in the pauses of speech, finished texts are looked at again in
    silence, and a session that falls behind does less of what can be gone without.

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
        self._models = Models(analyzer, context, speakers)
        self._journal = journal
        self._annotations = annotations
        self._make_cutter = cutter or self._default_cutter
        self._cancelled = False
        self._life = Lifecycle(listener)
        self._pace = Pace()
        self._dispatch = Dispatcher(settings)
        if transcriber is not None and not annotations:
            self._dispatch.recognizer = self._recognizer(transcriber)
        self._effort_teller = EffortTeller(
            self._dispatch.governor, lambda: self._dispatch.recognizer
        )
        self.history = History(settings.attention_limit)
        pace = self._pace if settings.live else None
        self._publisher = Publisher(self.history, journal, self._life.emit, pace)
        self._judging: Judging | None = None

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

    @property
    def lag(self) -> float:
        """Seconds since the end of the oldest complete utterance that has no final turn yet.

        0 while there is none, for a recording, and once the session ended. To be asked as often as
        it is shown; every turn also comes with its own (`TurnUpdated.lag`).
        """
        ended = self.state in (SessionState.IDLE, SessionState.FAILED)
        return 0.0 if ended else self._publisher.lag

    @property
    def judged_ahead(self) -> AheadCounts:
        """Pauses in which emotion was judged ahead, and how often that was used."""
        return AheadCounts() if self._judging is None else self._judging.counts

    @property
    def transcribed_ahead(self) -> AheadCounts:
        """Pauses in which text was recognised ahead, and how often that was used."""
        return self._dispatch.texts.counts

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

    def use_personal(
        self, adapter: PersonalAdapterInfo | None, speakers: tuple[str, ...] = ()
    ) -> None:
        """Correct what the model says from the next judgement on, or no longer; from any thread.

        May come before the start: an adapter that then can't be used is told of by a notice
        (`personal_unavailable`), and the session goes on without.

        Args:
            adapter: made for the session's checkpoint; None: none.
            speakers: whose utterances; empty: everybody's.

        Raises:
            CheckpointError: the models are loaded, and it can't be used with them.
        """
        self._models.personal.use(adapter, speakers)

    def use_checkpoint(self, path: Path) -> None:
        """Go on as another adapter of the same base from the next judgement on; from any thread.

        Waits for the judgement in hand, so not for the thread of a window. The base is not loaded
        again. May come before the start: a checkpoint that then can't be used is told of by a
        notice (`checkpoint_unavailable`), and the session goes on as it was made. Turns come
        without context while their model is not the one whose features the dialogue model reads.

        Args:
            path: of an adapter of the base of the session's checkpoint, or of that base.

        Raises:
            CheckpointError: the models are loaded, and can't be switched to it.
        """
        self._models.checkpoint.use(path)

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
            self._take,
            self._check_pace,
            live=self._settings.live,
            sink=self._journal,
            tick_seconds=min(1.0, self._settings.behind_after / 5),
        )

    def _take(self, cut: Cut) -> None:
        if cut.utterance.is_final:
            self._publisher.owe(cut.utterance)
        self._dispatch(cut)

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
            return VoiceCutter(speakers, self._settings.segmenting())
        return AnnotationCutter(self._annotations, self._tell_missing)

    def _tell_missing(self, count: int) -> None:
        message = Message("annotations_beyond_end", {"count": str(count)})
        self._life.emit(Notice(message, Severity.WARNING))

    def _check_pace(self) -> None:
        if self.state is not SessionState.RUNNING:
            return
        if notice := self._dispatch.check_pace():
            self._life.emit(notice)
        if self._dispatch.check_effort():
            for event in self._effort_teller.events(self.lag):
                self._life.emit(event)

    # Recognition thread.

    def _recognizer(self, transcriber: Transcriber) -> RecognitionWorker:
        return RecognitionWorker(
            transcriber,
            self._dispatch.recognition,
            self._dispatch.emotion,
            self._life.emit,
            self._settings.recognition_failures,
            self._dispatch.texts,
            self._dispatch.ahead_rule(),
            self._dispatch.bettering,
            self._dispatch.effort,
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
            emit = self._life.emit
            thread = load_models(self._models, self._dispatch, self._publisher, emit)
            self._judging = thread.judging
            self._now_loaded("analyzer")
            thread.worker.run()
            if self._cancelled:
                thread.worker.surrender()
            else:
                thread.finals.finish()
        except BaseException as error:
            self._life.fail(error)
        finally:
            # Whatever the reason, nobody may go on waiting for this thread.
            self._life.stop()
            self._dispatch.abandon()
            self._life.end(self._close)

    def _now_loaded(self, part: str) -> None:
        if self._life.loaded(part):
            self._pace.restart()

    def _close(self) -> None:
        total = self._source.total_samples
        if not self._settings.live and (progress := self._pace.progress(total, last=True)):
            self._life.emit(progress)
        if self._journal is not None:
            self._journal.close()
