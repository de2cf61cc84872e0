"""Dock: the evidence for the selected turn, drawn from what the model handed over."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from core.types import (
    SAMPLE_RATE,
    AttentionKind,
    AttentionMap,
    EmotionResult,
    Modality,
    Turn,
)
from desktop import messages, names
from desktop.item_models.dialogue import turn_map
from desktop.item_models.turns import turn_text
from desktop.panels.choice_box import ChoiceBox
from desktop.panels.correction_row import CorrectionRow
from desktop.panels.panel import Panel
from desktop.plots.attention_plot import AttentionPlot
from desktop.plots.share_bar import ShareBars, ShareRow, emotion_parts
from desktop.source_text import QT_TRANSLATE_NOOP
from desktop.theme import Theme
from desktop.view_state import ViewState

_MEANING: Mapping[AttentionKind, str] = MappingProxyType(
    {
        AttentionKind.TOKEN: QT_TRANSLATE_NOOP(
            "WhyPanel",
            "Where the model looked: which moments of the voice it tied to which word. "
            "It is not a proof of why it decided.",
        ),
        AttentionKind.FRAME: QT_TRANSLATE_NOOP(
            "WhyPanel",
            "Which moments of the voice weighed most. It is not a proof of why it decided.",
        ),
        AttentionKind.FEATURE: QT_TRANSLATE_NOOP(
            "WhyPanel",
            "How features of the voice and of the text were mixed. Single cells have no meaning "
            "in words.",
        ),
        AttentionKind.MODALITY: QT_TRANSLATE_NOOP(
            "WhyPanel", "How much voice and text counted. It says nothing about what they said."
        ),
        AttentionKind.SPATIAL: QT_TRANSLATE_NOOP(
            "WhyPanel", "Which parts of the picture weighed most. Not a proof of the decision."
        ),
        AttentionKind.TURN: QT_TRANSLATE_NOOP(
            "WhyPanel",
            "How much the dialogue model drew on each turn, this one at the right. It is not a "
            "proof of why it decided.",
        ),
    }
)
_MAP_NAMES: Mapping[AttentionKind, str] = MappingProxyType(
    {
        AttentionKind.TOKEN: QT_TRANSLATE_NOOP("WhyPanel", "Words × time"),
        AttentionKind.FRAME: QT_TRANSLATE_NOOP("WhyPanel", "Moments of the voice"),
        AttentionKind.FEATURE: QT_TRANSLATE_NOOP("WhyPanel", "Mixed features"),
        AttentionKind.MODALITY: QT_TRANSLATE_NOOP("WhyPanel", "Voice and text"),
        AttentionKind.SPATIAL: QT_TRANSLATE_NOOP("WhyPanel", "Parts of the picture"),
        AttentionKind.TURN: QT_TRANSLATE_NOOP("WhyPanel", "Earlier turns"),
    }
)
_PROFILE = "feature_profile"
_NAMED: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        _PROFILE: (
            QT_TRANSLATE_NOOP("WhyPanel", "Feature by feature"),
            QT_TRANSLATE_NOOP(
                "WhyPanel",
                "How much each dimension of the two encoders was looked at, voice first, then "
                "text; dashed: if all counted alike. A dimension is neither a word nor a moment.",
            ),
        )
    }
)
"""Name and meaning of maps that are not just any of their kind."""

ROOM_FOR_MEANING = 260
"""Pixels of height below which the sentence about the picture gives way to the picture."""

_ORDER = tuple(_MAP_NAMES)


class WhyPanel(Panel):
    """Speech alone, text alone, together; the shares; and one of the model's maps."""

    play_asked = Signal(float, float)
    """A stretch of the session, in seconds, that the user wants to hear."""

    def __init__(self, state: ViewState, parent: QWidget | None = None) -> None:
        super().__init__(state, parent)
        self._head = QLabel(self)
        self.correction = CorrectionRow(state, self)
        self._views = ShareBars(self)
        self._choice = ChoiceBox(self)
        self._plot = AttentionPlot(self)
        self._meaning = QLabel(self)
        self._empty = QLabel(self)
        self._maps: tuple[AttentionMap, ...] = ()
        self._chosen = ""
        """Name of the map the user wanted to see last."""
        self._build()
        state.turn_changed.connect(self._follow)
        state.turn_revised.connect(self._follow)
        state.selection_changed.connect(self._refresh)
        state.cleared.connect(self._refresh)
        self._choice.activated.connect(self._choose)
        self._plot.pointed.connect(self._play)
        self.set_theme(state.theme)
        self.retranslate()

    def title(self) -> str:
        """Return the title of the dock."""
        return self.tr("Why")

    def retranslate(self) -> None:
        """Set every text again."""
        self._views.setAccessibleName(self.tr("Speech alone, text alone and together"))
        self._choice.setAccessibleName(self.tr("Picture"))
        self._plot.setAccessibleName(self.tr("Attention of the model"))
        self._refresh()

    def set_theme(self, theme: Theme) -> None:
        """Use other colours."""
        self._views.set_theme(theme)
        self._plot.set_theme(theme)
        self.correction.set_theme(theme)
        self._refresh()

    def _build(self) -> None:
        self._head.setObjectName("muted")
        self._head.setWordWrap(True)
        self._meaning.setObjectName("caption")
        self._meaning.setWordWrap(True)
        font = self._meaning.font()
        font.setPointSizeF(max(7.0, font.pointSizeF() * 0.9))
        self._meaning.setFont(font)
        self._empty.setObjectName("muted")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setWordWrap(True)
        row = QHBoxLayout()
        row.addWidget(self._head, 1)
        row.addWidget(self._choice, 0, Qt.AlignmentFlag.AlignTop)
        self.body.addLayout(row)
        self.body.addWidget(self.correction)
        self.body.addWidget(self._views)
        self.body.addWidget(self._plot, 1)
        self.body.addWidget(self._meaning)
        self.body.addWidget(self._empty, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave what the picture means to its tooltip where there is hardly room for it."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        shown = not self._plot.isHidden() and self.height() >= ROOM_FOR_MEANING
        self._meaning.setVisible(shown)
        self._plot.setToolTip("" if shown else self._meaning.text())

    def _follow(self, turn: Turn) -> None:
        shown = self.state.evidence_turn()
        if shown is not None and shown.index == turn.index:
            self._refresh()

    def _refresh(self, *_: object) -> None:
        turn = self.state.evidence_turn()
        result = None if turn is None else turn.emotion
        for widget in (self._head, self._views, self._plot, self._meaning):
            widget.setVisible(result is not None)
        self._empty.setVisible(result is None)
        self.correction.show_turn(turn)
        if turn is None or result is None:
            self._choice.hide()
            self._empty.setText(self._why_nothing(turn))
            return
        self._head.setText(self._headline(turn, result))
        rows = self._rows(result)
        self._views.set_rows(rows)
        self._views.describe("; ".join(f"{row.name}: {row.word}" for row in rows))
        maps = [entry for entry in result.attentions if not _says_nothing(entry)]
        among_turns = turn_map(turn, self.state.turns)
        maps += [among_turns] if among_turns is not None else []
        self._maps = tuple(sorted(maps, key=lambda entry: _ORDER.index(entry.kind)))
        self._show_map()
        self._fit()

    def _why_nothing(self, turn: Turn | None) -> str:
        """Return why there is no evidence: nothing is selected, or the turn was not judged."""
        notes = [messages.note(code) for code in turn.notes] if turn is not None else []
        asked = self.tr("Select a turn to see what its emotion was read from.")
        return " · ".join(note for note in notes if note) or asked

    def _headline(self, turn: Turn, result: EmotionResult) -> str:
        notes = [messages.note(code) for code in (*result.notes, *turn.notes)]
        parts = [names.clock(turn.start / SAMPLE_RATE)]
        parts += [text for text in (turn.speaker, _quoted(turn)) if text]
        parts += [note for note in notes if note]
        if result.baseline_seconds >= 1:
            parts.append(
                self.tr("compared with {seconds} s of the same voice").format(
                    seconds=round(result.baseline_seconds)
                )
            )
        if result.model.personal:
            parts.append(
                self.tr("with what was learned of “{name}”").format(name=result.model.personal)
            )
        return " · ".join(parts)

    def _rows(self, result: EmotionResult) -> list[ShareRow]:
        rows = []
        for kind in result.modalities:
            values = result.by_modality.get(kind)
            if values is not None:
                share = result.modality_share.get(kind, 0.0)
                name = self._modality_name(kind, share, len(result.modalities))
                rows.append(self._row(name, result, values))
        if len(rows) != 1:
            together = self._row(self.tr("together"), result, result.probabilities)
            rows.append(ShareRow(together.name, together.parts, together.word, strong=True))
        return rows

    def _modality_name(self, kind: Modality, share: float, count: int) -> str:
        if count == 1:
            return self.tr("{modality} alone").format(modality=names.modality(kind))
        return self.tr("{modality} ({share})").format(
            modality=names.modality(kind), share=names.percent(share)
        )

    def _row(self, name: str, result: EmotionResult, values: tuple[float, ...]) -> ShareRow:
        """Return a bar of what a result says, and in words."""
        parts = emotion_parts(result.labels, values, self.state.theme, result.exclusive)
        given = " + ".join(names.emotion(label) for label in result.given_by(values))
        return ShareRow(name, parts, given or names.no_emotion())

    def _show_map(self) -> None:
        entries = [entry.name for entry in self._maps]
        self._choice.setVisible(len(entries) > 1)
        words = [self._map_words(entry)[0] for entry in self._maps]
        if [self._choice.itemText(i) for i in range(self._choice.count())] != words:
            self._choice.clear()
            self._choice.addItems(words)
        position = entries.index(self._chosen) if self._chosen in entries else 0
        if entries:
            self._choice.setCurrentIndex(position)
        shown = self._maps[position] if self._maps else None
        self._plot.set_map(shown)
        empty = self.tr("This model has no attention to show; the bars above are all there is.")
        self._plot.set_empty_text(empty)
        self._meaning.setText("" if shown is None else self._map_words(shown)[1])
        self._plot.describe(self._meaning.text() or empty)

    def _choose(self, position: int) -> None:
        if position < len(self._maps):
            self._chosen = self._maps[position].name
            self._show_map()

    def _map_words(self, entry: AttentionMap) -> tuple[str, str]:
        """Return the name and the meaning of a map."""
        name, meaning = _NAMED.get(entry.name, (_MAP_NAMES[entry.kind], _MEANING[entry.kind]))
        return self.tr(name), self.tr(meaning)

    def _play(self, first: float, last: float) -> None:
        turn = self.state.evidence_turn()
        if turn is not None:
            start = turn.start / SAMPLE_RATE
            self.play_asked.emit(start + max(0.0, first - 0.15), start + last + 0.15)


def _says_nothing(entry: AttentionMap) -> bool:
    """True for the share of the only modality there is."""
    return entry.kind is AttentionKind.MODALITY and entry.weights.shape[1] < 2


def _quoted(turn: Turn, most: int = 28) -> str:
    text = turn_text(turn)
    return f"“{text[:most].rstrip()}…”" if len(text) > most else f"“{text}”" if text else ""
