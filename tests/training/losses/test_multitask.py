"""The loss of several tasks: sums by hand, what is unknown, and parts of a group."""

from __future__ import annotations

import math
from dataclasses import fields, replace

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from core.errors import ConfigError
from core.models.outputs import EmotionOutput
from training.losses.ctc import ctc_loss
from training.losses.group import Group
from training.losses.multitask import (
    ABSENT_PENALTY,
    UNFIT,
    MultiTaskLoss,
    paper_weights,
    shared_weights,
)
from training.multitask.targets import UNKNOWN, TaskTargets

ROWS, CLASSES = 6, 4
ALL = {
    "emotion": 0.5, "recognition": 0.25, "gender": 0.125, "style": 0.1, "scl_norm": 0.01,
    "scl_cos": 0.02,
}  # fmt: skip


def draw() -> tuple[EmotionOutput, TaskTargets]:
    """Rows of which 1 has no emotion, 2 no gender, 3 no style, 4 no text, and 5 too long a one."""
    generator = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    output = EmotionOutput(
        normal(ROWS, CLASSES),
        auxiliary={
            "recognition": normal(ROWS, 8, 5),
            "recognition_lengths": torch.tensor([8, 8, 7, 6, 8, 2]),
            "gender": normal(ROWS, 2),
            "style": normal(ROWS, 2),
            **{f"vector_{task}": normal(ROWS, 3) for task in ("emotion", "gender", "style")},
        },
    )
    targets = TaskTargets(
        emotion=torch.tensor([0, UNKNOWN, 2, 3, 1, 0]),
        gender=torch.tensor([0, 1, UNKNOWN, 1, 0, 1]),
        style=torch.tensor([1, 0, 0, UNKNOWN, 1, 0]),
        allowed=torch.ones(ROWS, CLASSES, dtype=torch.bool),
        symbols=torch.tensor([[1, 2, 3], [4, 4, 0], [1, 0, 0], [2, 3, 1], [0, 0, 0], [1, 2, 3]]),
        symbol_counts=torch.tensor([3, 2, 1, 3, 0, 3]),
        weights=torch.ones(ROWS),
    )
    return output, targets


def rows_of(output: EmotionOutput, targets: TaskTargets, rows: Tensor):
    auxiliary = {name: value[rows] for name, value in output.auxiliary.items()}
    chosen = {f.name: getattr(targets, f.name)[rows] for f in fields(TaskTargets)}
    return EmotionOutput(output.logits[rows], auxiliary=auxiliary), TaskTargets(**chosen)


def test_the_loss_is_the_weighted_sum_of_its_parts():
    found = MultiTaskLoss(ALL)(*draw())
    expected = sum(weight * float(found[name]) for name, weight in ALL.items())
    assert float(found["loss"]) == pytest.approx(expected, rel=1e-6)
    assert found.keys() == {"loss", *ALL, UNFIT}


def test_every_part_is_a_mean_over_the_rows_of_which_the_truth_is_known():
    output, targets = draw()
    found = MultiTaskLoss(ALL)(output, targets)
    known = {"gender": [0, 1, 3, 4, 5], "style": [0, 1, 2, 4, 5]}
    for task, rows in known.items():
        expected = F.cross_entropy(output.auxiliary[task][rows], getattr(targets, task)[rows])
        torch.testing.assert_close(found[task], expected)
    rows = [0, 2, 3, 4, 5]
    expected = F.cross_entropy(output.logits[rows], targets.emotion[rows])
    torch.testing.assert_close(found["emotion"], expected)
    recognised = ctc_loss(
        output.auxiliary["recognition"], output.auxiliary["recognition_lengths"],
        targets.symbols, targets.symbol_counts,
    )  # fmt: skip
    torch.testing.assert_close(found["recognition"], recognised.sum() / 5)


def test_recognition_is_the_mean_that_torch_takes():
    output, targets = draw()
    rows = [0, 1, 2, 3, 5]
    expected = torch.nn.CTCLoss(zero_infinity=True)(
        output.auxiliary["recognition"][rows].log_softmax(2).transpose(0, 1),
        targets.symbols[rows], output.auxiliary["recognition_lengths"][rows],
        targets.symbol_counts[rows],
    )  # fmt: skip
    torch.testing.assert_close(MultiTaskLoss(ALL)(output, targets)["recognition"], expected)


