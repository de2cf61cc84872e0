"""Making probabilities mean what they say: a temperature per way of judging, and limits of doubt.

Guo, Pleiss, Sun & Weinberger (2017), On calibration of modern neural networks, ICML, section 4.2:
dividing logits by one temperature fitted on held-out data repairs the confidence of a network and
never changes its decision.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import CheckpointError
from core.models.specification import Problem
from core.types import FloatArray

Float = NDArray[np.float64]

CALIBRATION_BINS = 15
_GOLDEN = (math.sqrt(5) - 1) / 2


class Path(StrEnum):
    """A way through the model; each has its own confidence, and so its own temperature."""

    SPEECH_RAW = "speech_raw"
    SPEECH_PERSONAL = "speech_personal"
    TEXT = "text"
    FUSED = "fused"


HEARD = frozenset({Path.SPEECH_RAW, Path.SPEECH_PERSONAL})
"""Ways of judging on which it matters how much was heard."""

DEFAULT_THRESHOLD = 0.5
"""From here on a label that stands for itself is given, where no threshold was fitted."""


@dataclass(frozen=True, slots=True)
class ShortSpeech:
    """By how much the temperature of speech grows when only a little was heard.

    One temperature is fitted on whole utterances; of the first second a network is as sure and far
    less often right. The default follows the best temperatures of the embedded checkpoint's
    calibration speakers, their clips cut to 0.4 to 3 s.

    Attributes:
        scale: seconds; the factor is 1 + (scale / heard)^2 - (scale / settled)^2.
        settled: from so many seconds on the factor is 1.
        most: it never grows above this; 1 switches it off.
    """

    scale: float = 1.2
    settled: float = 2.5
    most: float = 5.0

    def __post_init__(self) -> None:
        if not (self.scale >= 0 and self.settled > 0 and 1 <= self.most < math.inf):
            raise CheckpointError(f"The curve for short speech makes no sense: {self}.")

    def factor(self, heard: float) -> float:
        """Return what the logits of `heard` seconds are divided by, beside their temperature."""
        grown = 1.0 + (self.scale / max(heard, 1e-3)) ** 2 - (self.scale / self.settled) ** 2
        return min(max(grown, 1.0), self.most)

    def temper(self, logits: FloatArray, heard: Sequence[float]) -> FloatArray:
        """Return logits (n, C) as they count when so many seconds (n,) were heard."""
        factors = np.array([self.factor(seconds) for seconds in heard], np.float32)
        return np.asarray(logits / factors[:, None])

    def to_dict(self) -> dict[str, float]:
        """Return plain JSON values."""
        return asdict(self)


UNTEMPERED = ShortSpeech(most=1.0)
"""No curve: where temperatures were fitted, and figures reported, on speech of any length alike."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Temperatures by path (1 where none was fitted) and thresholds per label.

    `thresholds` hold for probabilities of labels that stand for themselves (`Problem.MULTI_LABEL`),
    on every path; empty: 0.5 each. `text_thresholds` hold for the sigmoid of the text logits,
    unscaled by any temperature: they decide which labels a text carries when several may.
    """

    temperatures: Mapping[Path, float] = field(default_factory=dict)
    text_thresholds: tuple[float, ...] = ()
    thresholds: tuple[float, ...] = ()
    short_speech: ShortSpeech = field(default_factory=ShortSpeech)

    def __post_init__(self) -> None:
        wrong = [f"{k} {t}" for k, t in self.temperatures.items() if not 0 < t < math.inf]
        given = (*self.text_thresholds, *self.thresholds)
        wrong += [f"threshold {t}" for t in given if not 0 <= t <= 1]
        if wrong:
            raise CheckpointError(f"The calibration makes no sense: {', '.join(wrong)}.")

    def temperature(self, path: Path) -> float:
        """Return what logits of this path are divided by."""
        return self.temperatures.get(path, 1.0)

    def thresholds_for(self, labels: Sequence[str]) -> tuple[float, ...]:
        """Return from which probability on each label is given, where each stands for itself.

        Raises:
            CheckpointError: there are thresholds, and not one per label.
        """
        found = self.thresholds or (DEFAULT_THRESHOLD,) * len(labels)
        if len(found) != len(labels):
            raise CheckpointError(
                f"The calibration has {len(found)} thresholds for {len(labels)} labels."
            )
        return found

    def probabilities(
        self,
        logits: ArrayLike,
        path: Path,
        problem: Problem = Problem.SINGLE_LABEL,
        seconds: float | None = None,
    ) -> Float:
        """Return probabilities of the shape of `logits` (..., C).

        Args:
            logits: of one or several utterances, untempered.
            path: how they came about.
            problem: whether the labels exclude each other.
            seconds: how much was heard; None: as much as it takes. Only the paths of speech alone
                care, and only labels that exclude each other: being less sure moves all others
                towards one half, past thresholds below it.
        """
        values = np.asarray(logits)
        competing = problem is Problem.SINGLE_LABEL
        if seconds is not None and path in HEARD and competing:
            values = values / self.short_speech.factor(seconds)
        scaled = np.asarray(values, dtype=np.float64) / self.temperature(path)
        return sigmoid(scaled) if problem is Problem.MULTI_LABEL else softmax(scaled)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "temperatures": {path.value: value for path, value in self.temperatures.items()},
            "text_thresholds": list(self.text_thresholds),
            "thresholds": list(self.thresholds),
            "short_speech": self.short_speech.to_dict(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Calibration:
        """Read what `to_dict` wrote. Raises CheckpointError on anything else."""
        try:
            return cls(
                {Path(k): float(v) for k, v in values.get("temperatures", {}).items()},
                tuple(float(v) for v in values.get("text_thresholds", ())),
                tuple(float(v) for v in values.get("thresholds", ())),
                ShortSpeech(**{k: float(v) for k, v in values.get("short_speech", {}).items()}),
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
