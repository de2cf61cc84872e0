"""Corrections as rows to learn from: which clips, how much each counts, and which belong together.

People correct what was wrong and leave alone what was right, so among corrections mistakes are far
more frequent than in what the person says. Counted one by one they would tell of a gain that is
theirs alone (on real speakers: .55 where all other clips gained .22). So mistakes never count for
more than a share of `MOST_WRONG`, which brings what is told and what is gained together (.24 and
.22) and changes what is learned but little.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.models.calibration import HEARD, Calibration
from core.models.specification import Problem
from core.personal.correcting import Float, Rows
from core.personal.evidence import ClipEvidence, Look
from core.types import Modality

Indices = NDArray[np.int64]

MOST_WRONG = 0.35
"""Share of the weight that turns may have which the model got wrong."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """One corrected clip: what was said of it, its label, its group, and how much it counts.

    Clips of one group (the same sentence, say) are never learned from to judge each other.
    """

    evidence: ClipEvidence
    truth: int
    group: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Lessons:
    """All usable corrections of a person, for one checkpoint.

    Attributes:
        given: at least one.
        modality: whose vectors the adapter reads.
        problem, calibration: of the checkpoint.
    """

    given: tuple[Lesson, ...]
    modality: Modality
    problem: Problem
    calibration: Calibration
    labels: tuple[str, ...]

    @property
    def truth(self) -> Indices:
        """(n,) indices of the labels people gave."""
        return np.array([lesson.truth for lesson in self.given], np.int64)

    def wrong(self) -> NDArray[np.bool_]:
        """(n,) whether the model alone gives another label."""
        logits = np.stack([self._logits(one.evidence.final) for one in self.given])
        return np.asarray(self.chosen(logits) != self.truth)

    def weights(self) -> Float:
        """(n,) how much each counts: mistakes never more than their share."""
        own, wrong = np.array([lesson.weight for lesson in self.given]), self.wrong()
        share = float(own[wrong].sum() / own.sum())
        if share <= MOST_WRONG or share == 1.0:
            return own
        return own * np.where(wrong, MOST_WRONG / share, (1 - MOST_WRONG) / (1 - share))

    def rows(self, chosen: Sequence[int] | Indices, weights: Float) -> Rows:
        """Return every look at the chosen clips that an adapter corrects.

        Looks at one clip share its weight (n,).
        """
        found = [
            (look, self.given[i].truth, weights[i] / len(looks))
            for i in chosen
            for looks in [self._looks(self.given[i].evidence)]
            for look in looks
        ]
        return self._rows([look for look, _, _ in found], [t for _, t, _ in found],
                          [w for _, _, w in found])  # fmt: skip

    def final_rows(self, chosen: Sequence[int] | Indices) -> Rows:
        """Return one row for each chosen clip: what a session would end with."""
        looks = [self.given[i].evidence.final for i in chosen]
        return self._rows(looks, [self.given[i].truth for i in chosen], [1.0] * len(looks))

    def chosen(self, scores: Float) -> Indices:
        """(n,) the labels that calibrated scores (n, C) lead to: the strongest.

        Where labels stand for themselves, the one that is most of all above its threshold.
        """
        if self.problem is Problem.SINGLE_LABEL:
            return np.asarray(scores.argmax(axis=1), np.int64)
        least = np.asarray(self.calibration.thresholds_for(self.labels))
        return np.asarray((1.0 / (1.0 + np.exp(-scores)) - least).argmax(axis=1), np.int64)

    def _looks(self, evidence: ClipEvidence) -> list[Look]:
        return [
            look
            for look in evidence.looks
            if self.modality in look.vectors and look.modality in (None, self.modality)
        ]

    def _rows(self, looks: Sequence[Look], truth: Sequence[int], weights: Sequence[float]) -> Rows:
        return Rows(
            np.stack([self._logits(look) for look in looks]),
            np.stack([look.vectors[self.modality] for look in looks]).astype(np.float64),
            np.asarray(truth, np.int64),
            np.asarray(weights, np.float64),
            np.array([self._doubt(look) for look in looks]),
        )

    def _logits(self, look: Look) -> Float:
        temperature = self.calibration.temperature(look.path)
        return np.asarray(look.logits, np.float64) / temperature

    def _doubt(self, look: Look) -> float:
        """Return what the calibration divides by where little was heard."""
        competing = self.problem is Problem.SINGLE_LABEL
        if look.seconds is None or look.path not in HEARD or not competing:
            return 1.0
        return self.calibration.short_speech.factor(look.seconds)
