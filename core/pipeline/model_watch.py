"""Tells what computes the results of a session, and when that changes under way."""

from __future__ import annotations

import threading
from collections.abc import Callable

from core.pipeline.events import Event, ModelReady, Notice, Severity
from core.pipeline.protocols import Analyzer
from core.types import Message, ModelInfo


class ModelWatch:
    """Compares what an analyzer says of its model with what was told of it; from any thread.

    Args:
        emit: told of the model, and by a notice `device_changed` when it moved.
        describe: told of the model too: whoever writes it down.
    """

    def __init__(
        self,
        analyzer: Analyzer,
        emit: Callable[[Event], None],
        describe: Callable[[ModelInfo], None] = lambda model: None,
    ) -> None:
        self._analyzer = analyzer
        self._emit = emit
        self._describe = describe
        self._lock = threading.Lock()
        self._told: ModelInfo | None = None

    def check(self) -> None:
        """Tell of the model if it is not what was told last: at first, and after a fallback."""
        with self._lock:
            model, before = self._analyzer.model, self._told
            if model == before:
                return
            self._told = model
            self._describe(model)
            self._emit(ModelReady(model))
        if before is not None and model.device != before.device:
            values = {"device": model.device, "reason": model.device_reason}
            self._emit(Notice(Message("device_changed", values), Severity.WARNING))