def test_texts_that_do_not_fit_are_counted():
    output, targets = draw()
    loss = MultiTaskLoss({"recognition": 1.0})
    assert float(loss(output, targets)[UNFIT]) == 1
    assert float(loss(output, replace(targets, weights=torch.arange(ROWS) < 5))[UNFIT]) == 0
    assert UNFIT not in MultiTaskLoss({"emotion": 1.0})(output, targets)


def test_contrastive_losses_by_hand():
    vectors = {
        "vector_emotion": torch.tensor([[0.0, 2.0], [1.0, 0.0]]),
        "vector_gender": torch.tensor([[0.0, 1.0], [0.0, 1.0]]),
        "vector_style": torch.tensor([[0.0, 3.0], [0.0, 2.0]]),
    }
    targets = rows_of(*draw(), torch.arange(2))[1]
    loss = MultiTaskLoss({"scl_norm": 1.0, "scl_cos": 1.0})
    found = loss(EmotionOutput(torch.zeros(2, CLASSES), auxiliary=vectors), targets)
    distances = (1 + 1 + 2) + (math.sqrt(2) + math.sqrt(5) + 1)
    assert float(found["scl_norm"]) == pytest.approx(distances / 2)
    assert float(found["scl_cos"]) == pytest.approx((0 + (3 - 1)) / 2)


@pytest.mark.parametrize("name", sorted(ALL))
def test_what_is_not_known_of_any_row_has_no_loss_and_no_gradient(name):
    output, targets = draw()
    nothing = replace(
        targets,
        emotion=torch.full((ROWS,), UNKNOWN),
        gender=torch.full((ROWS,), UNKNOWN),
        style=torch.full((ROWS,), UNKNOWN),
        symbol_counts=torch.zeros(ROWS, dtype=torch.int64),
        weights=torch.zeros(ROWS) if name.startswith("scl") else targets.weights,
    )
    learned = {
        k: v.clone().requires_grad_() if v.is_floating_point() else v
        for k, v in output.auxiliary.items()
    }
    logits = output.logits.clone().requires_grad_()
    loss = MultiTaskLoss({name: 1.0})(EmotionOutput(logits, auxiliary=learned), nothing)["loss"]
    torch.autograd.backward(loss)
    assert float(loss.detach()) == 0
    gradients = [v.grad for v in (logits, *learned.values()) if v.grad is not None]
    assert gradients
    assert all(float(g.abs().max()) == 0 for g in gradients)


def test_row_weights_count_like_repeated_rows():
    output, targets = draw()
    twice = torch.cat([torch.arange(ROWS), torch.tensor([0, 3])])
    weights = torch.ones(ROWS)
    weights[[0, 3]] = 2.0
    loss = MultiTaskLoss(ALL, 0.1, torch.tensor([1.0, 2.0, 0.5, 3.0]))
    weighted = loss(output, replace(targets, weights=weights))
    repeated = loss(*rows_of(output, targets, twice))
    for name in ("loss", *ALL):
        torch.testing.assert_close(weighted[name], repeated[name])


def test_a_row_without_weight_is_as_if_not_there():
    output, targets = draw()
    kept = torch.tensor([0, 1, 2, 4])
    weights = torch.zeros(ROWS)
    weights[kept] = 1.0
    loss = MultiTaskLoss(ALL)
    weighted = loss(output, replace(targets, weights=weights))
    for name, value in loss(*rows_of(output, targets, kept)).items():
        torch.testing.assert_close(weighted[name], value)


def test_class_weights_and_smoothing_are_those_of_torch():
    output, targets = draw()
    weights = torch.tensor([1.0, 2.0, 0.5, 3.0])
    for smoothing in (0.0, 0.2):
        found = MultiTaskLoss({"emotion": 1.0}, smoothing, weights)(output, targets)
        expected = F.cross_entropy(
            output.logits, targets.emotion, weights, ignore_index=UNKNOWN, label_smoothing=smoothing
        )
        torch.testing.assert_close(found["emotion"], expected)


