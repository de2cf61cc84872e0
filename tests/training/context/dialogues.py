"""Generated dialogues whose labels need context: a turn feels what the turn before it showed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from core.models.context.specification import FeatureSize
from training.data.dialogues import UNLABELLED, Dialogue, DialogueSet

CLASSES = ("calm", "glad", "cross")
SIZES: Mapping[str, FeatureSize] = {"text": FeatureSize(8), "speech": FeatureSize(5)}


def generated(
    count: int,
    seed: int,
    *,
    turns: tuple[int, int] = (2, 12),
    noise: float = 0.3,
    part: str = "train",
    corpus: str = "generated",
    sizes: Mapping[str, FeatureSize] = SIZES,
    unlabelled: float = 0.1,
) -> DialogueSet:
    """Return dialogues of random length; each turn shows a class and is labelled with the class
    that the turn before it showed (the first: with its own)."""
    generator = np.random.default_rng(seed)
    patterns = {
        name: np.random.default_rng(5).normal(size=(len(CLASSES), size.dim))
        for name, size in sizes.items()
    }
    made = []
    for number in range(count):
        length = int(generator.integers(turns[0], turns[1] + 1))
        shown = generator.integers(len(CLASSES), size=length)
        labels = np.concatenate([shown[:1], shown[:-1]]).astype(np.int64)
        labels[generator.random(length) < unlabelled] = UNLABELLED
        labels[0] = shown[0]
        features = {
            name: (p[shown] + noise * generator.normal(size=(length, p.shape[1]))).astype(
                np.float32
            )
            for name, p in patterns.items()
        }
        present = {name: np.ones(length, dtype=bool) for name in features}
        names = tuple("AB"[turn % 2] for turn in range(length))
        made.append(
            Dialogue(
                f"{corpus}/{part}/{number}", corpus, part, features, present,
                np.arange(length, dtype=np.int64) % 2, labels,
                tuple(f"{part}/{number}/{turn}" for turn in range(length)), names,
            )
        )  # fmt: skip
    return DialogueSet(tuple(made), CLASSES, sizes, 2)
