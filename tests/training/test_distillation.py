"""Distillation against values worked out by hand, in every direction."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from core.errors import ConfigError
from training.config import from_mapping
from training.context.loss import TurnLoss, TurnLossConfig
from training.data.dialogues import UNLABELLED
from training.losses.distillation import DIRECTIONS, DistillationConfig, distillation, divergence

STUDENT = torch.tensor([[math.log(1.0), math.log(3.0)]])  # 1/4, 3/4
TEACHER = torch.tensor([[0.0, 0.0]])  # 1/2, 1/2
BY_HAND = {
    "kl_student_teacher": 0.25 * math.log(0.5) + 0.75 * math.log(1.5),
    "kl_teacher_student": 0.5 * math.log(2.0) + 0.5 * math.log(2.0 / 3.0),
    "cross_entropy": -0.5 * math.log(0.25) - 0.5 * math.log(0.75),
}


def random_logits(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_every_direction_worked_out_by_hand(direction):
    found = divergence(STUDENT, TEACHER, DistillationConfig(direction))
    assert found.item() == pytest.approx(BY_HAND[direction], abs=1e-6)


def test_the_default_is_what_the_released_line_of_code_computes():
    student, teacher = random_logits(0, 6, 4), random_logits(1, 6, 4)
    released = F.kl_div(
        teacher.log_softmax(dim=1),
        student.log_softmax(dim=1),
        log_target=True,
        reduction="batchmean",
    )
    assert torch.isclose(divergence(student, teacher, DistillationConfig()), released)


def test_cross_entropy_moves_the_student_as_the_divergence_from_the_teacher_does():
    teacher = random_logits(1, 6, 4)
    gradients = []
    for direction in ("cross_entropy", "kl_teacher_student", "kl_student_teacher"):
        student = random_logits(0, 6, 4).requires_grad_()
        divergence(student, teacher, DistillationConfig(direction)).backward()
        gradients.append(student.grad)
    assert torch.allclose(gradients[0], gradients[1], atol=1e-7)
    assert not torch.allclose(gradients[0], gradients[2], atol=1e-3)


def test_a_temperature_divides_the_logits_and_its_square_makes_up_for_it():
    student, teacher = random_logits(0, 6, 4), random_logits(1, 6, 4)
    hot = divergence(student, teacher, DistillationConfig(temperature=2.0))
    plain = divergence(student / 2, teacher / 2, DistillationConfig())
    assert torch.isclose(hot, 4 * plain)


def test_losses_are_named_weighted_and_masked():
    labels = torch.tensor([[1, 0, UNLABELLED, 0]])
    mask = torch.tensor([[True, True, True, False]])
    present = {"text": mask, "speech": torch.tensor([[True, False, True, True]])}
    students = {m: random_logits(i, 1, 4, 2) for i, m in enumerate(present)}
    teachers = {m: random_logits(i + 5, 1, 4, 2) for i, m in enumerate(present)}
    config = DistillationConfig(weight=0.5, label_weight=2.0, modalities={"speech": 3.0})
    found = distillation(config, students, teachers, labels, mask, present=present)
    assert set(found) == {
        "distillation_text", "student_text", "distillation_speech", "student_speech",
    }  # fmt: skip
    plain = DistillationConfig()
    text = divergence(students["text"][0, :3], teachers["text"][0, :3], plain)
    assert torch.isclose(found["distillation_text"], 0.5 * text)
    speech = divergence(students["speech"][0, [0, 2]], teachers["speech"][0, [0, 2]], plain)
    assert torch.isclose(found["distillation_speech"], 3 * 0.5 * speech)
    label = F.cross_entropy(students["text"][0, :2], labels[0, :2])
    assert torch.isclose(found["student_text"], 2 * label)
    heard = F.cross_entropy(students["speech"][0, :1], labels[0, :1])
    assert torch.isclose(found["student_speech"], 3 * 2 * heard)


def test_what_is_filled_up_changes_nothing():
    labels, mask = torch.tensor([[1, 0]]), torch.ones(1, 2, dtype=torch.bool)
    student, teacher = random_logits(0, 1, 2, 3), random_logits(1, 1, 2, 3)
    plain = distillation(DistillationConfig(), {"text": student}, {"text": teacher}, labels, mask)
    longer = distillation(
        DistillationConfig(),
        {"text": torch.cat([student, torch.full((1, 3, 3), 9.0)], dim=1)},
        {"text": torch.cat([teacher, random_logits(3, 1, 3, 3)], dim=1)},
        torch.cat([labels, torch.ones(1, 3, dtype=torch.long)], dim=1),
        torch.cat([mask, torch.zeros(1, 3, dtype=torch.bool)], dim=1),
    )
    assert all(torch.isclose(plain[name], longer[name]) for name in plain)


def test_a_modality_that_nobody_has_costs_nothing_and_still_has_a_gradient():
    student = random_logits(0, 1, 2, 3).requires_grad_()
    mask = torch.ones(1, 2, dtype=torch.bool)
    found = distillation(
        DistillationConfig(),
        {"text": student},
        {"text": random_logits(1, 1, 2, 3)},
        torch.tensor([[0, 1]]),
        mask,
        present={"text": ~mask},
    )
    loss = sum(found.values())
    loss.backward()
    assert loss == 0.0
    assert torch.equal(student.grad, torch.zeros(1, 2, 3))


def gradients(**options: object) -> tuple[torch.Tensor | None, torch.Tensor | None, set[str]]:
    student = random_logits(0, 2, 3, 4).requires_grad_()
    teacher = random_logits(1, 2, 3, 4).requires_grad_()
    found = distillation(
        DistillationConfig(**options),
        {"text": student},
        {"text": teacher},
        torch.zeros(2, 3, dtype=torch.long),
        torch.ones(2, 3, dtype=torch.bool),
    )
    sum(found.values()).backward()
    return student.grad, teacher.grad, set(found)


def test_frozen_teachers_get_no_gradient():
    student, teacher, _ = gradients()
    assert student is not None
    assert teacher is None


def test_online_teachers_learn_by_their_labels_alone_unless_asked_for_more():
    _, teacher, names = gradients(online=True)
    assert names == {"distillation_text", "student_text", "teacher_text"}
    logits = random_logits(1, 2, 3, 4).requires_grad_()
    F.cross_entropy(logits.flatten(0, 1), torch.zeros(6, dtype=torch.long)).backward()
    assert torch.allclose(teacher, logits.grad, atol=1e-7)
    _, through, _ = gradients(online=True, through_teacher=True)
    assert not torch.allclose(through, logits.grad, atol=1e-4)


def test_students_may_learn_by_the_loss_of_the_model_itself():
    own = TurnLoss(TurnLossConfig(), torch.tensor([1.0, 5.0]))
    students = {"text": random_logits(0, 1, 3, 2)}
    labels, mask = torch.tensor([[0, 1, 1]]), torch.ones(1, 3, dtype=torch.bool)
    found = distillation(
        DistillationConfig(labels="same"), students, students, labels, mask, own=own
    )
    assert torch.isclose(found["student_text"], own(students["text"], labels))
    assert found["distillation_text"] == 0.0
    with pytest.raises(ConfigError, match="own loss"):
        distillation(DistillationConfig(labels="same"), students, students, labels, mask)


def test_students_and_teachers_must_be_of_the_same_modalities():
    logits, mask = {"text": random_logits(0, 1, 3, 2)}, torch.ones(1, 3, dtype=torch.bool)
    labels = torch.zeros(1, 3, dtype=torch.long)
    with pytest.raises(ConfigError, match="students of text and teachers of nothing"):
        distillation(DistillationConfig(), logits, {}, labels, mask)
    config = DistillationConfig(modalities={"vision": 2.0})
    with pytest.raises(ConfigError, match="no student of vision"):
        distillation(config, logits, logits, labels, mask)


@pytest.mark.parametrize(
    "values",
    [
        {"direction": "kl"},
        {"temperature": 0.0},
        {"weight": -1.0},
        {"modalities": {"text": -1.0}},
        {"labels": "focal"},
        {"through_teacher": True},
    ],
)
def test_nonsense_is_refused(values, tmp_path):
    with pytest.raises(ConfigError):
        from_mapping(DistillationConfig, values, tmp_path / "x.yaml")
