"""The text corpora GoEmotions and KOTE as examples: several labels a comment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from core.errors import CorpusError
from training.data.corpora import goemotions, kote, labelling
from training.data.corpora.labelling import Labelling, own
from training.data.corpora.rows import RowLog, require_folder, source
from training.data.example import Example, Reading
from training.data.label_maps import load_label_map
from training.data.text_rows import TextRow, label_file, read_labels

PARTS: Mapping[str, str] = {"train": "train", "dev": "dev", "val": "dev", "test": "test"}
"""File name -> part."""

_RowReader = Callable[..., list[TextRow]]


def read_goemotions(
    root: Path,
    *,
    strict: bool = False,
    classes: str = "emotions",
    language: str = "all",
    parts: str | Sequence[str] = (),
    keep_unlabelled: bool = False,
) -> Reading:
    """Read GoEmotions as published, or goemotions_en and goemotions_ko beside one another.

    Args:
        root: a folder with train.tsv, dev.tsv, test.tsv and emotions.txt (or labels.txt), or the
            folder of such folders.
        classes: "emotions" (seven) or "own" (28).
        language: "en", "ko" (the machine translation) or "all".
        parts: "train", "dev", "test"; empty: all that are there.
        keep_unlabelled: keep comments all of whose labels have no class.

    Raises CorpusError or ConfigError.
    """
    require_folder(root, "train.tsv, dev.tsv, test.tsv and emotions.txt")
    folders = [root] if _tables(root) else sorted(root.glob("goemotions*"))
    labelling.one_of("goemotions", "language", language, ("all", "en", "ko"))
    folders = [f for f in folders if language in ("all", _language(f)) and _tables(f)]
    if not folders:
        raise CorpusError(
            f"{root} has no train.tsv, dev.tsv or test.tsv.", "Give the folder of GoEmotions."
        )
    log = RowLog(strict)
    names = read_labels(label_file(folders[0]))
    chosen = _labelling(names, goemotions.LABEL_MAP, classes)
    examples = [
        _example(f"goemotions_{_language(folder)}", path, row, part, _language(folder), chosen)
        for folder in folders
        for row, path, part in _rows(folder, goemotions.read, parts, names, log)
    ]
    return _reading(examples, log, chosen, keep_unlabelled)


def read_kote(
    root: Path,
    *,
    strict: bool = False,
    classes: str = "emotions",
    parts: str | Sequence[str] = (),
    keep_unlabelled: bool = False,
) -> Reading:
    """Read KOTE as published; a labels.txt may name its 44 labels in order.

    Args:
        root: a folder with train.tsv, val.tsv, test.tsv, or one above its folder kote.
        classes: "emotions" (seven) or "own" (44).
        parts: "train", "dev" (val.tsv), "test"; empty: all that are there.
        keep_unlabelled: keep comments all of whose labels have no class.

    Raises CorpusError or ConfigError.
    """
    require_folder(root, "train.tsv, val.tsv, test.tsv")
    folder = root if _tables(root) else root / "kote"
    if not _tables(folder):
        raise CorpusError(f"{root} has no train.tsv, val.tsv or test.tsv.", "Give KOTE's folder.")
    log = RowLog(strict)
    file = label_file(folder)
    names = read_labels(file) if file.is_file() else kote.LABELS
    chosen = _labelling(names, kote.LABEL_MAP, classes)
    examples = [
        _example("kote", path, row, part, "ko", chosen)
        for row, path, part in _rows(folder, kote.read, parts, names, log)
    ]
    return _reading(examples, log, chosen, keep_unlabelled)


def _tables(folder: Path) -> dict[str, Path]:
    """Return file name without suffix -> table, for every part that is there."""
    paths = {name: folder / f"{name}.tsv" for name in PARTS}
    return {name: path for name, path in paths.items() if path.is_file()}


def _language(folder: Path) -> str:
    """Return the language that a folder's name ends in; the original is English."""
    ending = folder.name.rpartition("_")[2]
    return ending if ending in ("en", "ko") else "en"


def _labelling(names: Sequence[str], map_name: str, classes: str) -> Labelling:
    load_label_map(map_name).check(names)
    return labelling.choose(map_name, classes, {"own": own(names)})


def _rows(
    folder: Path, read: _RowReader, wanted: str | Sequence[str], names: Sequence[str], log: RowLog
) -> list[tuple[TextRow, Path, str]]:
    """Return (row, table, part) of the wanted parts, or of all that are there."""
    tables = _tables(folder)
    parts = labelling.chosen_parts(folder.name, wanted, ("train", "dev", "test"))
    for part in parts:
        if part not in [PARTS[name] for name in tables]:
            raise CorpusError(f"{folder} has no table of the part {part}.", "Restore it.")
    return [
        (row, path, PARTS[name])
        for name, path in tables.items()
        if not parts or PARTS[name] in parts
        for row in read(folder, name, log, names)
    ]


def _example(
    corpus: str, path: Path, row: TextRow, part: str, language: str, chosen: Labelling
) -> Example:
    return Example(
        corpus=corpus,
        id=f"{part}/{row.number}",
        text=row.text,
        language=language,
        labels=chosen.of(row.labels),
        part=part,
        source=source(path, row.line),
    )


def _reading(
    examples: Sequence[Example], log: RowLog, chosen: Labelling, keep_unlabelled: bool
) -> Reading:
    kept = tuple(e for e in examples if e.labels or keep_unlabelled)
    return Reading(kept, log.problems, chosen.classes)
