"""The turns of a session as a Qt item model: one row a turn, in the order they were spoken."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import replace
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QCoreApplication,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)

from core.types import SAMPLE_RATE, ContextResult, EmotionResult, Turn, TurnStatus
from desktop import names
from desktop.item_models.corrected import CorrectedTurns
from desktop.item_models.readings import changed_by_context, seen_later

TurnRole = Qt.ItemDataRole.UserRole + 1
"""The `Turn` itself."""

EVIDENCE_BYTES = 16 * 2**20
"""Attention maps of the newest turns are kept up to this size; older turns lose theirs."""

_Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()


class TurnModel(QAbstractTableModel):
    """Rows of turns sorted by start; a later state of a turn replaces its row."""

    text_replaced = Signal(object, object)
    """A complete turn, and the same one with another text: the one before, the one now."""

    def __init__(
        self, parent: QObject | None = None, corrected: CorrectedTurns | None = None
    ) -> None:
        super().__init__(parent)
        self._corrected = corrected
        self._turns: list[Turn] = []
        self._starts: list[tuple[int, int]] = []
        self._places: dict[int, tuple[int, int]] = {}
        """The entry of `_starts` by the index of its turn."""
        self._evidence: dict[int, int] = {}
        self._evidence_bytes = 0

    def rowCount(self, parent: _Index = _ROOT) -> int:
        """Return the number of turns."""
        return 0 if parent.isValid() else len(self._turns)

    def columnCount(self, parent: _Index = _ROOT) -> int:
        """Return 1: a delegate paints the whole row."""
        return 0 if parent.isValid() else 1

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the turn (`TurnRole`) or a sentence that says all of it."""
        if not index.isValid() or index.row() >= len(self._turns):
            return None
        turn = self._turns[index.row()]
        if role == TurnRole:
            return turn
        if role == Qt.ItemDataRole.DisplayRole:
            return turn_text(turn)
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return ", ".join(filter(None, (describe(turn), self._said_of(turn))))
        return None

    def _said_of(self, turn: Turn) -> str:
        """Return what a person said of a turn, "" where nobody did."""
        said = self._corrected.of(turn) if self._corrected is not None else None
        if said is None:
            return ""
        text = QCoreApplication.translate("Turns", "you say: {emotion}")
        return text.format(emotion=names.emotion(said.label))

    def update(self, turn: Turn) -> int:
        """Insert or replace a turn and return its row; a final turn never goes back."""
        key = (turn.start, turn.index)
        row = self.row_of(turn.index)
        if row is not None and self._starts[row] != key and not _goes_back(self._turns[row], turn):
            self.discard(turn.index)  # it belongs elsewhere now
            row = None
        if row is None:
            row = bisect_right(self._starts, key)
            self.beginInsertRows(QModelIndex(), row, row)
            self._turns.insert(row, turn)
            self._starts.insert(row, key)
            self._places[turn.index] = key
            self.endInsertRows()
        elif not _goes_back(self._turns[row], turn):
            before = self._turns[row]
            turn = _with_evidence(before, turn)
            self._turns[row] = turn
            index = self.index(row, 0)
            self.dataChanged.emit(index, index)
            if before.status is TurnStatus.FINAL and turn_text(before) != turn_text(turn):
                self.text_replaced.emit(before, turn)
        self._account(turn)
        return row

    def discard(self, index: int) -> None:
        """Remove a turn that turned out to be none."""
        row = self.row_of(index)
        if row is not None:
            self.beginRemoveRows(QModelIndex(), row, row)
            del self._turns[row], self._starts[row], self._places[index]
            self.endRemoveRows()

    def clear(self) -> None:
        """Forget every turn."""
        self.beginResetModel()
        self._turns.clear()
        self._starts.clear()
        self._places.clear()
        self._evidence.clear()
        self._evidence_bytes = 0
        self.endResetModel()

    def row_of(self, index: int) -> int | None:
        """Return the row of a turn by its index."""
        place = self._places.get(index)
        return None if place is None else bisect_left(self._starts, place)

    def turn(self, row: int) -> Turn | None:
        """Return the turn in a row."""
        return self._turns[row] if 0 <= row < len(self._turns) else None

    def find_turn(self, index: int) -> Turn | None:
        """Return a turn by its index."""
        row = self.row_of(index)
        return None if row is None else self._turns[row]

    def turns(self) -> tuple[Turn, ...]:
        """Return every turn in order."""
        return tuple(self._turns)

    def turns_between(self, first: float, last: float) -> tuple[Turn, ...]:
        """Return the turns that may be seen in a stretch of seconds, in order."""
        low = bisect_right(self._starts, (round(first * SAMPLE_RATE), -1))
        high = bisect_right(self._starts, (round(last * SAMPLE_RATE), 2**62))
        while low > 0 and self._turns[low - 1].end >= first * SAMPLE_RATE:
            low -= 1
        return tuple(self._turns[low:high])

    def row_at(self, seconds: float) -> int | None:
        """Return the row of the turn spoken at a time, or None between turns."""
        position = round(seconds * SAMPLE_RATE)
        row = bisect_right(self._starts, (position, 2**62)) - 1
        return row if row >= 0 and self._turns[row].end >= position else None

    def find(self, text: str, start: int, backwards: bool = False) -> int | None:
        """Return the next row after `start` whose text or speaker contains `text`."""
        count, needle = len(self._turns), text.casefold()
        if not count or not needle:
            return None
        step = -1 if backwards else 1
        for offset in range(1, count + 1):
            row = (start + step * offset) % count
            turn = self._turns[row]
            if needle in f"{turn.speaker or ''} {turn_text(turn)}".casefold():
                return row
        return None

    def _account(self, turn: Turn) -> None:
        if turn.emotion is None or turn.status is TurnStatus.PARTIAL:
            return
        size = sum(entry.weights.nbytes for entry in turn.emotion.attentions)
        self._evidence_bytes += size - self._evidence.pop(turn.index, 0)
        self._evidence[turn.index] = size
        while self._evidence_bytes > EVIDENCE_BYTES and len(self._evidence) > 1:
            oldest = next(iter(self._evidence))
            self._evidence_bytes -= self._evidence.pop(oldest)
            self._strip(oldest)

    def _strip(self, index: int) -> None:
        row = self.row_of(index)
        if row is None or self._turns[row].emotion is None:
            return
        turn = self._turns[row]
        assert turn.emotion is not None
        self._turns[row] = replace(turn, emotion=replace(turn.emotion, attentions=()))


