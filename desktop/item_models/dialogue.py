"""The turns of a dialogue among each other, ready to be drawn: blocks, shifts, attention, sizes."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from core.types import (
    AttentionKind,
    AttentionMap,
    Axis,
    ContextResult,
    Turn,
    TurnStatus,
    seconds,
)
from desktop import names
from desktop.item_models.readings import Reading, label_of, most_probable, seen_later, unsure
from desktop.item_models.turns import TurnModel

LOOK_BACK = 60
"""Turns before the first one in view among which its speaker's turn before it is looked for."""

_LONGEST = 30.0
"""Seconds: turns that began so long before the stretch in view may still reach into it."""

_HANGUL = re.compile(r"[가-힣]")


@dataclass(frozen=True, slots=True)
class Block:
    """A turn in the lane of its speaker; times in seconds.

    `label` is None while nobody has judged the turn; `judged` is false while the label is not the
    last word: of a turn that is being spoken, or that a dialogue model has yet to read.
    `shifted_from` is the emotion of the same
    speaker's turn before, where it was another one. `later` is what the turn looks like with later
    turns in view, where that is another emotion than was said at the time. `uncertain` and
    `later_uncertain` tell where one of them is not sure.
    """

    index: int
    first: float
    last: float
    lane: int
    label: str | None
    judged: bool = False
    shifted_from: str | None = None
    later: str | None = None
    selected: bool = False
    uncertain: bool = False
    later_uncertain: bool = False


@dataclass(frozen=True, slots=True)
class Arc:
    """How much the shown turn drew on a turn in the middle of which lies the second `at`."""

    index: int
    at: float
    weight: float
    label: str | None


def blocks_between(
    turns: TurnModel,
    first: float,
    last: float,
    lanes: dict[str, int],
    reading: Reading,
    selected: int | None,
    in_context: bool,
) -> list[Block]:
    """Return the turns in [first, last] s, in order.

    Args:
        lanes: maps a speaker's name to a lane.
        selected: index of the selected turn.
        in_context: whether a dialogue model reads the turns.
    """
    shown = turns.turns_between(first - _LONGEST, last)
    shown = tuple(turn for turn in shown if seconds(turn.end) >= first)
    if not shown:
        return []
    before = _labels_before(turns, shown[0], reading)
    blocks = []
    for turn in shown:
        speaker = turn.speaker or ""
        label = label_of(turn, reading)
        complete = turn.status is not TurnStatus.PARTIAL
        previous = before.get(speaker)
        blocks.append(
            Block(
                turn.index,
                seconds(turn.start),
                seconds(turn.end),
                lanes.get(speaker, len(lanes)),
                label,
                judged=turn.context is not None if in_context else complete,
                shifted_from=previous if complete and label and previous != label else None,
                later=seen_later(turn),
                selected=turn.index == selected,
                uncertain=unsure(turn, reading),
                later_uncertain=turn.hindsight is not None and turn.hindsight.uncertain,
            )
        )
        if label is not None and complete and speaker:  # whose emotion continues nobody's?
            before[speaker] = label
    return blocks


def _labels_before(turns: TurnModel, turn: Turn, reading: Reading) -> dict[str, str]:
    """Return each speaker's last emotion before a turn, looking back over `LOOK_BACK` turns."""
    row = turns.row_of(turn.index) or 0
    found: dict[str, str] = {}
    for earlier in range(row - 1, max(-1, row - 1 - LOOK_BACK), -1):
        past = turns.turn(earlier)
        label = None if past is None else label_of(past, reading)
        if past is not None and past.speaker and label is not None:
            found.setdefault(past.speaker, label)
    return found


def arcs_of(result: ContextResult, turns: TurnModel, reading: Reading) -> list[Arc]:
    """Return how much a result drew on each turn, itself among them, in order.

    None at all for a model that can't say what it drew on.
    """
    if not result.attention:
        return []
    arcs = []
    for index, weight in zip(result.turns, result.attention, strict=True):
        turn = turns.find_turn(index)
        if turn is not None:
            middle = (seconds(turn.start) + seconds(turn.end)) / 2
            arcs.append(Arc(index, middle, weight, label_of(turn, reading)))
    return arcs


def turn_map(turn: Turn, turns: TurnModel) -> AttentionMap | None:
    """Return the attention of a turn to those before it as a map of kind TURN, (1, turns)."""
    result = turn.context
    if result is None or len(result.attention) < 2:
        return None
    pairs = [(turns.find_turn(i), w) for i, w in zip(result.turns, result.attention, strict=True)]
    known = [(other, weight) for other, weight in pairs if other is not None]
    if not known:
        return None
    return AttentionMap(
        "context_turns",
        AttentionKind.TURN,
        np.asarray([[weight for _, weight in known]], np.float32),
        Axis("turn", labels=(turn_name(turn),)),
        Axis("turn", labels=tuple(turn_name(other) for other, _ in known)),
    )


def turn_name(turn: Turn) -> str:
    """Return when a turn began and who spoke."""
    return f"{names.clock(seconds(turn.start))} {turn.speaker or ''}".strip()


def spoken_language(turn: Turn) -> str | None:
    """Return the language of a turn's text as far as it is known: Hangul is Korean."""
    if turn.transcript is None or not turn.transcript.text:
        return None
    if turn.transcript.language:
        return turn.transcript.language
    return "ko" if _HANGUL.search(turn.transcript.text) else None


class NestedTally:
    """In how many turns a nested size would give another label than the whole model."""

    def __init__(self) -> None:
        self._differing: dict[int, frozenset[int]] = {}
        self._counts: dict[int, int] = {}

    @property
    def turns(self) -> int:
        """How many turns were counted."""
        return len(self._differing)

    def clear(self) -> None:
        """Forget every turn."""
        self._differing.clear()
        self._counts.clear()

    def update(self, turn: Turn) -> None:
        """Count a turn, or count it anew."""
        result = turn.context
        if result is None or not result.nested:
            return
        differing = frozenset(
            size
            for size, values in result.nested.items()
            if most_probable(result.labels, values) != result.label
        )
        for size in self._differing.get(turn.index, ()):
            self._counts[size] -= 1
        self._differing[turn.index] = differing
        for size in differing:
            self._counts[size] = self._counts.get(size, 0) + 1

    def differing(self, size: int) -> int:
        """Return the number of turns to which this size gives another label."""
        return self._counts.get(size, 0)
