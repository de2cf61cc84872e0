"""Whether what was learned is used, for whom, and what it was worth."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from core.personal.types import PersonalAdapterInfo
from desktop import personal_words
from desktop.panels.tick_box import TickBox


class Use(QFrame):
    """A switch; with several speakers, a box for each."""

    switched = Signal(bool)
    speakers_chosen = Signal(object)
    """Names (a tuple); none: everybody."""
    again_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.switch = TickBox(self)
        self.worth = QLabel(self)
        self.whom = QLabel(self.tr("For the voice of:"), self)
        self.boxes: dict[str, TickBox] = {}
        self.again = QPushButton(self.tr("Judge this recording again"), self)
        self._speakers_row = QHBoxLayout()
        self._build()

    def show_state(
        self,
        adapter: PersonalAdapterInfo | None,
        person: str,
        on: bool,
        speakers: tuple[str, ...],
        used_for: tuple[str, ...],
        told: bool,
    ) -> None:
        """Show an adapter (None: there is none), and the session's speakers it is used for.

        `told`: what it was worth stands above, as it was learned just now.
        """
        self.switch.setEnabled(adapter is not None)
        self.switch.setChecked(on)
        self.switch.setText(
            self.tr("Use what was learned of “{name}”, from the next utterance on").format(
                name=person
            )
        )
        if adapter is None:
            self.worth.setText(self.tr("Nothing has been learned for this model yet."))
        else:
            self.worth.setText(personal_words.worth(adapter.gain))
        self.worth.setVisible(not told)
        self._show_speakers(speakers if adapter is not None else (), used_for)

    def show_again(self, possible: bool) -> None:
        """Offer to judge the recording again, whose turns were judged as things were then."""
        self.again.setVisible(possible)

    def _show_speakers(self, speakers: tuple[str, ...], used_for: tuple[str, ...]) -> None:
        several = speakers if len(speakers) > 1 else ()
        if tuple(self.boxes) != several:
            for box in self.boxes.values():
                self._speakers_row.removeWidget(box)
                box.deleteLater()
            self.boxes = {name: self._box(name) for name in several}
        self.whom.setVisible(bool(several))
        for name, box in self.boxes.items():
            box.setChecked(not used_for or name in used_for)

    def _box(self, name: str) -> TickBox:
        box = TickBox(name.replace("&", "&&"), self)
        box.clicked.connect(self._choose)
        self._speakers_row.insertWidget(self._speakers_row.count() - 1, box)
        return box

    def _choose(self) -> None:
        chosen = tuple(name for name, box in self.boxes.items() if box.isChecked())
        if not chosen:  # that would be nobody: then it is better switched off
            self.switched.emit(False)
        else:
            self.speakers_chosen.emit(() if len(chosen) == len(self.boxes) else chosen)

    def _build(self) -> None:
        heading = QLabel(self.tr("Use it"), self)
        heading.setObjectName("heading")
        self.worth.setWordWrap(True)
        self.worth.setObjectName("muted")
        self._speakers_row.addWidget(self.whom)
        self._speakers_row.addStretch(1)
        row = QHBoxLayout()
        row.addWidget(self.switch, 1)
        row.addWidget(self.again)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 10, 14, 12)
        column.addWidget(heading)
        column.addLayout(row)
        column.addLayout(self._speakers_row)
        column.addWidget(self.worth)
        self.again.setAutoDefault(False)
        self.switch.clicked.connect(self.switched)
        self.again.clicked.connect(self.again_wanted)
