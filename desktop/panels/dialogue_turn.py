"""Page of the dialogue panel: one turn as heard, alone, in context and with hindsight."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from core.types import ContextInfo, Turn
from desktop import names
from desktop.item_models.dialogue import spoken_language
from desktop.item_models.readings import Reading, most_probable, seen_later, unsure
from desktop.plots.share_bar import ShareBars, ShareRow, emotion_parts
from desktop.theme import Theme

_LOW = 190
"""Pixels of height below which the explanation is only a tooltip."""


class TurnPage(QWidget):
    """Bars below each other, so that what context did can be seen; or why there are none."""

    settings_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._bars = ShareBars(self)
        self._note = QLabel(self)
        self._meaning = QLabel(self)
        self._empty = QLabel(self)
        self._choose = QPushButton(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for label, name in ((self._note, "note"), (self._meaning, "caption"), (self._empty, "")):
            label.setObjectName(name or "muted")
            label.setWordWrap(True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column.addWidget(self._bars)
        column.addWidget(self._note)
        column.addWidget(self._meaning)
        column.addStretch(1)
        column.addWidget(self._empty)
        column.addWidget(self._choose, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        self._choose.clicked.connect(self.settings_asked)
        self._caption_font()
        self.retranslate()

    def retranslate(self) -> None:
        """Set every text again."""
        self._bars.setAccessibleName(self.tr("This turn with and without the dialogue"))
        self._choose.setText(self.tr("Choose a dialogue model…"))
        meaning = self.tr(
            "Utterance model: as in the transcript. Alone: the dialogue model sees this turn only. "
            "In context: also those before it. Seen later: also those after it."
        )
        self._meaning.setText(meaning)
        self._bars.setToolTip(meaning)

    def set_theme(self, theme: Theme) -> None:
        """Use other colours."""
        self._theme = theme
        self._bars.set_theme(theme)

    def show_nothing(self, why: str, offer: bool) -> None:
        """Say why there is nothing to compare, and offer to choose a dialogue model."""
        for widget in (self._bars, self._note, self._meaning):
            widget.hide()
        self._empty.setText(why)
        self._empty.show()
        self._choose.setVisible(offer)

    def show_turn(self, turn: Turn, reading: Reading, info: ContextInfo | None) -> None:
        """Compare what was said of a turn; the row of the reading is bold."""
        self._empty.hide()
        self._choose.hide()
        rows = self._rows(turn, reading)
        self._bars.set_rows(rows)
        self._bars.describe("; ".join(f"{row.name}: {row.word}" for row in rows))
        self._bars.show()
        note = " ".join(part for part in (self._revision(turn), self._caution(turn, info)) if part)
        self._note.setText(note)
        self._note.setVisible(bool(note))
        self._meaning.setVisible(self.height() >= _LOW)

    def _rows(self, turn: Turn, reading: Reading) -> list[ShareRow]:
        rows = []
        emotion, context, later = turn.emotion, turn.context, turn.hindsight
        if emotion is not None:
            parts = emotion_parts(
                emotion.labels, emotion.probabilities, self._theme, emotion.exclusive
            )
            doubt = emotion.uncertain
            word = names.unsure(names.emotions(emotion), doubt)
            if len(emotion.given) == 1:
                word += f" {names.probability(emotion.confidence)}"
            rows.append(ShareRow(self.tr("utterance model"), parts, word, faded=doubt))
        if context is None:
            return rows
        entries = [
            (Reading.ALONE, self.tr("alone"), context.alone),
            (Reading.CONTEXT, self.tr("in context"), context.probabilities),
        ]
        if later is not None:
            entries.append((Reading.HINDSIGHT, self.tr("seen later"), later.probabilities))
        for kind, name, values in entries:
            parts = emotion_parts(context.labels, values, self._theme)
            doubt = unsure(turn, kind)
            word = names.unsure(names.emotion(most_probable(context.labels, values)), doubt)
            word += f" {names.probability(max(values))}"
            rows.append(ShareRow(name, parts, word, strong=kind is reading, faded=doubt))
        return rows

    def _revision(self, turn: Turn) -> str:
        label = seen_later(turn)
        if label is None or turn.context is None:
            return ""
        return self.tr("{before} → {after}, seen later.").format(
            before=names.unsure(names.emotion(turn.context.label), turn.context.uncertain),
            after=names.unsure(names.emotion(label), unsure(turn, Reading.HINDSIGHT)),
        )

    def _caution(self, turn: Turn, info: ContextInfo | None) -> str:
        """Return a warning where the dialogue model never read the language of the turn."""
        model = info.model if info is not None else turn.context.model if turn.context else None
        spoken = spoken_language(turn)
        if model is None or not model.languages or spoken is None or spoken in model.languages:
            return ""
        known = ", ".join(names.language(code) for code in model.languages)
        return self.tr(
            "Careful: the dialogue model learned from conversations in {known}; this turn is in "
            "{spoken}."
        ).format(known=known, spoken=names.language(spoken))

    def _caption_font(self) -> None:
        for label in (self._note, self._meaning):
            font = self.font()
            font.setPointSizeF(max(7.0, font.pointSizeF() * 0.9))
            label.setFont(font)

    def changeEvent(self, event: QEvent) -> None:
        """Follow a change of language."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
