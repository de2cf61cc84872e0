"""Labelled clips: a table with a file, a label and perhaps a text in every row."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from core.audio.io import read_audio
from core.dialogue.readers.text_file import read_text
from core.errors import CorpusError, TranscriptFileError
from core.quality.answers import Clip
from core.types import Transcript, TranscriptSource, Utterance

COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "file": ("path", "file", "filename", "filepath", "audio", "wav", "clip"),
        "label": ("label", "labels", "emotion", "emotions", "class", "category"),
        "text": ("text", "transcript", "transcription", "utterance", "sentence"),
        "language": ("language", "lang", "locale"),
    }
)
"""What a row is made of -> names its column may have."""

_TABLES = ("manifest.csv", "speech/manifest.csv", "labels.csv")
"""Where a corpus folder may have its table, the same as for `emoscope evaluate` among them."""

_BETWEEN_LABELS = re.compile(r"[;|/]")
_REMEDY = 'Give it a first line "file,label,text"; paths start from the folder it lies in.'


@dataclass(frozen=True, slots=True)
class LabelledClip:
    """A row of a table; `labels` are empty where nobody knows."""

    path: Path
    labels: frozenset[str]
    text: str = ""
    language: str | None = None

    def cut(self) -> Iterator[Clip]:
        """Yield its sound, all of it, as one utterance. Raises MediaError."""
        samples = read_audio(self.path)[0]
        transcript = None
        if self.text:
            source = TranscriptSource.ANNOTATION
            transcript = Transcript(self.text, language=self.language, source=source)
        yield Clip(Utterance(0, 0, samples.size, samples), transcript, self.labels)


def find_table(folder: Path) -> Path | None:
    """Return the table of a folder of labelled clips; None if it has none."""
    return next((p for name in _TABLES if (p := folder / name).is_file()), None)


def read_table(table: Path) -> list[LabelledClip]:
    """Read a CSV or TSV table.

    Raises:
        CorpusError: it can't be read, has no column for the file or the label, or no row.
    """
    try:
        text = read_text(table)
    except TranscriptFileError as error:
        raise CorpusError(error.problem, _REMEDY) from error
    header = text.partition("\n")[0]
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter="\t" if "\t" in header else ",")
    columns = _columns(table, rows.fieldnames or ())
    try:
        found = [_clip(table.parent, row, columns) for row in rows]
    except csv.Error as error:
        raise CorpusError(f"{table}, line {rows.line_num}: {error}.", _REMEDY) from error
    named = [clip for clip in found if clip.path != table.parent]
    if not named:
        raise CorpusError(f"{table} names no clip.", _REMEDY)
    return named


def _columns(table: Path, header: Sequence[str]) -> dict[str, str]:
    """Return which column holds what; the first of two that could be one wins."""
    found: dict[str, str] = {}
    for column in header:
        plain = re.sub(r"[\s_\-]", "", (column or "").casefold())
        for part, names in COLUMNS.items():
            if plain in names:
                found.setdefault(part, column)
    if missing := [part for part in ("file", "label") if part not in found]:
        raise CorpusError(f"{table} has no column {' and '.join(missing)}.", _REMEDY)
    return found


def _clip(folder: Path, row: Mapping[str, str | None], columns: Mapping[str, str]) -> LabelledClip:
    cells = {part: (row.get(column) or "").strip() for part, column in columns.items()}
    labels = (label.strip() for label in _BETWEEN_LABELS.split(cells["label"]))
    return LabelledClip(
        path=folder / cells["file"],
        labels=frozenset(label for label in labels if label),
        text=" ".join(cells.get("text", "").split()),
        language=cells.get("language") or None,
    )
