"""Which worker an utterance waits for, and what gives way when there is too much."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from core.pipeline.ahead import AheadRule, Foreseen, PauseWatch
from core.pipeline.bettering import Bettering
from core.pipeline.cutting import Cut
from core.pipeline.effort import Effort
from core.pipeline.events import Notice
from core.pipeline.governor import Governor, Load
from core.pipeline.jobs import EmotionJob, Judge, RecognitionJob, Stage, partial_keys
from core.pipeline.pace import BehindWatch
from core.pipeline.recognition import RecognitionWorker
from core.pipeline.settings import SessionSettings
from core.pipeline.work_queue import WorkQueue
from core.types import SAMPLE_RATE, Transcript, Utterance

_QUIET = 0.5
"""Seconds beyond the hangover without any news: nobody speaks."""


class Dispatcher:
    """Puts cuts on the queues; used by the listening thread.

    Live: never waits; the newest partial of an utterance replaces the one that still waits, and a
    final is judged by its speech first, unless its text was recognised in the pause already.
    Partials come as often as the effort allows. Recording: waits while the queues are full; no
    partials, and one judgement per utterance, with its text.
    """

    def __init__(self, settings: SessionSettings) -> None:
        self._settings = settings
        self._segmenting = settings.segmenting()
        capacity = None if settings.live else settings.file_backlog
        self.emotion: WorkQueue[EmotionJob] = WorkQueue(capacity)
        rest = self._segmenting.hangover + _QUIET
        self.recognition: WorkQueue[RecognitionJob] = WorkQueue(capacity, rest)
        self.recognizer: RecognitionWorker | None = None
        self.governor = Governor(settings)
        self.texts: Foreseen[Transcript] = Foreseen()
        self.bettering = Bettering(self.recognition, self.effort)
        self._pauses = PauseWatch()
        self._handed: dict[int, int] = {}
        """Where the newest partial handed on ended, by utterance."""
        self._watch = BehindWatch(settings.behind_after)

    def effort(self) -> Effort:
        """Return what is done beside finals at the moment; from any thread."""
        return self.governor.effort

    def ahead_rule(self) -> AheadRule:
        """Return a rule, for one worker, of when work in a pause is worth beginning."""
        return AheadRule(self._pauses, self._segmenting.hangover, self._segmenting.padding)

    def __call__(self, cut: Cut) -> None:
        """Queue an utterance for whoever has to work on it."""
        if cut.utterance.is_final:
            self._pauses.ended(cut.utterance)
            self._final(cut)
            self._handed.pop(cut.utterance.index, None)
        elif self._settings.live:
            self._pauses.grew(cut.utterance)
            self._partial(cut.utterance)

    def _partial(self, utterance: Utterance) -> None:
        if not utterance.paused:
            self.texts.drop(utterance.index)
        effort = self.effort()
        ahead = utterance.paused and effort.ahead
        if not ahead and not self._due(utterance, effort):
            return
        self._handed[utterance.index] = utterance.end
        key = partial_keys(utterance.index)[0]
        self.emotion.put_partial(key, Judge(utterance, Stage.PARTIAL))
        if self._recognizing and (ahead or effort.partial_text):
            self.recognition.put_partial(key, utterance)

    def _due(self, utterance: Utterance, effort: Effort) -> bool:
        """Return whether an utterance has grown enough since the partial before."""
        before = self._handed.get(utterance.index)
        grown = utterance.end - (before or 0)
        # A pause comes at any time; what it adds is looked at as long as nothing needs saving.
        saving = effort.partial_interval > Effort().partial_interval
        return before is None or not saving or grown >= effort.partial_interval * SAMPLE_RATE

    def _final(self, cut: Cut) -> None:
        utterance = cut.utterance
        foreseen = self.texts.use(utterance)
        cut = cut if foreseen is None else replace(cut, transcript=foreseen)
        if self._too_long(utterance, self._unjudged()):
            self._skip(cut)
        elif cut.transcript is not None or not self._recognizing:
            self._judge(cut, Stage.FINAL)
            if foreseen is not None:
                self.bettering.offer(utterance, foreseen)
        elif self._too_long(utterance, self._untranscribed()):
            self._judge(cut, Stage.FINAL, ("text_skipped_falling_behind",))
        else:
            if self._settings.live:
                self._judge(cut, Stage.SPEECH)
            self.recognition.put(utterance, partial_keys(utterance.index))
            return
        self.texts.drop(utterance.index)
        self.recognition.drop(partial_keys(utterance.index))

    def _judge(self, cut: Cut, stage: Stage, notes: tuple[str, ...] = ()) -> None:
        job = Judge(cut.utterance, stage, cut.transcript, (*cut.notes, *notes))
        self.emotion.put(job, partial_keys(cut.utterance.index))

    @property
    def _recognizing(self) -> bool:
        return self.recognizer is not None and self.recognizer.available

    def _unjudged(self) -> list[Utterance]:
        jobs = self.emotion.waiting()
        return [job.utterance for job in jobs if isinstance(job, Judge) and not job.skip]

    def _untranscribed(self) -> list[Utterance]:
        return [job for job in self.recognition.waiting() if isinstance(job, Utterance)]

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

    @property
    def keeps_pace(self) -> bool:
        """Whether pace means anything yet: live, and everything is loaded."""
        return self._settings.live and (self.recognizer is None or self.recognizer.ready)

    def check_pace(self) -> Notice | None:
        """Return what to say about a live session that falls behind or has caught up."""
        if not self.keeps_pace:
            return None
        return self._watch.check(self._waited(), self.emotion.stale)

    def check_effort(self) -> bool:
        """Do less, or more again, as the queues ask for; return whether that changed."""
        if not self.keeps_pace:
            return False
        load = Load(self._waited(), self.emotion.offered, self.emotion.stale)
        return self.governor.check(load)

    def _waited(self) -> float:
        return max(self.emotion.oldest_wait(), self.recognition.oldest_wait())

    def abandon(self) -> None:
        """Drop everything that waits."""
        self.recognition.abandon()
        self.emotion.abandon()
