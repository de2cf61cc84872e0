"""A manifest file as rows of named values: CSV, TSV, semicolon-separated or JSON Lines."""

from __future__ import annotations

import codecs
import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import CorpusError
from training.data.corpora.manifest_columns import recognised
from training.data.corpora.rows import RowLog, csv_rows, decode, read_text

_logger = logging.getLogger(__name__)

SUFFIXES = (".csv", ".tsv", ".txt", ".jsonl", ".ndjson")
_JSON = (".jsonl", ".ndjson")
_ENCODINGS = ("utf-8-sig", "cp949", "cp1252")
_DELIMITERS = (",", ";", "\t")

Row = Mapping[str, Any]
"""Column name as it stands in the file -> value; text in CSV, any JSON value in JSON Lines."""


@dataclass(frozen=True, slots=True)
class Table:
    """A manifest's columns and rows.

    Attributes:
        rows: (line, values) of every row that has as many fields as there are columns.
        decimal_comma: numbers may be written "1,5", as spreadsheets do between semicolons.
    """

    path: Path
    columns: tuple[str, ...]
    rows: tuple[tuple[int, Row], ...]
    decimal_comma: bool = False


def find_manifest(root: Path, name: str = "manifest") -> Path:
    """Return the manifest that `root` is, or that lies in the folder `root`.

    Raises CorpusError: there is none, or several and none is called `manifest`.
    """
    if root.is_file():
        return root
    if not root.is_dir():
        raise CorpusError(f"There is no {root}.", "Give a manifest or the folder it lies in.")
    named = [root / f"{name}{suffix}" for suffix in SUFFIXES]
    found = [path for path in named if path.is_file()]
    if not found:
        found = [path for path in sorted(root.iterdir()) if _is_manifest(path)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise CorpusError(
            f"{root} has no manifest.",
            "Put a manifest.csv there: a row per utterance, with a column path or text,"
            " and labels (see docs/corpora.md).",
        )
    names = ", ".join(path.name for path in found[:5])
    raise CorpusError(f"{root} has several manifests: {names}.", "Give the path of one of them.")


def _is_manifest(path: Path) -> bool:
    suffix = path.suffix.lower()
    return path.is_file() and suffix in SUFFIXES and suffix != ".txt"


def manifest_of(root: Path, corpus: str) -> Path | None:
    """Return the manifest of a folder of several cut corpora: in `root`, or beside its `corpus`."""
    beside = [root / "manifest.csv"]
    if root.name == corpus:
        beside.append(root.parent / "manifest.csv")
    return next((path for path in beside if path.is_file()), None)


def read_table(path: Path, log: RowLog, encoding: str | None = None) -> Table:
    """Read a manifest's rows; a row that is none is reported to `log`.

    Args:
        encoding: of the file; None: UTF-8, or UTF-16, CP949 or CP1252 as spreadsheets write.

    Raises:
        CorpusError: the file can't be read or is of no known kind, or `log` is strict.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise CorpusError(
            f"{path} is no manifest of a known kind.",
            f"Save it as one of {', '.join(SUFFIXES)}.",
        )
    chosen = _encoding(path, encoding)
    if path.suffix.lower() in _JSON:
        return _json_table(path, log, chosen)
    return _csv_table(path, log, chosen)


def _encoding(path: Path, given: str | None) -> str:
    """Return the encoding of a file: the given one if it fits, else the first that does."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CorpusError(f"{path} can't be read: {error.strerror}.", "Check the path.") from error
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    candidates = (given,) if given else ("utf-16",) if marked else _ENCODINGS
    try:
        fitting = [name for name in candidates if decode(data, (name,)) is not None]
    except LookupError as error:
        raise CorpusError(f"There is no encoding {given!r}.", "Try utf-8.") from error
    if not fitting:
        raise CorpusError(
            f"{path} is not text in {' or '.join(candidates)}.",
            "Save it as UTF-8, or say its encoding with the option encoding.",
        )
    if fitting[0] not in (given, "utf-8-sig"):
        _logger.info("%s: read as %s; the option encoding chooses another", path, fitting[0])
    return fitting[0]


def _csv_table(path: Path, log: RowLog, encoding: str) -> Table:
    delimiter = _delimiter(read_text(path, (encoding,)))
    lines = _without_excel_hint(csv_rows(path, log, (encoding,), delimiter))
    _, header = next(lines, (1, []))
    columns = tuple(name.strip() for name in header)
    if not columns:
        raise CorpusError(f"{path} is empty.", "Its first line must name the columns.")
    rows = []
    for line, fields in lines:
        if len(fields) == len(columns):
            rows.append((line, dict(zip(columns, fields, strict=True))))
        else:
            log.report(path, line, _wrong_width(len(fields), len(columns), delimiter))
    return Table(path, columns, tuple(rows), delimiter == ";")


def _without_excel_hint(
    lines: Iterator[tuple[int, list[str]]],
) -> Iterator[tuple[int, list[str]]]:
    """Leave out a first line "sep=;", which tells a spreadsheet the delimiter."""
    for number, (line, fields) in enumerate(lines):
        if number or not fields[0].lower().startswith("sep="):
            yield line, fields


def _wrong_width(found: int, wanted: int, delimiter: str) -> str:
    name = {",": "a comma", ";": "a semicolon", "\t": "a tab"}[delimiter]
    hint = f"; a text with {name} in it needs quotation marks around it" if found > wanted else ""
    return f"{found} fields where the header has {wanted}{hint}"


def _delimiter(text: str) -> str:
    """Return the delimiter with which the header names most columns."""
    lines = [line for line in text.splitlines() if line.strip()]
    lines = [line for line in lines[:2] if not line.lower().startswith("sep=")]
    header = lines[0] if lines else ""

    def score(delimiter: str) -> tuple[int, int]:
        names = [name.strip().strip('"') for name in header.split(delimiter)]
        return sum(recognised(name) for name in names), len(names)

    return max(_DELIMITERS, key=score)


def _json_table(path: Path, log: RowLog, encoding: str) -> Table:
    rows: list[tuple[int, Row]] = []
    columns: dict[str, None] = {}
    for line, content in enumerate(read_text(path, (encoding,)).split("\n"), start=1):
        if not content.strip():
            continue
        try:
            row = json.loads(content)
        except (ValueError, RecursionError) as error:
            log.report(path, line, f"the line is not valid JSON ({error})")
            continue
        if not isinstance(row, dict):
            log.report(path, line, "the line is no JSON object: it must begin with {")
            continue
        rows.append((line, row))
        columns.update(dict.fromkeys(row))
    if not rows and not log.problems:
        raise CorpusError(f"{path} is empty.", "Write one JSON object per line.")
    return Table(path, tuple(columns), tuple(rows))
