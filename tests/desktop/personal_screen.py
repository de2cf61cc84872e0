"""What tests of personal adapters share: real sound and storage, and learning that is watched."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QMenu, QWidget

from core.dialogue.wav import to_pcm, wav_header
from core.models.manifest import read_info
from core.personal.types import AdaptationReport, Gain, PersonalAdapterInfo
from core.types import EmotionResult, FloatArray, ModelInfo, Transcript, Turn, Utterance
from desktop.app import Application
from desktop.dialogs.personal import PersonalDialog
from desktop.panels.correction_menu import CorrectionMenu
from desktop.personal_work import Advanced, Kept, Overview, PersonalWork
from tests.fakes import FAKE_MODEL, FakeAnalyzer

GAIN = Gain(before=0.5, after=0.75, low=0.05, high=0.45, judged=12)


def write_wav(path: Path, samples: FloatArray) -> Path:
    """Write mono samples (n,) as 16-bit PCM at 16 kHz."""
    pcm = to_pcm(samples[None])
    path.write_bytes(wav_header(1, len(pcm)) + pcm)
    return path


class PersonalAnalyzer(FakeAnalyzer):
    """Names the adapter in what it says of those it is for."""

    def __init__(self) -> None:
        super().__init__()
        self.used: list[tuple[str, tuple[str, ...]]] = []

    @property
    def model(self) -> ModelInfo:
        name, _ = self.used[-1] if self.used else ("", ())
        return replace(FAKE_MODEL, personal=name)

    def use_personal(
        self, adapter: PersonalAdapterInfo | None, speakers: tuple[str, ...] = ()
    ) -> None:
        """Remember what is to be used."""
        self.used.append(("" if adapter is None else adapter.name, speakers))

    def final(self, utterance: Utterance, transcript: Transcript | None) -> EmotionResult | None:
        """Judge as the fake does, and say with whose adapter."""
        result = super().final(utterance, transcript)
        return None if result is None else replace(result, model=self.model)


@dataclass
class WatchedWork(PersonalWork):
    """Corrections are kept for real; learning waits for `gate` and says what it is told to."""

    folder: Path
    reason: str = "kept"
    error: Exception | None = None
    gate: threading.Event = field(default_factory=threading.Event)
    threads: list[str] = field(default_factory=list)
    learned: dict[str, PersonalAdapterInfo] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(self.folder)

    def adapt(
        self, checkpoint: Path, person: str, advanced: Advanced, cancelled: Callable[[], bool]
    ) -> AdaptationReport:
        """Tell that a half is done, and wait for the gate."""
        self.threads.append(threading.current_thread().name)
        count = len(self._store().all(person))
        advanced(0.5)
        while not self.gate.wait(0.01):
            if cancelled():
                return AdaptationReport("cancelled", None, count, 0.1)
        if self.error is not None:
            raise self.error
        if self.reason != "kept":
            return AdaptationReport(self.reason, None, count, 0.1)
        base = read_info(checkpoint)
        self.learned[person] = PersonalAdapterInfo(
            self.folder / person, person, person, base.name, base.digest, count, GAIN, "2026"
        )
        return AdaptationReport("kept", GAIN, count, 0.1, self.learned[person])

    def overview(self, checkpoint: Path) -> Overview:
        """Return what is kept, with what was learned here."""
        found = super().overview(checkpoint)
        persons = {name: replace(k, adapter=None) for name, k in found.persons.items()}
        for name, adapter in self.learned.items():
            persons[name] = replace(persons.get(name, Kept(name)), adapter=adapter)
        return replace(found, persons=persons)

    def adapter(self, checkpoint: Path, person: str) -> PersonalAdapterInfo | None:
        """Return what was learned here."""
        return self.learned.get(person)

    def clear(self, person: str) -> None:
        """Forget what was learned here, too."""
        self.learned.pop(person, None)
        super().clear(person)


def click(widget: QWidget) -> None:
    """Press and release the left button where the widget takes it."""
    place = QPoint(8, widget.height() // 2) if isinstance(widget, QCheckBox) else QPoint()
    if place.isNull():
        place = widget.rect().center()
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=place)


def menu_of(application: Application) -> CorrectionMenu:
    """Return the menu that is open."""
    menus = application.window.findChildren(CorrectionMenu)
    return next(menu for menu in menus if menu.isVisible())


def click_entry(menu: QMenu, action: QAction) -> None:
    """Click on an entry of an open menu."""
    place = menu.actionGeometry(action).center()
    QTest.mouseMove(menu, place)
    QTest.mouseClick(menu, Qt.MouseButton.LeftButton, pos=place)


def dialog_of(application: Application) -> PersonalDialog:
    """Return the dialog, opened by its action."""
    application.window.actions_by_name["personal"].trigger()
    dialog = application.window.findChild(PersonalDialog)
    assert dialog is not None
    return dialog


def said(application: Application) -> list[str | None]:
    """Return what the user is shown to have said, turn by turn."""
    state = application.state
    found = [state.corrected.of(turn) for turn in state.turns.turns()]
    return [None if one is None else one.label for one in found]


def turn_in(application: Application, row: int) -> Turn:
    """Return the turn in a row."""
    found = application.state.turns.turn(row)
    assert found is not None
    return found
