"""The recognition thread's work: utterances in, transcripts on to the emotion thread."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from core.errors import EmoscopeError
from core.pipeline.events import Notice, Severity
from core.pipeline.jobs import EmotionJob, Judge, ShowText, Stage, partial_keys
from core.pipeline.protocols import Transcriber
from core.pipeline.work_queue import WorkQueue
from core.types import Message, Transcript, Utterance

log = logging.getLogger(__name__)


class RecognitionWorker:
    """Transcribes what waits on `queue`; a failure costs one text, never the session.

    Without a working transcriber every final is passed on at once, so that no turn waits for a
    text that will not come.
    """

    def __init__(
        self,
        transcriber: Transcriber,
        queue: WorkQueue[Utterance],
        results: WorkQueue[EmotionJob],
        notify: Callable[[Notice], None],
        patience: int,
    ) -> None:
        self._transcriber = transcriber
        self.name = transcriber.name
        self._queue = queue
        self._results = results
        self._notify = notify
        self._patience = patience
        self._failures = 0
        self.available = True
        """False once recognition failed to load, or failed too often in a row."""
        self.ready = False
        """True once the model is loaded (or is known not to)."""

    def run(self) -> None:
        """Load the model, then work until the queue is closed and empty."""
        self._load()
        while (utterance := self._queue.get()) is not None:
            if utterance.is_final:
                self._final(utterance)
            elif self.available:
                self._partial(utterance)

    def _load(self) -> None:
        began = time.monotonic()
        try:
            self._transcriber.warm_up()
            log.info("%s loaded in %.1f s", self._transcriber.name, time.monotonic() - began)
        except Exception as error:
            self._give_up("recognition_unavailable", error)
        self.ready = True

    def _partial(self, utterance: Utterance) -> None:
        transcript = self._transcribe(self._transcriber.partial, utterance)
        if transcript is not None:
            text_key = partial_keys(utterance.index)[1]
            self._results.put_partial(text_key, ShowText(utterance.index, transcript))

    def _final(self, utterance: Utterance) -> None:
        transcript = None
        if self.available:
            transcript = self._transcribe(self._transcriber.final, utterance)
        notes = () if transcript is not None else ("recognition_failed",)
        job = Judge(utterance, Stage.FINAL, transcript, notes)
        self._results.put(job, partial_keys(utterance.index), wait=False)

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
