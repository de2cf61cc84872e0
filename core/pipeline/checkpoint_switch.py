"""Another adapter of the same base while a session runs: asked for from any thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, runtime_checkable

from core.errors import CheckpointError, EmoscopeError
from core.pipeline.events import Notice, Severity
from core.types import Message

UNAVAILABLE = "checkpoint_unavailable"
"""Code of the notice, with `name` and `reason`, when a checkpoint that was asked for before the
models were loaded is not used."""


@runtime_checkable
class Switchable(Protocol):
    """What an analyzer can do besides, if it can become another adapter of its base."""

    def use_checkpoint(self, path: Path | str) -> None:
        """See `core.pipeline.analyzer.ModelAnalyzer.use_checkpoint`."""
        ...


class CheckpointSwitch:
    """Which checkpoint a session's user asked for, handed to its analyzer once there is one.

    Every method from any thread; `use` waits for the judgement in hand.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._analyzer: object | None = None
        self._switched: Callable[[], None] = lambda: None
        self._wanted: Path | None = None

    def use(self, path: Path) -> None:
        """Ask for a checkpoint. Raises CheckpointError where the analyzer can't switch to it."""
        with self._lock:
            if self._analyzer is None:
                self._wanted = path
            else:
                _switch(self._analyzer, path)
                self._switched()

    def attach(self, analyzer: object, emit: Callable[[Notice], None]) -> None:
        """Take the analyzer, loaded, and let it switch if anybody asked for that.

        `emit` is told when the session goes on with the checkpoint it was made with.
        """
        with self._lock:
            self._analyzer = analyzer
            if self._wanted is None:
                return
            try:
                _switch(analyzer, self._wanted)
            except EmoscopeError as error:
                values = {"name": self._wanted.name, "reason": str(error)}
                emit(Notice(Message(UNAVAILABLE, values), Severity.WARNING))

    def call_after(self, switched: Callable[[], None]) -> None:
        """Call this after each switch from now on: what was judged ahead no longer holds."""
        with self._lock:
            self._switched = switched


def _switch(analyzer: object, path: Path) -> None:
    if not isinstance(analyzer, Switchable):
        raise CheckpointError(
            f"The model that is loaded can't become that of {path}.", "Start a new session with it."
        )
    analyzer.use_checkpoint(path)
