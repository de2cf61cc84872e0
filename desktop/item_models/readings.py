"""What a turn sounds like under each reading: alone, in context, with hindsight."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import numpy as np

from core.types import Turn


class Reading(StrEnum):
    """Which answer of the dialogue model is shown for every turn."""

    ALONE = "alone"
    """Without any other turn."""
    CONTEXT = "context"
    """Among the turns before it, as it was said when the turn was the newest."""
    HINDSIGHT = "hindsight"
    """Also with the turns that came later, where these are known."""


def result_of(turn: Turn, reading: Reading) -> tuple[float, ...] | None:
    """Return the dialogue model's probabilities under a reading, None if it gave none."""
    if turn.context is None:
        return None
    if reading is Reading.ALONE:
        return turn.context.alone
    if reading is Reading.HINDSIGHT and turn.hindsight is not None:
        return turn.hindsight.probabilities
    return turn.context.probabilities


def label_of(turn: Turn, reading: Reading) -> str | None:
    """Return the emotion shown for a turn; the utterance model's where there is no other."""
    values = result_of(turn, reading)
    if values is not None and turn.context is not None:
        return most_probable(turn.context.labels, values)
    if turn.emotion is not None and turn.emotion.given:
        return turn.emotion.label
    return None


def unsure(turn: Turn, reading: Reading) -> bool:
    """True when the emotion shown for a turn is not sure.

    Without context it is as sure as the utterance model was.
    """
    if reading is Reading.HINDSIGHT and turn.context is not None and turn.hindsight is not None:
        return turn.hindsight.uncertain
    if reading is not Reading.ALONE and turn.context is not None:
        return turn.context.uncertain
    return turn.emotion is not None and turn.emotion.uncertain


def most_probable(labels: Sequence[str], values: Sequence[float]) -> str:
    """Return the label of the largest probability."""
    return labels[int(np.argmax(values))]


def seen_later(turn: Turn) -> str | None:
    """Return the emotion that later turns changed the label to, None if they did not."""
    if turn.context is None or turn.hindsight is None:
        return None
    return None if turn.hindsight.label == turn.context.label else turn.hindsight.label


def changed_by_context(turn: Turn) -> str | None:
    """Return the emotion in context where it is another one than the utterance model's."""
    if turn.context is None or turn.emotion is None or turn.context.label in turn.emotion.given:
        return None
    return turn.context.label
