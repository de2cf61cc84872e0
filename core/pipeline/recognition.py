"""The recognition thread's work: utterances in, transcripts on to the emotion thread."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from core.errors import EmoscopeError
from core.pipeline.ahead import AheadRule, Foreseen
from core.pipeline.bettering import Bettering
from core.pipeline.effort import Effort
from core.pipeline.events import Notice, Severity
from core.pipeline.jobs import (
    Better,
    EmotionJob,
    Judge,
    Prepare,
    RecognitionJob,
    Revise,
    ShowText,
    Stage,
    partial_keys,
    revision_key,
)
from core.pipeline.protocols import Transcriber
from core.pipeline.work_queue import WorkQueue
from core.types import Message, Transcript, Utterance

log = logging.getLogger(__name__)


class RecognitionWorker:
    """Transcribes what waits on `queue`; a failure costs one text, never the session.

    Without a working transcriber every final is passed on at once, so that no turn waits for a
    text that will not come. What is done ahead or again is done quietly: trouble with it is not
    told, and does not count against the transcriber.

    Args:
        texts: keeps what was transcribed in a pause, for a final that covers the same samples.
        rule: whether that is worth beginning.
        bettering: takes finals for a second look.
        effort: what may be done beside finals.
    """

    def __init__(
        self,
        transcriber: Transcriber,
        queue: WorkQueue[RecognitionJob],
        results: WorkQueue[EmotionJob],
        notify: Callable[[Notice], None],
        patience: int,
        texts: Foreseen[Transcript],
        rule: AheadRule,
        bettering: Bettering,
        effort: Callable[[], Effort],
    ) -> None:
        self._transcriber = transcriber
        self.name = transcriber.name
        self._queue = queue
        self._results = results
        self._notify = notify
        self._patience = patience
        self._texts = texts
        self._rule = rule
        self._bettering = bettering
        self._effort = effort
        self._failures = 0
        self.available = True
        """False once recognition failed to load, or failed too often in a row."""
        self.ready = False
        """True once the model is loaded (or is known not to)."""

    @property
    def smaller(self) -> str | None:
        """Name of a model that takes less time, or None."""
        return self._transcriber.smaller if self.available else None

    def run(self) -> None:
        """Load the model, then work until the queue is closed and empty."""
        self._load()
        while (job := self._queue.get()) is not None:
            if isinstance(job, Better):
                self._better(job)
            elif job.is_final:
                self._final(job)
            elif self.available:
                self._growing(job)
            self._pass_on()

    def _pass_on(self) -> None:
        """Tell what the transcriber has to say, such as that it had to leave the GPU."""
        for message in self._transcriber.take_messages():
            self._notify(Notice(message, Severity.WARNING))

    def _load(self) -> None:
        began = time.monotonic()
        try:
            self._transcriber.warm_up()
            log.info("%s loaded in %.1f s", self._transcriber.name, time.monotonic() - began)
        except Exception as error:
            self._give_up("recognition_unavailable", error)
        self._pass_on()
        self.ready = True

    def _growing(self, utterance: Utterance) -> None:
        effort = self._effort()
        if utterance.paused and effort.ahead and self._rule.worth():
            self._ahead(utterance)
        elif effort.partial_text:
            self._partial(utterance)

    def _partial(self, utterance: Utterance) -> None:
        transcript = self._transcribe(self._transcriber.partial, utterance)
        if transcript is not None:
            text_key = partial_keys(utterance.index)[1]
            self._results.put_partial(text_key, ShowText(utterance.index, transcript))

    def _ahead(self, utterance: Utterance) -> None:
        try:
            transcript = self._timed_final(utterance)
        except Exception:
            log.info("utterance %d not transcribed ahead", utterance.index, exc_info=True)
            return
        # In this order: once the text is kept, its final may overtake what is to prepare for it.
        key = partial_keys(utterance.index)[2]
        self._results.put_partial(key, Prepare(utterance, transcript))
        self._texts.keep(utterance, transcript)

    def _final(self, utterance: Utterance) -> None:
        # The pause may have been in hand when the final was queued.
        transcript = self._texts.use(utterance)
        self._texts.drop(utterance.index)
        if transcript is None and self.available:
            transcript = self._transcribe(self._timed_final, utterance)
        notes = () if transcript is not None else ("recognition_failed",)
        job = Judge(utterance, Stage.FINAL, transcript, notes)
        self._results.put(job, partial_keys(utterance.index))
        if transcript is not None:
            self._bettering.offer(utterance, transcript)

    def _timed_final(self, utterance: Utterance) -> Transcript:
        began = time.monotonic()
        transcript = self._transcriber.final(utterance)
        self._rule.took(time.monotonic() - began)
        return transcript

    def _better(self, job: Better) -> None:
        if not self.available or not self._bettering.worth(job.utterance):
            return
        began = time.monotonic()
        try:
            transcript = self._transcriber.better(job.utterance, job.transcript)
        except Exception:
            log.info("no second look at utterance %d", job.utterance.index, exc_info=True)
            return
        self._bettering.took(job.utterance, time.monotonic() - began)
        if transcript is not None:
            key = revision_key(job.utterance.index)
            self._results.put_partial(key, Revise(job.utterance, transcript))

    def _transcribe(
        self, call: Callable[[Utterance], Transcript], utterance: Utterance
    ) -> Transcript | None:
        try:
            transcript = call(utterance)
        except Exception as error:
            self._failed(error, utterance)
            return None
        self._failures = 0
        return transcript

    def _failed(self, error: Exception, utterance: Utterance) -> None:
        log.warning("recognition failed on utterance %d", utterance.index, exc_info=error)
        self._failures += 1
        if self._failures >= self._patience:
            self._give_up("recognition_off", error)
        else:
            self._tell("recognition_failed", error)

    def _give_up(self, code: str, error: Exception) -> None:
        self.available = False
        self._tell(code, error)

    def _tell(self, code: str, error: Exception) -> None:
        if not isinstance(error, EmoscopeError):
            log.warning("%s", code, exc_info=error)
        values = {"model": self._transcriber.name, "reason": str(error) or type(error).__name__}
        self._notify(Notice(Message(code, values), Severity.WARNING))
