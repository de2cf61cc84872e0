"""How far a batch is: a moving bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import os
import sys
import threading
import time
from types import TracebackType
from typing import Protocol, TextIO

from core.pipeline.events import Progress
from core.types import seconds


def clock(duration: float) -> str:
    """Return seconds as h:mm:ss or m:ss."""
    whole = round(duration)
    hours, rest = divmod(whole, 3600)
    minutes = f"{rest // 60}:{rest % 60:02d}"
    return f"{hours}:{minutes:0>5}" if hours else minutes


def progress_text(progress: Progress) -> str:
    """Return for example "1:30 of 4:00 (38 %), 21 times real time"."""
    done = clock(seconds(progress.done))
    if progress.total:
        share = f"{100 * progress.done / progress.total:.0f} %"
        done = f"{done} of {clock(seconds(progress.total))} ({share})"
    return f"{done}, {progress.speed:.1f} times real time"


class Display(Protocol):
    """Shows progress of one file after the other, and lines that stay."""

    def __enter__(self) -> Display: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def begin(self, name: str) -> None:
        """Name the file that comes now."""
        ...

    def update(self, progress: Progress) -> None:
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
        self._name = ""
        self._told = 0.0
        self._lock = threading.Lock()

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *unused: object) -> None:
        return None

    def begin(self, name: str) -> None:
        self._name = name
        self._told = time.monotonic()

    def update(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._told >= self.interval:
            self._told = now
            self.line(f"{self._name}: {progress_text(progress)}")

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

    def update(self, progress: Progress) -> None:
        self._bar.update(
            self._task,
            completed=progress.done,
            total=progress.total,
            text=progress_text(progress),
        )

    def line(self, text: str, *, error: bool = False) -> None:
        style = "bold red" if error else None
        self._console.print(text, markup=False, style=style, soft_wrap=True)
