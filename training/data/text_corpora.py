"""The text corpora this project can read, by folder name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from core.errors import CorpusError
from training.data.corpora import goemotions, kote
from training.data.label_maps import LabelMap, load_label_map
from training.data.text_rows import TextRow, read_labels

_READERS: Mapping[str, tuple[Callable[[Path, str], list[TextRow]], str]] = {
    # folder -> (reader, label map)
    "goemotions_en": (goemotions.read, goemotions.LABEL_MAP),
    "goemotions_ko": (goemotions.read, goemotions.LABEL_MAP),
    "kote": (kote.read, kote.LABEL_MAP),
}

TEXT_CORPORA: tuple[str, ...] = tuple(_READERS)


def read_corpus(data: Path, corpus: str, part: str) -> tuple[list[TextRow], LabelMap]:
    """Return the rows of `data/text/<corpus>/<part>.tsv` and the corpus's label map, checked.

    Raises CorpusError or ConfigError.
    """
    if corpus not in _READERS:
        raise CorpusError(f"No reader for the text corpus '{corpus}'.", f"Known: {TEXT_CORPORA}.")
    reader, map_name = _READERS[corpus]
    folder = data / "text" / corpus
    label_map = load_label_map(map_name)
    label_map.check(read_labels(folder / "labels.txt"))
    return reader(folder, part), label_map


def split_rows(
    rows: Sequence[TextRow], shares: Sequence[float], seed: int
) -> tuple[list[TextRow], ...]:
    """Split rows by their number: the same seed gives parallel rows the same part.

    Args:
        shares: share of each part; they sum to one.
    """
    count = 1 + max((row.number for row in rows), default=0)
    order = np.random.default_rng(seed).permutation(count)
    rank = np.empty(count)
    rank[order] = (np.arange(count) + 0.5) / count
    edges = np.cumsum(shares)[:-1]
    part_of = np.searchsorted(edges, rank)
    return tuple([r for r in rows if part_of[r.number] == k] for k in range(len(shares)))
