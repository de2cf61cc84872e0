"""A labelled line of text, whatever corpus it came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import CorpusError


@dataclass(frozen=True, slots=True)
class TextRow:
    """One row of a text corpus; `labels` are the corpus's own names.

    `number` counts rows of the file from 0, so that parallel rows of translated corpora meet.
    """

    text: str
    labels: tuple[str, ...]
    corpus: str
    language: str
    number: int


def read_labels(path: Path) -> tuple[str, ...]:
    """Return the label names of a `labels.txt`, one per line, their index being their id."""
    try:
        names = tuple(line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(
            f"{path} can't be read: {error}.", "The label ids of the corpus need it."
        ) from error
    names = tuple(name for name in names if name)
    if not names or len(set(names)) != len(names):
        raise CorpusError(f"{path} must name every label once.", "Restore the file.")
    return names


def parse_label_ids(field: str, names: Sequence[str], path: Path, line: int) -> tuple[str, ...]:
    """Return the names behind comma-separated ids. Raises CorpusError naming file and line."""
    try:
        ids = [int(part) for part in field.split(",")]
    except ValueError:
        ids = [-1]
    if not ids or min(ids) < 0 or max(ids) >= len(names):
        raise CorpusError(
            f"{path}, line {line}: {field!r} is no list of label ids 0 to {len(names) - 1}.",
            "Correct or remove the row.",
        )
    return tuple(names[index] for index in ids)
