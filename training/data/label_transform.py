"""Label Transform: segments on which the taggers tied between neutral and something else.

RSA-CFN (KEMDy20): rows of two labels "neutral;X" are added to training, and only there, as X. There
are 612 of them and take training from 10,262 rows to 10,874 (table 1 of the paper). Rows of other
compound labels ("happy;surprise", three labels) stay left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from training.data.example import Example
from training.data.split_config import Parts

_TIED = "neutral"


@dataclass(frozen=True, slots=True)
class Transformed:
    """Examples in the same order, parts with more to train on, and what became of compound rows.

    Attributes:
        added: rows by the class they are trained on as.
        dropped: rows that could have been trained on by their labels, "happy;surprise".
    """

    examples: tuple[Example, ...]
    parts: Parts
    added: dict[str, int]
    dropped: dict[str, int]


def label_transform(examples: Sequence[Example], parts: Parts) -> Transformed:
    """Train on "neutral;X" as X.

    Only rows that the split has to spare are taken: under a split by segments that is all of them,
    as published; under one by speakers, sessions or blocks those of the training speakers, sessions
    or blocks, so that no one who is tested gets into training. Splits of `labels: all` spare none.
    """
    changed = list(examples)
    taken: list[int] = []
    dropped: Counter[str] = Counter()
    for row in parts.spare.tolist():
        other = telling_label(examples[row].labels)
        if other is None:
            dropped[";".join(sorted(examples[row].labels))] += 1
        else:
            changed[row] = replace(examples[row], labels=(other,))
            taken.append(row)
    train = np.sort(np.concatenate([parts.train, np.array(taken, dtype=np.int64)]))
    added = Counter(changed[row].labels[0] for row in taken)
    left = replace(parts, train=train, spare=np.empty(0, dtype=np.int64))
    return Transformed(tuple(changed), left, dict(added), dict(dropped))


def telling_label(labels: Sequence[str]) -> str | None:
    """Return X of "neutral;X" (or "X;neutral"), None for other labels."""
    others = [label for label in labels if label != _TIED]
    return others[0] if len(labels) == 2 and len(others) == 1 else None
