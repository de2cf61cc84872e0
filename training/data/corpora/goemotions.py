"""GoEmotions: `text <tab> label ids <tab> comment id` per line, and its translation without the id.

Demszky et al. (2020), GoEmotions: a dataset of fine-grained emotions, ACL. Files are not quoted:
a quotation mark is part of the text.
"""

from __future__ import annotations

from pathlib import Path

from core.errors import CorpusError
from training.data.text_rows import TextRow, parse_label_ids, read_labels

LABEL_MAP = "goemotions_ekman"


def read(folder: Path, part: str) -> list[TextRow]:
    """Return the rows of `<folder>/<part>.tsv`; the folder's name ends in its language.

    Raises:
        CorpusError: the file is missing or a row is malformed; names file and line.
    """
    names = read_labels(folder / "labels.txt")
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
        fields = line.rstrip("\r").split("\t")
        if len(fields) not in (2, 3) or not fields[0].strip():
            raise CorpusError(
                f"{path}, line {number + 1}: expected text, label ids and a comment id,"
                f" found {len(fields)} fields.",
                "Correct or remove the row.",
            )
        labels = parse_label_ids(fields[1], names, path, number + 1)
        rows.append(TextRow(fields[0].strip(), labels, folder.name, language, number))
    return rows
