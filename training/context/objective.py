"""What a dialogue model is trained for: the loss of its turns and what goes with it.

Every part of the loss is a mean over the turns that count. Where batches are accumulated or shared
between processes, each part is weighed by the share of those turns that a batch has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from core.errors import ConfigError
from core.models.context.base import DialogueModel
from core.models.context.inputs import DialogueOutput
from training.context.config import ContextTraining
from training.context.loss import TurnLoss
from training.context.packed import map_batch
from training.context.teachers import TaughtOnline, student_of, teachers_say
from training.data.dialogues import UNLABELLED, DialogueBatch
from training.losses.distillation import distillation
from training.losses.group import Group
from training.losses.matryoshka import matryoshka


@dataclass(frozen=True)
class DialogueCriterion:
    """Losses of a batch by name: `loss` is minimised, the others are shown.

    Attributes:
        turn: of logits by labels.
        classes: how many there are.
        config: what else is learned.
        teachers: modality name -> frozen model; those that are trained come with the student.
    """

    turn: TurnLoss
    classes: int
    config: ContextTraining
    teachers: Mapping[str, DialogueModel] = field(default_factory=dict)

    def __call__(self, model: nn.Module, batch: DialogueBatch, group: Group) -> dict[str, Tensor]:
        """Run the model and return the batch's share of the group's losses."""
        output: DialogueOutput = student_of(model)(batch.inputs)
        mine = self.normalisers(batch)
        share = {name: own / group.totals[name].clamp(min=1e-8) for name, own in mine.items()}
        parts = {
            "emotion": share["weights"] * self._emotion(output, batch.labels),
            **self._scaled(self._distilled(model, output, batch), share["turns"]),
            **self._scaled(self._brought(output), share["turns"]),
        }
        return {"loss": torch.stack(list(parts.values())).sum(), **parts}

    def normalisers(self, batch: DialogueBatch) -> dict[str, Tensor]:
        """Return how much the batch's turns count: by their classes' weights, and each as one."""
        turns = (batch.labels != UNLABELLED).sum().float()
        return {"weights": self.turn.total(batch.labels, self.classes).float(), "turns": turns}

    def _emotion(self, output: DialogueOutput, labels: Tensor) -> Tensor:
        """Return the loss of the whole representation, or the sum over all nested sizes."""
        config = self.config.matryoshka
        if config is None:
            if output.nested:
                raise ConfigError(
                    "The model has nested sizes that nothing trains.",
                    "Add matryoshka: {} to the training, or leave nested out of the model.",
                )
            return self.turn(output.logits, labels)
        # the trainer keeps the state of this generator, so a resumed run draws the same
        generator = torch.default_generator if config.subset else None
        return matryoshka(output.nested, lambda x: self.turn(x, labels), config, generator)

    def _distilled(
        self, model: nn.Module, output: DialogueOutput, batch: DialogueBatch
    ) -> dict[str, Tensor]:
        config, inputs = self.config.distillation, batch.inputs
        if config is None:
            if output.students:
                raise ConfigError(
                    "The model has students that nothing trains.",
                    "Add distillation: {} to the training, or leave students out of the model.",
                )
            return {}
        online = isinstance(model, TaughtOnline)
        teachers: Mapping[str, nn.Module] = (
            dict(model.teachers.items()) if isinstance(model, TaughtOnline) else self.teachers
        )
        said = teachers_say(teachers, inputs, trained=online)
        students = {name: output.students[name] for name in said if name in output.students}
        return distillation(
            config, students, said, batch.labels, inputs.mask,
            present=inputs.present, own=self.turn,
        )  # fmt: skip

    def _brought(self, output: DialogueOutput) -> dict[str, Tensor]:
        weights = self.config.auxiliary
        return {name: weights.get(name, 1.0) * value for name, value in output.auxiliary.items()}

    @staticmethod
    def _scaled(losses: Mapping[str, Tensor], share: Tensor) -> dict[str, Tensor]:
        return {name: share * value for name, value in losses.items()}


def split_dialogues(batch: DialogueBatch, rank: int, processes: int) -> tuple[DialogueBatch, float]:
    """Return every `processes`-th dialogue from `rank` on, and which fraction of them it is.

    A process without one gets the first, of which no turn counts, so that it can take part.
    """
    rows = torch.arange(len(batch.labels))[rank::processes]
    if len(rows):
        return map_batch(batch, lambda t: t[rows]), len(rows) / len(batch.labels)
    idle = map_batch(batch, lambda t: t[:1])
    return replace(idle, labels=torch.full_like(idle.labels, UNLABELLED)), 0.0


def place_dialogues(batch: DialogueBatch, device: torch.device) -> DialogueBatch:
    """Return the batch on a device."""
    return map_batch(batch, lambda t: t.to(device))
