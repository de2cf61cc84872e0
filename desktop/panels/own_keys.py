"""Controls that keep the arrow keys for themselves while they have the focus.

Among the docks Left, Right, Home and End step through the turns; a slider and a row of tabs need
them too.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QSlider, QTabBar

_KEYS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End)


class ArrowSlider(QSlider):
    """A slider whose arrow keys move it."""

    def event(self, event: QEvent) -> bool:
        """Claim the keys before a shortcut takes them."""
        return _claims(event) or super().event(event)


class ArrowTabs(QTabBar):
    """A row of tabs whose arrow keys change the tab."""

    def event(self, event: QEvent) -> bool:
        """Claim the keys before a shortcut takes them."""
        return _claims(event) or super().event(event)


def _claims(event: QEvent) -> bool:
    if event.type() != QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
        return False
    if event.key() not in _KEYS or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
        return False
    event.accept()
    return True
