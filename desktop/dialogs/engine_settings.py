"""The page of the settings about what computes the results, and how soon they are shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from PySide6.QtCore import QLocale, Qt
from PySide6.QtWidgets import QFormLayout, QLabel, QVBoxLayout, QWidget

from core.models.runtimes.base import AUTO, LOSSY, Mode, available, parse_preference
from desktop import engine_words
from desktop.panels.choice_box import ChoiceBox
from desktop.settings import PAUSES, AppSettings, runtime_text

SENTENCE_WIDTH = 460
"""Least pixels of the sentences: in a narrower dialog some would need more lines than they get."""


class EngineSettings(QWidget):
    """Four choices with a sentence each; `applied` puts them into settings."""

    def __init__(self, settings: AppSettings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.processor = self._box(self._processors(), settings.processor)
        self.runtime = self._box(self._runtimes(settings.runtime), settings.runtime)
        self.text = self._box(self._texts(), settings.better_text)
        self.pause = self._box(self._pauses(), settings.pause)
        self._build()

    def applied(self, settings: AppSettings) -> AppSettings:
        """Return the settings with what was chosen here."""
        return replace(
            settings,
            processor=self.processor.currentData(),
            runtime=self.runtime.currentData(),
            better_text=self.text.currentData(),
            pause=self.pause.currentData(),
        )

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 16, 14, 10)
        form = QFormLayout()
        form.setHorizontalSpacing(18)
        form.setVerticalSpacing(4)
        for name, box, sentence in self._rows():
            box.setAccessibleName(name)
            box.setAccessibleDescription(sentence)
            said = QLabel(sentence, self)
            said.setObjectName("muted")
            said.setWordWrap(True)
            said.setAlignment(Qt.AlignmentFlag.AlignTop)
            said.setContentsMargins(0, 0, 0, 10)
            said.setMinimumWidth(SENTENCE_WIDTH)
            form.addRow(name, box)
            form.addRow("", said)
        column.addLayout(form)
        column.addStretch(1)
        note = QLabel(self.tr("All of this holds from the next recording on."), self)
        note.setObjectName("muted")
        column.addWidget(note)

    def _rows(self) -> tuple[tuple[str, ChoiceBox, str], ...]:
        return (
            (
                self.tr("Processor"),
                self.processor,
                self.tr("Large models are many times as fast on a GPU; small ones need none."),
            ),
            (
                self.tr("Encoders computed by"),
                self.runtime,
                self.tr(
                    "Tried out on this computer when a model with large encoders is loaded; "
                    "approximate ones are faster and answer a little differently."
                ),
            ),
            (
                self.tr("Text of a turn"),
                self.text,
                self.tr(
                    "Quick: the text is there at once, and a more careful look may replace some "
                    "words a moment later. Careful: it comes later and stays."
                ),
            ),
            (
                self.tr("A turn is over after"),
                self.pause,
                self.tr("Less shows results sooner; more keeps slow sentences in one piece."),
            ),
        )

    def _processors(self) -> list[tuple[str, object]]:
        return [
            (self.tr("The GPU if it can be used, else the CPU"), "auto"),
            (self.tr("CPU"), "cpu"),
            (self.tr("GPU"), "cuda"),
        ]

    def _runtimes(self, chosen: str) -> list[tuple[str, object]]:
        entries: list[tuple[str, object]] = [
            (self.tr("The fastest with the same results"), AUTO),
            (self.tr("The fastest, also approximate if a check was passed"), LOSSY),
        ]
        entries += [(self._mode(mode), runtime_text(mode)) for mode in available()]
        if chosen not in [value for _, value in entries]:
            mode = parse_preference(chosen).mode
            name = chosen if mode is None else self._mode(mode)
            entries.append((self.tr("{name}, not installed").format(name=name), chosen))
        return entries

    def _mode(self, mode: Mode) -> str:
        name = engine_words.mode(mode.runtime, mode.precision.value)
        return self.tr("{name}, approximate").format(name=name) if mode.lossy else name

    def _texts(self) -> list[tuple[str, object]]:
        return [(self.tr("Quick, then better"), True), (self.tr("Careful from the start"), False)]

    def _pauses(self) -> list[tuple[str, object]]:
        text = self.tr("{seconds} s of silence")
        write: Callable[[float], str] = lambda s: QLocale().toString(s, "f", 1)  # noqa: E731
        return [(text.format(seconds=write(seconds)), name) for name, seconds in PAUSES.items()]

    def _box(self, entries: Sequence[tuple[str, object]], chosen: object) -> ChoiceBox:
        box = ChoiceBox(self)
        for text, value in entries:
            box.addItem(text, value)
        values = [value for _, value in entries]
        box.setCurrentIndex(values.index(chosen) if chosen in values else 0)
        return box
