"""How a dialogue model is trained, as its YAML says it; see training/configs/dialogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from training.context.answers import READINGS
from training.context.loss import TurnLossConfig
from training.context.packed import APPEARANCE, NUMBERINGS
from training.context.teachers import TeacherChoice
from training.context.windows import HidingConfig, WindowConfig
from training.data.buckets import BucketConfig
from training.losses.distillation import DistillationConfig
from training.losses.matryoshka import MatryoshkaConfig
from training.trainer_config import TrainerConfig

DEFAULT_BATCHES = BucketConfig(size=16)


def _trainer() -> TrainerConfig:
    return TrainerConfig(epochs=30, metric="causal_f1_weighted", patience=6)


@dataclass(frozen=True, slots=True)
class ContextTraining:
    """Everything about the training itself: data and architecture are told apart from it."""

    windows: WindowConfig = field(default_factory=WindowConfig)
    """How dialogues are cut."""
    hiding: HidingConfig = field(default_factory=HidingConfig)
    """What is now and then not told in training."""
    batches: BucketConfig = DEFAULT_BATCHES
    """Windows of one batch; `length` counts turns, fill-up included."""
    loss: TurnLossConfig = field(default_factory=TurnLossConfig)
    matryoshka: MatryoshkaConfig | None = None
    """Train all nested sizes of the representation; for a model that has any."""
    distillation: DistillationConfig | None = None
    """Let students of each modality learn from teachers; for a model that has students."""
    teachers: TeacherChoice = field(default_factory=TeacherChoice)
    """What they are; only with distillation."""
    auxiliary: Mapping[str, float] = field(default_factory=dict)
    """Weights of losses that a model brings along; 1 for those not named."""
    speakers: str = APPEARANCE
    """`appearance`: numbered by first utterance in the window, as live; `given`: as published
    feature files number them."""
    readings: tuple[str, ...] = READINGS
    """Validated every epoch: `causal`, `full`, or both."""
    trainer: TrainerConfig = field(default_factory=_trainer)
    """The metric is one of loss, READING_f1_weighted, READING_accuracy, READING_f1_macro."""

    def __post_init__(self) -> None:
        if self.speakers not in NUMBERINGS:
            raise ValueError(f"speakers must be one of {', '.join(NUMBERINGS)}")
        if not self.readings or not set(self.readings) <= set(READINGS):
            raise ValueError(f"readings must be some of {', '.join(READINGS)}")
        if self.batches.length > 0:
            raise ValueError("batches.length must be 0: give size, the windows of a batch")
        if self.distillation is None and self.teachers != TeacherChoice():
            raise ValueError("there are teachers, but no distillation")


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Which dialogue model."""

    architecture: str = "mglra"
    """One of core/models/context/registry.py."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Of the architecture."""
    window: int = 16
    """Turns that it is meant to look at, the current one included."""
    speakers: int = 9
    """Speakers it tells apart; later ones share the last index."""
