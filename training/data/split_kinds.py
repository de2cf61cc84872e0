"""How each kind of split chooses its test part, and its validation part out of the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from core.errors import CorpusError
from training.data.example import Example
from training.data.split_config import GROUPED, Rows, SplitConfig
from training.data.splits import script_groups
from training.data.strata import group_folds, group_share, stratified_share

_MOST_SCRIPTS = 3000
"""Distinct texts that are compared pair by pair; more are no scripts but free speech."""

Choice = Callable[[Sequence[Example], Rows, SplitConfig], tuple[Rows, Rows]]
"""(examples, rows to choose from, config) -> rows chosen, and rows to leave out of all parts."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Kind:
    """How to choose the test part of all rows, and the validation part of those that are left.

    `compounds_apart`: rows of several labels take no part in choosing, and may all be trained on.
    """

    test: Choice
    validation: Choice
    compounds_apart: bool = False


_NONE = np.empty(0, dtype=np.int64)


def fold_count(examples: Sequence[Example], config: SplitConfig) -> int:
    """Return how many folds there are, so that `fold` may be 0 to one less."""
    if config.kind in ("segments", "published"):
        return 1
    folds = config.folds or len({e.session for e in examples if e.labels})
    return folds * max(config.script_folds, 1)


def _keys(examples: Sequence[Example], rows: Rows) -> list[str]:
    """Return what should be spread evenly: classes, within each corpus and gender."""
    chosen = [examples[row] for row in rows]
    return [f"{e.corpus} {e.gender} {';'.join(sorted(e.labels))}" for e in chosen]


def _check_fold(config: SplitConfig, count: int) -> None:
    if config.fold >= count:
        raise CorpusError(
            f"There is no fold {config.fold}: this split has {count}.",
            f"Use a fold from 0 to {count - 1}.",
        )


# --- by segment (RSA-CFN) -------------------------------------------------------------------------


def _segment_test(
    examples: Sequence[Example], rows: Rows, config: SplitConfig
) -> tuple[Rows, Rows]:
    """Choose at random, as the RSA-CFN code does from its list sorted by file."""
    _check_fold(config, 1)
    return _segments(examples, rows, 1 / config.folds, config.seed), _NONE


def _segment_validation(
    examples: Sequence[Example], rows: Rows, config: SplitConfig
) -> tuple[Rows, Rows]:
    return _segments(examples, rows, config.validation, config.seed), _NONE


def _segments(examples: Sequence[Example], rows: Rows, share: float, seed: int) -> Rows:
    by_file = np.array(sorted(rows, key=lambda row: _file_key(examples[row])), dtype=np.int64)
    labels = [";".join(sorted(examples[row].labels)) for row in by_file]
    return np.sort(by_file[stratified_share(labels, share, seed)])


def _file_key(example: Example) -> tuple[str, str]:
    return (example.audio.as_posix() if example.audio else "", example.id)


# --- contiguous blocks (KNU) ----------------------------------------------------------------------


