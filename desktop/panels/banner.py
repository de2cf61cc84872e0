"""Trouble as a sentence with a button, above the panels; never a dialog that blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from core.pipeline.events import Severity

MOST = 3
"""Banners shown at a time; the newest push out the least severe and oldest."""

_RANK = tuple(Severity)


@dataclass(frozen=True, slots=True)
class BannerButton:
    """What a button of a banner says (asked again when the language changes) and does."""

    text: Callable[[], str]
    run: Callable[[], object]


class BannerArea(QWidget):
    """Banners by key: a later one of the same key replaces the earlier."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(8, 6, 8, 0)
        self._layout.setSpacing(4)
        self._banners: dict[str, _Banner] = {}
        self.hide()

    def show_banner(
        self,
        key: str,
        severity: Severity,
        text: Callable[[], str],
        buttons: Sequence[BannerButton] = (),
    ) -> None:
        """Show a sentence; `text` is asked again when the language changes."""
        self.withdraw(key)
        banner = _Banner(key, severity, text, buttons, self)
        self._banners[key] = banner
        self._layout.addWidget(banner)
        while len(self._banners) > MOST:
            least = min(self._banners.values(), key=lambda b: _RANK.index(b.severity))
            self.withdraw(least.key)
        self.setVisible(bool(self._banners))

    def withdraw(self, key: str) -> None:
        """Take a banner away."""
        banner = self._banners.pop(key, None)
        if banner is not None:
            self._layout.removeWidget(banner)
            banner.hide()
            banner.deleteLater()
        self.setVisible(bool(self._banners))

    def clear(self) -> None:
        """Take every banner away."""
        for key in tuple(self._banners):
            self.withdraw(key)

    def shown(self) -> tuple[str, ...]:
        """Return what is shown."""
        return tuple(self._banners)

    def text(self, key: str) -> str:
        """Return the sentence of a banner."""
        return self._banners[key].sentence.text()


class _Banner(QFrame):
    def __init__(
        self,
        key: str,
        severity: Severity,
        text: Callable[[], str],
        buttons: Sequence[BannerButton],
        area: BannerArea,
    ) -> None:
        super().__init__(area)
        self.key = key
        self.severity = severity
        self._text = text
        self.setObjectName("banner")
        self.setProperty("severity", severity.value)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 5, 6, 5)
        self.sentence = QLabel(self)
        self.sentence.setWordWrap(True)
        self.sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row.addWidget(self.sentence, 1)
        self._buttons = [(entry, QPushButton(self)) for entry in buttons]
        for entry, button in self._buttons:
            button.clicked.connect(entry.run)
            row.addWidget(button)
        self._close = QToolButton(self)
        self._close.setText("✕")
        self._close.clicked.connect(lambda: area.withdraw(key))
        row.addWidget(self._close)
        self._retranslate()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()

    def _retranslate(self) -> None:
        self.sentence.setText(self._text())
        self.setAccessibleName(self._text())
        for entry, button in self._buttons:
            button.setText(entry.text())
        self._close.setAccessibleName(self.tr("Dismiss"))
        self._close.setToolTip(self.tr("Dismiss"))
