"""Another model chosen while a session runs: used at once where it goes with the loaded one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import EmoscopeError
from core.pipeline.events import Notice
from core.types import Message
from desktop.in_turn import InTurn

if TYPE_CHECKING:
    from core.pipeline.session import Session

log = logging.getLogger(__name__)

LATER = "checkpoint_later"
"""Code of the notice that a chosen model is used from the next session on."""


class CheckpointChange:
    """Lets the session that runs go on as another adapter of its base; others come with the next.

    Args:
        queue: does work on another thread, one thing after the other.
        session: returns the one that runs; None: none does.
        switched: called with the folder of the model that judges now.
        tell: shows a notice.
    """

    def __init__(
        self,
        queue: InTurn,
        session: Callable[[], Session | None],
        switched: Callable[[Path], None],
        tell: Callable[[Notice], None],
    ) -> None:
        self._queue = queue
        self._session = session
        self._switched = switched
        self._tell = tell

    def to(self, folder: Path) -> None:
        """Use a model in the session that runs, if one does and it can; returns at once."""
        session = self._session()
        if session is None:
            return
        self._queue.do(
            lambda: session.use_checkpoint(folder),
            lambda _: self._done(session, folder),
            lambda error: self._not_now(folder, error),
        )

    def _done(self, session: Session, folder: Path) -> None:
        self._tell(Notice(Message(LATER), active=False))
        if session is self._session():
            self._switched(folder)

    def _not_now(self, folder: Path, error: Exception) -> None:
        trouble = None if isinstance(error, EmoscopeError) else error
        log.info("not switched under way: %s", error, exc_info=trouble)
        self._tell(Notice(Message(LATER, {"name": folder.name})))
