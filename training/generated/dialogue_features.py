"""Small feature files of made-up dialogues in exactly the layouts of the published ones.

What can be learnt from them is laid in on purpose. The feeling of a turn depends on the turn before
it (one feeling is mostly answered by one of a few others), and each modality shows it
only dimly and in its own way, so that a model that looks at one turn and one modality knows little,
one that fuses knows more, and one that also looks back knows most. Classes are as unequal as in the
corpora. Nothing in these figures says anything about people.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.atomic import replace_file
from training.data.feature_files.published import CORPORA, TEXT_LAYERS

TEXT, VISUAL = 1024, 342
AUDIO: Mapping[str, int] = MappingProxyType({"iemocap": 1582, "meld": 300})
FILES: Mapping[str, str] = MappingProxyType(
    {name: f"{name}_multimodal_features.pkl" for name in CORPORA}
)
SHARES: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        "iemocap": (0.086747, 0.144406, 0.227883, 0.160585, 0.127711, 0.252668),
        "meld": (0.470, 0.122, 0.027, 0.073, 0.174, 0.026, 0.108),
    }
)
"""Of the classes, in the order of `CORPORA`: the published class weights, and counts of MELD."""
_NOT_ONE = 9  # the hidden state has this many directions; fewer than any modality has


@dataclass(frozen=True)
class GeneratedDialogues:
    """Files to write.

    Attributes:
        train, test: dialogues of each part.
        turns: fewest and most utterances of an ordinary dialogue; there is one of a single
            utterance and one of three times the most besides, in each part.
        answers: share of the turns whose feeling follows from the turn before.
        noise: standard deviation of what is added to the traces that a feeling leaves, whose own is
            about one.
        seed: of everything.
        protocol: of the pickle.
    """

    train: int = 40
    test: int = 12
    turns: tuple[int, int] = (6, 14)
    answers: float = 0.75
    noise: float = 1.8
    seed: int = 0
    protocol: int = 4

    def __post_init__(self) -> None:
        if self.train < 4 or self.test < 3 or not 1 <= self.turns[0] <= self.turns[1]:
            raise ValueError("a corpus needs dialogues to train on and to test on, and turns")
        if not 0 <= self.answers <= 1 or self.noise < 0:
            raise ValueError("answers is a share, noise is not negative")


def write_feature_file(
    path: Path, corpus: str, shape: GeneratedDialogues | None = None, *, ids: bool = True
) -> None:
    """Write a file like the published one of "iemocap" (12 fields) or "meld" (13).

    Args:
        ids: whether the ids of utterances come first, as published; without, IEMOCAP has 11 fields.
    """
    fields = feature_fields(corpus, shape or GeneratedDialogues())
    protocol = (shape or GeneratedDialogues()).protocol
    content = fields if ids else fields[1:]
    replace_file(path, lambda part: part.write_bytes(pickle.dumps(content, protocol)))


def feature_fields(corpus: str, shape: GeneratedDialogues) -> tuple[Any, ...]:
    """Return the fields of a published file with made-up content."""
    rng = np.random.default_rng([shape.seed, len(corpus)])
    keys = _keys(corpus, shape)
    lengths = _lengths(shape, rng)
    maker = _Maker(corpus, shape, rng)
    said = {key: maker.dialogue(key, length) for key, length in zip(keys, lengths, strict=True)}
    by_field = [{key: each[place] for key, each in said.items()} for place in range(10)]
    fields = (*by_field, list(keys[: shape.train]), list(keys[shape.train :]))
    if corpus == "iemocap":
        return fields
    sentiment = {key: [_SENTIMENT[label] for label in each[2]] for key, each in said.items()}
    return (*fields, sentiment)


_SENTIMENT = (0, 1, 2, 2, 1, 2, 2)
"""Of MELD's classes: neutral, positive, negative; a surprise may be either."""


