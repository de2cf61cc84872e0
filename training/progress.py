"""What a training run says while it runs: a moving bar in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import TypeVar

from rich.console import Console
from rich.progress import Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

T = TypeVar("T")
_LINE_EVERY = 60.0
"""Seconds between lines where no person is watching."""


class RunClock:
    """How long a run of many epochs will still take, from how long its steps took so far.

    Args:
        steps: of the whole run.
        done: of them before the clock starts, in a run that goes on.
    """

    def __init__(self, steps: int, done: int = 0) -> None:
        self._steps = steps
        self._before = self._done = done
        self._started = time.monotonic()

    def tick(self) -> None:
        """Count a step."""
        self._done += 1

    @property
    def left(self) -> float | None:
        """Seconds left, validation included; None before the first step."""
        taken = self._done - self._before
        if not taken:
            return None
        each = (time.monotonic() - self._started) / taken
        return each * max(0, self._steps - self._done)

    def __str__(self) -> str:
        left = self.left
        return "" if left is None else f"{timedelta(seconds=round(left))} left"


class _RunColumn(ProgressColumn):
    """Time left of the whole run."""

    def __init__(self, clock: RunClock) -> None:
        super().__init__()
        self._clock = clock

    def render(self, task: Task) -> Text:
        said = str(self._clock)
        return Text(f"(run: {said})" if said else "")


class Reporter:
    """Tells the user what is going on.

    Args:
        console: where to write; standard error when None.
        silent: say nothing, as all processes but the first do.
    """

    def __init__(self, console: Console | None = None, *, silent: bool = False) -> None:
        self._console = console or Console(stderr=True, soft_wrap=True, quiet=silent)

    def say(self, line: str) -> None:
        """Write one line."""
        self._console.print(line, markup=False, highlight=False)

    def metrics(self, title: str, values: Mapping[str, float]) -> None:
        """Write named values in one line."""
        self.say(f"{title}  " + "  ".join(f"{k} {v:.4g}" for k, v in values.items()))

    def track(
        self,
        items: Iterable[T],
        total: int,
        title: str,
        *,
        done: int = 0,
        clock: RunClock | None = None,
    ) -> Iterator[T]:
        """Yield `items`, moving a bar of `total` steps when a person is watching.

        Args:
            items: the steps still to do.
            total: how many there are with those done before.
            title: what they are.
            done: how many were done before.
            clock: of the whole run, whose time left is told too.
        """
        if not self._console.is_terminal:
            yield from self._tell(items, total, title, done, clock)
            return
        columns = [*Progress.get_default_columns()[:3]]
        columns += [TextColumn("{task.completed}/{task.total}"), TimeRemainingColumn()]
        columns += [_RunColumn(clock)] if clock else []
        with Progress(*columns, console=self._console, transient=True) as bar:
            yield from bar.track(items, total=total, completed=done, description=title)

    def _tell(
        self, items: Iterable[T], total: int, title: str, done: int, clock: RunClock | None
    ) -> Iterator[T]:
        """Yield `items`, with a plain line about once a minute."""
        told = time.monotonic()
        for count, item in enumerate(items, done):
            if time.monotonic() - told >= _LINE_EVERY:
                told = time.monotonic()
                left = f", {clock}" if clock and clock.left is not None else ""
                self.say(f"{title}: step {count} of {total}{left}")
            yield item
