"""How far a batch is: a moving bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import os
import sys
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, TextIO

from core.batch.pace import Standing
from core.pipeline.events import Progress
from core.types import seconds


def clock(duration: float) -> str:
    """Return seconds as h:mm:ss or m:ss."""
    whole = round(duration)
    hours, rest = divmod(whole, 3600)
    minutes = f"{rest // 60}:{rest % 60:02d}"
    return f"{hours}:{minutes:0>5}" if hours else minutes


def progress_text(progress: Progress, left: float | None = None) -> str:
    """Return for example "1:30 of 4:00 (38 %), 21.0 times real time, 0:07 left".

    Args:
        left: seconds of work; None: not known, and not said.
    """
    done = clock(seconds(progress.done))
    if progress.total:
        share = f"{100 * progress.done / progress.total:.0f} %"
        done = f"{done} of {clock(seconds(progress.total))} ({share})"
    return f"{done}, {progress.speed:.1f} times real time{_left_text(left)}"


def standing_text(standing: Standing) -> str:
    """Return for example "3 of 12 recordings, 0:30 of 1:00:00 (1 %), 88.0 times real time, ..."."""
    return (
        f"{standing.finished} of {standing.files} recordings, {clock(standing.done)} of "
        f"{clock(standing.total)} ({100 * standing.share:.0f} %), {standing.speed:.1f} times real "
        f"time{_left_text(standing.left)}"
    )


def _left_text(left: float | None) -> str:
    return "" if left is None else f", {clock(left)} left"


@dataclass(frozen=True, slots=True)
class Bar:
    """What a bar shows: whose it is, what is said beside it, and how much of it is full."""

    name: str
    text: str
    done: float
    total: float | None


class Display(Protocol):
    """Shows how far the work is, and lines that stay; every method from any thread."""

    def __enter__(self) -> Display: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def begin(self, name: str) -> None:
        """Name what comes now."""
        ...

    def update(self, bar: Bar) -> None:
        """Show how far it is."""
        ...

    def line(self, text: str, *, error: bool = False) -> None:
        """Print a line that stays."""
        ...


def display(stream: TextIO = sys.stderr) -> Display:
    """Return the display that suits what `stream` is; results and sentences go there too."""
    return _Bar() if stream.isatty() else _Lines()


class _Lines:
    """Plain lines, at most one every ten seconds."""

    interval = 10.0

    def __init__(self) -> None:
        self._told = time.monotonic()
        self._lock = threading.Lock()

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *unused: object) -> None:
        return None

    def begin(self, name: str) -> None:
        self._told = time.monotonic()

    def update(self, bar: Bar) -> None:
        now = time.monotonic()
        if now - self._told >= self.interval:
            self._told = now
            self.line(f"{bar.name}: {bar.text}")

    def line(self, text: str, *, error: bool = False) -> None:
        stream = sys.stderr if error else sys.stdout
        with self._lock:
            try:
                print(text, file=stream, flush=True)
            except BrokenPipeError:
                # The reader left (`| head`); the files are still wanted.
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class _Bar:
    """A bar by rich, on standard error, so that standard output can be piped."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as RichProgress

        self._console = Console(stderr=True, highlight=False)
        self._bar = RichProgress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[text]}", markup=False),
            console=self._console,
            transient=True,
        )
        self._task = self._bar.add_task("", total=None, text="", visible=False)

    def __enter__(self) -> _Bar:
        self._bar.start()
        return self

    def __exit__(self, *unused: object) -> None:
        self._bar.stop()

    def begin(self, name: str) -> None:
        self._bar.reset(self._task, description=name, total=None, text="", visible=True)

    def update(self, bar: Bar) -> None:
        self._bar.update(
            self._task,
            description=bar.name,
            completed=bar.done,
            total=bar.total,
            text=bar.text,
            visible=True,
        )

    def line(self, text: str, *, error: bool = False) -> None:
        style = "bold red" if error else None
        self._console.print(text, markup=False, style=style, soft_wrap=True)