def test_emotions_that_a_corpus_lacks_are_penalised_and_get_no_smoothing():
    output, targets = draw()
    only = replace(targets, allowed=torch.tensor([[True, True, False, False]]).expand(ROWS, -1))
    row = rows_of(output, only, torch.tensor([4]))
    found = MultiTaskLoss({"emotion": 1.0}, 0.2)(*row)["emotion"]
    lowered = output.logits[4] - ABSENT_PENALTY * torch.tensor([0.0, 0.0, 1.0, 1.0])
    scores = lowered.log_softmax(0)
    torch.testing.assert_close(found, -(0.9 * scores[1] + 0.1 * scores[0]))


def test_parts_of_a_group_add_up_to_one_batch():
    output, targets = draw()
    loss = MultiTaskLoss(ALL, 0.1, torch.tensor([1.0, 2.0, 0.5, 3.0]))
    pieces = [
        rows_of(output, targets, rows) for rows in (torch.arange(1), torch.tensor([1, 2, 3, 4, 5]))
    ]
    own = [loss.normalisers(part) for _, part in pieces]
    group = Group({name: torch.stack([o[name] for o in own]).sum() for name in own[0]})
    parts = [loss(*piece, group) for piece in pieces]
    for name, value in loss(output, targets).items():
        torch.testing.assert_close(parts[0][name] + parts[1][name], value)


def test_everything_is_counted_in_single_precision():
    output, targets = draw()
    halved = {k: v.bfloat16() if v.is_floating_point() else v for k, v in output.auxiliary.items()}
    half = EmotionOutput(output.logits.bfloat16(), auxiliary=halved)
    single = {k: v.float() if v.is_floating_point() else v for k, v in halved.items()}
    found = MultiTaskLoss(ALL)(half, targets)
    expected = MultiTaskLoss(ALL)(EmotionOutput(half.logits.float(), auxiliary=single), targets)
    for name, value in found.items():
        assert value.dtype == torch.float32
        torch.testing.assert_close(value, expected[name])


def test_a_missing_head_is_named():
    output, targets = draw()
    for name in ("recognition", "gender", "style"):
        with pytest.raises(ConfigError, match=f"no head for {name}"):
            MultiTaskLoss({name: 1.0})(EmotionOutput(output.logits), targets)


def test_contrast_needs_vectors_that_can_differ():
    output, targets = draw()
    same = output.auxiliary["vector_emotion"]
    for auxiliary in ({"vector_emotion": same}, {"vector_emotion": same, "vector_gender": same}):
        with pytest.raises(ConfigError, match="task_adapter"):
            MultiTaskLoss({"scl_cos": 1.0})(EmotionOutput(same, auxiliary=auxiliary), targets)


@pytest.mark.parametrize("weights", [{}, {"emotion": -1.0}, {"emotion": 1.0, "pitch": 1.0}])
def test_weights_that_make_no_sense_are_refused(weights):
    with pytest.raises(ConfigError):
        MultiTaskLoss(weights)


def test_published_weights_are_those_of_the_equations():
    third = {"emotion": 0.7, "recognition": 0.1, "gender": 0.1, "style": 0.1}
    assert paper_weights("single") == pytest.approx(third)
    assert paper_weights("first") == pytest.approx({"emotion": 0.9, "recognition": 0.1})
    assert paper_weights("first", share=0.3) == pytest.approx({"emotion": 0.7, "recognition": 0.3})
    fifth = {"emotion": 0.8, "gender": 0.1, "style": 0.1}
    assert paper_weights("second") == pytest.approx(fifth)
    contrasted = paper_weights("second", scl="scl_cos", scl_weight=0.5)
    assert contrasted == pytest.approx({**fifth, "scl_cos": 0.5})
    assert shared_weights(["gender"]) == pytest.approx({"emotion": 0.9, "gender": 0.1})
    assert shared_weights([]) == {"emotion": 1.0}


def test_shares_that_leave_emotion_nothing_are_refused():
    with pytest.raises(ConfigError, match="3 tasks beside emotion"):
        paper_weights("single", share=0.4)
    with pytest.raises(ConfigError, match="no training 'third'"):
        paper_weights("third")
