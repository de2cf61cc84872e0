"""Answers and clips made up for tests of the quality gate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.quality.answers import Answer, Clip, Saying
from core.types import Modality, Utterance

LABELS = ("happy", "sad", "angry")


def clip(index: int = 0, labels: Sequence[str] = (), length: float = 1.0) -> Clip:
    samples = np.full(int(length * 16_000), 0.1, np.float32)
    return Clip(Utterance(index, 0, samples.size, samples), labels=frozenset(labels))


def answer(
    label: str = "happy",
    *,
    moved: float = 0.0,
    alone: float = 0.0,
    undecided: bool = False,
    modalities: tuple[Modality, ...] = (Modality.SPEECH, Modality.TEXT),
) -> Answer:
    """An answer that says `label`; `moved` and `alone` shift probabilities without changing it."""
    whole = Saying((label,), _numbers(label, moved), undecided)
    by_speech = Saying((label,), _numbers(label, alone), undecided)
    return Answer(whole, {Modality.SPEECH: by_speech}, modalities, 1.0)


def _numbers(label: str, moved: float) -> tuple[float, ...]:
    return tuple(0.8 - moved if name == label else 0.1 + moved / 2 for name in LABELS)
