"""CSV files of corpora whose first line names the columns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.errors import CorpusError
from training.data.corpora.rows import RowLog, csv_rows


def named_rows(
    path: Path,
    wanted: Sequence[str],
    log: RowLog,
    encodings: Sequence[str] = ("utf-8-sig", "cp1252"),
) -> list[tuple[int, dict[str, str]]]:
    """Return (line, column in lower case -> value) of every row with as many fields as columns.

    Args:
        wanted: columns there must be, in lower case.

    Raises:
        CorpusError: the file can't be read, a column is missing, or `log` is strict.
    """
    lines = csv_rows(path, log, encodings)
    _, header = next(lines, (1, []))
    columns = [name.strip().lower() for name in header]
    missing = [name for name in wanted if name not in columns]
    if missing:
        raise CorpusError(f"{path} has no column {', '.join(missing)}.", "Restore the file.")
    rows = []
    for line, fields in lines:
        if len(fields) != len(columns):
            log.report(path, line, f"{len(fields)} fields where the header has {len(columns)}")
            continue
        values = (value.strip() for value in fields)
        rows.append((line, dict(zip(columns, values, strict=True))))
    return rows