def turn_text(turn: Turn) -> str:
    """Return the recognised text of a turn, empty when there is none."""
    return turn.transcript.text if turn.transcript is not None else ""


def describe(turn: Turn) -> str:
    """Return time, speaker, text and emotion of a turn as one line for a screen reader."""
    parts = [names.clock(turn.start / SAMPLE_RATE)]
    if turn.speaker:
        parts.append(turn.speaker)
    if turn_text(turn):
        parts.append(turn_text(turn))
    if turn.emotion is not None:
        parts.append(emotion_text(turn.emotion))
        parts.extend(names.doubt(reason) for reason in turn.emotion.doubts)
    parts.extend(_revisions(turn))
    return ", ".join(parts)


def _revisions(turn: Turn) -> list[str]:
    """Return what the dialogue says of a turn, where that is not what the turn itself said."""
    found = []
    if turn.context is not None and changed_by_context(turn):
        text = QCoreApplication.translate("Turns", "in context: {emotion}")
        found.append(text.format(emotion=context_text(turn.context)))
    if turn.hindsight is not None and seen_later(turn):
        text = QCoreApplication.translate("Turns", "seen later: {emotion}")
        found.append(text.format(emotion=context_text(turn.hindsight)))
    return found


def context_text(result: ContextResult) -> str:
    """Return "sad 0.61" for what a dialogue model says, and why where it is not sure."""
    said = f"{names.emotion(result.label)} {names.probability(result.confidence)}"
    reasons = ", ".join(names.doubt(reason) for reason in result.doubts)
    return f"{said} ({reasons})" if reasons else said


def emotion_text(result: EmotionResult) -> str:
    """Return "happy 0.71", or "happy 0.71 + surprise 0.55" where emotions stand for themselves."""
    shares = dict(zip(result.labels, result.probabilities, strict=True))
    words = (f"{names.emotion(label)} {names.probability(shares[label])}" for label in result.given)
    return " + ".join(words) or names.no_emotion()


def _with_evidence(old: Turn, new: Turn) -> Turn:
    """Return a turn that was read again with the maps of its first reading."""
    final = old.status is TurnStatus.FINAL and new.status is TurnStatus.FINAL
    if not final or old.emotion is None or new.emotion is None or new.emotion.attentions:
        return new
    return replace(new, emotion=replace(new.emotion, attentions=old.emotion.attentions))


def _goes_back(old: Turn, new: Turn) -> bool:
    rank = list(TurnStatus)
    return rank.index(new.status) < rank.index(old.status)
