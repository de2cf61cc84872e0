"""A second, thorough look at finished texts, when nothing else is to be done."""

from __future__ import annotations

from collections.abc import Callable

from core.pipeline.effort import Effort
from core.pipeline.jobs import Better, RecognitionJob
from core.pipeline.work_queue import WorkQueue
from core.types import Transcript, Utterance

LONGEST = 4.0
"""Seconds that a look may be expected to take: whoever begins to speak meanwhile waits so long."""
_FORGETS = 0.9
"""What is left of the expectation after a look was left out: one slow moment does not end them."""


class Bettering:
    """Offers finished texts as spare work of the recognition thread, and bounds what it costs.

    The queue keeps the sound of its few newest spare items only and hands them out in silence.
    """

    def __init__(self, queue: WorkQueue[RecognitionJob], effort: Callable[[], Effort]) -> None:
        self._queue = queue
        self._effort = effort
        self._share = 0.0
        """Seconds a look took of late, in a second of speech; 0 while none was taken."""

    def offer(self, utterance: Utterance, transcript: Transcript) -> None:
        """Queue an utterance whose final text was delivered, if there is effort to spare."""
        if self._effort().better_text:
            self._queue.put_spare(Better(utterance, transcript))

    def worth(self, utterance: Utterance) -> bool:
        """Return whether to look now: it is still wanted, and will not take too long."""
        if not self._effort().better_text:
            return False
        if self._share * utterance.duration <= LONGEST:
            return True
        self._share *= _FORGETS
        return False

    def took(self, utterance: Utterance, seconds: float) -> None:
        """Take note of what a look cost."""
        self._share = seconds / max(utterance.duration, 0.1)
