"""The words shown as "now": they move only when the evidence moved."""

from __future__ import annotations

from core.types import EmotionResult

MARGIN = 0.08
"""A new emotion must lead the shown one by this much ..."""

PATIENCE = 3
"""... or be ahead in this many updates in a row."""


class SteadyLabel:
    """Hysteresis over the labels of a growing utterance; a complete one is taken as it is.

    Labels that stand for themselves come and go alike: when one is past its threshold by the
    margin, or on the other side of it for so many updates.
    """

    def __init__(self) -> None:
        self.labels: tuple[str, ...] | None = None
        """What is shown: one label, or those that are given; None before the first result."""
        self._model: tuple[str, ...] = ()
        self._ahead = 0

    def update(self, result: EmotionResult, complete: bool) -> tuple[str, ...]:
        """Take a result and return the labels to show."""
        new = result.given
        fresh = self.labels is None or result.labels != self._model
        if fresh or complete:
            self._take(new)
        elif set(new) == set(self.labels or ()):
            self._ahead = 0  # and the words stay in their order
        else:
            self._ahead += 1
            if self._leads(result) or self._ahead >= PATIENCE:
                self._take(new)
        self._model = result.labels
        assert self.labels is not None
        return self.labels

    def clear(self) -> None:
        """Forget what was shown: the next result is taken as it is."""
        self.labels = None
        self._ahead = 0

    def _leads(self, result: EmotionResult) -> bool:
        """Tell whether a change is clear enough to be shown at once."""
        shares = dict(zip(result.labels, result.probabilities, strict=True))
        shown = self.labels or ()
        if result.exclusive:
            return result.confidence - shares[shown[0]] >= MARGIN
        least = dict(zip(result.labels, result.thresholds, strict=True))
        changed = set(shown) ^ set(result.given)
        return any(abs(shares[label] - least[label]) >= MARGIN for label in changed)

    def _take(self, labels: tuple[str, ...]) -> None:
        self.labels = labels
        self._ahead = 0
