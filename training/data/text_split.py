"""Which rows of the text corpora are trained on, held out for thresholds, and scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.types import FloatArray
from training.data.label_maps import LabelMap
from training.data.text_corpora import read_corpus, split_rows
from training.data.text_rows import TextRow

KOTE_SHARES = (0.8, 0.1, 0.1)
"""Training, held-out and scored share of the one part of KOTE that is used."""
_QUICK_ROWS = 300


@dataclass(frozen=True)
class TextPart:
    """Rows of several corpora as arrays.

    targets: (n, 7) zeros and ones. own_targets: family -> (n, labels of its own). family_rows and
    corpus_rows: (n,) which rows belong to it. A family is a set of corpora with the same labels.
    """

    texts: list[str]
    targets: FloatArray
    corpora: tuple[str, ...]
    languages: tuple[str, ...]
    own_targets: Mapping[str, FloatArray]
    label_names: Mapping[str, tuple[str, ...]]
    family_rows: Mapping[str, NDArray[np.bool_]]

    @property
    def corpus_rows(self) -> dict[str, NDArray[np.bool_]]:
        """Corpus -> which rows are its."""
        names = np.array(self.corpora)
        return {name: names == name for name in dict.fromkeys(self.corpora)}

    def rows_of_family(self, family: str) -> NDArray[np.bool_]:
        """Which rows belong to a family; none when it is absent."""
        return self.family_rows.get(family, np.zeros(len(self.texts), dtype=bool))


@dataclass(frozen=True)
class TextParts:
    """train and held_out hold all corpora; scored has one part per corpus ("<corpus>/<part>")."""

    train: TextPart
    held_out: TextPart
    scored: Mapping[str, TextPart]
    description: Mapping[str, object]


def load_parts(data: Path, held_out: float, seed: int, quick: bool = False) -> TextParts:
    """Read GoEmotions (en, ko) and KOTE and split them; parallel rows share a part.

    Raises CorpusError or ConfigError.
    """
    maps: dict[str, LabelMap] = {}
    train: list[TextRow] = []
    held: list[TextRow] = []
    scored: dict[str, list[TextRow]] = {}
    for corpus in ("goemotions_en", "goemotions_ko"):
        rows, maps[corpus] = read_corpus(data, corpus, "train")
        kept, out = split_rows(rows, (1 - held_out, held_out), seed)
        train, held = train + _some(kept, quick), held + _some(out, quick)
        scored[f"{corpus}/dev"] = _some(read_corpus(data, corpus, "dev")[0], quick)
    rows, maps["kote"] = read_corpus(data, "kote", "val")
    kept, out, test = split_rows(rows, KOTE_SHARES, seed)
    train, held = train + _some(kept, quick), held + _some(out, quick)
    scored["kote/val"] = _some(test, quick)
    description = {
        "seed": seed,
        "goemotions_held_out": held_out,
        "kote_shares": list(KOTE_SHARES),
        "kote_rows": len(rows),
        "kote_scored_rows": [row.number for row in test],
    }
    return TextParts(
        build_part(train, maps),
        build_part(held, maps),
        {name: build_part(rows, maps) for name, rows in scored.items()},
        description,
    )


def build_part(rows: Sequence[TextRow], maps: Mapping[str, LabelMap]) -> TextPart:
    """Return rows as arrays; rows whose labels are all left out by the map are dropped."""
    rows = [row for row in rows if maps[row.corpus].classes(row.labels)]
    families = np.array([maps[row.corpus].corpus for row in rows])
    names = {m.corpus: tuple(m.targets) for m in maps.values()}
    own = {
        family: np.zeros((len(rows), len(labels)), np.float32) for family, labels in names.items()
    }
    position = {f: {label: k for k, label in enumerate(labels)} for f, labels in names.items()}
    for index, row in enumerate(rows):
        family = maps[row.corpus].corpus
        for label in row.labels:
            own[family][index, position[family][label]] = 1.0
    return TextPart(
        [row.text for row in rows],
        np.stack([maps[row.corpus].vector(row.labels) for row in rows]),
        tuple(row.corpus for row in rows),
        tuple(row.language for row in rows),
        own,
        names,
        {family: families == family for family in names},
    )


def _some(rows: list[TextRow], quick: bool) -> list[TextRow]:
    return rows[:_QUICK_ROWS] if quick else rows
