"""GoEmotions: `text <tab> label ids <tab> comment id` per line, and its translation without the id.

Demszky et al. (2020), GoEmotions: a dataset of fine-grained emotions, ACL. Files are not quoted:
a quotation mark is part of the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.errors import CorpusError
from training.data.corpora.rows import RowLog
from training.data.text_rows import TextRow, label_file, parse_label_ids, read_labels

LABEL_MAP = "goemotions_ekman"


def read(
    folder: Path, part: str, log: RowLog | None = None, names: Sequence[str] | None = None
) -> list[TextRow]:
    """Return the rows of `<folder>/<part>.tsv`; the folder's name ends in its language.

    Args:
        log: takes the malformed rows; without one the first of them is an error.
        names: of the labels by id; None: from emotions.txt or labels.txt.

    Raises:
        CorpusError: the file is missing, or a row is malformed and nothing takes it.
    """
    log = log or RowLog(strict=True)
    names = names or read_labels(label_file(folder))
    path = folder / f"{part}.tsv"
    language = folder.name.rpartition("_")[2]
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path} can't be read: {error}.", "Check the data folder.") from error
    rows = []
    for number, line in enumerate(lines):
        if not line.strip():
            continue
        try:
            text, labels = _parsed(line.rstrip("\r").split("\t"), names)
            rows.append(TextRow(text, labels, folder.name, language, number, number + 1))
        except ValueError as error:
            log.report(path, number + 1, str(error))
    return rows


def _parsed(fields: list[str], names: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    if len(fields) not in (2, 3) or not fields[0].strip():
        found = f"found {len(fields)} fields" if fields[0].strip() else "found no text"
        raise ValueError(f"expected text, label ids and a comment id, {found}")
    return fields[0].strip(), parse_label_ids(fields[1], names)
