"""What `emoscope analyze` says while it works, and of what it did."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from core.batch.batch import Row
from core.batch.pace import BatchPace
from core.batch.values import (
    Advanced,
    BatchEvent,
    Began,
    Kept,
    Retried,
    Task,
    Told,
    Written,
)
from core.commands.progress import Bar, Display, clock, progress_text, standing_text
from core.commands.sentences import sentence
from core.types import seconds

MOST_ROWS = 60
"""Of the table at the end; of a longer batch it only lists what went wrong."""
NAMED = 5
"""How many files that were left out are named."""


class BatchScreen:
    """Shows the events of a batch: lines that stay, and how far it is.

    Called with events from any thread.
    """

    def __init__(self, tasks: Sequence[Task], screen: Display) -> None:
        self._tasks = {task.number: task for task in tasks}
        self._screen = screen
        self._pace = BatchPace(tasks)
        self._lock = threading.Lock()
        self._active: dict[int, None] = {}
        self._said: set[str] = set()
        self._kept = 0

    def __call__(self, event: BatchEvent) -> None:
        """Show an event."""
        self._pace.note(event)
        if isinstance(event, Kept):
            self._kept += 1
        elif isinstance(event, Advanced):
            self._advanced(event)
        elif isinstance(event, Began):
            self._began(event.number)
        elif isinstance(event, Told):
            self._told(event)
        elif isinstance(event, Retried):
            self._end(event.number)
            label = self._tasks[event.number].label
            self._screen.line(f"{label}: its worker died ({event.reason}); it is tried again.")
        else:
            self._written(event)

    def interrupted(self) -> None:
        """Say what is done, and how to go on."""
        finished = self._pace.standing().finished
        if len(self._tasks) > 1:
            self._screen.line(
                f"Interrupted: {finished} of {len(self._tasks)} recordings are done. The same "
                "command with --resume goes on from here.",
                error=True,
            )

    def summary(self, rows: Sequence[Row], took: float) -> None:
        """Say how it went: a table of several recordings, and a line of all."""
        self._tell_kept()
        if len(rows) > 1:
            for line in table(rows, [self._tasks[n].label for n in sorted(self._tasks)]):
                self._screen.line(line)
        complete = sum(row.complete for row in rows)
        audio = sum(row.seconds for row in rows if row.complete)
        new = sum(row.seconds for row in rows if row.complete and not row.kept)
        speed = f" ({new / max(took, 1e-3):.1f} times real time, loading included)" if new else ""
        self._screen.line(
            f"{complete} of {len(rows)} recordings, {clock(audio)} of audio in {took:.1f} s{speed}."
        )

    def _tell_kept(self) -> None:
        kept, self._kept = self._kept, 0
        if kept:
            self._screen.line(f"{kept} of {len(self._tasks)} recordings were done before.")

    def _began(self, number: int) -> None:
        self._tell_kept()
        with self._lock:
            self._active[number] = None
        if len(self._tasks) == 1:
            self._screen.begin(self._tasks[number].label)

    def _end(self, number: int) -> None:
        with self._lock:
            self._active.pop(number, None)

    def _advanced(self, event: Advanced) -> None:
        """Show how far the only recording is, or the batch."""
        if len(self._tasks) > 1:
            self._show_batch()
        else:
            standing = self._pace.standing()
            progress = event.progress
            total = None if progress.total is None else seconds(progress.total)
            text = progress_text(progress, standing.left)
            self._screen.update(Bar(self._tasks[event.number].label, text, standing.done, total))

    def _show_batch(self) -> None:
        standing = self._pace.standing()
        with self._lock:
            names = [self._tasks[number].label for number in self._active]
        label = names[0] if len(names) == 1 else f"{len(names)} recordings at once"
        total = standing.total or None
        self._screen.update(Bar(label, standing_text(standing), standing.done, total))

    def _told(self, event: Told) -> None:
        label = self._tasks[event.number].label
        if event.code == "transcript_unused":
            text = f"{label}: not used as its transcript: {event.message.values['reason']}"
        elif event.shared and event.code in _OF_ALL:
            text = sentence(event.message)
        else:
            text = f"{label}: {sentence(event.message)}"
        if text not in self._said:
            self._said.add(text)
            self._screen.line(text)

    def _written(self, event: Written) -> None:
        analysed = event.analysed
        task = self._tasks[analysed.number]
        self._end(task.number)
        problems = [problem for problem in (analysed.problem, event.problem) if problem]
        for problem in problems:
            named = problem if task.path.name in problem else f"{task.label}: {problem}"
            self._screen.line(named, error=True)
        if event.problem or not event.paths:
            return
        if analysed.problem:
            self._screen.line(f"{task.label}: what came before that is written.", error=True)
        speed = analysed.seconds / max(analysed.took, 1e-3)
        self._screen.line(
            f"{task.label}: {analysed.turns} turns in {clock(analysed.seconds)} of audio, "
            f"{analysed.took:.1f} s ({speed:.1f} times real time) -> "
            f"{', '.join(map(str, event.paths))}"
        )
        if self._active:
            self._show_batch()


_OF_ALL = ("no_whisper_model", "no_whisper_folder", "whisper_unusable")
"""Codes of what has nothing to do with the recording over which it was found out."""


def skipped_text(skipped: Sequence[Path]) -> str:
    """Return a sentence that names what in folders was taken for no recording."""
    named = ", ".join(path.name or str(path) for path in skipped[:NAMED])
    more = f" and {len(skipped) - NAMED} more" if len(skipped) > NAMED else ""
    return f"Left out, because there is no recording: {named}{more}."


def table(rows: Sequence[Row], labels: Sequence[str]) -> list[str]:
    """Return the lines of a table of what became of each recording."""
    pairs = list(zip(rows, labels, strict=True))
    if len(pairs) > MOST_ROWS:
        pairs = [(row, label) for row, label in pairs if not row.complete]
    if not pairs:
        return []
    cells = [("Recording", "length", "turns", "times real time", "")]
    cells += [_cells(row, label) for row, label in pairs]
    widths = [max(len(line[column]) for line in cells) for column in range(4)]
    return [
        f"  {line[0]:<{widths[0]}}"
        + "".join(f"  {cell:>{width}}" for cell, width in zip(line[1:4], widths[1:], strict=True))
        + (f"  {line[4]}" if line[4] else "")
        for line in cells
    ]


def _cells(row: Row, label: str) -> tuple[str, str, str, str, str]:
    speed = f"{row.seconds / row.took:.1f}" if row.took > 0 and not row.kept else "-"
    if row.turns is None:
        return label, "-", "-", "-", "failed"
    outcome = "done before" if row.kept else "" if row.complete else "in part"
    return label, clock(row.seconds), str(row.turns), speed, outcome
