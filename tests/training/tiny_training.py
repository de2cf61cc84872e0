"""A training that takes a second, started as a process of its own: alone, by a launcher, killed.

python -m tests.training.tiny_training OUT '[{"name": "one", "kill": 5, "trainer": {...}}]'
"""

from __future__ import annotations

import argparse
import io
import json
import os
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from safetensors.torch import save_file
from torch import Tensor, nn

from core.models.base import EmotionModel
from core.models.outputs import EmotionOutput, Encoded, Features
from core.models.specification import Problem, Specification
from core.types import Modality
from training.batch_objective import batch_objective
from training.data.batch import Batch, Targets
from training.losses import LossConfig, make_loss
from training.progress import Reporter
from training.trainer import Objective, Trainer, TrainerConfig

ROWS, DIM, CLASSES, BATCH = 58, 6, 3, 8
STEPS = -(-ROWS // BATCH)
CLASS_WEIGHTS = torch.tensor([0.3, 1.0, 4.0])


class TinyModel(EmotionModel):
    """One hidden layer on pooled speech, heads for everything, and an encoder that is frozen."""

    def __init__(self, dropout: float) -> None:
        super().__init__(Specification(("a", "b", "c"), (Modality.SPEECH,), affect=True))
        self.encoder = nn.Linear(DIM, DIM)
        self.hidden = nn.Sequential(nn.Linear(DIM, 12), nn.Tanh(), nn.Dropout(dropout))
        self.head = nn.Linear(12, CLASSES + 2)
        self.probes = nn.ModuleDict({"speech": nn.Linear(DIM, CLASSES + 2)})
        self.encoder.requires_grad_(False)

    def forward(self, features: Features, context: object | None = None) -> EmotionOutput:
        assert features.speech is not None
        found = self.encoder(features.speech.pooled)
        # The probe is left out of every other step, as that of an absent modality would be.
        asked = bool(features.speech.mask[:, 1].all())
        auxiliary = _named(self.probes["speech"](found)) if asked else {}
        out = self.head(self.hidden(found))
        return EmotionOutput(out[:, :-2], out[:, -2], out[:, -1], auxiliary=auxiliary)


def _named(out: Tensor) -> dict[str, Tensor]:
    name = "speech_alone"
    return {name: out[:, :-2], f"{name}_arousal": out[:, -2], f"{name}_valence": out[:, -1]}


def tiny_batches(epoch: int, generator: np.random.Generator) -> Iterator[Batch]:
    """Yield all rows in a new order, with noise, some without arousal; the last batch is short."""
    fixed = np.random.default_rng(0)
    inputs = fixed.normal(size=(ROWS, DIM)).astype(np.float32)
    classes = np.digitize(inputs[:, 0], [-0.4, 0.9])
    affect = np.tanh(inputs[:, :2]).astype(np.float32)
    affect[fixed.random(ROWS) < 0.3, 0] = np.nan
    order = generator.permutation(ROWS)
    for number, rows in enumerate(np.split(order, range(BATCH, ROWS, BATCH))):
        noisy = inputs[rows] + generator.normal(size=(len(rows), DIM)).astype(np.float32) * 0.1
        pooled = torch.from_numpy(noisy)
        mask = torch.zeros(len(rows), 4, dtype=torch.bool)
        mask[:, 0] = True
        mask[:, 1] = number % 2 == 0
        encoded = Encoded(pooled[:, None].expand(-1, 4, -1), mask, pooled, pooled[:, :0])
        targets = Targets(
            nn.functional.one_hot(torch.from_numpy(classes[rows]), CLASSES).float(),
            torch.from_numpy(affect[rows, 0]),
            torch.from_numpy(affect[rows, 1]),
            torch.ones(len(rows)),
        )
        yield Batch(targets, torch.from_numpy(rows), features=Features(speech=encoded))


def tiny_objective(affect: str = "mse", dropout: float = 0.0, kill: int = 0) -> Objective:
    """Return what is trained.

    Args:
        affect: loss of arousal and valence.
        dropout: of the hidden layer.
        kill: batch before which the process kills itself, counted over the epochs; 0: never.
    """
    torch.manual_seed(5)
    model = TinyModel(dropout)
    config = LossConfig(affect=affect, label_smoothing=0.1)
    criterion = make_loss(config, Problem.SINGLE_LABEL, CLASS_WEIGHTS)

    def batches(epoch: int, generator: np.random.Generator) -> Iterator[Batch]:
        for number, batch in enumerate(tiny_batches(epoch, generator)):
            if kill and epoch * STEPS + number == kill:
                os.kill(os.getpid(), signal.SIGKILL)
            yield batch

    @torch.no_grad()
    def validate(model: nn.Module) -> Mapping[str, float]:
        judged = tiny_batches(0, np.random.default_rng(99))
        hits = [
            float((model(b.features).logits.argmax(1) == b.targets.labels.argmax(1)).float().mean())
            for b in judged
        ]
        return {"accuracy": float(np.mean(hits))}

    return batch_objective(model, criterion, batches, STEPS, validate)


def weights(objective: Objective) -> dict[str, Tensor]:
    """Return copies of the model's weights."""
    return {name: value.clone() for name, value in objective.model.state_dict().items()}


def train(out: Path, name: str, trainer: Mapping[str, Any], resume: bool, **task: Any) -> None:
    """Train; leave `NAME.RANK.safetensors` and `NAME.RANK.json` in the folder."""
    config = TrainerConfig(
        **{"epochs": 3, "learning_rate": 0.01, "metric": "accuracy", "keep": "last", **trainer}
    )
    objective = tiny_objective(**task)
    log = io.StringIO()
    reporter = Reporter(Console(file=log, width=300))
    outcome = Trainer(config, objective, out / name, reporter).fit(resume)
    rank = os.environ.get("RANK", "0")
    save_file(weights(objective), out / f"{name}.{rank}.safetensors")
    rows = {"history": [dict(row) for row in outcome.history], "log": log.getvalue()}
    (out / f"{name}.{rank}.json").write_text(json.dumps(rows), encoding="utf-8")


def main() -> None:
    """Do the trainings that the arguments list, one after the other."""
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("runs", help='JSON: [{"name": ..., "trainer": {...}, "resume": ...}]')
    options = parser.parse_args()
    torch.set_num_threads(1)
    for run in json.loads(options.runs):
        train(options.out, **{"trainer": {}, "resume": False, **run})


if __name__ == "__main__":
    main()
