"""Corrections from a table: which part of which recording was what."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from core.errors import ConfigError
from core.types import SAMPLE_RATE, FloatArray

NEEDED = ("media", "label")
KNOWN = (*NEEDED, "start", "end", "text", "language", "said", "weight")


@dataclass(frozen=True, slots=True)
class TableRow:
    """One line: a turn from `start` to `end` (s; None: to the end) of a recording."""

    media: Path
    label: str
    start: float = 0.0
    end: float | None = None
    text: str | None = None
    language: str | None = None
    said: str = ""
    weight: float = 1.0


def read_table(path: Path, labels: Sequence[str]) -> tuple[TableRow, ...]:
    """Return the lines of a CSV with the columns media, label and any of start, end, text,
    language, said and weight; recordings are looked for beside it.

    Raises:
        ConfigError: it can't be read, lacks a column, or a line makes no sense, naming the line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            names = [name.strip().lower() for name in reader.fieldnames or ()]
            reader.fieldnames = names
            if missing := [name for name in NEEDED if name not in names]:
                raise ConfigError(
                    f"{path} lacks the columns {', '.join(missing)}.",
                    f"Columns are: {', '.join(KNOWN)}.",
                )
            return tuple(_row(path, number, line, labels) for number, line in _lines(reader))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path} can't be read ({error}).", "Save it as CSV in UTF-8.") from error


def sound_of(row: TableRow) -> FloatArray:
    """Return the turn, mono (n,) at 16 kHz. Raises MediaError, or ConfigError beyond the end."""
    whole = _decoded(row.media)
    end = whole.size if row.end is None else min(whole.size, round(row.end * SAMPLE_RATE))
    found = whole[round(row.start * SAMPLE_RATE) : end]
    if not found.size:
        raise ConfigError(
            f"{row.media} has nothing at {row.start:g} s.", "Check begin and end in the table."
        )
    return found


@lru_cache(maxsize=1)
def _decoded(path: Path) -> FloatArray:
    """Return a recording; the last one is kept, as a table names many turns of one."""
    from core.audio.io import AudioDecoder

    return np.concatenate(list(AudioDecoder(path)), axis=1)[0]


def _lines(reader: csv.DictReader[str]) -> Iterator[tuple[int, Mapping[str, str]]]:
    for line in reader:
        given = {k: (v or "").strip() for k, v in line.items() if isinstance(k, str)}
        if any(given.values()):
            yield reader.line_num, given


def _row(path: Path, number: int, line: Mapping[str, str], labels: Sequence[str]) -> TableRow:
    def number_of(name: str, missing: float) -> float:
        try:
            found = float(line.get(name) or missing)
        except ValueError:
            found = math.nan
        if not 0 <= found < math.inf:
            raise ConfigError(f"{path}, line {number}: {name} is no number: {line[name]!r}.")
        return found

    label = line["label"].lower()
    if label not in labels:
        raise ConfigError(
            f"{path}, line {number}: the checkpoint has no label {line['label']!r}.",
            f"There are: {', '.join(labels)}.",
        )
    start = number_of("start", 0.0)
    end = number_of("end", 0.0) if line.get("end") else None
    if end is not None and end <= start:
        raise ConfigError(f"{path}, line {number}: the turn ends at {end:g} s, before it begins.")
    weight = number_of("weight", 1.0)
    if not 0 < weight <= 1:
        raise ConfigError(f"{path}, line {number}: a weight lies above 0 and up to 1.")
    return TableRow(
        path.parent / line["media"],
        label,
        start,
        end,
        line.get("text") or None,
        line.get("language") or None,
        line.get("said", ""),
        weight,
    )
