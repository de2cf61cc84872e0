"""The offer to open what a crash interrupted."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QDateTime, QLocale, QObject, Qt

from core.pipeline.events import Severity
from desktop import names, recovery
from desktop.bridge import EventBridge
from desktop.main_window import MainWindow
from desktop.panels.banner import BannerButton

if TYPE_CHECKING:
    from core.dialogue.recording import Recording
    from core.dialogue.sessions import UnfinishedSession
    from desktop.item_models.sound_history import SoundHistory

log = logging.getLogger(__name__)


class LostSessions(QObject):
    """Looks for interrupted sessions and offers the newest.

    `root` says where sessions are kept (called on another thread), `busy` whether one runs,
    `show` shows one that was read back, `failed` an error.
    """

    def __init__(
        self,
        window: MainWindow,
        bridge: EventBridge,
        root: Callable[[], Path],
        busy: Callable[[], bool],
        show: Callable[[tuple[Recording, SoundHistory]], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        super().__init__(window)
        self._window = window
        self._bridge = bridge
        self._root = root
        self._busy = busy
        self._show = show
        self._failed = failed

    def look(self) -> None:
        """Offer what a crash interrupted; the look takes place on another thread."""
        self._bridge.run(
            "recovery",
            lambda: recovery.find_lost(self._root()),
            self._offer_lost,
            lambda error: log.warning("interrupted sessions can't be looked for: %s", error),
        )

    def _offer_lost(self, lost: tuple[UnfinishedSession, ...]) -> None:
        if not lost or self._busy():
            return
        newest = lost[0]
        self._window.banners.show_banner(
            "lost_session",
            Severity.INFO,
            lambda: self._lost_sentence(newest),
            (
                BannerButton(lambda: self.tr("Open it"), lambda: self.recover(newest.folder)),
                BannerButton(lambda: self.tr("Delete it"), lambda: self._discard(newest.folder)),
            ),
        )

    def _lost_sentence(self, lost: UnfinishedSession) -> str:
        started = QDateTime.fromString(lost.started, Qt.DateFormat.ISODate)
        return self.tr(
            "The recording of {when} ({length}) was interrupted. What was heard has been kept."
        ).format(
            when=QLocale().toString(started.toLocalTime(), QLocale.FormatType.ShortFormat),
            length=names.clock(lost.duration),
        )

    def recover(self, folder: Path) -> None:
        """Repair an interrupted session and show it."""
        self._window.banners.withdraw("lost_session")
        work = lambda: recovery.recover(folder)  # noqa: E731
        self._bridge.run("recover", work, self._show, self._failed)

    def _discard(self, folder: Path) -> None:
        self._window.banners.withdraw("lost_session")

        def work() -> None:
            from core.dialogue.sessions import discard

            discard(folder)

        self._bridge.run("discard", work, lambda _: self.look(), self._failed)
