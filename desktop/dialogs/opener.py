"""Opens the dialogs, each imported on its first use, beside the window: nothing is held up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QDialog

from desktop.bridge import EventBridge
from desktop.main_window import MainWindow
from desktop.settings import SWITCHED_ELSEWHERE, AppSettings

if TYPE_CHECKING:
    from desktop.personal import Personal


class DialogOpener(QObject):
    """Shows dialogs; `settings` are those at the time, `change` takes what was chosen."""

    def __init__(
        self,
        window: MainWindow,
        bridge: EventBridge,
        settings: Callable[[], AppSettings],
        change: Callable[..., None],
    ) -> None:
        super().__init__(window)
        self._window = window
        self._bridge = bridge
        self._settings = settings
        self._change = change
        self.personal: Personal | None = None
        self.can_judge_again: Callable[[], bool] = lambda: False
        self.judge_again: Callable[[], object] = lambda: None

    def open_settings(self, page: str = "") -> None:
        """Show the settings, on a page of theirs; what is chosen there is kept."""
        from desktop.dialogs.settings import SettingsDialog

        dialog = SettingsDialog(self._settings(), self._window)
        dialog.show_page(page)
        dialog.accepted.connect(lambda: self._take_settings(dialog.settings()))
        dialog.whisper_wanted.connect(lambda: self.get_whisper())
        self._show(dialog)

    def _take_settings(self, settings: AppSettings) -> None:
        chosen = asdict(settings)
        for name in SWITCHED_ELSEWHERE:  # and perhaps while the dialog was open
            del chosen[name]
        self._change(**chosen)

    def get_whisper(self, model: str = "") -> None:
        """Offer recognition models for download; `model` first, if it is named."""
        from desktop.dialogs.whisper import WhisperDialog

        dialog = WhisperDialog(self._bridge, self._window)
        dialog.offer(model)
        dialog.chosen.connect(lambda model: self._change(whisper=model))
        self._show(dialog)

    def show_model(self, folder: Path | None = None) -> None:
        """Show a model, the chosen one unless another folder is named; it can be chosen there."""
        from core.resources import embedded_checkpoint
        from desktop.dialogs.model import ModelDialog

        chosen = self._settings().checkpoint
        shown = folder or (Path(chosen) if chosen else embedded_checkpoint())
        dialog = ModelDialog(self._bridge, shown, embedded_checkpoint(), self._window)
        dialog.chosen.connect(lambda name: self._change(checkpoint=name))
        self._show(dialog)

    def show_personal(self) -> None:
        """Show what was said of turns, what is learned from it, and whether it is used."""
        from desktop.dialogs.personal import PersonalDialog

        open_one = self._window.findChild(PersonalDialog)
        if open_one is not None:
            open_one.raise_()
            open_one.activateWindow()
            return
        assert self.personal is not None
        dialog = PersonalDialog(
            self.personal, self._window.state, self.can_judge_again, self._window
        )
        dialog.again_wanted.connect(lambda: self.judge_again())
        self._show(dialog)

    def show_limits(self) -> None:
        """Say what the numbers are and are not."""
        from desktop.dialogs.about import LimitsDialog

        self._show(LimitsDialog(self._window))

    def show_about(self) -> None:
        """Say which version this is and what it uses."""
        from desktop.dialogs.about import AboutDialog

        self._show(AboutDialog(self._window))

    def show_shortcuts(self) -> None:
        """List the keys."""
        from desktop.dialogs.shortcuts import ShortcutsDialog

        self._show(ShortcutsDialog(self._window))

    def _show(self, dialog: QDialog) -> None:
        """Open a dialog beside the window: nothing that runs is held up."""
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()
