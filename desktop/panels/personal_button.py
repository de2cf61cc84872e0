"""In the status line: whether a personal adapter takes part, switched by a click."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QToolButton, QWidget

from core.personal.types import Gain
from desktop import names, personal_words


@dataclass(frozen=True, slots=True)
class PersonalState:
    """Whose adapter there may be, whether it is used and for whom, and how far learning is."""

    person: str = ""
    there: bool = False
    on: bool = False
    speakers: tuple[str, ...] = ()
    progress: float | None = None
    gain: Gain | None = None


class PersonalButton(QToolButton):
    """Hidden where there is nothing to switch."""

    switched = Signal()
    dialog_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = PersonalState()
        self.setObjectName("engine")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.clicked.connect(self._click)
        self.refresh()

    def show_state(self, state: PersonalState) -> None:
        """Say this."""
        if state != self._state:
            self._state = state
            self.refresh()

    def explanation(self) -> str:
        """Return what is in use and what it was worth; "" for nothing."""
        state = self._state
        if not state.there or state.gain is None:
            return ""
        used = personal_words.used_for(state.person, state.on, state.speakers)
        return f"{used} {personal_words.worth(state.gain)}"

    def refresh(self) -> None:
        """Say again what holds, as in another language."""
        state = self._state
        self.setVisible(state.there or state.progress is not None)
        if state.progress is not None:
            share = names.percent(state.progress)
            self.setText(self.tr("learning… {share}").format(share=share))
            self.setToolTip(
                self.tr("Learning from corrections of “{name}”").format(name=state.person)
            )
        else:
            text = self.tr("● personal: {name}") if state.on else self.tr("○ personal: off")
            self.setText(text.format(name=personal_words.whom(state.person, state.speakers)))
            click = self.tr("Click to switch it off.") if state.on else self.tr("Click to use it.")
            self.setToolTip(f"{self.explanation()}\n{click}")
        self.setAccessibleName(self.tr("Personal adapter"))
        self.setAccessibleDescription(self.toolTip())

    def _click(self) -> None:
        if self._state.progress is not None:
            self.dialog_wanted.emit()
        else:
            self.switched.emit()

    def changeEvent(self, event: QEvent) -> None:
        """Follow a change of language."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.refresh()
