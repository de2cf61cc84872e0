"""KOTE: `id <tab> comment <tab> label ids` per row, quoted where a comment holds quotes.

Jeon, Lee & Kim (2022), User guide for KOTE: Korean online comments emotions dataset,
arXiv 2205.05300.
"""

from __future__ import annotations

from pathlib import Path

from training.data.corpora.rows import RowLog, csv_rows
from training.data.text_rows import TextRow, label_file, parse_label_ids, read_labels

LABEL_MAP = "kote"


def read(folder: Path, part: str, log: RowLog | None = None) -> list[TextRow]:
    """Return the rows of `<folder>/<part>.tsv`.

    Args:
        log: takes the malformed rows; without one the first of them is an error.

    Raises:
        CorpusError: the file is missing, or a row is malformed and nothing takes it.
    """
    log = log or RowLog(strict=True)
    names = read_labels(label_file(folder))
    path = folder / f"{part}.tsv"
    rows = []
    for number, (line, fields) in enumerate(csv_rows(path, log, ("utf-8-sig",), "\t")):
        try:
            if len(fields) != 3 or not fields[1].strip():
                raise ValueError(f"expected an id, a comment and label ids, found {fields!r}")
            labels = parse_label_ids(fields[2], names)
            rows.append(TextRow(fields[1].strip(), labels, folder.name, "ko", number, line))
        except ValueError as error:
            log.report(path, line, str(error))
    return rows
