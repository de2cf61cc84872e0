"""What a training run says while it runs: a moving bar in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from rich.console import Console
from rich.progress import Progress, TextColumn, TimeRemainingColumn

T = TypeVar("T")
_LINE_EVERY = 60.0
"""Seconds between lines where no person is watching."""


class Reporter:
    """Tells the user what is going on.

    Args:
        console: where to write; standard error when None.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, soft_wrap=True)

    def say(self, line: str) -> None:
        """Write one line."""
        self._console.print(line, markup=False, highlight=False)

    def metrics(self, title: str, values: Mapping[str, float]) -> None:
        """Write named values in one line."""
        self.say(f"{title}  " + "  ".join(f"{k} {v:.4g}" for k, v in values.items()))

    def track(self, items: Iterable[T], total: int, title: str) -> Iterator[T]:
        """Yield `items`, moving a bar of `total` steps when a person is watching."""
        if not self._console.is_terminal:
            yield from self._tell(items, total, title)
            return
        columns = (*Progress.get_default_columns()[:3], TextColumn("{task.completed}/{task.total}"))
        with Progress(
            *columns, TimeRemainingColumn(), console=self._console, transient=True
        ) as bar:
            yield from bar.track(items, total=total, description=title)

    def _tell(self, items: Iterable[T], total: int, title: str) -> Iterator[T]:
        """Yield `items`, with a plain line about once a minute."""
        told = time.monotonic()
        for count, item in enumerate(items):
            if time.monotonic() - told >= _LINE_EVERY:
                told = time.monotonic()
                self.say(f"{title}: step {count} of {total}")
            yield item
