"""Learning from corrections: the button, how far it is, and what came of it."""

from __future__ import annotations

from PySide6.QtCore import QLocale, Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop import names, personal_words
from desktop.panels.tick_box import TickBox
from desktop.personal import Outcome


class Learning(QFrame):
    """One line in each of its three states: ready, at work, done."""

    wanted = Signal()
    cancelled = Signal()
    left_alone_chosen = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.heading = QLabel(self)
        self.ground = QFrame(self)
        self.readiness = QLabel(self.ground)
        self.adapt = QPushButton(self.tr("Adapt"), self)
        self.left_alone = TickBox(self)
        self.progress = QProgressBar(self)
        self.cancel = QPushButton(self.tr("Cancel"), self)
        self._inside = QVBoxLayout(self.ground)
        self._build()

    def show_state(
        self, corrections: int, model: str, progress: float | None, outcome: Outcome | None
    ) -> None:
        """Show how many corrections there are, how far learning is, and what came of the last."""
        working = progress is not None
        self.heading.setText(self.tr("Learn from it, for the model {model}").format(model=model))
        if outcome is None:
            self.readiness.setText(personal_words.readiness(corrections))
        else:
            self.readiness.setText(personal_words.outcome(outcome.report, outcome.person))
        self.ground.setVisible(not working)
        self.adapt.setVisible(not working)
        self.adapt.setEnabled(corrections >= personal_words.LEAST_CORRECTIONS)
        self.progress.setVisible(working)
        self.cancel.setVisible(working)
        if progress is not None:
            self.progress.setValue(round(1000 * progress))
            self.progress.setFormat(names.percent(progress))
        self._mark(outcome if not working else None)

    def show_left_alone(self, counts: bool, passed: int) -> None:
        """Show whether turns that were left alone count, and how many are among those shown."""
        self.left_alone.setChecked(counts)
        text = self.tr(
            "Turns I passed without a word were right (up to the last one I spoke about; they "
            "weigh less)"
        )
        more = self.tr("{text}: {count}").format(text=text, count=QLocale().toString(passed))
        self.left_alone.setText(more if counts and passed else text)

    def _mark(self, outcome: Outcome | None) -> None:
        """Put what came of it on a ground of its own."""
        good = outcome is not None and outcome.report.reason in ("kept", "cancelled")
        severity = "" if outcome is None else "info" if good else "warning"
        if self.ground.property("severity") != severity:
            self.ground.setProperty("severity", severity)
            inset = (12, 6, 12, 6) if severity else (0, 0, 0, 0)
            self._inside.setContentsMargins(*inset)
            self.ground.style().unpolish(self.ground)
            self.ground.style().polish(self.ground)

    def _build(self) -> None:
        self.heading.setObjectName("heading")
        self.ground.setObjectName("outcome")
        self._inside.setContentsMargins(0, 0, 0, 0)
        self._inside.addWidget(self.readiness)
        self.readiness.setWordWrap(True)
        self.readiness.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.adapt.setObjectName("primary")
        self.progress.setRange(0, 1000)
        self.progress.setAccessibleName(self.tr("How far learning is"))
        row = QHBoxLayout()
        row.addWidget(self.ground, 1)
        row.addWidget(self.progress, 1)
        row.addWidget(self.adapt)
        row.addWidget(self.cancel)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 10, 14, 12)
        column.addWidget(self.heading)
        column.addLayout(row)
        column.addWidget(self.left_alone)
        for button in (self.adapt, self.cancel):
            button.setAutoDefault(False)
        self.adapt.clicked.connect(self.wanted)
        self.cancel.clicked.connect(self.cancelled)
        self.left_alone.clicked.connect(self.left_alone_chosen)
