"""CSV and TSV transcripts: columns for start, end, speaker and text, whatever they are called."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.dialogue.readers.text_file import read_text
from core.dialogue.recording import Annotation
from core.errors import TranscriptFileError

_NAMES: Mapping[str, tuple[str, ...]] = {
    "start": ("start", "begin", "from", "onset", "starttime", "begintime", "시작", "시작시간"),
    "end": ("end", "to", "stop", "offset", "endtime", "finish", "끝", "종료", "종료시간"),
    "speaker": ("speaker", "spk", "who", "name", "role", "participant", "화자", "발화자"),
    "text": (
        "text", "transcript", "transcription", "utterance", "words", "sentence", "content",
        "대사", "텍스트", "발화", "내용", "문장",
    ),
}  # fmt: skip
"""Accepted headers per column, lower case and without signs or units."""

_SIGNS = re.compile(r"[\s_\-\"'()\[\].]")
_UNIT = re.compile(r"(?<=[a-z]{3})(?:milliseconds|seconds|secs?|ms|s)$")
"""So that "Start (s)", "start_sec" and "START" are all "start"."""

_CLOCK = re.compile(r"^(?:(?:(\d+):)?(\d+):)?(\d+(?:[.,]\d+)?)$")
_REMEDY = 'Give it a first line "start,end,speaker,text" with times in seconds or h:mm:ss.'


def read(path: Path) -> list[Annotation]:
    """Return the rows in file order. Raises TranscriptFileError, naming the line."""
    text = read_text(path)
    if not text.strip():
        raise TranscriptFileError(f"{path} is empty.", _REMEDY)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=False)
        numbered = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise TranscriptFileError(f"{path} is no CSV file ({error}).", _REMEDY) from error
    rows = [(line, row) for line, row in numbered if any(cell.strip() for cell in row)]
    columns = _columns(path, rows[0][1])
    header = rows[0][1][columns["start"]].lower()
    unit = 0.001 if re.search(r"milli|ms\b|msec", header) else 1.0
    return [_annotation(path, line, row, columns, unit) for line, row in rows[1:]]


def _delimiter(text: str) -> str:
    """Return the sign that splits the header line into the most known columns."""
    header = text.lstrip("\n").split("\n", 1)[0]
    return max(",\t;|", key=lambda sign: len(_known(header.split(sign))))


def _known(cells: Sequence[str]) -> dict[str, int]:
    """Return which column is which; the first of two that could be one wins."""
    found: dict[str, int] = {}
    for index, cell in enumerate(cells):
        plain = _UNIT.sub("", _SIGNS.sub("", cell.lower()))
        for column, names in _NAMES.items():
            if plain in names:
                found.setdefault(column, index)
    return found


def _columns(path: Path, header: Sequence[str]) -> dict[str, int]:
    columns = _known(header)
    missing = [name for name in ("start", "end", "text") if name not in columns]
    if missing:
        raise TranscriptFileError(f"{path}, line 1: no column {missing[0]!r}.", _REMEDY)
    return columns


def _annotation(
    path: Path, line: int, row: Sequence[str], columns: dict[str, int], unit: float
) -> Annotation:
    cells = {name: row[i].strip() if i < len(row) else "" for name, i in columns.items()}
    return Annotation(
        start=_time(path, line, cells["start"]) * unit,
        end=_time(path, line, cells["end"]) * unit,
        text=" ".join(cells["text"].split()),
        speaker=cells.get("speaker") or None,
    )


def _time(path: Path, line: int, cell: str) -> float:
    match = _CLOCK.match(cell)
    if match is None:
        raise TranscriptFileError(f"{path}, line {line}: {cell!r} is no time.", _REMEDY)
    hours, minutes, rest = match.groups()
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(rest.replace(",", "."))
