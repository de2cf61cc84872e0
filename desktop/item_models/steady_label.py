"""The word shown as "now": it moves only when the evidence moved."""

from __future__ import annotations

from core.types import EmotionResult

MARGIN = 0.08
"""A new emotion must lead the shown one by this much ..."""

PATIENCE = 3
"""... or be ahead in this many updates in a row."""


class SteadyLabel:
    """Hysteresis over the labels of a growing utterance; a complete one is taken as it is."""

    def __init__(self) -> None:
        self.label: str | None = None
        self._ahead = 0

    def update(self, result: EmotionResult, complete: bool) -> str:
        """Take a result and return the label to show."""
        best = result.label
        if self.label not in result.labels or complete or best == self.label:
            self._take(best)
        else:
            shown = result.probabilities[result.labels.index(str(self.label))]
            self._ahead += 1
            if result.confidence - shown >= MARGIN or self._ahead >= PATIENCE:
                self._take(best)
        assert self.label is not None
        return self.label

    def clear(self) -> None:
        """Forget what was shown: the next result is taken as it is."""
        self.label = None
        self._ahead = 0

    def _take(self, label: str) -> None:
        self.label = label
        self._ahead = 0
