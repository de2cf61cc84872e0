"""What the numbers are and are not; what the program is."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QVBoxLayout, QWidget

from core import __version__


class TextDialog(QDialog):
    """A title, a text that can be selected, a button."""

    def __init__(self, title: str, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setMinimumWidth(560)
        column = QVBoxLayout(self)
        column.setContentsMargins(22, 20, 22, 16)
        column.setSpacing(14)
        label = QLabel(text, self)
        label.setWordWrap(True)
        label.setTextFormat(Qt.TextFormat.RichText)
        label.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
            | Qt.TextInteractionFlag.LinksAccessibleByMouse
        )
        label.setAccessibleName(title)
        column.addWidget(label)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.reject)
        column.addWidget(buttons)


class LimitsDialog(TextDialog):
    """The honest note of the start page, in full."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", "", parent)
        title = self.tr("What the numbers mean")
        text = self.tr(
            "<h3>What the numbers mean</h3>"
            "<p>Emoscope reads an <b>expression</b>: how a voice sounds and what the words say. It "
            "does not know what a person feels. People hide, act, joke, and differ from each other "
            "and between cultures.</p>"
            "<p>The model that ships with it was trained on <b>acted</b> speech in English, Polish "
            "and Korean and on written comments. Everyday speech is quieter and more mixed, so "
            "expect more mistakes than on such recordings. The model card lists what was measured "
            "and on whom.</p>"
            "<ul>"
            "<li>A probability is the model's own estimate among the classes it knows. It can't "
            "say “something else”.</li>"
            "<li>“Not sure” means too little speech, too much noise, or several emotions about "
            "equally likely. Believe it.</li>"
            "<li>Arousal and valence are derived from the probabilities unless a model measures "
            "them.</li>"
            "<li>After some ten seconds of a voice the model compares with that voice's own usual "
            "sound. The first seconds are the least reliable.</li>"
            "<li>The pictures under “Why” show where the model looked. They are not a proof of why "
            "it decided.</li>"
            "</ul>"
            "<p>Do not use it to judge people: not for hiring, teaching, policing, medicine or "
            "law. Tell people when you record them. Sound and text stay on this computer.</p>"
        )
        self.setWindowTitle(title)
        label = self.findChild(QLabel)
        if label is not None:
            label.setText(text)
            label.setAccessibleName(title)


class AboutDialog(TextDialog):
    """Version and licence."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", "", parent)
        title = self.tr("About Emoscope")
        text = self.tr(
            "<h3>Emoscope {version}</h3>"
            "<p>Listens to people talk and shows, live, what they may feel and what that was read "
            "from.</p>"
            "<p>Free software under the Apache License 2.0. The weights that ship with it have a "
            "licence of their own: see the model card.</p>"
            "<p>Built with Qt for Python, PyQtGraph, PyTorch and faster-whisper.</p>"
        ).format(version=__version__)
        self.setWindowTitle(title)
        label = self.findChild(QLabel)
        if label is not None:
            label.setText(text)
            label.setAccessibleName(title)
