"""What was it? The menu in which a user says so: a word with its colour for each emotion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QAction, QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QMenu, QWidget

from core.personal.types import Correction
from core.types import Turn
from desktop import names
from desktop.item_models.turns import turn_text
from desktop.plots.plot import draw_chip
from desktop.theme import Theme

_QUOTED = 34
"""Letters of a turn's text that the menu repeats."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the menu asks about: a turn, what was said of it before, and who may have spoken.

    `person` is whose voice it is taken for; `known` are those who can be chosen.
    """

    turn: Turn
    said: Correction | None
    person: str
    known: tuple[str, ...]


class CorrectionMenu(QMenu):
    """By mouse, arrow keys, or the number before a word."""

    said = Signal(str)
    taken_back = Signal()
    person_chosen = Signal(str)
    person_wanted = Signal()
    adapter_wanted = Signal()

    def __init__(self, asked: Asked, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("corrections")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._asked = asked
        self._theme = theme
        self.labels: dict[str, QAction] = {}
        self.confirm: QAction | None = None
        self.undo: QAction | None = None
        self._add_heading()
        self._add_confirmation()
        self._add_labels()
        self.addSeparator()
        if asked.said is not None:
            self.undo = self.addAction(self.tr("Take back what I said"))
            self.undo.triggered.connect(self.taken_back)
        self._add_persons()
        adapter = self.addAction(self.tr("Personal adapter…"))
        adapter.triggered.connect(self.adapter_wanted)

    def _add_heading(self) -> None:
        text = turn_text(self._asked.turn)
        short = f"{text[:_QUOTED].rstrip()}…" if len(text) > _QUOTED else text
        asked = self.tr("How did “{text}” sound?") if short else self.tr("How did it sound?")
        heading = self.addAction(asked.format(text=_plain(short)))
        heading.setEnabled(False)
        self.setAccessibleName(asked.format(text=short))

    def _add_confirmation(self) -> None:
        result = self._asked.turn.emotion
        if result is None or not result.given:
            return
        word = names.emotion(result.label)
        text = self.tr("&0  Right as it is: {emotion}").format(emotion=_plain(word))
        self.confirm = self._choice(text, result.label)
        self.addSeparator()

    def _add_labels(self) -> None:
        result = self._asked.turn.emotion
        for number, label in enumerate(result.labels if result is not None else (), 1):
            word = _plain(names.emotion(label))
            text = f"&{number}  {word}" if number < 10 else word
            action = self._choice(text, label)
            if self._asked.said is not None and self._asked.said.label == label:
                font = action.font()
                font.setBold(True)
                action.setFont(font)
            action.setIcon(chip_icon(label, self._theme))
            action.setIconVisibleInMenu(True)
            self.labels[label] = action

    def _choice(self, text: str, label: str) -> QAction:
        action = self.addAction(text)
        action.triggered.connect(lambda _=False: self.said.emit(label))
        return action

    def _add_persons(self) -> None:
        menu = self.addMenu(
            self.tr("Whose voice: {person}").format(person=_plain(self._asked.person))
        )
        for name in self._asked.known:
            action = menu.addAction(_plain(name))
            action.setCheckable(True)
            action.setChecked(name == self._asked.person)
            action.triggered.connect(lambda _=False, n=name: self.person_chosen.emit(n))
        menu.addSeparator()
        other = menu.addAction(self.tr("Somebody else…"))
        other.triggered.connect(self.person_wanted)


def chip_icon(label: str, theme: Theme, size: int = 12) -> QIcon:
    """Return a round spot in the colour of an emotion, outlined where it needs that."""
    pixmap = QPixmap(4 * size, 4 * size)
    pixmap.fill(QColor(Qt.GlobalColor.transparent))
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(4, 4)
    draw_chip(painter, QRectF(1, 1, size - 2, size - 2), theme, label, size / 2)
    painter.end()
    return QIcon(pixmap)


def known_persons(*groups: Sequence[str]) -> tuple[str, ...]:
    """Return every person once, in the order they come."""
    return tuple(dict.fromkeys(name for group in groups for name in group if name))


def _plain(text: str) -> str:
    """Return a text in which no letter becomes a key."""
    return text.replace("&", "&&")
