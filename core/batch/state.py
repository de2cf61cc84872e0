"""What a batch has done, beside its results, so that one that was interrupted can go on.

JSON lines: one per recording that was read whole and whose results are complete. A line is written
after the results it speaks of. What was cut off in the middle of a line counts as not done.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core import __version__
from core.batch.values import Options, Task
from core.dialogue.atomic import write_atomically
from core.dialogue.readers.transcripts import find_transcript
from core.errors import JournalError

STATE = ".emoscope-analyze.jsonl"
"""Name of the file in the folder of the results."""


@dataclass(frozen=True, slots=True)
class Done:
    """A recording that is done: what it was made from, how many turns, its length (s), and the
    sizes of the results by path."""

    key: str
    turns: int
    seconds: float
    sizes: Mapping[str, int]


class Neighbours:
    """Files by folder and name without suffix; each folder is listed once, however many it holds.

    What is added afterwards is not known.
    """

    def __init__(self) -> None:
        self._folders: dict[Path, defaultdict[str, list[Path]]] = {}

    def of(self, media: Path) -> list[Path]:
        """Return the files in a recording's folder that have its name, itself among them."""
        found = self._folders.get(media.parent)
        if found is None:
            found = self._folders[media.parent] = defaultdict(list)
            with contextlib.suppress(OSError):
                for path in media.parent.iterdir():
                    found[path.stem].append(path)
        return found.get(media.stem, [])


def key_of(
    task: Task, options: Options, models: Iterable[str], neighbours: Neighbours | None = None
) -> str | None:
    """Return what the results of a recording depend on, as a sha256 (hex).

    That is the recording and its transcript (path, size and time of the last change), the options,
    the models, where the results go, and the version of the program. None if it can't be read.

    Args:
        models: what tells each model from any other, such as the digest of its weights.
        neighbours: for the transcripts of many recordings; None: of this one.
    """
    try:
        media = _identity(task.path)
        transcript = _transcript(task, options, neighbours or Neighbours())
    except OSError:
        return None
    facts = {
        "media": media,
        "transcript": transcript,
        "options": _plain(options),
        "models": list(models),
        "targets": [str(path.resolve()) for path in task.targets],
        "version": __version__,
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


class BatchState:
    """The state file of one folder of results; belongs to one thread.

    Args:
        folder: of the results.
        resume: go on from what it says; else begin anew, nothing is done yet.
    """

    def __init__(self, folder: Path, *, resume: bool) -> None:
        self._path = folder / STATE
        self._by_path: dict[str, Done] = {}
        """What was written last under each name: another run may have overwritten a result."""
        self._begun = False
        if resume:
            for done in self._read():
                self._learn(done)

    def done(self, key: str | None, task: Task) -> Done | None:
        """Return what is known of a recording whose results are all there as they were written."""
        sizes = {str(path.resolve()): _size(path) for path in task.targets}
        known = [self._by_path.get(path) for path in sizes]
        first = known[0]
        if first is None or first.key != key or any(other is not first for other in known):
            return None
        return first if sizes == dict(first.sizes) else None

    def record(self, key: str | None, task: Task, turns: int, seconds: float) -> None:
        """Note that the results of a recording are on the disk. Raises JournalError."""
        if key is None:
            return
        sizes = {str(path.resolve()): _size(path) or 0 for path in task.targets}
        done = Done(key, turns, seconds, sizes)
        self._learn(done)
        if self._begun:
            self._append(done)
        else:
            self.begin()

    def begin(self) -> None:
        """Write what is known: of an interrupted file the last line may be torn."""
        self._begun = True
        known = {id(done): done for done in self._by_path.values()}
        write_atomically(self._path, "".join(map(_line, known.values())))

    def _learn(self, done: Done) -> None:
        for path in done.sizes:
            self._by_path.pop(path, None)  # the newest comes last, here and in the file
            self._by_path[path] = done

    def _append(self, done: Done) -> None:
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(_line(done))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise JournalError(
                f"{self._path} can't be written ({error.strerror or error}).",
                "Choose another folder, or make room on the disk.",
            ) from error

    def _read(self) -> list[Done]:
        try:
            lines = self._path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return []
        return [done for line in lines if (done := _parsed(line)) is not None]


def sweep(tasks: Iterable[Task]) -> None:
    """Remove what a killed run left of results that it was just writing."""
    starts: defaultdict[Path, set[str]] = defaultdict(set)
    for path in (path for task in tasks for path in task.targets):
        starts[path.parent].add(_start(path))
    for folder, ours in starts.items():
        with contextlib.suppress(OSError):
            for left in [p for p in folder.iterdir() if p.name[:-_LETTERS] in ours]:
                left.unlink()


_LETTERS = 8


def _start(path: Path) -> str:
    """Return how `write_atomically` names what is not `path` yet, but for `_LETTERS` letters."""
    return f".{path.name[:40]}."


def _identity(path: Path) -> list[str | int]:
    status = path.stat()
    return [str(path.resolve()), status.st_size, status.st_mtime_ns]


def _transcript(task: Task, options: Options, neighbours: Neighbours) -> list[str | int] | None:
    chosen = options.transcript
    if chosen is None and options.beside:
        chosen = find_transcript(task.path, neighbours.of(task.path))
    return None if chosen is None else _identity(chosen)


def _plain(options: Options) -> dict[str, Any]:
    """Return the options as JSON takes them; which transcript they lead to is told apart."""
    facts = asdict(options)
    del facts["transcript"], facts["beside"]
    return facts


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _line(done: Done) -> str:
    return json.dumps(asdict(done), ensure_ascii=False) + "\n"


def _parsed(line: str) -> Done | None:
    try:
        facts = json.loads(line)
        sizes = {str(name): int(size) for name, size in facts["sizes"].items()}
        return Done(str(facts["key"]), int(facts["turns"]), float(facts["seconds"]), sizes)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
