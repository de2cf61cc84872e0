"""Dialogues held out of the training part, to choose an epoch by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.data.dialogues import DialogueSet


def with_dev_part(found: DialogueSet, share: float, seed: int) -> DialogueSet:
    """Return the set as it is if it has a part "dev", else with one out of "train".

    Whole dialogues are drawn, `share` of them and at least one; those of "test" stay there.

    Raises:
        ValueError: there are fewer than two dialogues to train on, or `share` is no share.
    """
    if not 0 < share < 1:
        raise ValueError(f"{share} is no share of the dialogues")
    if any(dialogue.part == "dev" for dialogue in found.dialogues):
        return found
    train = [place for place, d in enumerate(found.dialogues) if d.part == "train"]
    if len(train) < 2:
        raise ValueError("there are fewer than two dialogues to train on: none can be held out")
    count = min(len(train) - 1, max(1, round(share * len(train))))
    drawn = set(np.random.default_rng(seed).choice(train, count, replace=False).tolist())
    dialogues = tuple(
        replace(d, part="dev") if place in drawn else d for place, d in enumerate(found.dialogues)
    )
    return replace(found, dialogues=dialogues)
