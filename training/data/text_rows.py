"""A labelled line of text, whatever corpus it came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import CorpusError


@dataclass(frozen=True, slots=True)
class TextRow:
    """One row of a text corpus; `labels` are the corpus's own names.

    `number` counts rows of the file from 0, so that parallel rows of translated corpora meet;
    `line` is where the row begins, counted from 1.
    """

    text: str
    labels: tuple[str, ...]
    corpus: str
    language: str
    number: int
    line: int = field(default=0, compare=False)


def label_file(folder: Path) -> Path:
    """Return the file that names the labels: labels.txt, or emotions.txt as GoEmotions has it."""
    published = folder / "emotions.txt"
    return published if published.is_file() else folder / "labels.txt"


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


def parse_label_ids(field: str, names: Sequence[str]) -> tuple[str, ...]:
    """Return the names behind comma-separated ids. Raises ValueError saying what is wrong."""
    try:
        ids = [int(part) for part in field.split(",")]
    except ValueError:
        ids = [-1]
    if not ids or min(ids) < 0 or max(ids) >= len(names):
        raise ValueError(f"{field!r} is no list of label ids 0 to {len(names) - 1}")
    return tuple(names[index] for index in ids)
