"""Which worker an utterance waits for, and what gives way when there is too much."""

from __future__ import annotations

from core.pipeline.cutting import Cut
from core.pipeline.events import Notice
from core.pipeline.jobs import EmotionJob, Judge, Stage, partial_keys
from core.pipeline.pace import BehindWatch
from core.pipeline.recognition import RecognitionWorker
from core.pipeline.settings import SessionSettings
from core.pipeline.work_queue import WorkQueue
from core.types import Utterance


class Dispatcher:
    """Puts cuts on the queues; used by the listening thread.

    Live: never waits; the newest partial of an utterance replaces the one that still waits, and a
    final is judged by its speech first. Recording: waits while the queues are full; no partials,
    and one judgement per utterance, with its text.
    """

    def __init__(self, settings: SessionSettings) -> None:
        self._settings = settings
        capacity = None if settings.live else settings.file_backlog
        self.emotion: WorkQueue[EmotionJob] = WorkQueue(capacity)
        self.recognition: WorkQueue[Utterance] = WorkQueue(capacity)
        self.recognizer: RecognitionWorker | None = None
        self._watch = BehindWatch(settings.behind_after)

    def __call__(self, cut: Cut) -> None:
        """Queue an utterance for whoever has to work on it."""
        if cut.utterance.is_final:
            self._final(cut)
        elif self._settings.live:
            self._partial(cut.utterance)

    def _partial(self, utterance: Utterance) -> None:
        key = partial_keys(utterance.index)[0]
        self.emotion.put_partial(key, Judge(utterance, Stage.PARTIAL))
        if self._recognizing:
            self.recognition.put_partial(key, utterance)

    def _final(self, cut: Cut) -> None:
        if cut.transcript is not None or not self._recognizing:
            self._judge(cut, Stage.FINAL)
        elif self._too_far_behind(cut.utterance):
            self._judge(cut, Stage.FINAL, ("text_skipped_falling_behind",))
        else:
            if self._settings.live:
                self._judge(cut, Stage.SPEECH)
            self.recognition.put(cut.utterance, partial_keys(cut.utterance.index))

    def _judge(self, cut: Cut, stage: Stage, notes: tuple[str, ...] = ()) -> None:
        job = Judge(cut.utterance, stage, cut.transcript, (*cut.notes, *notes))
        self.emotion.put(job, partial_keys(cut.utterance.index))

    @property
    def _recognizing(self) -> bool:
        return self.recognizer is not None and self.recognizer.available

    def _too_far_behind(self, utterance: Utterance) -> bool:
        """Live, what waits for recognition is bounded; a recording's source waits instead."""
        if not self._settings.live:
            return False
        waiting = sum(other.duration for other in self.recognition.waiting())
        return waiting + utterance.duration > self._settings.live_backlog_seconds

    def check_pace(self) -> Notice | None:
        """Return what to say about a live session that falls behind or has caught up."""
        if not self._settings.live or (self.recognizer and not self.recognizer.ready):
            return None
        waited = max(self.emotion.oldest_wait(), self.recognition.oldest_wait())
        return self._watch.check(waited, self.emotion.stale)

    def abandon(self) -> None:
        """Drop everything that waits."""
        self.recognition.abandon()
        self.emotion.abandon()
