"""The seven emotion classes and where they lie on the affect plane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

EMOTIONS: tuple[str, ...] = ("neutral", "happy", "angry", "surprise", "sad", "fear", "disgust")
"""The classes of KEMDy20, in the order used by every seven-class model of this project."""

AFFECT_COORDINATES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        # (valence, arousal) in [-1, 1]: Russell & Mehrabian (1977), Evidence for a three-factor
        # theory of emotions, Journal of Research in Personality 11, table 3 (pleasure, arousal).
        "neutral": (0.0, 0.0),
        "happy": (0.81, 0.51),
        "angry": (-0.51, 0.59),
        "surprise": (0.40, 0.67),
        "sad": (-0.63, -0.27),
        "fear": (-0.64, 0.60),
        "disgust": (-0.60, 0.35),
    }
)


def derive_affect(labels: Sequence[str], probabilities: Sequence[float]) -> tuple[float, float]:
    """Return (arousal, valence) in [-1, 1], the expectation of the class coordinates.

    This is a derivation, not a measurement: show it as "derived".
    """
    points = [AFFECT_COORDINATES.get(label, (0.0, 0.0)) for label in labels]
    valence = sum(p * v for p, (v, _) in zip(probabilities, points, strict=True))
    arousal = sum(p * a for p, (_, a) in zip(probabilities, points, strict=True))
    return float(arousal), float(valence)
