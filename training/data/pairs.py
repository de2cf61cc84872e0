"""Synthetic pairs of speech and text: there is next to no real data with both and a label.

A clip is paired with a text that (1) was written with the same emotion, (2) is neutral, as most of
what people say is, or (3) has any emotion. The clip's label holds, with one exception: neutral
speech with an emotional text now and then takes the emotion of the text, since calm people say
what they feel. What this means for the figures is said in the model card.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.labels import EMOTIONS

Indices = NDArray[np.int64]
NEUTRAL = EMOTIONS.index("neutral")


@dataclass(frozen=True, slots=True)
class PairConfig:
    """Shares of the kinds of pairs; they sum to one."""

    matched: float = 0.3
    neutral: float = 0.4
    any: float = 0.3
    neutral_speech_follows_text: float = 0.3
    """Chance that neutral speech is paired with an emotional text and takes its label."""

    def __post_init__(self) -> None:
        if abs(self.matched + self.neutral + self.any - 1) > 1e-6:
            raise ValueError("matched, neutral and any must sum to one")


@dataclass(frozen=True, slots=True)
class Pairs:
    """Indices of clips, texts and the label of each pair, all (N,)."""

    speech: Indices
    text: Indices
    labels: Indices

    def take(self, rows: Indices) -> Pairs:
        """Return some of the pairs."""
        return Pairs(self.speech[rows], self.text[rows], self.labels[rows])


class PairSampler:
    """Draws a partner for every clip.

    Args:
        speech_labels, speech_languages: of the clips.
        text_labels, text_languages: of the texts, each of exactly one class.
    """

    def __init__(
        self,
        config: PairConfig,
        speech_labels: Sequence[int],
        speech_languages: Sequence[str],
        text_labels: Sequence[int],
        text_languages: Sequence[str],
    ) -> None:
        self._config = config
        self._labels = np.asarray(speech_labels, dtype=np.int64)
        self._languages = list(speech_languages)
        labels, languages = np.asarray(text_labels), np.asarray(text_languages)
        self._known = frozenset(text_languages)
        self._pools: dict[tuple[str, int], Indices] = {}
        for language in [*self._known, ""]:
            spoken = np.ones(len(labels), bool) if language == "" else languages == language
            for label in range(len(EMOTIONS)):
                self._pools[language, label] = np.flatnonzero(spoken & (labels == label))

    def draw(self, generator: np.random.Generator) -> Pairs:
        """Return one pair per clip that has a partner."""
        rows = []
        for clip, label in enumerate(self._labels.tolist()):
            text_label = self._text_label(label, generator)
            text = self._text(self._languages[clip], text_label, generator)
            if text is not None:
                follows = label == NEUTRAL and text_label != NEUTRAL
                rows.append((clip, text, text_label if follows else label))
        table = np.array(rows, dtype=np.int64).reshape(-1, 3)
        return Pairs(table[:, 0], table[:, 1], table[:, 2])

    def _text_label(self, label: int, generator: np.random.Generator) -> int:
        if label == NEUTRAL:
            follows = generator.random() < self._config.neutral_speech_follows_text
            return int(generator.integers(1, len(EMOTIONS))) if follows else NEUTRAL
        chance = generator.random()
        if chance < self._config.matched:
            return label
        if chance < self._config.matched + self._config.neutral:
            return NEUTRAL
        return int(generator.integers(len(EMOTIONS)))

    def _text(self, language: str, label: int, generator: np.random.Generator) -> int | None:
        """Return a text in the clip's language, or in any if the texts have none of it."""
        pool = self._pools[language if language in self._known else "", label]
        if not len(pool):
            pool = self._pools["", label]
        return int(generator.choice(pool)) if len(pool) else None
