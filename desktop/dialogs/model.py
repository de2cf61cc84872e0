"""A model before it is used: what it takes and gives, what was measured, under which licence."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from PySide6.QtCore import QLocale, Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from core.models.adapters.reference import BaseReference
from core.models.summary import CheckpointSummary, Figure
from desktop import messages, names
from desktop.bridge import EventBridge

_FIGURES: Mapping[str, str] = MappingProxyType(
    {
        "uar": "UAR",
        "f1_macro": "macro F1",
        "f1_weighted": "weighted F1",
        "f1_micro": "micro F1",
        "ccc_arousal": "CCC arousal",
        "ccc_valence": "CCC valence",
    }
)
"""What the field calls its figures, in any language."""


class ModelDialog(QDialog):
    """Reads a checkpoint folder in the background; `chosen(folder)`, empty for the embedded one.

    Args:
        folder: what to show first.
        embedded: the folder of the checkpoint that ships with the program.
    """

    chosen = Signal(str)

    def __init__(
        self, bridge: EventBridge, folder: Path, embedded: Path, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._embedded = embedded
        self._folder = folder
        self._name = QLabel(self)
        self._trouble = QLabel(self)
        self._banner = QFrame(self)
        self._card = QWidget(self)
        self._rows = QFormLayout(self._card)
        self._other = QPushButton(self.tr("Another folder…"), self)
        self._ours = QPushButton(self.tr("The embedded model"), self)
        self._close = QPushButton(self.tr("Close"), self)
        self._use = QPushButton(self.tr("Use this model"), self)
        self._build()
        self.show_folder(folder)

    def show_folder(self, folder: Path) -> None:
        """Read a folder and show what it holds, or why it can't be used."""
        self._folder = folder
        self._use.setEnabled(False)
        self._ours.setEnabled(folder != self._embedded)
        self._banner.hide()
        self._clear()
        self._name.setText(folder.name)
        self._add(self.tr("Folder"), str(folder))
        self._add("", self.tr("Its files are being checked…"))

        def work() -> CheckpointSummary:
            from core.models.summary import summarise

            return summarise(folder)

        self._bridge.run(
            "model",
            work,
            lambda found: self._show(folder, found),
            lambda error: self._refuse(folder, error),
        )

    def _build(self) -> None:
        self.setWindowTitle(self.tr("Model"))
        self.setMinimumWidth(560)
        font = self._name.font()
        font.setPointSizeF(font.pointSizeF() * 1.5)
        font.setBold(True)
        self._name.setFont(font)
        self._name.setWordWrap(True)
        self._banner.setObjectName("banner")
        self._banner.setProperty("severity", "error")
        inside = QVBoxLayout(self._banner)
        self._trouble.setWordWrap(True)
        self._trouble.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        inside.addWidget(self._trouble)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setHorizontalSpacing(18)
        self._rows.setVerticalSpacing(8)
        self._rows.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self._rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        column = QVBoxLayout(self)
        column.setContentsMargins(22, 18, 22, 14)
        column.setSpacing(12)
        for widget in (self._name, self._banner, self._card):
            column.addWidget(widget)
        column.addStretch(1)
        column.addLayout(self._buttons())

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addWidget(self._other)
        row.addWidget(self._ours)
        row.addStretch(1)
        row.addWidget(self._close)
        row.addWidget(self._use)
        for button in (self._other, self._ours, self._close):
            button.setAutoDefault(False)
        self._use.setObjectName("primary")
        self._use.setDefault(True)
        self._other.clicked.connect(self._choose)
        self._ours.clicked.connect(lambda: self.show_folder(self._embedded))
        self._close.clicked.connect(self.reject)
        self._use.clicked.connect(self._take)
        return row

    def _choose(self) -> None:
        folder = QFileDialog.getExistingDirectory(
            self, self.tr("Folder of a model"), str(self._folder.parent)
        )
        if folder:
            self.show_folder(Path(folder))

    def _take(self) -> None:
        self.chosen.emit("" if self._folder == self._embedded else str(self._folder))
        self.accept()

    def _refuse(self, folder: Path, error: Exception) -> None:
        if folder != self._folder:
            return
        self._clear()
        self._add(self.tr("Folder"), str(folder))
        self._trouble.setText(messages.error_sentence(error))
        self._banner.show()

    def _show(self, folder: Path, found: CheckpointSummary) -> None:
        if folder != self._folder:
            return
        info = found.info
        self._clear()
        self._name.setText(
            self.tr("{name}, version {version}").format(name=info.name, version=info.version)
        )
        if info.base is not None:
            self._add(self.tr("Adapter of"), self._base(info.base))
        self._add(self.tr("Takes"), self._takes(found))
        self._add(self.tr("Emotions"), self._gives(found))
        self._add(self.tr("Arousal and valence"), self._affect(found))
        self._add(self.tr("System"), self._system(found))
        self._add(self.tr("Measured"), self._measured(found.figures))
        self._add(self.tr("Licence"), found.licence or self.tr("Its card does not say."))
        self._add(self.tr("Folder"), str(folder))
        self._use.setEnabled(True)
        self._use.setFocus()

    def _base(self, base: BaseReference) -> str:
        return self.tr("{name} (sha256 {digest}…), which has to be on this computer too").format(
            name=base.name, digest=base.digest[:12]
        )

    def _takes(self, found: CheckpointSummary) -> str:
        specification = found.info.specification
        kinds = " + ".join(names.modality(kind) for kind in specification.modalities)
        if not specification.languages:
            return kinds
        languages = ", ".join(names.language(code) for code in specification.languages)
        return self.tr("{modalities} (text in: {languages})").format(
            modalities=kinds, languages=languages
        )

    def _gives(self, found: CheckpointSummary) -> str:
        words = ", ".join(names.emotion(label) for label in found.info.specification.labels)
        how = (
            self.tr("one at a time")
            if found.exclusive
            else self.tr("each on its own, several at once")
        )
        return self.tr("{emotions} ({how})").format(emotions=words, how=how)

    def _affect(self, found: CheckpointSummary) -> str:
        if found.info.specification.affect:
            return self.tr("measured by the model")
        return self.tr("derived from the probabilities")

    def _system(self, found: CheckpointSummary) -> str:
        size = QLocale().toString(found.megabytes, "f", 0 if found.megabytes >= 10 else 1)
        parts = " + ".join(dict.fromkeys(found.encoders.values()))
        return self.tr("{system}, encoders: {encoders}, {megabytes} MB").format(
            system=found.system, encoders=parts or "–", megabytes=size
        )

    def _measured(self, figures: tuple[Figure, ...]) -> str:
        if not figures:
            return self.tr("Its folder holds no figures.")
        return "\n".join(self._figure(figure) for figure in figures)

    def _figure(self, figure: Figure) -> str:
        name = _FIGURES.get(figure.name, figure.name)
        text = f"{name} {names.probability(figure.value)}"
        if figure.low is not None and figure.high is not None:
            low, high = names.probability(figure.low), names.probability(figure.high)
            text = self.tr("{figure} ({low} to {high})").format(figure=text, low=low, high=high)
        if figure.guessing is not None:
            guess = names.probability(figure.guessing)
            text = self.tr("{figure}, always the commonest class: {guess}").format(
                figure=text, guess=guess
            )
        return f"{figure.where}: {text}" if figure.where else text

    def _clear(self) -> None:
        while self._rows.rowCount():
            self._rows.removeRow(0)

    def _add(self, name: str, text: str) -> None:
        value = QLabel(text, self._card)
        value.setWordWrap(True)
        value.setTextFormat(Qt.TextFormat.PlainText)
        value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        title = QLabel(name, self._card)
        title.setObjectName("muted")
        title.setAlignment(Qt.AlignmentFlag.AlignTop)
        title.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        value.setAccessibleName(name)
        self._rows.addRow(title, value)
