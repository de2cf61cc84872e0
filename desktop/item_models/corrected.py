"""What a person said about turns of the session that is shown, beside what the model said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from PySide6.QtCore import QObject, Signal

from core.personal.types import Correction
from core.types import Turn, seconds

SAME = 0.02
"""Seconds that begin and end of a turn may differ by and it still is the same one: as when kept."""


class CorrectedTurns(QObject):
    """Corrections by the turn they are about, found by its begin and end.

    A turn keeps neither its index nor its place in memory when a recording is opened again, so the
    time is what tells it.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._by_slot: dict[int, list[Correction]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._by_slot.values()))

    def __iter__(self) -> Iterator[Correction]:
        for found in self._by_slot.values():
            yield from found

    def begin(self, corrections: Iterable[Correction] = ()) -> None:
        """Forget those of the last session; begin with these, but for turns left alone."""
        self._by_slot.clear()
        for correction in corrections:
            if correction.weight >= 1:
                self._by_slot.setdefault(_slot(correction.start), []).append(correction)
        self.changed.emit()

    def of(self, turn: Turn) -> Correction | None:
        """Return what a person said about a turn, None where nobody did."""
        start, end = seconds(turn.start), seconds(turn.end)
        near = (c for s in (-1, 0, 1) for c in self._by_slot.get(_slot(start) + s, ()))
        return next((c for c in near if _close(c.start, start) and _close(c.end, end)), None)

    def put(self, turn: Turn, correction: Correction) -> None:
        """Take what a person says about a turn in place of what they said before."""
        self._drop(turn)
        self._by_slot.setdefault(_slot(correction.start), []).append(correction)
        self.changed.emit()

    def drop(self, turn: Turn) -> None:
        """Forget what a person said about a turn."""
        if self._drop(turn):
            self.changed.emit()

    def keep_only(self, ids: frozenset[str]) -> None:
        """Forget what was removed elsewhere; corrections that are not written yet stay."""
        kept = [c for c in self if not c.id or c.id in ids]
        if len(kept) < len(self):
            self.begin(kept)

    def _drop(self, turn: Turn) -> bool:
        found = self.of(turn)
        if found is None:
            return False
        self._by_slot[_slot(found.start)].remove(found)
        return True


def same_turn(one: Correction, other: Correction) -> bool:
    """Tell whether two corrections are about one turn, whoever was said to speak in it."""
    near = _close(one.start, other.start) and _close(one.end, other.end)
    return one.source == other.source and near


def _slot(start: float) -> int:
    return round(start / SAME)


def _close(one: float, other: float) -> bool:
    return abs(one - other) <= SAME
