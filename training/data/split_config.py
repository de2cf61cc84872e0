"""What a split of a corpus is asked for, and what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]
"""Indices into the examples (n,), ascending."""

LABEL_RULES = ("single", "all")

GROUPED = ("speakers", "sessions")
"""Kinds that keep whole groups together."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """What a kind of split is, in a sentence for reports, and whether it keeps speakers apart."""

    description: str
    speaker_independent: bool = False


PROTOCOLS: Mapping[str, Protocol] = MappingProxyType(
    {
        "segments": Protocol(
            "Segments drawn at random within each class (RSA-CFN): the same speakers are in every"
            " part, so the figures are not those of strangers."
        ),
        "blocks": Protocol(
            "Contiguous blocks of the list of files (KNU): an edge may cut a session in two, so"
            " that its speakers are in two parts."
        ),
        "speakers": Protocol("No speaker is in two parts.", speaker_independent=True),
        "sessions": Protocol(
            "No session is in two parts, nor any of its speakers.", speaker_independent=True
        ),
        "published": Protocol(
            "The parts that the corpus's authors published: the same speakers may be in several"
            " parts (in MELD the main roles are in all), so the figures may not be those of"
            " strangers."
        ),
    }
)


@dataclass(frozen=True)
class SplitConfig:
    """How to split; for YAML.

    Attributes:
        kind: one of `PROTOCOLS`.
        folds: parts the corpus is dealt into, each the test part of one fold. For `segments` the
            test part is one in `folds`. 0: each session once (`sessions` only).
        fold: which one is the test part, from 0 (see `fold_count`).
        validation: share of the training part (of its groups, if it is grouped) to stop early and
            calibrate on; 0: none.
        seed: of every random choice. The RSA-CFN paper's is 42.
        labels: "single": rows of exactly one label are trained on and scored; "all": those of
            several, too (multi-label problems).
        script_folds: hold out what is said as well: scripts are dealt into so many folds, the test
            part is the held-out speakers with the held-out scripts, training the others with the
            others, and the rest is left out. 0: no.
    """

    kind: str = "speakers"
    folds: int = 5
    fold: int = 0
    validation: float = 0.15
    seed: int = 42
    labels: str = "single"
    script_folds: int = 0

    def __post_init__(self) -> None:
        if self.kind not in PROTOCOLS:
            raise ValueError(f"there is no split {self.kind!r}; there are {', '.join(PROTOCOLS)}")
        if self.labels not in LABEL_RULES:
            raise ValueError(f"labels must be {' or '.join(LABEL_RULES)}, not {self.labels!r}")
        if self.folds < 2 and not (self.folds == 0 and self.kind == "sessions"):
            raise ValueError(f"folds must be 2 or more for {self.kind}, not {self.folds}")
        if not 0 <= self.validation < 0.9:
            raise ValueError(f"validation must be from 0 to 0.9, not {self.validation}")
        if self.script_folds and (self.script_folds < 2 or self.kind not in GROUPED):
            raise ValueError(f"script_folds needs {' or '.join(GROUPED)} and 2 folds or more")
        if self.fold < 0:
            raise ValueError(f"fold must be 0 or more, not {self.fold}")

    @property
    def speaker_independent(self) -> bool:
        """Whether no speaker may be in two parts."""
        return PROTOCOLS[self.kind].speaker_independent


def _nothing() -> Rows:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Parts:
    """Indices into the examples, ascending; an example is in one part at most.

    Attributes:
        spare: rows left out for their several labels only. Their group (speaker, session, block) is
            one of training, so they may be trained on (see `label_transform`).
    """

    train: Rows
    validation: Rows
    test: Rows
    spare: Rows = field(default_factory=_nothing)

    def items(self) -> tuple[tuple[str, Rows], ...]:
        """Return the three parts with their names."""
        return (("train", self.train), ("validation", self.validation), ("test", self.test))
