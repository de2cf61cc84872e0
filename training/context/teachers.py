"""Teachers of single modalities: models of the same package that see one modality alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from core.models.context.base import DialogueModel
from core.models.context.inputs import DialogueInputs
from training.data.dialogues import Dialogue, DialogueSet
from training.trainer_config import TrainerConfig

OF_STUDENTS = ("nested", "students")
"""Options that a teacher of the student's own architecture does not take over."""


@dataclass(frozen=True, slots=True)
class TeacherChoice:
    """What the teachers are, where there is distillation."""

    architecture: str = ""
    """Of core/models/context/registry.py, such as `utterance`; empty: that of the student."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Of the architecture; of the student's own: what differs from it."""
    modalities: tuple[str, ...] = ()
    """One teacher for each; empty: all that the student takes."""
    trainer: TrainerConfig | None = None
    """How they are trained; null: as the student."""


class TaughtOnline(nn.Module):
    """A student and the teachers that are trained beside it."""

    def __init__(self, student: DialogueModel, teachers: Mapping[str, DialogueModel]) -> None:
        super().__init__()
        self.student = student
        self.teachers = nn.ModuleDict(dict(teachers))


def student_of(model: nn.Module) -> DialogueModel:
    """Return the model itself, or the student of a `TaughtOnline`."""
    found = model.student if isinstance(model, TaughtOnline) else model
    assert isinstance(found, DialogueModel)
    return found


def frozen(teachers: Mapping[str, DialogueModel]) -> dict[str, DialogueModel]:
    """Return the teachers in evaluation mode, without gradients."""
    return {name: teacher.eval().requires_grad_(False) for name, teacher in teachers.items()}


def teachers_say(
    teachers: Mapping[str, nn.Module], inputs: DialogueInputs, *, trained: bool
) -> dict[str, Tensor]:
    """Return modality -> logits (B, T, C) of its teacher, which sees nothing else.

    Args:
        trained: keep what their own training needs.
    """
    with torch.set_grad_enabled(trained and torch.is_grad_enabled()):
        return {
            name: teacher.to(inputs.mask.device)(alone(inputs, name)).logits
            for name, teacher in teachers.items()
        }


def alone(inputs: DialogueInputs, modality: str) -> DialogueInputs:
    """Return a batch of one modality."""
    return replace(
        inputs,
        features={modality: inputs.features[modality]},
        present={modality: inputs.present[modality]},
    )


def set_of_modality(dialogues: DialogueSet, modality: str) -> DialogueSet:
    """Return a set of one modality; utterances that lack it stay as turns without anything."""

    def reduced(dialogue: Dialogue) -> Dialogue:
        return replace(
            dialogue,
            features={modality: dialogue.features[modality]},
            present={modality: dialogue.present[modality]},
        )

    made = tuple(reduced(dialogue) for dialogue in dialogues.dialogues)
    return replace(dialogues, dialogues=made, sizes={modality: dialogues.sizes[modality]})
