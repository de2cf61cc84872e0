"""Labelled texts in any of the layouts of the data folder, found by their labels.

`text/<corpus>/` may hold train, dev, val or test as .tsv (GoEmotions: text, labels, maybe an id;
KOTE: id, text, labels; or text and one of seven names), with or without labels.txt, or dialogue
.csv files with the columns Utterance and Emotion (MELD, EmoryNLP).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import CorpusError, EmoscopeError
from core.labels import EMOTIONS
from core.models.processor import Processor
from training.data.label_maps import LabelMap, load_label_map
from training.data.text_rows import read_labels
from training.evaluation.class_names import CLASS_NAMES, KOTE_NAMES

PARTS = ("train", "dev", "val", "test")
GOEMOTIONS_LABELS = 28
_SAMPLED = 60


@dataclass(frozen=True, slots=True)
class TextPart:
    """Rows of one file.

    targets: (n, 7) true where a class is meant. numbers: row of the file, from 0. single: every
    row has exactly one label by design. unknown: rows left out as no label is one of the seven.
    """

    corpus: str
    part: str
    texts: tuple[str, ...]
    targets: NDArray[np.bool_]
    numbers: tuple[int, ...]
    single: bool
    unknown: int
    language: str | None


@dataclass(slots=True)
class TextFolder:
    """The parts of a data folder, and a sentence for everything that could not be used."""

    parts: list[TextPart] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_text_parts(data: Path, processor: Processor) -> TextFolder:
    """Read every part under `data/text`; what can't be read becomes a note, not an error."""
    found = TextFolder()
    root = data / "text"
    for folder in sorted(p for p in root.iterdir() if p.is_dir()) if root.is_dir() else ():
        files = _files(folder)
        if not files:
            found.notes.append(f"text/{folder.name}: no train, dev, val or test file")
        for part, path in files:
            try:
                found.parts.append(_read(folder, part, path, processor))
            except EmoscopeError as error:
                found.notes.append(f"text/{folder.name}/{path.name}: skipped: {error.problem}")
    return found


def _files(folder: Path) -> list[tuple[str, Path]]:
    tables = [(part, folder / f"{part}.tsv") for part in PARTS]
    sheets = [(_part_of(p), p) for p in sorted(folder.glob("*.csv")) if _part_of(p)]
    return [(part, path) for part, path in tables if path.is_file()] + sheets


def _part_of(path: Path) -> str:
    return next((part for part in PARTS if part in path.stem.lower()), "")


def _read(folder: Path, part: str, path: Path, processor: Processor) -> TextPart:
    rows = list(_sheet_rows(path) if path.suffix == ".csv" else _table_rows(path, folder))
    if not rows:
        raise CorpusError("it has no rows.")
    to_classes, single = _reader_of([labels for _, _, labels in rows], folder)
    kept = [(n, text, to_classes(labels)) for n, text, labels in rows]
    known = [(n, text, classes) for n, text, classes in kept if classes]
    texts = tuple(text for _, text, _ in known)
    return TextPart(
        corpus=folder.name,
        part=part,
        texts=texts,
        targets=np.array([[e in c for e in EMOTIONS] for _, _, c in known], dtype=bool),
        numbers=tuple(n for n, _, _ in known),
        single=single,
        unknown=len(kept) - len(known),
        language=_language(folder.name, texts, processor),
    )


Row = tuple[int, str, tuple[str, ...]]


def _sheet_rows(path: Path) -> Iterator[Row]:
    """Yield rows of a dialogue sheet with the columns Utterance and Emotion."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            reader = csv.DictReader(file)
            if not {"Utterance", "Emotion"} <= set(reader.fieldnames or ()):
                raise CorpusError("it has no columns Utterance and Emotion.")
            for number, row in enumerate(reader):
                yield number, row["Utterance"] or "", ((row["Emotion"] or "").strip(),)
    except (OSError, csv.Error) as error:
        raise CorpusError(f"it can't be read ({error}).") from error


def _table_rows(path: Path, folder: Path) -> Iterator[Row]:
    """Yield rows of a .tsv; the labels stand behind the text, wherever that is.

    KOTE begins its rows with an id and quotes texts; GoEmotions does neither.
    """
    try:
        content = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"it can't be read ({error}).") from error
    numbered = content.split("\t", 1)[0].strip().isdigit()
    if numbered:
        records: Iterator[list[str]] = csv.reader(io.StringIO(content, newline=""), delimiter="\t")
        column = 1
    else:
        records = (line.rstrip("\r").split("\t") for line in content.split("\n"))
        column = 0
    for number, fields in enumerate(records):
        if not any(f.strip() for f in fields):
            continue
        if len(fields) < column + 2:
            raise CorpusError(f"row {number + 1} of {folder.name}/{path.name} has no labels.")
        labels = tuple(label.strip() for label in fields[column + 1].split(","))
        yield number, fields[column].strip(), labels


ToClasses = Callable[[tuple[str, ...]], frozenset[str]]


def _reader_of(rows: Sequence[tuple[str, ...]], folder: Path) -> tuple[ToClasses, bool]:
    """Tell from the labels which corpus it is; return their map to classes, and if it is single."""
    used = {label for labels in rows for label in labels}
    listed = folder / "labels.txt"
    names = read_labels(listed) if listed.is_file() else ()
    by_number = all(label.isdigit() for label in used)
    if by_number:
        largest = max(int(label) for label in used)
        names = names or _names_by_id(folder.name, largest)
        if largest >= len(names):
            raise CorpusError(f"its label id {largest} has no name.", "Correct its labels.txt.")
    chosen = {names[int(label)] for label in used} if by_number else used
    known = _map_of(chosen)

    def to_classes(labels: tuple[str, ...]) -> frozenset[str]:
        given = [names[int(label)] for label in labels] if by_number else labels
        return known.classes(given)

    return to_classes, known.corpus == _SEVEN


_SEVEN = "seven names"


def _map_of(names: set[str]) -> LabelMap:
    """Return the map that knows the labels: GoEmotions, KOTE, or plain names of the classes."""
    plain: dict[str, str | None] = {n: CLASS_NAMES.get(n.lower()) for n in names}
    if len(names) <= 10 and sum(c is not None for c in plain.values()) >= len(names) / 2:
        return LabelMap(_SEVEN, "class names", plain)
    for label_map in (load_label_map("goemotions_ekman"), load_label_map("kote")):
        if names <= set(label_map.targets):
            return label_map
    raise CorpusError("its labels are neither GoEmotions' 28, KOTE's 44 nor the seven names.")


def _names_by_id(folder: str, largest: int) -> tuple[str, ...]:
    """Return the names behind ids without a labels.txt: KOTE's 44 or GoEmotions' 28."""
    if "kote" in folder.lower() or largest >= GOEMOTIONS_LABELS:
        return KOTE_NAMES
    # GoEmotions numbers its labels in alphabetical order, neutral last
    names = set(load_label_map("goemotions_ekman").targets) - {"neutral"}
    return (*sorted(names), "neutral")


def _language(name: str, texts: Sequence[str], processor: Processor) -> str | None:
    """Return a language the model knows if the folder's name or most of the texts say so."""
    ending = name.rpartition("_")[2].lower()
    if len(ending) == 2 and ending.isalpha():
        return ending
    step = max(1, len(texts) // _SAMPLED)
    sampled = texts[::step][:_SAMPLED]
    known = [code for text in sampled if (code := processor.language_of(text)) is not None]
    return max(known, key=known.count) if 2 * len(known) > len(sampled) else None
