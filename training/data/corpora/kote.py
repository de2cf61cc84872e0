"""KOTE: `id <tab> comment <tab> label ids` per row, quoted where a comment holds quotes.

Jeon, Lee & Kim (2022), User guide for KOTE: Korean online comments emotions dataset,
arXiv 2205.05300.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from training.data.corpora.rows import RowLog, csv_rows
from training.data.text_rows import TextRow, label_file, parse_label_ids, read_labels

LABEL_MAP = "kote"
LABELS = tuple(
    """
불평/불만 환영/호의 감동/감탄 지긋지긋 고마움 슬픔 화남/분노 존경 기대감 우쭐댐/무시함
안타까움/실망 비장함 의심/불신 뿌듯함 편안/쾌적 신기함/관심 아껴주는 부끄러움 공포/무서움
절망 한심함 역겨움/징그러움 짜증 어이없음 없음 패배/자기혐오 귀찮음 힘듦/지침 즐거움/신남
깨달음 죄책감 증오/혐오 흐뭇함(귀여움/예쁨) 당황/난처 경악 부담/안_내킴 서러움 재미없음
불쌍함/연민 놀람 행복 불안/걱정 기쁨 안심/신뢰
""".split()  # noqa: SIM905
)
"""The 44 labels in the order of their ids: the corpus's README lists them, no file of its does."""


def read(
    folder: Path, part: str, log: RowLog | None = None, names: Sequence[str] | None = None
) -> list[TextRow]:
    """Return the rows of `<folder>/<part>.tsv`.

    Args:
        log: takes the malformed rows; without one the first of them is an error.
        names: of the labels by id; None: from labels.txt.

    Raises:
        CorpusError: the file is missing, or a row is malformed and nothing takes it.
    """
    log = log or RowLog(strict=True)
    names = names or read_labels(label_file(folder))
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
