"""The engine without workers: this process takes one recording after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.batch.analyst import Analyst
from core.batch.engines import Workers
from core.batch.values import Options, Task, WorkerEvent


class Here:
    """Analyses recordings in the order they were named."""

    def __init__(self, workers: Workers) -> None:
        del workers  # there is nothing to choose

    def run(
        self, tasks: Sequence[Task], options: Options, tell: Callable[[WorkerEvent], None]
    ) -> None:
        """Analyse all of them. Raises EmoscopeError when the models can't be loaded."""
        analyst = Analyst(options)
        analyst.load()
        for task in tasks:
            tell(analyst.analyze(task, tell))
