"""A batch: what is done already is kept, the rest is analysed, and results are written whole."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.batch.engines import Engine
from core.batch.state import BatchState, Neighbours, key_of, sweep
from core.batch.values import (
    Analysed,
    BatchEvent,
    Kept,
    Options,
    Output,
    Task,
    Told,
    WorkerEvent,
    Written,
)
from core.dialogue.atomic import write_atomically
from core.errors import JournalError


@dataclass(frozen=True, slots=True)
class Row:
    """What became of a recording, for the summary.

    complete: it was read whole and its results are written; kept: that was so before.
    """

    path: Path
    turns: int | None = None
    seconds: float = 0.0
    took: float = 0.0
    complete: bool = False
    kept: bool = False
    context_lost: bool = False


class Batch:
    """The recordings of one call; used once.

    Only this process writes files, each whole or not at all, and notes what is done after it: what
    a kill leaves behind is either done or counts for nothing.

    Args:
        out: folder of the results and of the state.
        models: what tells the models from any others (see `key_of`).
        tell: told of everything; `Advanced` may come from any thread.
        resume: keep what an earlier call of the same options has done.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        options: Options,
        out: Path,
        models: Sequence[str],
        tell: Callable[[BatchEvent], None],
        *,
        resume: bool = False,
    ) -> None:
        self._tasks = tuple(tasks)
        self._task = {task.number: task for task in tasks}
        self._options = options
        self._tell = tell
        self._out = out
        self._state = BatchState(out, resume=resume)
        neighbours = Neighbours()
        self._keys = {t.number: key_of(t, options, models, neighbours) for t in tasks}
        self._rows = {task.number: Row(task.path) for task in tasks}
        self._shared: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
        self._resume = resume

    def run(self, make: Callable[[Sequence[Task]], Engine]) -> tuple[Row, ...]:
        """Analyse what is not done yet and return what became of every recording, in order.

        Args:
            make: makes the engine for what there is to do, if there is something.

        Raises EmoscopeError where nothing at all can be done; what is done stays.
        """
        waiting = [task for task in self._tasks if not self._is_kept(task)]
        if self._resume:
            sweep(waiting)
        if waiting:
            _require_room(self._out)
            make(waiting).run(waiting, self._options, self._heed)
        return tuple(self._rows[task.number] for task in self._tasks)

    def _is_kept(self, task: Task) -> bool:
        done = self._state.done(self._keys[task.number], task)
        if done is None:
            return False
        row = Row(task.path, done.turns, done.seconds, complete=True, kept=True)
        self._rows[task.number] = row
        self._tell(Kept(task.number, done.seconds))
        return True

    def _heed(self, event: WorkerEvent) -> None:
        if isinstance(event, Analysed):
            self._written(event)
        elif not isinstance(event, Told) or self._is_news(event):
            self._tell(event)

    def _is_news(self, told: Told) -> bool:
        """Tell whether it was not said yet: every worker finds out what holds for all."""
        if not told.shared:
            return True
        known = (told.code, told.values)
        if known in self._shared:
            return False
        self._shared.add(known)
        return True

    def _written(self, analysed: Analysed) -> None:
        task = self._task[analysed.number]
        row = Row(
            task.path,
            analysed.turns if analysed.outputs else None,
            analysed.seconds,
            analysed.took,
            complete=not analysed.problem,
            context_lost=analysed.context_lost,
        )
        try:
            for output in analysed.outputs:
                _write(output)
            if row.complete and not analysed.lacking:
                self._state.record(self._keys[task.number], task, row.turns or 0, row.seconds)
            problem = ""
        except JournalError as error:
            problem, row = str(error), replace(row, complete=False, turns=None)
        self._rows[task.number] = row
        paths = task.targets if analysed.outputs else ()
        self._tell(Written(_without_text(analysed), paths, problem))


def _require_room(folder: Path) -> None:
    """Find out before hours of work whether its results can be written. Raises JournalError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise JournalError(
            f"Nothing can be written in {folder} ({error.strerror or error}).",
            "Choose another folder, or make room on the disk.",
        ) from error


def _write(output: Output) -> None:
    write_atomically(output.path, output.text, output.encoding)


def _without_text(analysed: Analysed) -> Analysed:
    """Let go of what lies on the disk now."""
    return replace(analysed, outputs=())
