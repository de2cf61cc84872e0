"""Online clustering of voice embeddings: who speaks, by what was heard so far; nothing is undone.

A voice is the direction of the duration-weighted sum of its embeddings. An utterance belongs to the
nearest one, if that is near enough, else to a new one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.types import FloatArray


@dataclass(frozen=True, slots=True)
class ClusteringConfig:
    """When an utterance belongs to a voice, and when to a new one.

    threshold: least cosine to a known voice.
    margin: by how much the nearest voice must lead for the utterance to change it; the next nearest
        is the rival.
    most: voices at most; what would be one more belongs to the nearest.
    founding_seconds: voiced speech that it takes to found a voice, or to change one.
    least_seconds: voiced speech that it takes to be told apart at all.
    longest_memory: seconds of voiced speech that weigh in a voice; older ones fade.
    """

    threshold: float = 0.5
    margin: float = 0.05
    most: int = 6
    founding_seconds: float = 0.5
    least_seconds: float = 0.25
    longest_memory: float = 60.0

    def __post_init__(self) -> None:
        if not -1 < self.threshold < 1 or not 0 <= self.margin < 2:
            raise ValueError("threshold must lie in (-1, 1) and margin in [0, 2)")
        if self.most < 1 or not 0 <= self.least_seconds <= self.founding_seconds:
            raise ValueError("there must be room for a voice, and least_seconds come first")
        if self.longest_memory <= 0:
            raise ValueError("longest_memory must be positive")

    def to_dict(self) -> dict[str, float]:
        """Return plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ClusteringConfig:
        """Read what `to_dict` wrote. Raises TypeError or ValueError on anything else."""
        given = {name: float(value) for name, value in values.items()}
        most = int(given.pop("most", cls().most))
        return cls(most=most, **given)


class OnlineClustering:
    """Assigns utterances to voices 0, 1, 2 ... in order of appearance."""

    def __init__(self, config: ClusteringConfig | None = None) -> None:
        self.config = config or ClusteringConfig()
        self.reset()

    def reset(self) -> None:
        """Forget every voice."""
        self._sums: list[NDArray[np.float64]] = []
        self._seconds: list[float] = []

    @property
    def voices(self) -> int:
        """How many voices were told apart so far."""
        return len(self._sums)

    def assign(self, embedding: FloatArray, seconds: float) -> int | None:
        """Return the voice of an utterance; None if it can't be told.

        Args:
            embedding: (D,), of length one.
            seconds: of voiced speech in it. Short utterances found no voice and change none;
                without a voice that is near and clearly the nearest, theirs can't be told.
        """
        config = self.config
        if seconds < config.least_seconds:
            return None
        cosines = self._cosines(embedding)
        nearest = int(np.argmax(cosines)) if self.voices else None
        near = nearest is not None and cosines[nearest] >= config.threshold
        clear = nearest is not None and self._lead(cosines, nearest) >= config.margin
        if seconds < config.founding_seconds:
            return nearest if near and clear else None
        if not near and self.voices < config.most:
            return self._found(embedding, seconds)
        if near and clear:
            assert nearest is not None
            self._update(nearest, embedding, seconds)
        return nearest

    def _cosines(self, embedding: FloatArray) -> NDArray[np.float64]:
        if not self._sums:
            return np.zeros(0)
        sums = np.stack(self._sums)
        lengths = np.maximum(np.linalg.norm(sums, axis=1), 1e-9)
        return np.asarray(sums @ embedding / lengths, dtype=np.float64)

    @staticmethod
    def _lead(cosines: NDArray[np.float64], nearest: int) -> float:
        others = np.delete(cosines, nearest)
        return float(cosines[nearest] - others.max()) if others.size else np.inf

    def _found(self, embedding: FloatArray, seconds: float) -> int:
        self._sums.append(embedding.astype(np.float64) * seconds)
        self._seconds.append(seconds)
        return self.voices - 1

    def _update(self, voice: int, embedding: FloatArray, seconds: float) -> None:
        self._sums[voice] += embedding * seconds
        self._seconds[voice] += seconds
        fade = min(1.0, self.config.longest_memory / self._seconds[voice])
        self._sums[voice] *= fade
        self._seconds[voice] *= fade
