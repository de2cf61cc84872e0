"""When a faster but inexact way to compute an encoder is good enough: the rule, and its reasons.

Somebody who watches what people feel must not be shown another feeling because a machine rounds
differently. So a lossy mode passes for one checkpoint on one kind of machine only if, on recordings
like those it is meant for, all of this holds:

1. *Answers.* With 95 % confidence at least 99 % of all answers are the same, or both are marked
   "not sure" because the best labels lie within .08 of each other: which of two equally likely
   labels comes first then means nothing, and nobody is told that it does. (So that this excuses no
   model that is never sure, with the same confidence at least 95 % are the same outright.) Clips
   are draws from the recordings to come, so the number of misleading ones is binomial and the bound
   the exact one-sided one of Clopper & Pearson (1934), Biometrika 26. Without any this takes 299
   clips ("rule of three"), with one 473; fewer clips prove nothing and do not pass.
2. *Shift.* No probability moved by more than .05, which is what a reader of the window would not
   notice. With 299 clips the largest move seen is, again with 95 % confidence, larger than those of
   99 % of all clips whatever their distribution (Wilks 1941, Annals of Mathematical Statistics 12).
3. *F1.* Where clips are labelled, macro F1 falls by no more than .01, at the upper end of a
   one-sided 95 % interval: bootstrap over clips, both modes on the same resampled clips (paired).

Clips of one recording resemble each other, so the bounds hold for material as varied as what is
checked: many speakers and recordings say more than one long one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.quality.comparison import Comparison

TOO_FEW, DIFFERING, SWITCHING = "too_few_clips", "answers_differ", "labels_differ"
SHIFTED, WORSE = "shift", "f1"
"""Codes of why a mode did not pass."""

_MOST_CLIPS = 100_000
"""Where the search for how many are needed ends."""


@dataclass(frozen=True, slots=True)
class Rule:
    """The limits of the rule; see the module for what they mean and why they are so.

    revision: changes with anything that makes older verdicts worthless; they are then asked again.
    """

    agreement: float = 0.99
    outright: float = 0.95
    confidence: float = 0.95
    shift: float = 0.05
    f1_loss: float = 0.01
    revision: int = 1

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Rule:
        """Return the rule of `to_dict`. Raises TypeError or ValueError for anything else."""
        rule = cls(**values)
        for name in ("agreement", "outright", "confidence", "shift", "f1_loss"):
            object.__setattr__(rule, name, float(getattr(rule, name)))
        return rule

    def surely_same(self, differing: int, clips: int) -> float:
        """Return the least share that does not differ, with confidence (Clopper & Pearson)."""
        if not clips:
            return 0.0
        from scipy.stats import binomtest

        test = binomtest(differing, clips, alternative="less")
        return 1.0 - float(test.proportion_ci(self.confidence, "exact").high)

    def clips_needed(self, differing: int = 0) -> int:
        """Return how many clips prove enough when so many answers among them differ."""
        import numpy as np
        from scipy.stats import binom

        counts = np.arange(differing + 1, _MOST_CLIPS)
        likely = binom.cdf(differing, counts, 1.0 - self.agreement) > 1.0 - self.confidence
        return int(counts[np.flatnonzero(~likely)[0]]) if not likely.all() else _MOST_CLIPS

    def objections(self, found: Comparison) -> tuple[str, ...]:
        """Return the codes of everything that keeps a mode from passing; empty: it passes."""
        too_many = found.misleading > (1.0 - self.agreement) * found.clips
        # more clips can't help against too many, unless there are few yet
        few = found.clips < self.clips_needed(0 if too_many else found.misleading)
        says: dict[str, bool] = {
            TOO_FEW: few,
            DIFFERING: too_many,
            SWITCHING: self._switches(found.clips - found.same, found.clips, few),
            SHIFTED: not found.largest_shift <= self.shift,  # what is no number does not pass
            WORSE: found.f1 is not None and not found.f1.highest_loss <= self.f1_loss,
        }
        return tuple(code for code, holds in says.items() if holds)

    def _switches(self, differing: int, clips: int, few: bool) -> bool:
        """Whether too many labels differ: of few clips as they are, of enough with confidence."""
        if few:
            return differing > (1.0 - self.outright) * clips
        return self.surely_same(differing, clips) < self.outright


RULE = Rule()
"""What verdicts are given by."""
