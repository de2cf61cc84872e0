"""Making probabilities mean what they say: a temperature per way of judging, and limits of doubt.

Guo, Pleiss, Sun & Weinberger (2017), On calibration of modern neural networks, ICML, section 4.2:
dividing logits by one temperature fitted on held-out data repairs the confidence of a network and
never changes its decision.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import CheckpointError
from core.models.specification import Problem

Float = NDArray[np.float64]

CALIBRATION_BINS = 15
_GOLDEN = (math.sqrt(5) - 1) / 2


class Path(StrEnum):
    """A way through the model; each has its own confidence, and so its own temperature."""

    SPEECH_RAW = "speech_raw"
    SPEECH_PERSONAL = "speech_personal"
    TEXT = "text"
    FUSED = "fused"


@dataclass(frozen=True, slots=True)
class Calibration:
    """Temperatures by path (1 where none was fitted) and per label the threshold on text.

    `text_thresholds` hold for the sigmoid of the text logits, unscaled by any temperature: they
    decide which labels a text carries when several may.
    """

    temperatures: Mapping[Path, float] = field(default_factory=dict)
    text_thresholds: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        wrong = [f"{k} {t}" for k, t in self.temperatures.items() if not 0 < t < math.inf]
        wrong += [f"threshold {t}" for t in self.text_thresholds if not 0 <= t <= 1]
        if wrong:
            raise CheckpointError(f"The calibration makes no sense: {', '.join(wrong)}.")

    def temperature(self, path: Path) -> float:
        """Return what logits of this path are divided by."""
        return self.temperatures.get(path, 1.0)

    def probabilities(
        self, logits: ArrayLike, path: Path, problem: Problem = Problem.SINGLE_LABEL
    ) -> Float:
        """Return probabilities of the shape of `logits` (..., C)."""
        scaled = np.asarray(logits, dtype=np.float64) / self.temperature(path)
        return sigmoid(scaled) if problem is Problem.MULTI_LABEL else softmax(scaled)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "temperatures": {path.value: value for path, value in self.temperatures.items()},
            "text_thresholds": list(self.text_thresholds),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Calibration:
        """Read what `to_dict` wrote. Raises CheckpointError on anything else."""
        try:
            return cls(
                {Path(k): float(v) for k, v in values.get("temperatures", {}).items()},
                tuple(float(v) for v in values.get("text_thresholds", ())),
            )
        except (TypeError, ValueError, AttributeError) as error:
            raise CheckpointError(f"The calibration can't be read ({error!r}).") from error


@dataclass(frozen=True, slots=True)
class DoubtLimits:
    """When a result is "not sure".

    Attributes:
        voiced_seconds: less voiced speech than this is too short.
        snr_db: a lower estimated signal-to-noise ratio is too noisy.
        margin: a smaller gap between the two best probabilities is too even.
        entropy: a larger entropy, as a share of that of equal probabilities, is too even.
    """

    voiced_seconds: float = 0.4
    snr_db: float = 7.0
    margin: float = 0.08
    entropy: float = 0.92

    def to_dict(self) -> dict[str, float]:
        """Return plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> DoubtLimits:
        """Read what `to_dict` wrote. Raises CheckpointError on anything else."""
        known = {f.name for f in fields(cls)}
        try:
            if unknown := set(values) - known:
                raise ValueError(f"unknown {', '.join(sorted(unknown))}")
            return cls(**{name: float(value) for name, value in values.items()})
        except (TypeError, ValueError) as error:
            raise CheckpointError(f"The limits of doubt can't be read ({error}).") from error


def softmax(logits: Float) -> Float:
    """Softmax over the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def sigmoid(logits: Float) -> Float:
    """Logistic function, without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * np.asarray(logits, dtype=np.float64))))


def entropy_share(probabilities: ArrayLike) -> float:
    """Entropy of one distribution (C,) as a share of the largest there is, log C."""
    p = np.clip(np.asarray(probabilities, dtype=np.float64), 1e-12, 1.0)
    return float(-(p * np.log(p)).sum() / math.log(p.size))


def margin(probabilities: ArrayLike) -> float:
    """Gap between the two largest of the probabilities (C,)."""
    second, first = np.sort(np.asarray(probabilities, dtype=np.float64))[-2:]
    return float(first - second)


_SHORT, _MOST = 1.2, 5.0


def short_speech_factor(seconds: float) -> float:
    """Return by how much the temperature of speech grows when only `seconds` were heard.

    One temperature is fitted on whole utterances; of the first second a network is as sure and far
    less often right. The curve follows the best temperatures of the calibration speakers' clips cut
    to 0.4 to 3 s; from 2.5 s on it is 1.
    """
    grown = 1.0 + (_SHORT / max(seconds, 1e-3)) ** 2 - (_SHORT / 2.5) ** 2
    return min(max(grown, 1.0), _MOST)


def negative_log_likelihood(logits: Float, truth: ArrayLike, temperature: float) -> float:
    """Mean over samples of -log softmax(logits / temperature)[truth]; logits (n, C)."""
    scaled = logits / temperature
    peak = scaled.max(axis=1)
    normaliser = peak + np.log(np.exp(scaled - peak[:, None]).sum(axis=1))
    chosen = scaled[np.arange(len(scaled)), np.asarray(truth, dtype=np.int64)]
    return float((normaliser - chosen).mean())


def fit_temperature(
    logits: ArrayLike, truth: ArrayLike, low: float = 0.05, high: float = 20.0
) -> float:
    """Return the temperature in [low, high] of least negative log-likelihood.

    The loss is convex in 1 / temperature, so a golden-section search over it finds the minimum.

    Args:
        logits: (n, C), of held-out samples; -inf where a class can't occur.
        truth: (n,) class indices.
    """
    scores = np.asarray(logits, dtype=np.float64)
    left, right = 1.0 / high, 1.0 / low
    for _ in range(80):
        step = _GOLDEN * (right - left)
        lower, upper = right - step, left + step
        below = negative_log_likelihood(scores, truth, 1.0 / lower)
        if below < negative_log_likelihood(scores, truth, 1.0 / upper):
            right = upper
        else:
            left = lower
    return 2.0 / (left + right)


def calibration_error(probabilities: ArrayLike, truth: ArrayLike, weights: Float) -> Float:
    """Expected calibration error with 15 equal-width bins, of weighted samples.

    Guo et al. (2017), section 2: the mean over bins of |accuracy - confidence|, weighted by how
    many samples fall into each.

    Args:
        probabilities: (n, C); truth: (n,) class indices.
        weights: (R, n), one row per resample.

    Returns:
        (R,) errors.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    confidence = p.max(axis=1)
    correct = (p.argmax(axis=1) == np.asarray(truth)).astype(np.float64)
    edges = np.linspace(0.0, 1.0, CALIBRATION_BINS + 1)[1:-1]
    onehot = np.zeros((p.shape[0], CALIBRATION_BINS))
    onehot[np.arange(p.shape[0]), np.digitize(confidence, edges, right=True)] = 1.0
    gap = weights @ (onehot * (correct - confidence)[:, None])
    return np.asarray(np.abs(gap).sum(axis=1) / weights.sum(axis=1))


def expected_calibration_error(probabilities: ArrayLike, truth: ArrayLike) -> float:
    """Calibration error of probabilities (n, C) against class indices (n,)."""
    weights = np.ones((1, np.asarray(truth).size))
    return float(calibration_error(probabilities, truth, weights)[0])
