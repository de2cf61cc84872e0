"""Splits of any corpus's examples into train, validation and test, by name of the protocol.

The validation part is carved out of the training part by the same kind of grouping, so it is never
the test part and shares no more with training than the test part does.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.errors import CorpusError
from training.data.example import Example
from training.data.split_check import check, describe, split_digest
from training.data.split_config import PROTOCOLS, Parts, Rows, SplitConfig
from training.data.split_kinds import KINDS, fold_count

__all__ = [
    "PROTOCOLS",
    "Parts",
    "SplitConfig",
    "check",
    "describe",
    "fold_count",
    "split",
    "split_digest",
]


def split(examples: Sequence[Example], config: SplitConfig) -> Parts:
    """Split examples as `config` says. Rows without any label are in no part.

    Raises:
        CorpusError: what the kind groups by is unknown for an example, or there is too little.
    """
    kind = KINDS[config.kind]
    single = np.array([len(e.labels) == 1 for e in examples], dtype=bool)
    labelled = np.array([len(e.labels) > 0 for e in examples], dtype=bool)
    scored = labelled if config.labels == "all" else single
    rows = np.flatnonzero(scored if kind.compounds_apart else labelled)
    if not len(rows):
        raise CorpusError("No example has a label to split by.", "Check the corpus.")
    test, unused = kind.test(examples, rows, config)
    train = _without(rows, test, unused)
    validation = np.empty(0, dtype=np.int64)
    if config.validation > 0:
        validation, unused = kind.validation(examples, train, config)
        train = _without(train, validation, unused)
    spare = train[~scored[train]]
    if kind.compounds_apart:
        spare = np.flatnonzero(labelled & ~scored)
    parts = Parts(train[scored[train]], validation[scored[validation]], test[scored[test]], spare)
    unvalidated = config.validation > 0 and not len(parts.validation)
    if not len(parts.train) or not len(parts.test) or unvalidated:
        raise CorpusError("A part of the split is empty.", "Use fewer folds or more data.")
    return parts


def _without(rows: Rows, *others: Rows) -> Rows:
    return np.setdiff1d(rows, np.concatenate(others))
