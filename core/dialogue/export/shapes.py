"""Where things are drawn in the report: turns on lanes, probability curves, the affect plane."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from core.types import Turn, seconds

WIDTH = 1000.0
"""Units across a timeline; the page scales them."""
LANE = 26.0
LANE_GAP = 4.0
CURVES = 90.0
MARGIN = 14.0
MOST_ROWS = 8
ROW_LENGTHS = (30, 60, 120, 300, 600, 900, 1800, 3600)
TICKS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800)


@dataclass(frozen=True, slots=True)
class Block:
    """A turn on its lane; `row_end` cuts are drawn in the next row again."""

    turn: Turn
    x: float
    y: float
    width: float


@dataclass(frozen=True, slots=True)
class Tick:
    """A time under the axis."""

    x: float
    second: float


@dataclass(frozen=True, slots=True)
class Row:
    """A stretch of the recording: its blocks, its curves (label, SVG path) and its axis."""

    start: float
    end: float
    blocks: tuple[Block, ...]
    curves: tuple[tuple[str, str], ...]
    ticks: tuple[Tick, ...]
    lanes_height: float
    height: float


def timeline(
    turns: Sequence[Turn], speakers: Sequence[str | None], labels: Sequence[str], duration: float
) -> tuple[Row, ...]:
    """Lay a recording of `duration` seconds out in at most about eight rows."""
    length = row_length(duration)
    count = max(1, math.ceil(duration / length - 1e-9))
    return tuple(_row(turns, speakers, labels, i * length, (i + 1) * length) for i in range(count))


def row_length(duration: float) -> float:
    """Return how many seconds one row shows: all rows are full, of a short recording one."""
    if duration <= ROW_LENGTHS[1]:
        return max(duration, 1.0)
    fitting = (length for length in ROW_LENGTHS if duration / length <= MOST_ROWS)
    rows = math.ceil(duration / next(fitting, duration / MOST_ROWS))
    return duration / rows


def _row(
    turns: Sequence[Turn],
    speakers: Sequence[str | None],
    labels: Sequence[str],
    start: float,
    end: float,
) -> Row:
    here = [t for t in turns if seconds(t.end) > start and seconds(t.start) < end]
    lanes_height = len(speakers) * (LANE + LANE_GAP)
    return Row(
        start=start,
        end=end,
        blocks=tuple(_block(turn, speakers, start, end) for turn in here),
        curves=tuple((label, _curve(here, label, start, end, lanes_height)) for label in labels),
        ticks=_ticks(start, end),
        lanes_height=lanes_height,
        height=lanes_height + CURVES + MARGIN + 18,
    )


def _block(turn: Turn, speakers: Sequence[str | None], start: float, end: float) -> Block:
    left = _x(max(seconds(turn.start), start), start, end)
    right = _x(min(seconds(turn.end), end), start, end)
    y = speakers.index(turn.speaker) * (LANE + LANE_GAP)
    # Never so narrow that it can't be seen.
    return Block(turn, left, y, max(right - left, 1.5))


def _x(second: float, start: float, end: float) -> float:
    return round(WIDTH * (second - start) / (end - start), 2)


def _curve(turns: Sequence[Turn], label: str, start: float, end: float, top: float) -> str:
    """Return a path that is level through each turn and leads on to the next."""
    points: list[tuple[float, float]] = []
    for turn in turns:
        if turn.emotion is None or label not in turn.emotion.labels:
            continue
        p = turn.emotion.probabilities[turn.emotion.labels.index(label)]
        y = round(top + MARGIN + (1.0 - p) * CURVES, 2)
        # Turns may overlap; a curve never goes back in time.
        earliest = points[-1][0] if points else 0.0
        left = max(_x(max(seconds(turn.start), start), start, end), earliest)
        right = max(_x(min(seconds(turn.end), end), start, end), left)
        points += [(left, y), (right, y)]
    if not points:
        return ""
    return "M" + "L".join(f"{x:g},{y:g}" for x, y in points)


def _ticks(start: float, end: float) -> tuple[Tick, ...]:
    step = next((t for t in TICKS if (end - start) / t <= 12), 3600)
    first = math.ceil(start / step - 1e-9)
    last = math.floor(end / step + 1e-9)
    return tuple(Tick(_x(i * step, start, end), i * step) for i in range(first, last + 1))


@dataclass(frozen=True, slots=True)
class Dot:
    """A turn on the affect plane: x to pleasant, y to calm, in -100 to 100."""

    turn: Turn
    x: float
    y: float
    radius: float


def affect_dots(turns: Sequence[Turn]) -> tuple[Dot, ...]:
    """Place every turn that has arousal and valence; the long ones first, so none is hidden."""
    dots = []
    for turn in turns:
        emotion = turn.emotion
        if emotion is None or emotion.arousal is None or emotion.valence is None:
            continue
        radius = min(7.0, 2.0 + math.sqrt(max(0.0, seconds(turn.end - turn.start))))
        # A model of its own may go beyond the plane; what is drawn stays on it.
        x, y = 100 * _on_plane(emotion.valence), -100 * _on_plane(emotion.arousal)
        dots.append(Dot(turn, round(x, 1), round(y, 1), round(radius, 1)))
    return tuple(sorted(dots, key=lambda dot: -dot.radius))


def _on_plane(value: float) -> float:
    return max(-1.0, min(1.0, value))


NOT_SURE, NONE_GIVEN = None, ""
"""What a share of the time can have instead of a label."""


@dataclass(frozen=True, slots=True)
class Share:
    """How much of somebody's speaking time had a label, of a bar 100 wide.

    label: None: no sure one; empty: none reached its threshold.
    """

    label: str | None
    x: float
    width: float
    duration: float


def shares(turns: Sequence[Turn], labels: Sequence[str]) -> tuple[Share, ...]:
    """Return the speaking time of these turns by label, as parts of one bar; the unsure last.

    The time of a turn with several labels is shared among them.
    """
    spent: dict[str | None, float] = dict.fromkeys([*labels, NONE_GIVEN, NOT_SURE], 0.0)
    for turn in turns:
        found = _labels_of(turn)
        for label in found:
            spent[label] += seconds(turn.end - turn.start) / len(found)
    total = sum(spent.values())
    parts, x = [], 0.0
    for label, duration in spent.items():
        if duration > 0:
            width = 100 * duration / total
            parts.append(Share(label, round(x, 3), round(width, 3), duration))
            x += width
    return tuple(parts)


def _labels_of(turn: Turn) -> tuple[str | None, ...]:
    if turn.emotion is None or turn.emotion.uncertain:
        return (NOT_SURE,)
    return turn.emotion.given or (NONE_GIVEN,)
