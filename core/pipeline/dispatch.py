"""Which worker an utterance waits for, and what gives way when there is too much."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

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
        if self._too_long(cut.utterance, self._unjudged()):
            self._skip(cut)
        elif cut.transcript is not None or not self._recognizing:
            self._judge(cut, Stage.FINAL)
        elif self._too_long(cut.utterance, self.recognition.waiting()):
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

    def _unjudged(self) -> list[Utterance]:
        jobs = self.emotion.waiting()
        return [job.utterance for job in jobs if isinstance(job, Judge) and not job.skip]

    def _skip(self, cut: Cut) -> None:
        """Keep the turn and let go of its sound, which only the journal holds then."""
        silent = replace(cut.utterance, samples=cut.utterance.samples[:0].copy())
        notes = (*cut.notes, "emotion_skipped_falling_behind")
        job = Judge(silent, Stage.FINAL, cut.transcript, notes, skip=True)
        self.emotion.put(job, partial_keys(cut.utterance.index))

    def _too_long(self, utterance: Utterance, waiting: Iterable[Utterance]) -> bool:
        """Live, the speech that waits is bounded; a recording's source waits instead."""
        if not self._settings.live:
            return False
        seconds = sum(other.duration for other in waiting)
        return seconds + utterance.duration > self._settings.live_backlog_seconds

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