def _keys(corpus: str, shape: GeneratedDialogues) -> list[Any]:
    """Return the ids of the dialogues; MELD's are numbers, and number 60 is not there."""
    count = shape.train + shape.test
    if corpus == "meld":
        return [number for number in range(count + 1) if number != min(60, count)][:count]
    return [f"Ses{1 + n % 5:02d}{'FM'[n % 2]}_impro{1 + n // 10:02d}{'ab'[n % 10 // 5]}"
            for n in range(count)]  # fmt: skip


def _lengths(shape: GeneratedDialogues, rng: np.random.Generator) -> NDArray[np.int64]:
    low, high = shape.turns
    lengths = rng.integers(low, high + 1, shape.train + shape.test)
    for start in (0, shape.train):
        lengths[start : start + 2] = 1, 3 * high
    return lengths


class _Maker:
    """Makes dialogues: draws feelings, and the traces that they leave in each modality."""

    def __init__(self, corpus: str, shape: GeneratedDialogues, rng: np.random.Generator) -> None:
        self._corpus, self._shape, self._rng = corpus, shape, rng
        self._shares = np.array(SHARES[corpus]) / sum(SHARES[corpus])
        classes = len(self._shares)
        widths = {"text": TEXT, "speech": AUDIO[corpus], "vision": VISUAL}
        # Text and voice tell some classes apart and mix up others, the face again others.
        self._means = {name: rng.normal(size=(classes, _NOT_ONE)) * _TELLS[name] for name in widths}
        self._spread = {
            name: rng.normal(size=(_NOT_ONE, width)) / np.sqrt(_NOT_ONE)
            for name, width in widths.items()
        }

    def dialogue(self, key: object, length: int) -> tuple[Any, ...]:
        """Return the first ten fields of a dialogue, in the order of the files."""
        labels = self._labels(length)
        text = self._rows("text", labels, TEXT_LAYERS)
        sentences = [f"sentence {turn} of {key}" for turn in range(length)]
        return (
            self._ids(key, length), self._speakers(length), labels.tolist(), *text,
            *self._rows("speech", labels), *self._rows("vision", labels), sentences,
        )  # fmt: skip

    def _labels(self, length: int) -> NDArray[np.int64]:
        """Return classes; an answer lies a fixed step on, in a circle that all have a share of.

        Whatever the step, a class stays as frequent as it is drawn.
        """
        place = self._rng.random(length)
        for turn in range(1, length):
            if self._rng.random() < self._shape.answers:
                place[turn] = (place[turn - 1] + _STEP) % 1
        return np.searchsorted(np.cumsum(self._shares)[:-1], place, side="right")

    def _rows(
        self, name: str, labels: NDArray[np.int64], layers: int = 1
    ) -> list[list[NDArray[np.float32]]]:
        """Return vectors per layer and utterance; layers see the same thing, not quite alike."""
        hidden = self._means[name][labels]
        hidden = hidden + self._rng.normal(scale=self._shape.noise, size=hidden.shape)
        rows = hidden @ self._spread[name]
        seen = [rows + self._rng.normal(scale=0.1, size=rows.shape) for _ in range(layers)]
        return [list(each.astype(np.float32)) for each in seen]

    def _ids(self, key: object, length: int) -> list[Any]:
        if self._corpus == "meld":
            return [str(turn) for turn in range(length)]
        return [f"{key}_{'FM'[turn % 2]}{turn // 2:03d}" for turn in range(length)]

    def _speakers(self, length: int) -> list[Any]:
        if self._corpus == "iemocap":
            return ["FM"[turn % 2] for turn in range(length)]
        there = min(int(self._rng.integers(2, 7)), length)
        drawn = self._rng.integers(0, there, length)
        return [[int(place == one) for place in range(9)] for one in drawn]


_STEP = 0.45
_TELLS: Mapping[str, float] = MappingProxyType({"text": 1.0, "speech": 0.7, "vision": 0.5})
"""How loudly a modality tells the classes apart."""
