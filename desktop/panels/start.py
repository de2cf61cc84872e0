"""What an empty window says: one sentence, three choices, and what the numbers are."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from desktop import icons
from desktop.theme import LIGHT, Theme


class StartPage(QWidget):
    """Shown until something is heard or opened."""

    speak = Signal()
    open_file = Signal()
    sample = Signal()
    limits = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = LIGHT
        self._title = QLabel(self)
        self._sentence = QLabel(self)
        self._buttons = [_Choice(kind, self) for kind in ("microphone", "folder", "conversation")]
        self._note = QLabel(self)
        self._hint = QLabel(self)
        self._build()
        self.retranslate()

    def retranslate(self) -> None:
        """Set every text again."""
        self._title.setText(self.tr("What do you hear in a voice?"))
        self._sentence.setText(
            self.tr(
                "Emoscope listens to people talk and shows, live, what they may feel and what "
                "that was read from."
            )
        )
        texts = (
            (self.tr("Speak now"), self.tr("Listen to the microphone")),
            (self.tr("Open a recording"), self.tr("Sound or video, or drop a file here")),
            (self.tr("Try the sample"), self.tr("A short conversation of synthetic voices")),
        )
        for button, (title, detail) in zip(self._buttons, texts, strict=True):
            button.set_texts(title, detail)
        self._note.setText(
            self.tr(
                "The numbers are a model's reading of an expression, not a fact about a person. "
                "<a href='limits'>What it can't do</a>"
            )
        )
        self._note.setAccessibleName(self.tr("What the numbers are"))
        self._hint.setText(self.tr("Nothing leaves this computer."))

    def set_theme(self, theme: Theme) -> None:
        """Use other colours."""
        self._theme = theme
        for button in self._buttons:
            button.set_theme(theme)

    def changeEvent(self, event: QEvent) -> None:
        """Follow a change of language."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()

    def _build(self) -> None:
        outer = QVBoxLayout(self)
        outer.addStretch(3)
        font = self._title.font()
        font.setPointSizeF(font.pointSizeF() * 2.3)
        font.setBold(True)
        self._title.setFont(font)
        sentence = self._sentence.font()
        sentence.setPointSizeF(sentence.pointSizeF() * 1.15)
        self._sentence.setFont(sentence)
        self._sentence.setObjectName("muted")
        for label in (self._title, self._sentence, self._note, self._hint):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            label.setWordWrap(True)
        outer.addWidget(self._title)
        outer.addSpacing(6)
        outer.addWidget(self._sentence)
        outer.addSpacing(30)
        row = QHBoxLayout()
        row.setSpacing(18)
        row.addStretch(1)
        for button in self._buttons:
            row.addWidget(button)
        row.addStretch(1)
        outer.addLayout(row)
        outer.addSpacing(30)
        self._note.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
        self._note.linkActivated.connect(lambda _: self.limits.emit())
        outer.addWidget(self._note)
        self._hint.setObjectName("muted")
        outer.addWidget(self._hint)
        outer.addStretch(4)
        signals = (self.speak, self.open_file, self.sample)
        for button, signal in zip(self._buttons, signals, strict=True):
            button.clicked.connect(signal)


class _Choice(QToolButton):
    """A big button: picture, title, a line that explains it."""

    def __init__(self, kind: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._kind = kind
        self.setObjectName("choice")
        self.setMinimumSize(236, 176)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._picture = QLabel(self)
        self._title = QLabel(self)
        self._detail = QLabel(self)
        font = self._title.font()
        font.setPointSizeF(font.pointSizeF() * 1.25)
        font.setBold(True)
        self._title.setFont(font)
        self._detail.setObjectName("muted")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 20, 14, 14)
        layout.setSpacing(8)
        for label in (self._picture, self._title, self._detail):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            label.setWordWrap(True)
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            layout.addWidget(label)
        layout.addStretch(1)

    def set_texts(self, title: str, detail: str) -> None:
        """Set both lines, also for a screen reader."""
        self._title.setText(title)
        self._detail.setText(detail)
        self.setAccessibleName(title)
        self.setAccessibleDescription(detail)

    def set_theme(self, theme: Theme) -> None:
        """Draw the picture in other colours."""
        colour = theme.record if self._kind == "microphone" else theme.accent
        self._picture.setPixmap(icons.pixmap(self._kind, colour, 56))
