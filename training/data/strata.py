"""Folds of whole groups (speakers, sessions, scripts) with classes spread over them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold, train_test_split

from core.errors import CorpusError

Rows = NDArray[np.int64]


def merge_rare(keys: Sequence[str], least: int, most: int | None = None) -> NDArray[np.str_]:
    """Return `keys` with the rarest ones joined.

    Joins until every key occurs at least `least` times and there are `most` at most (or one is
    left), as stratified splits ask. Keys that are frequent enough stay as they are.
    """
    counts = Counter(keys)
    joined = {key: key for key in counts}
    while len(counts) > 1:
        (first, few), (second, more) = sorted(counts.items(), key=lambda item: item[::-1])[:2]
        if few >= least and (most is None or len(counts) <= most):
            break
        del counts[first], counts[second]
        name = f"{first}+{second}"
        counts[name] = few + more
        joined = {k: name if now in (first, second) else now for k, now in joined.items()}
    return np.array([joined[key] for key in keys])


def stratified_share(keys: Sequence[str], share: float, seed: int) -> Rows:
    """Return the indices of a random `share` of rows with each key in proportion, ascending.

    The same rows as scikit-learn's `train_test_split(test_size=share, random_state=seed,
    stratify=keys)` wherever that accepts the keys; keys too rare for it are joined.

    Raises:
        CorpusError: there are fewer than two rows on a side.
    """
    count = len(keys)
    chosen = int(np.ceil(share * count))
    if chosen < 1 or count - chosen < 1:
        raise CorpusError(f"{count} rows can't be split.", "Use a larger corpus.")
    strata = merge_rare(keys, 2, min(chosen, count - chosen))
    stratify = strata if len(set(strata)) > 1 else None
    _, rows = train_test_split(
        np.arange(count), test_size=share, random_state=seed, stratify=stratify
    )
    return np.sort(rows).astype(np.int64)


def group_folds(
    groups: Sequence[str], keys: Sequence[str], folds: int, seed: int, what: str = "groups"
) -> Rows:
    """Return the fold (n,) of every row; no group is in two, keys are spread as well as possible.

    Args:
        folds: how many; 0: one for each group, in the order of their names.
        what: the groups are, for messages.

    Raises:
        CorpusError: there are fewer groups than folds, or only one.
    """
    names = sorted(set(groups))
    if folds == 0 and len(names) > 1:
        number = {name: fold for fold, name in enumerate(names)}
        return np.array([number[group] for group in groups], dtype=np.int64)
    if len(names) < max(folds, 2):
        raise CorpusError(
            f"{len(names)} {what} can't be dealt into {max(folds, 2)} parts.",
            "Use fewer folds, no validation part, more data, or another kind of split.",
        )
    if len(names) == folds:  # one each; the greedy search may put two into one and leave one empty
        return group_folds(groups, keys, 0, seed, what)
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    strata = merge_rare(keys, folds)
    assigned = np.full(len(groups), -1, dtype=np.int64)
    for fold, (_, rows) in enumerate(splitter.split(np.zeros(len(groups)), strata, groups)):
        assigned[rows] = fold
    if len(set(assigned.tolist())) < folds:
        raise CorpusError(
            f"{len(names)} {what} of unequal size can't be dealt into {folds} parts.",
            "Use fewer folds.",
        )
    return assigned


def group_share(
    groups: Sequence[str], keys: Sequence[str], share: float, seed: int, what: str = "groups"
) -> Rows:
    """Return the indices of whole groups that make about `share` of the rows, ascending.

    Raises:
        CorpusError: there is only one group.
    """
    folds = min(len(set(groups)), max(2, round(1 / share)))
    assigned = group_folds(groups, keys, folds, seed, what)
    sizes = np.bincount(assigned, minlength=max(folds, 1))
    best = int(np.argmin(np.abs(sizes - share * len(groups))))
    return np.flatnonzero(assigned == best).astype(np.int64)
