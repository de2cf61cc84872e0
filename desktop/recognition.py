"""What writes the text down: looked for, named in the status line, replaced by a smaller model."""

from __future__ import annotations

import logging
from collections.abc import Callable

from PySide6.QtCore import QObject

from core.pipeline.events import Notice
from core.types import Message
from desktop.bridge import EventBridge
from desktop.dialogs.opener import DialogOpener
from desktop.main_window import MainWindow
from desktop.sessions import OFF, SessionFactory
from desktop.settings import AppSettings
from desktop.trouble import Trouble

log = logging.getLogger(__name__)


class Recognition(QObject):
    """Looks for recognition models on another thread.

    `settings` returns what is chosen, `change` changes it; `told` is true where a session has said
    better what its text comes from.
    """

    def __init__(
        self,
        window: MainWindow,
        bridge: EventBridge,
        factory: SessionFactory,
        trouble: Trouble,
        dialogs: DialogOpener,
        settings: Callable[[], AppSettings],
        change: Callable[..., None],
        told: Callable[[], bool],
    ) -> None:
        super().__init__(window)
        self._window = window
        self._bridge = bridge
        self._factory = factory
        self._trouble = trouble
        self._dialogs = dialogs
        self._settings = settings
        self._change = change
        self._told = told

    def look(self) -> None:
        """Say in the status line whether text will be written, before the first session."""
        settings = self._settings()
        self._bridge.run(
            "recognition",
            lambda: self._factory.recognition(settings),
            self._found,
            lambda error: log.warning("recognition models can't be looked for: %s", error),
        )

    def _found(self, name: str | None) -> None:
        if not self._told():
            self.show(name)

    def show(self, name: str | None) -> None:
        """Say in the status line what writes the text, None for nothing."""
        self._window.status.set_transcriber(name, off=self._settings().whisper == OFF)

    def use_smaller(self, model: str) -> None:
        """Write texts with a smaller model from the next recording on; get it if it is missing."""
        self._bridge.run(
            "smaller",
            lambda: self._factory.has_recognition(model),
            lambda here: self._choose_smaller(model, here),
            self._trouble.show_error,
        )

    def _choose_smaller(self, model: str, here: bool) -> None:
        self._window.banners.withdraw("smaller_whisper")
        if not here:
            self._dialogs.get_whisper(model)
            return
        self._change(whisper=model)
        self._trouble.show_notice(Notice(Message("smaller_chosen", {"model": model})))
