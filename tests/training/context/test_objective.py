"""The loss of dialogues: by labels, nested sizes, teachers; alone, accumulated and shared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from core.errors import ConfigError
from core.models.context.base import DialogueModel
from tests.training.context.dialogues import CLASSES, generated
from training.context.config import ContextTraining, ModelChoice
from training.context.loss import TurnLoss, TurnLossConfig, make_turn_loss
from training.context.objective import DialogueCriterion, split_dialogues
from training.context.packed import map_batch, pack
from training.context.teachers import TeacherChoice, set_of_modality
from training.context.training import build_model, train_dialogue, train_teachers
from training.context.windows import WindowConfig
from training.data.buckets import BucketConfig
from training.data.dialogues import UNLABELLED
from training.losses.distillation import DistillationConfig
from training.losses.group import Group
from training.losses.matryoshka import MatryoshkaConfig
from training.trainer import TrainerConfig

TRAIN, VALIDATION = generated(24, 1), generated(8, 2)
TRAINER = TrainerConfig(epochs=2, learning_rate=3e-3, ema_decay=0.0, device="cpu", seed=3)
CONFIG = ContextTraining(
    WindowConfig(length=6), batches=BucketConfig(size=8), trainer=TRAINER, readings=("causal",)
)
SMALL = {"dim": 16, "node": 8, "layers": 2, "heads": 2, "memory": 8}
NESTED = {"nested": {"sizes": [], "layout": "per_modality", "shared": True}}


def mglra(**options: object) -> ModelChoice:
    return ModelChoice("mglra", {**SMALL, **options}, window=6)


def state(model: DialogueModel) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def test_cross_entropy_is_that_of_torch_on_labelled_turns() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 5, 3, generator=generator)
    labels = torch.randint(-1, 3, (3, 5), generator=generator)
    weights = torch.tensor([0.5, 1.0, 3.0])
    found = TurnLoss(TurnLossConfig(), weights)(logits, labels)
    expected = F.cross_entropy(
        logits.flatten(0, 1), labels.flatten(), weights, ignore_index=UNLABELLED
    )
    torch.testing.assert_close(found, expected)


def test_the_published_focal_loss_runs_over_all_classes() -> None:
    logits, label = torch.tensor([[1.0, -0.5, 0.2]]), 1
    scores = logits.log_softmax(dim=1)[0]
    shares = [(1 - s * (c == label)) ** 2.5 * -s for c, s in enumerate(scores)]
    found = TurnLoss(TurnLossConfig("focal_published"))(logits, torch.tensor([label]))
    torch.testing.assert_close(found, torch.stack(shares).mean())


def test_class_weights_come_from_the_training_part_or_are_given() -> None:
    labels = torch.tensor([0, 0, 0, 1, -1, -1])
    found = make_turn_loss(TurnLossConfig(class_weights="inverse"), labels, 2)
    assert found.total(torch.tensor([0, 1, -1]), 2) == pytest.approx(4 / 6 + 4 / 2)
    wrong = make_turn_loss(TurnLossConfig(weights=(1.0, 2.0, 3.0)), labels, 2)
    with pytest.raises(ConfigError, match="3 class weights for 2 classes"):
        wrong(torch.zeros(1, 2), torch.zeros(1, dtype=torch.long))


def test_without_a_labelled_turn_the_loss_is_zero_and_has_a_gradient() -> None:
    logits = torch.zeros(2, 3, requires_grad=True)
    found = TurnLoss(TurnLossConfig())(logits, torch.full((2,), UNLABELLED))
    torch.autograd.backward(found)
    assert found.detach() == 0.0
    assert logits.grad is not None
    assert not logits.grad.any()


def test_parts_of_a_batch_make_the_loss_of_the_whole() -> None:
    """Of several processes, and of accumulated batches, whatever turns and classes they hold."""
    model = build_model(ModelChoice("bilstm", {"dropout": 0.0}, window=6), TRAIN, 1).eval()
    weights = torch.tensor([0.3, 1.0, 2.5])
    criterion = DialogueCriterion(TurnLoss(TurnLossConfig(), weights), len(CLASSES), CONFIG)
    packed = pack(TRAIN, 9)
    batch = packed.windows(packed.starts[:5], packed.ends[:5])
    group = Group(criterion.normalisers(batch))
    whole = criterion(model, batch, group)["loss"]
    shares = [split_dialogues(batch, rank, 7) for rank in range(7)]
    assert sum(fraction for _, fraction in shares) == pytest.approx(1.0)
    parts = [criterion(model, share, group)["loss"] for share, _ in shares]
    torch.testing.assert_close(torch.stack(parts).sum(), whole)


def test_what_is_accumulated_trains_as_one_batch() -> None:
    found = []
    for size, accumulate in ((8, 1), (4, 2)):
        config = replace(
            CONFIG,
            windows=WindowConfig(cut="whole"),
            batches=BucketConfig(size=size, pool=1),
            trainer=replace(TRAINER, epochs=1, accumulate=accumulate),
        )
        model = build_model(ModelChoice("utterance", {"dropout": 0.0}), TRAIN, 1)
        whole = replace(TRAIN, dialogues=TRAIN.dialogues[:8])
        train_dialogue(config, model, whole, VALIDATION)
        found.append(state(model))
    for name, value in found[0].items():
        torch.testing.assert_close(value, found[1][name], rtol=0, atol=1e-5)


def test_nested_sizes_and_teachers_in_one_configuration_learn() -> None:
    config = replace(
        CONFIG,
        matryoshka=MatryoshkaConfig(subset=2),
        distillation=DistillationConfig(),
        trainer=replace(TRAINER, epochs=4),
    )
    choice = mglra(students=True, **NESTED)
    teachers = train_teachers(config, choice, TRAIN, VALIDATION)
    assert sorted(teachers) == ["speech", "text"]
    before = {name: state(teacher) for name, teacher in teachers.items()}
    model = build_model(choice, TRAIN, 1)
    out = train_dialogue(config, model, TRAIN, VALIDATION, teachers=teachers)
    for name, teacher in teachers.items():
        assert all(torch.equal(before[name][k], v) for k, v in teacher.state_dict().items())
        assert set(teacher.specification.features) == {name}
    history = out.outcome.history
    shown = {"train_matryoshka", "train_distillation_text", "train_student_speech"}
    assert shown <= set(history[0])
    assert history[-1]["train_loss"] < history[0]["train_loss"]


def test_a_random_subset_is_drawn_by_the_seed() -> None:
    config = replace(CONFIG, matryoshka=MatryoshkaConfig(subset=1))
    found = []
    for _ in range(2):
        model = build_model(mglra(**NESTED), TRAIN, 1)
        train_dialogue(config, model, TRAIN, VALIDATION)
        found.append(state(model))
    assert all(torch.equal(found[0][name], value) for name, value in found[1].items())


def test_online_teachers_are_trained_beside_the_student() -> None:
    config = replace(
        CONFIG,
        distillation=DistillationConfig(online=True),
        teachers=TeacherChoice("utterance", {"hidden": 8}, ("text",)),
    )
    choice = mglra(students=True)
    teachers = train_teachers(config, choice, TRAIN, VALIDATION)
    before = state(teachers["text"])
    model = build_model(choice, TRAIN, 1)
    out = train_dialogue(config, model, TRAIN, VALIDATION, teachers=teachers)
    after = teachers["text"].state_dict()
    assert any(not torch.equal(before[name], value) for name, value in after.items())
    assert "train_teacher_text" in out.outcome.history[0]
    assert out.model is model


def test_an_utterance_only_model_can_teach_a_student_of_one_modality() -> None:
    train, validation = (set_of_modality(part, "text") for part in (TRAIN, VALIDATION))
    config = replace(CONFIG, distillation=DistillationConfig(), teachers=TeacherChoice("utterance"))
    choice = mglra(students=True)
    teachers = train_teachers(config, choice, train, validation)
    model = build_model(choice, train, 1)
    out = train_dialogue(config, model, train, validation, teachers=teachers)
    assert "train_distillation_text" in out.outcome.history[0]


@pytest.mark.parametrize(
    ("options", "config", "message"),
    [
        (NESTED, {}, "nothing trains"),
        ({}, {"matryoshka": MatryoshkaConfig()}, "no nested sizes"),
        ({}, {"distillation": DistillationConfig()}, "students of"),
        ({"students": True}, {}, "students that nothing trains"),
    ],
)
def test_a_model_and_losses_that_do_not_fit_are_refused(
    options: dict[str, object], config: dict[str, object], message: str
) -> None:
    training = replace(CONFIG, **config)  # type: ignore[arg-type]
    choice = mglra(**options)
    teachers = train_teachers(training, choice, TRAIN, VALIDATION)
    with pytest.raises(ConfigError, match=message):
        train_dialogue(
            training, build_model(choice, TRAIN), TRAIN, VALIDATION, teachers=teachers or None
        )


def test_distillation_without_teachers_is_refused() -> None:
    training = replace(CONFIG, distillation=DistillationConfig())
    with pytest.raises(ConfigError, match="without teachers"):
        train_dialogue(training, build_model(mglra(students=True), TRAIN), TRAIN, VALIDATION)
    with pytest.raises(ValueError, match="no distillation"):
        ContextTraining(teachers=TeacherChoice("utterance"))


def test_a_brought_loss_is_weighed() -> None:
    model = build_model(mglra(mask_rate=0.5), TRAIN, 1).train()
    packed = pack(TRAIN, 9)
    batch = map_batch(packed.windows(packed.starts[:5], packed.ends[:5]), lambda t: t)
    found = []
    for weight in (1.0, 3.0):
        config = replace(CONFIG, auxiliary={"reconstruction": weight})
        criterion = DialogueCriterion(TurnLoss(TurnLossConfig()), len(CLASSES), config)
        torch.manual_seed(0)
        losses = criterion(model, batch, Group(criterion.normalisers(batch)))
        found.append(float(losses["reconstruction"].detach()))
    assert found[1] == pytest.approx(3 * found[0], rel=1e-5)
    assert np.isfinite(found).all()
