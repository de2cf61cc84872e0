"""Page of the dialogue panel: the nested (Matryoshka) sizes of the dialogue model."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QLocale, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from core.types import ContextInfo, NestedSize, Turn
from desktop import names
from desktop.item_models.dialogue import NestedTally
from desktop.item_models.readings import most_probable
from desktop.panels.own_keys import ArrowSlider
from desktop.plots.nested_sizes import NestedSizes, SizeColumn
from desktop.theme import Theme

_HANDLE = 16
"""Pixels of a slider's handle: its middle travels between the middles of the outer columns."""

HARDLY_SMALLER = 0.8
"""Share of the parameters from which on a size saves little; `emoscope cut` says so from there."""


class SizesPage(QWidget):
    """A slider over the sizes, what each costs, and how the answer changes."""

    def __init__(self, theme: Theme, tally: NestedTally, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tally = tally
        self._sizes: tuple[NestedSize, ...] = ()
        self._turn: Turn | None = None
        self._cost = QLabel(self)
        self._plot = NestedSizes(self)
        self.slider = ArrowSlider(Qt.Orientation.Horizontal, self)
        self._answer = QLabel(self)
        self._build()
        self.set_theme(theme)
        self.slider.valueChanged.connect(self._moved)
        self._plot.chosen.connect(self.slider.setValue)
        self.retranslate()

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        self.slider.setPageStep(1)
        self._track = QVBoxLayout()
        self._track.addWidget(self.slider)
        self._cost.setWordWrap(True)
        self._answer.setWordWrap(True)
        self._answer.setObjectName("muted")
        for label in (self._cost, self._answer):
            font = self.font()
            font.setPointSizeF(max(7.0, font.pointSizeF() * 0.9))
            label.setFont(font)
        column.addWidget(self._cost)
        column.addWidget(self._plot, 1)
        column.addLayout(self._track)
        column.addWidget(self._answer)

    def retranslate(self) -> None:
        """Set every text again."""
        self.slider.setAccessibleName(self.tr("Nested size of the dialogue model"))
        self._plot.setAccessibleName(self.tr("What each nested size says of this turn"))
        self._plot.setToolTip(
            self.tr(
                "One column for each number of dimensions, its colours the probabilities. A dot "
                "above: that size gives another emotion than the whole model."
            )
        )
        self._refresh()

    def set_theme(self, theme: Theme) -> None:
        """Use other colours."""
        self._plot.set_theme(theme)

    def set_info(self, info: ContextInfo | None) -> None:
        """Offer the sizes of a model, from the smallest to the whole."""
        sizes = () if info is None else tuple(sorted(info.sizes, key=lambda size: size.size))
        if sizes != self._sizes:
            self._sizes = sizes
            self.slider.setRange(0, max(0, len(sizes) - 1))
            self.slider.setValue(max(0, len(sizes) - 1))
            self._place_slider()
        self._refresh()

    def show_turn(self, turn: Turn | None) -> None:
        """Show what every size says of this turn."""
        self._turn = turn
        self._refresh()

    def _moved(self, _: int) -> None:
        self._refresh()

    def _refresh(self) -> None:
        if not self._sizes:
            return
        position = min(self.slider.value(), len(self._sizes) - 1)
        chosen = self._sizes[position]
        self._plot.set_position(position)
        self._show_columns()
        cost, answer = self._cost_of(chosen), self._answer_of(chosen)
        self._cost.setText(cost)
        self._cost.setToolTip(
            self.tr(
                "Dimensions of the representation, parameters of the model cut to them, their size "
                "as 32-bit numbers, and the time for a new turn measured on this computer. A model "
                "most of which comes before that representation is hardly smaller when it is cut."
            )
        )
        self._answer.setText(answer)
        self.slider.setAccessibleDescription(f"{cost} {answer}")
        self._plot.describe(answer)

    def _show_columns(self) -> None:
        result = None if self._turn is None else self._turn.context
        labels = () if result is None else result.labels
        columns = []
        for entry in self._sizes:
            values = () if result is None else result.nested.get(entry.size, ())
            label = most_probable(labels, values) if values else None
            differs = result is not None and label not in (None, result.label)
            columns.append(SizeColumn(entry.size, values, differs))
        self._plot.set_columns(labels, columns)

    def _cost_of(self, chosen: NestedSize) -> str:
        local = QLocale()
        return self.tr("{size}: {parameters} parameters, {bytes}, {milliseconds} ms a turn").format(
            size=local.toString(chosen.size),
            parameters=_shortly(chosen.parameters),
            bytes=local.formattedDataSize(chosen.bytes, 1, QLocale.DataSizeFormat.DataSizeSIFormat),
            milliseconds=local.toString(chosen.milliseconds, "f", 1),
        )

    def _saving_of(self, chosen: NestedSize) -> str:
        whole = self._sizes[-1]
        share = chosen.parameters / max(1, whole.parameters)
        if chosen.size >= whole.size or share <= HARDLY_SMALLER:
            return ""
        text = self.tr("Hardly smaller than the whole: {share} of the parameters are left.")
        return text.format(share=names.percent(share))

    def _answer_of(self, chosen: NestedSize) -> str:
        parts = [part for part in (self._saving_of(chosen),) if part]
        result = None if self._turn is None else self._turn.context
        values = None if result is None else result.nested.get(chosen.size)
        if result is not None and values:
            label = most_probable(result.labels, values)
            said = f"{names.emotion(label)} {names.probability(max(values))}"
            text = (
                self.tr("This turn: {emotion}, as with the whole model.")
                if label == result.label
                else self.tr("This turn: {emotion} instead of {whole}.")
            )
            parts.append(text.format(emotion=said, whole=names.emotion(result.label)))
        if self._tally.turns:
            text = self.tr("Another emotion in {count} of {turns} turns.")
            count = self._tally.differing(chosen.size)
            parts.append(text.format(count=count, turns=self._tally.turns))
        return " ".join(parts)

    def _place_slider(self) -> None:
        first, last = self._plot.centres()
        margin = max(0, round(first - _HANDLE / 2))
        right = max(0, round(self._plot.width() - last - _HANDLE / 2))
        self._track.setContentsMargins(margin, 0, right, 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the slider below its columns."""
        super().resizeEvent(event)
        self._place_slider()

    def changeEvent(self, event: QEvent) -> None:
        """Follow a change of language."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()


def _shortly(count: int) -> str:
    """Return a large number as "173 k" or "1.2 M"."""
    local = QLocale()
    if count >= 1_000_000:
        return f"{local.toString(count / 1e6, 'f', 1)} M"
    return f"{local.toString(count / 1e3, 'f', 0)} k" if count >= 10_000 else local.toString(count)
