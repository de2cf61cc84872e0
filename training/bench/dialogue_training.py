"""How long an epoch on a corpus of the size of MELD takes, with cached features.

1,038 dialogues of 9,989 utterances for training and 114 of 1,109 to validate on (Poria et al. 2019,
MELD, ACL, table 3). Features, labels and speakers are made up: they change nothing about the time.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from core.bench.report import Measurement
from core.bench.timing import Sample, measure_once
from core.models.context.specification import FeatureSize
from training.context.config import ContextTraining, ModelChoice
from training.context.training import build_model, train_dialogue
from training.context.windows import WindowConfig
from training.data.dialogues import Dialogue, DialogueSet
from training.trainer_config import TrainerConfig

TRAIN, VALIDATION = (1038, 9989), (114, 1109)
SECONDS = 30.0
LABELS = ("neutral", "happy", "angry", "surprise", "sad", "fear", "disgust")
SIZES = {"speech": FeatureSize(128), "text": FeatureSize(256)}
"""What the embedded model gives."""


def corpus(dialogues: int, utterances: int, seed: int) -> DialogueSet:
    """Return so many dialogues of so many utterances together, of one to about 30 each."""
    generator = np.random.default_rng(seed)
    made = tuple(
        _dialogue(str(number), int(length), generator)
        for number, length in enumerate(lengths(dialogues, utterances, generator))
    )
    return DialogueSet(made, LABELS, SIZES, speakers=9)


def lengths(dialogues: int, utterances: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Return a length of at least one for each dialogue; they sum to `utterances`."""
    shares = generator.gamma(3.0, size=dialogues)
    drawn = generator.multinomial(utterances - dialogues, shares / shares.sum())
    return np.asarray(1 + drawn, dtype=np.int64)


def _dialogue(name: str, length: int, generator: np.random.Generator) -> Dialogue:
    features = {
        name: generator.standard_normal((length, size.dim), dtype=np.float32)
        for name, size in SIZES.items()
    }
    present = {name: np.ones(length, dtype=bool) for name in SIZES}
    speakers = generator.integers(0, 3, length)
    labels = generator.integers(0, len(LABELS), length)
    return Dialogue(name, "made up", "train", features, present, speakers, labels)


def measured(quick: bool) -> Iterator[Measurement]:
    """Time an epoch with its validation, on whole dialogues and as dialogues are cut for live."""
    share = 10 if quick else 1
    train, validation = (
        corpus(dialogues // share, utterances // share, seed)
        for seed, (dialogues, utterances) in enumerate((TRAIN, VALIDATION))
    )
    _epoch("whole", validation, validation)  # loads what training loads on use
    for cut in ("whole", "random"):
        sample = _epoch(cut, train, validation)
        yield Measurement(
            f"an epoch, {cut} dialogues",
            sample.processor,
            "s",
            target=None if quick else SECONDS,
            note=f"{len(train.dialogues)} dialogues, {train.utterances} utterances,"
            f" with validation; {sample.wall:.1f} s by the clock",
        )


def _epoch(cut: str, train: DialogueSet, validation: DialogueSet) -> Sample:
    """Train for one epoch."""
    model = build_model(ModelChoice(), train)
    trainer = TrainerConfig(epochs=1, metric="causal_f1_weighted", device="cpu")
    config = ContextTraining(windows=WindowConfig(cut=cut), trainer=trainer)
    return measure_once(lambda: train_dialogue(config, model, train, validation))
