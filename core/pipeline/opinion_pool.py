"""Two readings of a turn as one: the logarithmic opinion pool.

Genest & Zidek (1986), Combining probability distributions: a critique and an annotated
bibliography, Statistical Science 1(1), section 3: the weighted geometric mean, made to sum to one.
The utterance model has heard voices and the dialogue model has read dialogues; where one of them is
out of its depth it is seldom as sure as the other.
"""

from __future__ import annotations

import numpy as np

from core.types import EmotionResult, FloatArray

_LEAST = 1e-6
"""No model is so sure that nothing could contradict it."""


def own_opinion(emotion: EmotionResult | None, labels: tuple[str, ...]) -> FloatArray | None:
    """Return what the utterance model says (C,); None if it speaks of other labels or several."""
    if emotion is None or not emotion.exclusive or emotion.labels != labels:
        return None
    return np.asarray(emotion.probabilities, dtype=np.float32)


def pooled(probabilities: FloatArray, own: FloatArray | None, share: float) -> FloatArray:
    """Return probabilities (..., C) pooled with those of the utterance model (C,).

    Args:
        own: None leaves them as they are.
        share: of the utterance model, in [0, 1].
    """
    if own is None or share == 0.0:
        return probabilities
    said = (1 - share) * np.log(np.maximum(probabilities, _LEAST))
    weighed = np.exp(said + share * np.log(np.maximum(own, _LEAST)))
    return np.asarray(weighed / weighed.sum(axis=-1, keepdims=True), dtype=np.float32)
