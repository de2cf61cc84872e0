"""Notices that a model is being made ready for this computer, while it is loaded.

A large encoder is exported once for a faster runtime, which takes seconds. Nobody tells of that on
the way: a draft in the folder of exports does.
"""

from __future__ import annotations

import time
from pathlib import Path

from PySide6.QtCore import QObject, QTimer

from core.pipeline.events import SessionState
from desktop.view_state import ViewState

LOOK_MS = 400
DRAFTS = "draft-*"
"""What `core.models.runtimes.exports` calls an export that is being written."""

_SLACK = 2.0
"""Seconds by which the clock of a file system may be behind."""


def exports_folder() -> Path:
    """Return where exported encoders of this user lie."""
    from core.models.runtimes.equip import default_cache

    return default_cache() / "exports"


def has_draft(folder: Path, since: float) -> bool:
    """Tell whether something was being written there after a moment (seconds since the epoch)."""
    try:
        return any(draft.stat().st_mtime >= since - _SLACK for draft in folder.glob(DRAFTS))
    except OSError:  # it was finished while it was looked at
        return False


class PreparationWatch(QObject):
    """Looks while a session loads, and tells the view state."""

    def __init__(self, state: ViewState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._since = 0.0
        self._folder: Path | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self._look)
        state.state_changed.connect(self._follow)

    def _follow(self, session: SessionState) -> None:
        if session is not SessionState.LOADING or self._state.preparing:
            self._timer.stop()
        elif not self._timer.isActive():
            self._since = time.time()
            self._timer.start()

    def _look(self) -> None:
        self._folder = self._folder or exports_folder()
        if has_draft(self._folder, self._since):
            self._state.prepare()