def _block_test(examples: Sequence[Example], rows: Rows, config: SplitConfig) -> tuple[Rows, Rows]:
    """Take one of `folds` contiguous blocks of the examples as they were read."""
    _check_fold(config, config.folds)
    edges = [len(rows) * k // config.folds for k in (config.fold, config.fold + 1)]
    return rows[edges[0] : edges[1]], _NONE


def _block_validation(
    examples: Sequence[Example], rows: Rows, config: SplitConfig
) -> tuple[Rows, Rows]:
    """Take the last rows of the training part: contiguous, like the test part."""
    count = max(1, round(config.validation * len(rows)))
    return rows[len(rows) - count :], _NONE


# --- whole speakers or sessions, and scripts ------------------------------------------------------

_GROUP_OF: Mapping[str, Callable[[Example], str]] = MappingProxyType(
    {"speakers": lambda e: e.speaker, "sessions": lambda e: e.session}
)


def _group_test(examples: Sequence[Example], rows: Rows, config: SplitConfig) -> tuple[Rows, Rows]:
    _check_fold(config, fold_count(examples, config))
    fold, script_fold = divmod(config.fold, max(config.script_folds, 1))
    groups, keys = _groups(examples, rows, config.kind), _keys(examples, rows)
    assigned = group_folds(groups, keys, config.folds, config.seed, config.kind)
    in_group = assigned == fold
    if not config.script_folds:
        return rows[in_group], _NONE
    scripts = _scripts(examples, rows)
    by_script = group_folds(scripts, keys, config.script_folds, config.seed, "scripts")
    return _crossed(rows, in_group, by_script == script_fold)


def _group_validation(
    examples: Sequence[Example], rows: Rows, config: SplitConfig
) -> tuple[Rows, Rows]:
    keys = _keys(examples, rows)
    groups = _groups(examples, rows, config.kind)
    share, seed = config.validation, config.seed
    in_group = _mask(group_share(groups, keys, share, seed, config.kind), len(rows))
    if not config.script_folds:
        return rows[in_group], _NONE
    chosen = group_share(_scripts(examples, rows), keys, share, seed, "scripts")
    return _crossed(rows, in_group, _mask(chosen, len(rows)))


def _crossed(rows: Rows, in_group: Mask, in_scripts: Mask) -> tuple[Rows, Rows]:
    """Return the rows that are in both, and those that are in one only."""
    return rows[in_group & in_scripts], rows[in_group ^ in_scripts]


def _mask(chosen: Rows, count: int) -> Mask:
    mask = np.zeros(count, dtype=bool)
    mask[chosen] = True
    return mask


def _groups(examples: Sequence[Example], rows: Rows, kind: str) -> list[str]:
    groups = [_GROUP_OF[kind](examples[row]) for row in rows]
    unknown = [row for row, group in zip(rows, groups, strict=True) if not group]
    if unknown:
        first = examples[unknown[0]]
        raise CorpusError(
            f"{len(unknown)} examples have no {kind.rstrip('s')}, the first is"
            f" {first.source or first.id}.",
            f"Name the {kind} in the corpus, or choose another kind of split.",
        )
    return groups


def _scripts(examples: Sequence[Example], rows: Rows) -> list[str]:
    texts = [examples[row].text or "" for row in rows]
    if "" in texts:
        first = examples[rows[texts.index("")]]
        raise CorpusError(
            f"{first.source or first.id} has no text.", "Holding out scripts needs all texts."
        )
    if len(set(texts)) > _MOST_SCRIPTS:
        raise CorpusError(
            f"There are {len(set(texts))} different texts: this is no corpus of scripts.",
            "Set script_folds to 0.",
        )
    numbers = script_groups(texts)
    return [f"script {numbers[text]}" for text in texts]


# --- the corpus's own parts -----------------------------------------------------------------------


def _published_test(
    examples: Sequence[Example], rows: Rows, config: SplitConfig
) -> tuple[Rows, Rows]:
    _check_fold(config, 1)
    parts = np.array([examples[row].part for row in rows])
    for part in ("train", "test"):
        if part not in parts:
            raise CorpusError(
                f"No example is in the part {part!r} of the corpus.",
                "Choose another kind of split.",
            )
    used = ("train", "dev", "test") if config.validation > 0 else ("train", "test")
    return rows[parts == "test"], rows[~np.isin(parts, used)]


def _published_validation(
    examples: Sequence[Example], rows: Rows, config: SplitConfig
) -> tuple[Rows, Rows]:
    """Take the published dev part, or carve out whole dialogues where there is none."""
    parts = np.array([examples[row].part for row in rows])
    if "dev" in parts:
        return rows[parts == "dev"], _NONE
    groups = [examples[r].dialogue or examples[r].speaker or examples[r].id for r in rows]
    chosen = group_share(groups, _keys(examples, rows), config.validation, config.seed)
    return rows[chosen], _NONE


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "segments": Kind(_segment_test, _segment_validation, compounds_apart=True),
        "blocks": Kind(_block_test, _block_validation),
        **{name: Kind(_group_test, _group_validation) for name in GROUPED},
        "published": Kind(_published_test, _published_validation),
    }
)
"""By the names of `PROTOCOLS`."""
