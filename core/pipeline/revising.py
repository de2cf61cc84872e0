"""Turns that are final and get a better text after all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from core.pipeline.emotion import NO_TEXT
from core.pipeline.in_context import without_features
from core.pipeline.jobs import Revise
from core.pipeline.judging import FAILED, Judging, usable
from core.types import Transcript, Turn, TurnStatus

NOTE = "text_bettered"
_UNJUDGED = (NO_TEXT, FAILED)
"""Notes that no longer hold once a turn was judged after all."""


class Reviser:
    """Puts a better text into a turn that is final; on the emotion thread.

    The emotion is judged again, by the baseline as it is now, which does not take the utterance in
    a second time. What the dialogue model said stays: it was told of the turn once, when it became
    final, and its later turns rest on that.

    Args:
        published: the turn of an index as it was published, or None.
        publish: takes the revised turn.
    """

    def __init__(
        self,
        judging: Judging,
        published: Callable[[int], Turn | None],
        publish: Callable[[Turn], None],
    ) -> None:
        self._judging = judging
        self._published = published
        self._publish = publish

    def __call__(self, job: Revise) -> None:
        """Publish the turn anew, unless it can't be judged by that text or says the same."""
        turn = self._published(job.utterance.index)
        if turn is None or turn.status is not TurnStatus.FINAL or turn.transcript == job.transcript:
            return
        emotion, notes = turn.emotion, turn.notes
        if _words(turn.transcript) != _words(job.transcript):
            emotion = self._judging.again(job.utterance, job.transcript)
            if emotion is None and turn.emotion is not None:
                return  # better the older text with its emotion than a newer one without
            if emotion is not None:
                notes = tuple(note for note in notes if note not in _UNJUDGED)
        notes = (*(note for note in notes if note != NOTE), NOTE)
        revised = replace(turn, transcript=job.transcript, emotion=emotion, notes=notes)
        self._publish(without_features(revised))


def _words(transcript: Transcript | None) -> str:
    heard = usable(transcript)
    return heard.text if heard is not None else ""
