"""What can go wrong with workers, whatever they work on."""

from __future__ import annotations

from core.errors import EmoscopeError


class WorkerError(EmoscopeError):
    """Workers can't be started, or a cluster can't be reached."""
