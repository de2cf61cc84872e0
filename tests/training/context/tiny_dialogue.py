"""A dialogue training of seconds, started as processes of its own: alone, or by a launcher.

python -m tests.training.context.tiny_dialogue OUT
"""

from __future__ import annotations

import sys
from pathlib import Path

from safetensors.torch import save_file

from tests.training.context.dialogues import generated
from training.context.config import ContextTraining, ModelChoice
from training.context.loss import TurnLossConfig
from training.context.teachers import TeacherChoice
from training.context.training import build_model, train_dialogue, train_teachers
from training.context.windows import WindowConfig
from training.data.buckets import BucketConfig
from training.distributed import current
from training.losses.distillation import DistillationConfig
from training.losses.matryoshka import MatryoshkaConfig
from training.trainer import TrainerConfig

OPTIONS = {
    "dim": 16, "node": 8, "layers": 1, "heads": 2, "dropout": 0.0, "encoder_dropout": 0.0,
    "mask_rate": 0.0, "reconstruction": False, "students": True, "nested": {"sizes": [8, 4]},
}  # fmt: skip
CHOICE = ModelChoice("mglra", OPTIONS, window=6)


def train(out: Path) -> None:
    """Train with everything that needs no chance of its own, and write the weights."""
    # the last batch of an epoch is smaller than the processes are many
    train, validation = generated(9, 1), generated(5, 2)
    config = ContextTraining(
        WindowConfig(length=6),
        batches=BucketConfig(size=4),
        loss=TurnLossConfig(weights=(0.5, 1.0, 3.0)),
        matryoshka=MatryoshkaConfig(),
        distillation=DistillationConfig(),
        teachers=TeacherChoice("utterance", {"hidden": 8, "dropout": 0.0}),
        readings=("causal",),
        trainer=TrainerConfig(epochs=2, learning_rate=3e-3, ema_decay=0.0, device="cpu", seed=3),
    )
    teachers = train_teachers(config, CHOICE, train, validation)
    model = build_model(CHOICE, train, 1)
    train_dialogue(config, model, train, validation, teachers=teachers)
    if current().is_main:
        save_file(model.state_dict(), out)


if __name__ == "__main__":
    train(Path(sys.argv[1]))
