"""What a dialogue model is trained for: the loss of its turns and what goes with it.

Every part of the loss is a mean over what counts in it: labelled turns by the weights of their
classes, or turns that have a modality. Where batches are accumulated or shared between processes,
each part is weighed by the share of that which a batch has.
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

WEIGHTS, TURNS = "class weights", "labelled turns"
DISTILLED = "distillation"


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
        what = "emotion" if self.config.matryoshka is None else "matryoshka"
        parts = {what: share[WEIGHTS] * self._emotion(output, batch.labels)}
        for name, value in self._distilled(model, output, batch).items():
            kind, _, modality = name.partition("_")
            counted = _there(modality) if kind == DISTILLED else _labelled(modality)
            parts[name] = share[counted] * value
        for name, value in output.auxiliary.items():
            parts[name] = share[TURNS] * self.config.auxiliary.get(name, 1.0) * value
        return {"loss": torch.stack(list(parts.values())).sum(), **parts}

    def normalisers(self, batch: DialogueBatch) -> dict[str, Tensor]:
        """Return what each part of the loss is a mean over, as counts that add up over batches."""
        known = batch.labels != UNLABELLED
        weights = self.turn.total(batch.labels, self.classes).float()
        found = {WEIGHTS: weights, TURNS: known.sum().float()}
        if self.config.distillation is not None:
            for name, present in batch.inputs.present.items():
                there = present & batch.inputs.mask
                found[_there(name)] = there.sum().float()
                found[_labelled(name)] = (there & known).sum().float()
        return found

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


def _there(modality: str) -> str:
    return f"turns with {modality}"


def _labelled(modality: str) -> str:
    return f"labelled turns with {modality}"


def split_dialogues(batch: DialogueBatch, rank: int, processes: int) -> tuple[DialogueBatch, float]:
    """Return every `processes`-th dialogue from `rank` on, and which fraction of them it is.

    A process without one gets the first, of which nothing counts, so that it can take part.
    """
    rows = torch.arange(len(batch.labels))[rank::processes]
    if len(rows):
        return map_batch(batch, lambda t: t[rows]), len(rows) / len(batch.labels)
    idle = map_batch(batch, lambda t: t[:1])
    nothing = {name: torch.zeros_like(there) for name, there in idle.inputs.present.items()}
    inputs = replace(idle.inputs, present=nothing)
    return replace(idle, inputs=inputs, labels=torch.full_like(idle.labels, UNLABELLED)), 0.0


def place_dialogues(batch: DialogueBatch, device: torch.device) -> DialogueBatch:
    """Return the batch on a device."""
    return map_batch(batch, lambda t: t.to(device))
