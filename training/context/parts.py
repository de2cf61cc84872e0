"""Which dialogues of a set train, choose the epoch, and are judged."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np

from core.errors import ConfigError
from training.context.stage_config import PartsConfig
from training.data.content_digest import text_digest
from training.data.dialogues import UNLABELLED, Dialogue, DialogueSet


@dataclass(frozen=True)
class DialogueParts:
    """A set in three; dialogues of other published parts are in none of them."""

    train: DialogueSet
    validation: DialogueSet
    test: DialogueSet

    def described(self) -> dict[str, dict[str, object]]:
        """Return dialogues, labelled turns and classes of each part, as plain JSON values."""
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: _described(part) for name, part in parts.items()}

    def commonest(self) -> int:
        """Return the class that most turns of the training part have."""
        return int(np.argmax(_counts(self.train)))


def split_parts(dialogues: DialogueSet, config: PartsConfig) -> DialogueParts:
    """Split by whole dialogues.

    Raises:
        ConfigError: a part is empty.
    """
    test = tuple(d for d in dialogues.dialogues if d.part in config.test_parts)
    training = [d for d in dialogues.dialogues if d.part == "train"]
    if config.validation_part:
        validation = [d for d in dialogues.dialogues if d.part == config.validation_part]
    else:
        held = _held_out(training, config)
        validation = [d for d in training if (d.corpus, d.id) in held]
        training = [d for d in training if (d.corpus, d.id) not in held]
    for name, part in (("train", training), ("validation", validation), ("test", test)):
        if not part:
            raise ConfigError(
                f"The part '{name}' has no dialogues.",
                "Set parts.test_parts and parts.validation_part to parts that the corpus has.",
            )
    return DialogueParts(
        replace(dialogues, dialogues=tuple(training)),
        replace(dialogues, dialogues=tuple(validation)),
        replace(dialogues, dialogues=test),
    )


def _held_out(training: list[Dialogue], config: PartsConfig) -> set[tuple[str, str]]:
    """Return which training dialogues choose the epoch: the same share of each corpus."""
    found: set[tuple[str, str]] = set()
    for corpus in sorted({d.corpus for d in training}):
        ids = sorted(d.id for d in training if d.corpus == corpus)
        count = min(max(1, round(config.validation * len(ids))), len(ids) - 1)
        order = np.random.default_rng(config.seed).permutation(len(ids))
        found |= {(corpus, ids[row]) for row in order[:count]}
    return found


def parts_digest(parts: DialogueParts) -> str:
    """Return a sha256 (hex) of all that is trained on and judged: features, labels, speakers."""
    found = hashlib.sha256(text_digest(*parts.train.classes, parts.train.origin).encode())
    for name, part in (("train", parts.train), ("validation", parts.validation),
                       ("test", parts.test)):  # fmt: skip
        for dialogue in part.dialogues:
            about = text_digest(name, dialogue.corpus, dialogue.id, *dialogue.names)
            found.update(about.encode())
            arrays = (dialogue.labels, dialogue.speakers)
            for values in (*arrays, *dialogue.features.values(), *dialogue.present.values()):
                found.update(np.ascontiguousarray(values).tobytes())
    return found.hexdigest()


def _counts(part: DialogueSet) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    labels = np.concatenate([d.labels for d in part.dialogues])
    return np.bincount(labels[labels != UNLABELLED], minlength=len(part.classes))


def _described(part: DialogueSet) -> dict[str, object]:
    counts = _counts(part)
    return {
        "dialogues": len(part.dialogues),
        "turns": part.utterances,
        "labelled": int(counts.sum()),
        "corpora": sorted({d.corpus for d in part.dialogues}),
        "classes": {name: int(n) for name, n in zip(part.classes, counts, strict=True)},
    }
