"""Personal baseline: a speaker's own running mean and deviation normalise the features."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.models.speech_features import SpeechFeatureExtractor
from core.types import FloatArray

_CLIP = 5.0


@dataclass(frozen=True)
class FeatureStatistics:
    """Means and deviations over all training speakers: frames (F,) and functionals (S,)."""

    frame_mean: FloatArray
    frame_deviation: FloatArray
    functional_mean: FloatArray
    functional_deviation: FloatArray

    def to_arrays(self) -> dict[str, FloatArray]:
        """Return the arrays by name, for storage in a checkpoint."""
        return {
            "frame_mean": self.frame_mean,
            "frame_deviation": self.frame_deviation,
            "functional_mean": self.functional_mean,
            "functional_deviation": self.functional_deviation,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, FloatArray]) -> FeatureStatistics:
        """Return statistics from what `to_arrays` gave. Raises KeyError for a missing array."""
        names = ("frame_mean", "frame_deviation", "functional_mean", "functional_deviation")
        return cls(*(np.asarray(arrays[n], dtype=np.float32) for n in names))


class _Moments:
    """Running weighted count, sum and sum of squares per feature, relative to an offset."""

    def __init__(self, offset: FloatArray) -> None:
        self.offset = offset.astype(np.float64)
        self.count = np.zeros(offset.shape)
        self.total = np.zeros(offset.shape)
        self.square = np.zeros(offset.shape)

    def add(self, values: FloatArray, valid: np.ndarray, weight: float = 1.0) -> None:
        """Add rows (N, K); entries that are not valid are skipped."""
        x = np.where(valid, values - self.offset, 0.0)
        self.count += weight * valid.sum(axis=0)
        self.total += weight * x.sum(axis=0)
        self.square += weight * (x * x).sum(axis=0)

    def shrunk(self, deviation: FloatArray, prior: float) -> tuple[FloatArray, FloatArray]:
        """Return mean and deviation with `prior` counts of the global ones mixed in."""
        total = self.count + prior
        mean = self.total / total
        variance = (prior * deviation.astype(np.float64) ** 2 + self.square) / total - mean**2
        floor = 0.01 * deviation.astype(np.float64) ** 2
        return (
            (self.offset + mean).astype(np.float32),
            np.sqrt(np.maximum(variance, floor)).astype(np.float32),
        )


class SpeakerBaseline:
    """Running statistics of one speaker, shrunk to the global ones while little is heard.

    With n heard, (n0 * global + n * speaker) / (n0 + n) for the first two moments: with nothing
    heard this is raw normalisation by the global statistics.
    """

    def __init__(
        self,
        statistics: FeatureStatistics,
        extractor: SpeechFeatureExtractor | None = None,
        *,
        prior_seconds: float = 3.0,
        prior_utterances: float = 2.0,
    ) -> None:
        self.statistics = statistics
        self._extractor = extractor or SpeechFeatureExtractor()
        self._prior_frames = prior_seconds * self._extractor.frame_rate
        self._prior_utterances = prior_utterances
        self.reset()

    def reset(self) -> None:
        """Forget what was heard."""
        self._frames = _Moments(self.statistics.frame_mean)
        self._functionals = _Moments(self.statistics.functional_mean)
        self._heard = 0

    def copy(self) -> SpeakerBaseline:
        """Return an independent copy."""
        return copy.deepcopy(self)

    @property
    def seconds(self) -> float:
        """How much of this speaker was heard."""
        return self._heard / self._extractor.frame_rate

    def update(self, frames: FloatArray, functionals: FloatArray) -> None:
        """Add one complete utterance: frames (T, F) and functionals (S,), un-normalised."""
        self._frames.add(frames, self._extractor.frame_weights(frames))
        row = functionals[None, :]
        self._functionals.add(np.nan_to_num(row), np.isfinite(row))
        self._heard += len(frames)

    def normalise(
        self, frames: FloatArray, functionals: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return frames (T, F) and functionals (S,) in deviations from the speaker's own mean.

        Pitch channels are zero where unvoiced, undefined statistics are zero, and values are
        clipped to five deviations.
        """
        mean, deviation = self._frames.shrunk(self.statistics.frame_deviation, self._prior_frames)
        x = np.clip((frames - mean) / deviation, -_CLIP, _CLIP)
        bands = self._extractor.config.mel_bands
        weights = self._extractor.frame_weights(frames)
        for channel in (bands, bands + 3):
            x[:, channel] *= weights[:, channel]
        mean, deviation = self._functionals.shrunk(
            self.statistics.functional_deviation, self._prior_utterances
        )
        y = np.clip((np.nan_to_num(functionals, nan=0.0) - mean) / deviation, -_CLIP, _CLIP)
        y = np.where(np.isfinite(functionals), y, 0.0)
        return x.astype(np.float32), y.astype(np.float32)
