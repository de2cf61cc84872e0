"""Who speaks, asked of the voice where neither a transcript nor a channel tells.

Trouble with the voices costs the name, never a turn. Runs on the emotion thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from core.errors import EmoscopeError
from core.pipeline.events import Notice, Severity
from core.pipeline.speakers import SpeakerTracker
from core.types import Message, Utterance

log = logging.getLogger(__name__)


def ready_speakers(
    given: SpeakerTracker | Callable[[], SpeakerTracker] | None, notify: Callable[[Notice], None]
) -> SpeakerTracker | None:
    """Return the tracker, loaded; None, and a notice, where that can't be."""
    if given is None:
        return None
    try:
        tracker = given() if callable(given) else given
        tracker.reset()
        tracker.warm_up()
    except Exception as error:
        if not isinstance(error, EmoscopeError):
            log.warning("speakers can't be told apart", exc_info=error)
        _tell(notify, "speakers_unavailable", error)
        return None
    return tracker


class SpeakerNames:
    """Names the speaker of complete utterances, each asked for once.

    Args:
        tracker: None: only speakers that are known anyway are named.
        notify: told of trouble.
    """

    def __init__(self, tracker: SpeakerTracker | None, notify: Callable[[Notice], None]) -> None:
        self._tracker = tracker
        self._notify = notify
        self._names: dict[int, str | None] = {}

    def of(self, utterance: Utterance) -> str | None:
        """Return who speaks in an utterance, None when nobody can tell."""
        if utterance.speaker is not None or self._tracker is None or not utterance.is_final:
            return utterance.speaker
        if utterance.index not in self._names:
            self._names[utterance.index] = self._ask(self._tracker, utterance)
        return self._names[utterance.index]

    def forget(self, index: int) -> None:
        """Let go of an utterance whose turn is final."""
        self._names.pop(index, None)

    def _ask(self, tracker: SpeakerTracker, utterance: Utterance) -> str | None:
        if not utterance.samples.size:
            return None
        try:
            return tracker.name(utterance)
        except Exception as error:
            log.warning("no speaker of utterance %d", utterance.index, exc_info=error)
            _tell(self._notify, "speakers_failed", error)
            return None


def _tell(notify: Callable[[Notice], None], code: str, error: Exception) -> None:
    reason = str(error) or type(error).__name__
    notify(Notice(Message(code, {"reason": reason}), Severity.WARNING))
