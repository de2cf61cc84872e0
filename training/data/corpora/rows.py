"""What every corpus reader does with a row it can't use: report, count, skip or stop."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from core.errors import CorpusError
from training.data.example import RowProblem

_REMEDY = "Correct or remove the row, or read without 'strict' to skip such rows."


class RowLog:
    """Collects the rows that can't be used.

    Args:
        strict: stop at the first one instead of skipping it.
    """

    def __init__(self, strict: bool = False) -> None:
        self.strict = strict
        self._problems: list[RowProblem] = []

    @property
    def problems(self) -> tuple[RowProblem, ...]:
        """Everything reported so far, in order, for `Reading.problems`."""
        return tuple(self._problems)

    def report(self, path: Path, line: int | None, reason: str) -> None:
        """Note a row of `path` and why it can't be used.

        Args:
            line: counted from one; None for a whole file.
            reason: a sentence without its full stop.

        Raises:
            CorpusError: `strict`; names file and line.
        """
        if self.strict:
            where = str(path) if line is None else f"{path}, line {line}"
            raise CorpusError(f"{where}: {reason}.", _REMEDY)
        self._problems.append(RowProblem(source(path, line), reason))


def source(path: Path, line: int | None = None) -> str:
    """Return "file:line" for `Example.source`."""
    return str(path) if line is None else f"{path}:{line}"


def require_folder(folder: Path, expected: str) -> Path:
    """Return `folder`. Raises CorpusError saying what was `expected` when it is not there."""
    if not folder.is_dir():
        raise CorpusError(
            f"There is no folder {folder}.", f"Give the folder of the corpus: {expected}."
        )
    return folder


def require_file(path: Path, expected: str) -> Path:
    """Return `path`. Raises CorpusError saying what was `expected` when it is not there."""
    if not path.is_file():
        raise CorpusError(
            f"There is no file {path}.", f"Give the folder of the corpus: {expected}."
        )
    return path


def decode(data: bytes, encodings: Sequence[str] = ("utf-8-sig", "cp949")) -> str | None:
    """Return `data` in the first encoding that fits, None when none does."""
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def read_text(path: Path, encodings: Sequence[str] = ("utf-8-sig", "cp949")) -> str:
    """Return a file in the first encoding that fits it.

    Raises:
        CorpusError: the file is not there, or no encoding fits.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CorpusError(f"{path} can't be read: {error.strerror}.", "Check the path.") from error
    text = decode(data, encodings)
    if text is None:
        raise CorpusError(
            f"{path} is not text in {' or '.join(encodings)}.", "Copy the corpus again."
        )
    return text


def csv_rows(
    path: Path,
    log: RowLog,
    encodings: Sequence[str] = ("utf-8-sig", "cp949"),
    delimiter: str = ",",
    multiline: bool = True,
) -> Iterator[tuple[int, list[str]]]:
    """Yield (line the row begins at, fields) of a CSV file, blank rows left out.

    A row that is no CSV (a quotation mark that never closes) is reported to `log`.

    Args:
        multiline: a quoted field may go over several lines. Where it may not, a stray quotation
            mark costs one row and not the rest of the file.

    Raises:
        CorpusError: the file can't be read, or `log` is strict.
    """
    text = read_text(path, encodings)
    if not multiline:
        for line, content in enumerate(io.StringIO(text, newline=None), start=1):
            for _, fields in _parsed(path, log, io.StringIO(content), delimiter, line - 1):
                yield line, fields
        return
    yield from _parsed(path, log, io.StringIO(text, newline=""), delimiter, 0)


def _parsed(
    path: Path, log: RowLog, stream: io.StringIO, delimiter: str, offset: int
) -> Iterator[tuple[int, list[str]]]:
    rows = csv.reader(stream, delimiter=delimiter, strict=True)
    while True:
        line = offset + rows.line_num + 1
        try:
            fields = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            log.report(path, line, f"the row is not valid CSV ({error})")
            continue
        if any(field.strip() for field in fields):
            yield line, fields


def number(text: str) -> float:
    """Return a finite number. Raises ValueError saying what was there instead."""
    try:
        value = float(text.strip())
    except ValueError:
        raise ValueError(f"{text.strip()!r} is not a number") from None
    if value - value != 0:  # infinite or not a number
        raise ValueError(f"{text.strip()!r} is not a finite number")
    return value
