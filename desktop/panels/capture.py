"""The bar at the top: record or stop, open, microphone, channels, level, language, model."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from core.pipeline.events import SessionState
from desktop import icons, names
from desktop.panels.choice_box import ChoiceBox
from desktop.plots.level_meter import LevelMeter
from desktop.settings import CHANNEL_CHOICES, SPEECH_LANGUAGES
from desktop.theme import Theme
from desktop.view_state import ViewState

_BUSY = (SessionState.LOADING, SessionState.RUNNING)


class CapturePanel(QWidget):
    """Says what the user wants; the controller does it."""

    record_clicked = Signal()
    open_clicked = Signal()
    settings_clicked = Signal()
    device_chosen = Signal(str)
    devices_wanted = Signal()
    channels_chosen = Signal(str)
    language_chosen = Signal(str)
    checkpoint_chosen = Signal(str)
    checkpoint_wanted = Signal()

    def __init__(self, state: ViewState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state = state
        self.record = QPushButton(self)
        self.record.setObjectName("record")
        self.open = QPushButton(self)
        self.device = ChoiceBox(self)
        self.channels = ChoiceBox(self)
        self.meter = LevelMeter(self)
        self.language = ChoiceBox(self)
        self.model = ChoiceBox(self)
        self.gear = QToolButton(self)
        self._labels = {box: QLabel(self) for box in (self.device, self.language, self.model)}
        self._devices: tuple[tuple[str, str], ...] = ()
        self._checkpoints: tuple[tuple[str, str], ...] = ()
        self._build()
        state.sound_changed.connect(self._show_level)
        state.state_changed.connect(self._show_state)
        state.cleared.connect(self._show_level)
        state.theme_changed.connect(self.set_theme)
        self.set_theme(state.theme)
        self.retranslate()

    def retranslate(self) -> None:
        """Set every text again."""
        for box, text in (
            (self.device, self.tr("Microphone")),
            (self.language, self.tr("Language")),
            (self.model, self.tr("Model")),
        ):
            self._labels[box].setText(text)
            box.setAccessibleName(text)
            box.setToolTip(text)
        self.channels.setAccessibleName(self.tr("Channels"))
        self.channels.setToolTip(self.tr("Which channels are heard; two can be two speakers"))
        self.meter.setAccessibleName(self.tr("Level of the sound"))
        self.open.setText(self.tr("Open…"))
        self.open.setToolTip(self.tr("Open a recording (Ctrl+O)"))
        self.open.setAccessibleName(self.tr("Open a recording"))
        self.gear.setToolTip(self.tr("Settings (Ctrl+,)"))
        self.gear.setAccessibleName(self.tr("Settings"))
        words = {
            "mono": self.tr("Mixed"),
            "left": self.tr("Left"),
            "right": self.tr("Right"),
            "both": self.tr("Two speakers"),
        }
        _fill(self.channels, [(words[key], key) for key in CHANNEL_CHOICES])
        _fill(self.language, [(names.language(code), code) for code in SPEECH_LANGUAGES])
        self.set_devices(self._devices)
        self.set_checkpoints(self._checkpoints)
        self._show_state(self.state.session)

    def set_theme(self, theme: Theme) -> None:
        """Use other colours."""
        self.meter.set_theme(theme)
        self.open.setIcon(icons.icon("folder", theme.text))
        self.gear.setIcon(icons.icon("settings", theme.text))
        self._show_state(self.state.session)

    def set_devices(self, devices: Sequence[tuple[str, str]]) -> None:
        """Offer microphones as (shown, name); the empty name is the system's default."""
        self._devices = tuple(devices)
        entries = [(self.tr("System default"), ""), *self._devices]
        entries.append((self.tr("Look again…"), "\n"))
        _fill(self.device, entries)

    def set_checkpoints(self, checkpoints: Sequence[tuple[str, str]]) -> None:
        """Offer models as (shown, folder)."""
        self._checkpoints = tuple(checkpoints)
        entries = [(self.tr("Embedded"), ""), *self._checkpoints]
        entries.append((self.tr("Choose a folder…"), "\n"))
        _fill(self.model, entries)

    def choose(self, device: str, channels: str, language: str, checkpoint: str) -> None:
        """Show what is chosen; a microphone that is not plugged in stays chosen and shown."""
        if device and self.device.findData(device) < 0:
            self.set_devices((*self._devices, (device, device)))
        for box, value in (
            (self.device, device),
            (self.channels, channels),
            (self.language, language),
            (self.model, checkpoint),
        ):
            box.setCurrentIndex(max(0, box.findData(value)))

    def _build(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self.record)
        row.addWidget(self.open)
        row.addSpacing(8)
        row.addWidget(self._labels[self.device])
        row.addWidget(self.device, 2)
        row.addWidget(self.channels)
        row.addWidget(self.meter, 3)
        row.addSpacing(8)
        row.addWidget(self._labels[self.language])
        row.addWidget(self.language)
        row.addWidget(self._labels[self.model])
        row.addWidget(self.model, 2)
        row.addWidget(self.gear)
        for label in self._labels.values():
            label.setObjectName("muted")
        for button in (self.record, self.open, self.gear):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.gear.setIconSize(QSize(20, 20))
        for box in (self.device, self.model):
            box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            box.setMinimumWidth(104)
            box.setMaximumWidth(230)
        self.record.clicked.connect(self.record_clicked)
        self.open.clicked.connect(self.open_clicked)
        self.gear.clicked.connect(self.settings_clicked)
        self.device.activated.connect(self._device)
        self.channels.activated.connect(
            lambda i: self.channels_chosen.emit(self.channels.itemData(i))
        )
        self.language.activated.connect(
            lambda i: self.language_chosen.emit(self.language.itemData(i))
        )
        self.model.activated.connect(self._model)

    def set_compact(self, compact: bool) -> None:
        """Drop the labels where the window is narrow; the tooltips say the same."""
        for label in self._labels.values():
            label.setVisible(not compact)

    def _device(self, position: int) -> None:
        name = self.device.itemData(position)
        if name == "\n":
            self.devices_wanted.emit()
        else:
            self.device_chosen.emit(name)

    def _model(self, position: int) -> None:
        folder = self.model.itemData(position)
        if folder == "\n":
            self.checkpoint_wanted.emit()
        else:
            self.checkpoint_chosen.emit(folder)

    def _show_level(self) -> None:
        self.meter.set_levels(self.state.level, self.state.clipped)
        self.meter.describe(self.meter.summary())

    def _show_state(self, session: SessionState) -> None:
        busy = session in _BUSY
        if session is SessionState.STOPPING:
            text = self.tr("Finishing…")
        elif busy:
            text = self.tr("Stop")
        else:
            text = self.tr("Record")
        self.record.setText(text)
        self.record.setAccessibleName(text)
        self.record.setToolTip(self.tr("{action} (Ctrl+R)").format(action=text))
        self.record.setEnabled(session is not SessionState.STOPPING)
        self.record.setIcon(icons.icon("stop" if busy else "record", self.state.theme.record))
        for box in (self.device, self.channels, self.language, self.model):
            box.setEnabled(not busy and session is not SessionState.STOPPING)
        if not busy:
            self._show_level()

    def changeEvent(self, event: QEvent) -> None:
        """Follow a change of language."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()


def _fill(box: QComboBox, entries: Sequence[tuple[str, str]]) -> None:
    """Set the entries of a box and keep what was chosen."""
    chosen = box.currentData()
    box.blockSignals(True)
    box.clear()
    for text, value in entries:
        box.addItem(text, value)
    box.setCurrentIndex(max(0, box.findData(chosen)))
    box.blockSignals(False)
