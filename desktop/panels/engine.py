"""What computes the results: a few words in the status line, all of it in a small page above."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

WIDTH = 540
"""Pixels of the page."""

Fact = tuple[str, str]
"""What it is about, and what there is to say."""


class EnginePage(QFrame):
    """A page over the window that goes away by Escape or a click beside it."""

    settings_wanted = Signal()

    def __init__(self, title: str, facts: Sequence[Fact], parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("enginePage")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAccessibleName(title)
        self.setAccessibleDescription(as_text(facts))
        self.setFixedWidth(WIDTH)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(16, 12, 16, 12)
        self._column.setSpacing(10)
        heading = QLabel(title, self)
        heading.setObjectName("heading")
        self._column.addWidget(heading)
        self._rows = len(facts)
        self._column.addLayout(self._grid(facts))
        self._column.addLayout(self._buttons())

    def show_above(self, widget: QWidget) -> None:
        """Open with the lower left corner at the upper left one of a widget."""
        height = self._column.heightForWidth(WIDTH)
        if height < 0:  # no line is long enough to be wrapped
            height = self.sizeHint().height()
        # a nested layout is given a pixel or two less for each of its rows than they ask for
        self.setFixedHeight(height + 3 * self._rows)
        corner = widget.mapToGlobal(QPoint(0, -self.height() - 4))
        screen = widget.screen().availableGeometry()
        left = min(max(corner.x(), screen.left() + 4), screen.right() - self.width() - 4)
        self.move(left, max(corner.y(), screen.top() + 4))
        self.show()
        self._settings.setFocus()

    def _grid(self, facts: Sequence[Fact]) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        top = Qt.AlignmentFlag.AlignTop
        for row, (about, said) in enumerate(facts):
            caption, text = QLabel(about, self), QLabel(said, self)
            caption.setObjectName("caption")
            text.setWordWrap(True)
            text.setTextFormat(Qt.TextFormat.PlainText)
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            text.setAccessibleName(about)
            grid.addWidget(caption, row, 0, top)
            grid.addWidget(text, row, 1, top)
        return grid

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addStretch(1)
        self._settings = QPushButton(self.tr("Change…"), self)
        self._settings.setAccessibleName(self.tr("Change these settings"))
        self._settings.clicked.connect(self._ask_for_settings)
        row.addWidget(self._settings)
        return row

    def _ask_for_settings(self) -> None:
        self.settings_wanted.emit()
        self.close()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Close by Escape."""
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)


class EngineButton(QToolButton):
    """The few words; a click opens the page. `facts` are asked for when they are shown."""

    settings_wanted = Signal()

    def __init__(self, facts: Callable[[], Sequence[Fact]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._facts = facts
        self.setObjectName("engine")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.clicked.connect(self.open_page)

    def say(self, words: str) -> None:
        """Show the few words; the tooltip has all of it."""
        self.setText(words)
        title = self.title()
        self.setAccessibleName(self.tr("{title}: {words}").format(title=title, words=words))
        self.refresh()

    def refresh(self) -> None:
        """Take over what there is to say now."""
        text = as_text(self._facts())
        if text != self.toolTip():
            self.setToolTip(text)
            self.setAccessibleDescription(text)

    def event(self, event: QEvent) -> bool:
        """Say what holds now, also in the tooltip."""
        if event.type() == QEvent.Type.ToolTip:
            self.refresh()
        return super().event(event)

    def title(self) -> str:
        """Return what the page is called."""
        return self.tr("What computes the results")

    def open_page(self) -> EnginePage:
        """Show everything there is to say."""
        page = EnginePage(self.title(), self._facts(), self)
        page.settings_wanted.connect(self.settings_wanted)
        page.show_above(self)
        return page


def as_text(facts: Sequence[Fact]) -> str:
    """Return the facts as lines."""
    return "\n".join(f"{about}: {said}" for about, said in facts)
