"""Reviewable maps from a corpus's own labels to the seven classes, kept as cited YAML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from core.errors import ConfigError
from core.labels import EMOTIONS
from core.types import FloatArray
from training import config as configuration

FOLDER = Path(__file__).resolve().parents[1] / "configs" / "labels"


@dataclass(frozen=True, slots=True)
class _MapFile:
    corpus: str
    source: str
    map: Mapping[str, tuple[str, ...]]
    ignored: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LabelMap:
    """Every label of a corpus and its class, None where it is left out on purpose."""

    corpus: str
    source: str
    targets: Mapping[str, str | None]

    def classes(self, labels: Iterable[str]) -> frozenset[str]:
        """Return the classes that a row's labels stand for; empty when all are left out."""
        return frozenset(c for c in (self.targets[label] for label in labels) if c is not None)

    def vector(self, labels: Iterable[str]) -> FloatArray:
        """Return the classes of a row as zeros and ones (7,), in the order of `EMOTIONS`."""
        present = self.classes(labels)
        return np.array([float(emotion in present) for emotion in EMOTIONS], dtype=np.float32)

    def check(self, labels: Sequence[str]) -> None:
        """Raise ConfigError unless the map covers exactly `labels`."""
        missing = sorted(set(labels) - set(self.targets))
        unknown = sorted(set(self.targets) - set(labels))
        if missing or unknown:
            raise ConfigError(
                f"The label map of {self.corpus} does not fit its labels"
                f" (missing: {missing or 'none'}; unknown: {unknown or 'none'}).",
                "Correct the file in training/configs/labels.",
            )


def load_label_map(name: str, folder: Path = FOLDER) -> LabelMap:
    """Read `<folder>/<name>.yaml`. Raises ConfigError: a class is unknown, a label occurs twice."""
    path = folder / f"{name}.yaml"
    content = configuration.load(_MapFile, path)
    targets: dict[str, str | None] = {}
    pairs = [(label, emotion) for emotion, labels in content.map.items() for label in labels]
    for label, emotion in [*pairs, *((label, None) for label in content.ignored)]:
        if emotion is not None and emotion not in EMOTIONS:
            raise ConfigError(f"{path}: '{emotion}' is not one of {', '.join(EMOTIONS)}.")
        if label in targets:
            raise ConfigError(f"{path}: the label '{label}' occurs twice.", "Keep one of them.")
        targets[label] = emotion
    return LabelMap(content.corpus, content.source, targets)
