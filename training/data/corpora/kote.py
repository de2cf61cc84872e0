"""KOTE: `id <tab> comment <tab> label ids` per row, quoted where a comment holds quotes.

Jeon, Lee & Kim (2022), User guide for KOTE: Korean online comments emotions dataset,
arXiv 2205.05300.
"""

from __future__ import annotations

import csv
from pathlib import Path

from core.errors import CorpusError
from training.data.text_rows import TextRow, parse_label_ids, read_labels

LABEL_MAP = "kote"


def read(folder: Path, part: str) -> list[TextRow]:
    """Return the rows of `<folder>/<part>.tsv`.

    Raises:
        CorpusError: the file is missing or a row is malformed; names file and line.
    """
    names = read_labels(folder / "labels.txt")
    path = folder / f"{part}.tsv"
    rows = []
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            reader = csv.reader(stream, delimiter="\t", strict=True)
            for number, fields in enumerate(reader):
                if len(fields) != 3 or not fields[1].strip():
                    raise CorpusError(
                        f"{path}, line {reader.line_num}: expected an id, a comment and label ids,"
                        f" found {len(fields)} fields.",
                        "Correct or remove the row.",
                    )
                labels = parse_label_ids(fields[2], names, path, reader.line_num)
                rows.append(TextRow(fields[1].strip(), labels, folder.name, "ko", number))
    except csv.Error as error:
        raise CorpusError(
            f"{path}, line {reader.line_num}: {error}.", "Correct or remove the row."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path} can't be read: {error}.", "Check the data folder.") from error
    return rows
