"""Personal baseline: a speaker's own running mean and deviation normalise the features."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from core.models.speech_features import PITCH, TILT, SpeechFeatureExtractor
from core.types import FloatArray

_CLIP = 5.0
_OUTLIER = 6.0
_LEAST_VARIANCE = 0.01
"""Share of the global variance below which a speaker's own is not believed."""

_HALF_TRUST = 10.0
"""Seconds of speech after which a baseline counts as half reliable."""


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

    def standardise(self, functionals: FloatArray) -> FloatArray:
        """Return functionals (S,) in clipped deviations from the mean; zero where undefined."""
        defined = np.isfinite(functionals)
        filled = np.where(defined, functionals, self.functional_mean)
        standard = (filled - self.functional_mean) / self.functional_deviation
        return np.clip(standard, -_OUTLIER, _OUTLIER).astype(np.float32)

    @classmethod
    def over_groups(cls, groups: Iterable[SpeakerMoments]) -> FeatureStatistics:
        """Return statistics in which every group (a corpus, say) weighs the same."""
        frames, functionals = [], []
        for group in groups:
            frames.append(group.frames[1:] / np.maximum(group.frames[0], 1.0))
            functionals.append(group.functionals[1:] / np.maximum(group.functionals[0], 1.0))
        return cls(*_mean_and_deviation(frames), *_mean_and_deviation(functionals))


def _mean_and_deviation(moments: list[NDArray[np.float64]]) -> tuple[FloatArray, FloatArray]:
    mean, square = np.mean(moments, axis=0)
    deviation = np.sqrt(np.maximum(square - mean**2, 1e-8))
    return mean.astype(np.float32), deviation.astype(np.float32)


@dataclass(frozen=True, slots=True)
class SpeakerMoments:
    """Counts, sums and sums of squares of speech: frames (3, F) and functionals (3, S).

    Only speech counts (see `SpeechFeatureExtractor.frame_weights`), of functionals only defined
    ones. Moments of several utterances add up.
    """

    frames: NDArray[np.float64]
    functionals: NDArray[np.float64]

    @classmethod
    def of(
        cls, frames: FloatArray, functionals: FloatArray, extractor: SpeechFeatureExtractor
    ) -> Self:
        """Return the moments of one utterance: frames (T, F) and functionals (S,)."""
        row = functionals[None, :]
        return cls(
            _moments(frames, extractor.frame_weights(frames)), _moments(row, np.isfinite(row))
        )

    @classmethod
    def nothing(cls, statistics: FeatureStatistics) -> Self:
        """Return the moments of nothing heard."""
        return cls(
            np.zeros((3, statistics.frame_mean.size)),
            np.zeros((3, statistics.functional_mean.size)),
        )

    def plus(self, other: SpeakerMoments) -> SpeakerMoments:
        """Return the moments of both together."""
        return SpeakerMoments(self.frames + other.frames, self.functionals + other.functionals)


def _moments(values: FloatArray, valid: NDArray[np.bool_]) -> NDArray[np.float64]:
    x = np.where(valid, values, 0.0).astype(np.float64)
    return np.stack([valid.sum(axis=0), x.sum(axis=0), (x * x).sum(axis=0)])


def _shrunk(
    moments: NDArray[np.float64], mean: FloatArray, deviation: FloatArray, prior: float
) -> tuple[FloatArray, FloatArray]:
    """Return mean and deviation with `prior` counts of the global ones mixed in."""
    offset, spread = mean.astype(np.float64), deviation.astype(np.float64) ** 2
    count, total, square = moments
    total_count = count + prior
    shift = (total - count * offset) / total_count
    about_offset = square - 2 * offset * total + count * offset**2
    variance = (prior * spread + about_offset) / total_count - shift**2
    own = np.sqrt(np.maximum(variance, _LEAST_VARIANCE * spread))
    return (offset + shift).astype(np.float32), own.astype(np.float32)


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
        self._set(SpeakerMoments.nothing(self.statistics))

    def copy(self) -> SpeakerBaseline:
        """Return an independent copy."""
        return copy.copy(self)

    @property
    def seconds(self) -> float:
        """How much speech of this speaker was heard, without pauses."""
        return float(self._moments.frames[0, 0]) / self._extractor.frame_rate

    @property
    def moments(self) -> SpeakerMoments:
        """What was heard, to be added to another baseline of the same statistics."""
        return self._moments

    @property
    def reliability(self) -> float:
        """From 0 (nothing heard) towards 1."""
        return self.seconds / (self.seconds + _HALF_TRUST)

    def update(self, frames: FloatArray, functionals: FloatArray) -> None:
        """Add one complete utterance: frames (T, F) and functionals (S,), un-normalised."""
        standard = self.statistics.standardise(functionals)
        self.add(SpeakerMoments.of(frames, standard, self._extractor))

    def add(self, moments: SpeakerMoments) -> None:
        """Add utterances whose moments were taken before, of standardised functionals."""
        self._set(self._moments.plus(moments))

    def normalise(
        self, frames: FloatArray, functionals: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return frames (T, F) and functionals (`normalised_functional_dim`,) for the encoder."""
        return self.normalise_frames(frames), self.normalise_functionals(functionals)

    def normalise_frames(self, frames: FloatArray) -> FloatArray:
        """Return frames (T, F) in clipped deviations from the speaker's own mean.

        Pitch channels are zero where unvoiced.
        """
        x = np.clip((frames - self._frame_mean) / self._frame_deviation, -_CLIP, _CLIP)
        bands = self._extractor.config.mel_bands
        weights = self._extractor.frame_weights(frames)
        for channel in (bands + PITCH, bands + TILT):
            x[:, channel] *= weights[:, channel]
        return x.astype(np.float32)

    def normalise_functionals(self, functionals: FloatArray) -> FloatArray:
        """Return functionals (2 S + 1,): in deviations from the speaker's own mean, then from the
        average mean, clipped, zero where undefined; last comes `reliability`.
        """
        average = self.statistics.standardise(functionals)
        own = (average - self._functional_mean) / self._functional_deviation
        y = np.clip(np.concatenate([own, average, [self.reliability]]), -_CLIP, _CLIP)
        return y.astype(np.float32)

    def _set(self, moments: SpeakerMoments) -> None:
        s, size = self.statistics, self.statistics.functional_mean.size
        self._moments = moments
        self._frame_mean, self._frame_deviation = _shrunk(
            moments.frames, s.frame_mean, s.frame_deviation, self._prior_frames
        )
        self._functional_mean, self._functional_deviation = _shrunk(
            moments.functionals,
            np.zeros(size, np.float32),
            np.ones(size, np.float32),
            self._prior_utterances,
        )


def normalised_functional_dim(functional_dim: int) -> int:
    """Return how many values `SpeakerBaseline.normalise` makes of `functional_dim` statistics."""
    return 2 * functional_dim + 1
