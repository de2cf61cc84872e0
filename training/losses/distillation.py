"""Modality-wise distillation: a student head per modality learns what a teacher of it alone says.

A teacher per modality is a unimodal model trained alone. The students are classifiers on each
modality's part of the representation of the model that is trained; nobody asks them for an answer
later. The loss added to the model's own is the sum over modalities of

    weight * D(student, teacher) + label_weight * CE(student, label)

with published weights of 1. The paper writes the cross-entropy CE(teacher, student) for D; the
released code computes `F.kl_div(teacher, student, log_target=True, reduction="batchmean")`, whose
first argument is the *input*, so it is KL(student || teacher), a mean over utterances. Cross-
entropy has the gradient of KL(teacher || student): it makes the student cover all that the teacher
holds possible, the code's direction makes it keep to what the teacher is sure of.

Logits are divided by a temperature T first, and D is multiplied by T^2, which keeps its gradient
as large as that of the labels (Hinton, Vinyals & Dean 2015, "Distilling the Knowledge in a Neural
Network", section 2.1); the published T is 1.

Teachers are frozen, or, in the online variant, trained in the same loop by their labels. The public
code of that makes two steps of it, one for the teachers and one for the model; here both losses are
added and make one step. The student's loss has no gradient into the teacher, unless asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from torch import Tensor
from torch.nn import functional as F

from core.errors import ConfigError
from training.data.dialogues import UNLABELLED

LabelLoss = Callable[[Tensor, Tensor], Tensor]
"""(logits (..., C), labels (...), `UNLABELLED` where none counts) -> mean loss, a scalar."""

PLAIN, SAME = "cross_entropy", "same"
LABEL_LOSSES = (PLAIN, SAME)


@dataclass(frozen=True, slots=True)
class DistillationConfig:
    """How students learn from teachers."""

    direction: str = "kl_student_teacher"
    """`kl_student_teacher`, as the released code computes it; `kl_teacher_student`; or
    `cross_entropy` of teacher and student, as the paper writes it."""
    temperature: float = 1.0
    """Logits of both are divided by it."""
    weight: float = 1.0
    """Of what is said by direction."""
    label_weight: float = 1.0
    """Of the students' loss by their labels."""
    labels: str = PLAIN
    """Loss by labels: plain `cross_entropy`, as published, or the `same` as the model's own."""
    modalities: Mapping[str, float] = field(default_factory=dict)
    """Factor of all losses of a modality, such as `vision: 0.5`; 1 for those not named."""
    online: bool = False
    """Train the teachers too, by their labels, instead of freezing them."""
    teacher_weight: float = 1.0
    """Of the teachers' loss by their labels, where they are trained."""
    through_teacher: bool = False
    """Let what is said by direction also move the teachers, where they are trained."""

    def __post_init__(self) -> None:
        if self.direction not in DIRECTIONS:
            raise ValueError(f"direction must be one of {', '.join(DIRECTIONS)}")
        if self.labels not in LABEL_LOSSES:
            raise ValueError(f"labels must be one of {', '.join(LABEL_LOSSES)}")
        if self.temperature <= 0:
            raise ValueError("temperature must be above zero")
        factors = (self.weight, self.label_weight, self.teacher_weight, *self.modalities.values())
        if any(value < 0 for value in factors):
            raise ValueError("weights must not be negative")
        if self.through_teacher and not self.online:
            raise ValueError("through_teacher needs online: true, frozen teachers do not move")


def distillation(
    config: DistillationConfig,
    students: Mapping[str, Tensor],
    teachers: Mapping[str, Tensor],
    labels: Tensor,
    mask: Tensor,
    *,
    present: Mapping[str, Tensor] | None = None,
    own: LabelLoss | None = None,
) -> dict[str, Tensor]:
    """Return the losses to be added, weighted, as means over the utterances that count.

    Args:
        config: direction and weights.
        students, teachers: modality name -> logits (..., C); the same modalities.
        labels: (...), `UNLABELLED` where there is none: teachers are followed there all the same.
        mask: (...), true where there is an utterance.
        present: modality name -> (...), true where that utterance has the modality; where it has
            not, its student and teacher count nothing. None: it always has.
        own: the model's own loss by labels, for `labels: same`.

    Returns:
        "distillation_M", "student_M" and, of the online variant, "teacher_M" for every modality M,
        scalars; zero where nothing counts. Their sum is the loss.

    Raises:
        ConfigError: students and teachers are not of the same modalities, a factor is given for one
            that is not there, or `labels: same` has no loss.
    """
    _check_modalities(config, students, teachers)
    label_loss = _label_loss(config, own)
    losses = {}
    for name, student in students.items():
        counted = mask if present is None else mask & present[name]
        truth = labels.masked_fill(~counted, UNLABELLED)
        factor, teacher = config.modalities.get(name, 1.0), teachers[name]
        followed = teacher if config.online and config.through_teacher else teacher.detach()
        apart = divergence(student[counted], followed[counted], config)
        losses[f"distillation_{name}"] = factor * config.weight * apart
        losses[f"student_{name}"] = factor * config.label_weight * label_loss(student, truth)
        if config.online:
            losses[f"teacher_{name}"] = factor * config.teacher_weight * label_loss(teacher, truth)
    return losses


def divergence(student: Tensor, teacher: Tensor, config: DistillationConfig) -> Tensor:
    """Return the mean over rows of D(student, teacher) T^2, a scalar; zero without rows.

    Args:
        student, teacher: logits (N, C).
    """
    said = (student.float() / config.temperature).log_softmax(dim=-1)
    wanted = (teacher.float() / config.temperature).log_softmax(dim=-1)
    rows = DIRECTIONS[config.direction](said, wanted)  # (N,)
    return rows.sum() / max(len(rows), 1) * config.temperature**2


def plain_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean cross-entropy of the labelled rows, classes alike; zero without any."""
    counted = labels != UNLABELLED
    total = F.cross_entropy(logits[counted].float(), labels[counted], reduction="sum")
    return total / counted.sum().clamp(min=1)


def _kl_student_teacher(student: Tensor, teacher: Tensor) -> Tensor:
    return (student.exp() * (student - teacher)).sum(dim=-1)


def _kl_teacher_student(student: Tensor, teacher: Tensor) -> Tensor:
    return (teacher.exp() * (teacher - student)).sum(dim=-1)


def _cross_entropy(student: Tensor, teacher: Tensor) -> Tensor:
    return -(teacher.exp() * student).sum(dim=-1)


DIRECTIONS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "kl_student_teacher": _kl_student_teacher,
    "kl_teacher_student": _kl_teacher_student,
    "cross_entropy": _cross_entropy,
}
"""Name -> (log-probabilities of student (N, C) and teacher (N, C)) -> loss of each row (N,)."""


def _label_loss(config: DistillationConfig, own: LabelLoss | None) -> LabelLoss:
    if config.labels == PLAIN:
        return plain_cross_entropy
    if own is None:
        raise ConfigError("Students are to learn by the model's own loss, but there is none.")
    return own


def _check_modalities(
    config: DistillationConfig, students: Mapping[str, Tensor], teachers: Mapping[str, Tensor]
) -> None:
    if not students or set(students) != set(teachers):
        raise ConfigError(
            f"There are students of {_listed(students)} and teachers of {_listed(teachers)}.",
            "Give the model a student, and train a teacher, of the same modalities.",
        )
    if unknown := set(config.modalities) - set(students):
        raise ConfigError(
            f"There is no student of {_listed(unknown)}, which has a factor.",
            f"There are students of {_listed(students)}.",
        )


def _listed(names: Mapping[str, Tensor] | set[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"
