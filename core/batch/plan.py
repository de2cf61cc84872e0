"""Which results each recording of a batch gets, and how long it will take."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from core.audio.io import probe
from core.batch.inputs import Found
from core.batch.values import Task
from core.commands.output_names import output_path, output_stems
from core.errors import MediaError


def plan(recordings: Sequence[Found], out: Path, formats: Sequence[str]) -> tuple[Task, ...]:
    """Return a task per recording, with distinct names for their results under `out`.

    Reads the header of every recording, for how long it is; one that can't be read is a task too.
    """
    return tuple(
        Task(
            number,
            found.path,
            targets,
            label=str(found.folder / found.path.name),
            seconds=_seconds(found.path),
        )
        for number, (found, targets) in enumerate(
            zip(recordings, _targets(recordings, out, formats), strict=True)
        )
    )


def longest_first(tasks: Sequence[Task]) -> list[Task]:
    """Return tasks in the order that leaves the fewest workers idle at the end.

    One of unknown length comes first: it may be long.
    """
    return sorted(tasks, key=lambda task: (-_or_endless(task.seconds), task.number))


def _or_endless(seconds: float | None) -> float:
    return float("inf") if seconds is None else seconds


def _targets(
    recordings: Sequence[Found], out: Path, formats: Sequence[str]
) -> list[tuple[Path, ...]]:
    """Return where each format of each recording goes; within one folder no name comes twice."""
    stems: list[str] = [""] * len(recordings)
    of_folder: defaultdict[Path, list[int]] = defaultdict(list)
    for number, found in enumerate(recordings):
        of_folder[found.folder].append(number)
    for numbers in of_folder.values():
        names = output_stems([recordings[n].path for n in numbers])
        for number, name in zip(numbers, names, strict=True):
            stems[number] = name
    return [
        tuple(output_path(out / found.folder, stem, name, found.path) for name in formats)
        for found, stem in zip(recordings, stems, strict=True)
    ]


def _seconds(path: Path) -> float | None:
    try:
        return probe(path).duration
    except MediaError:
        return None
