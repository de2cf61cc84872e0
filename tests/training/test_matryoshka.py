"""The Matryoshka loss against sums worked out by hand, around losses of rows and of dialogues."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from core.errors import ConfigError
from core.models.nested import NestedConfig, NestedHead
from training.config import from_mapping
from training.context.loss import TurnLoss, TurnLossConfig
from training.data.dialogues import UNLABELLED
from training.losses.matryoshka import MatryoshkaConfig, drawn, matryoshka

LABELS = torch.tensor([0, 2, 1])


def by_label(logits):
    return F.cross_entropy(logits, LABELS)


def nested_logits(shared: bool = False):
    torch.manual_seed(0)
    head = NestedHead((4, 4), 3, NestedConfig((4, 2), shared=shared))
    return head(torch.randn(3, 8)).nested


def test_two_sizes_worked_out_by_hand():
    even = torch.zeros(1, 2)  # both classes 1/2: log 2
    sure = torch.tensor([[math.log(3.0), 0.0]])  # the first class 3/4
    truth = torch.tensor([0])
    found = matryoshka(
        {4: sure, 2: even},
        lambda logits: F.cross_entropy(logits, truth),
        MatryoshkaConfig({"2": 0.5}),
    )
    assert found.item() == pytest.approx(math.log(4 / 3) + 0.5 * math.log(2), abs=1e-6)


def test_it_is_the_plain_sum_over_all_sizes_by_default():
    nested = nested_logits()
    wanted = sum(by_label(nested[size]) for size in (8, 4, 2))
    assert torch.isclose(matryoshka(nested, by_label, MatryoshkaConfig()), wanted)


def test_losses_of_rows_stay_losses_of_rows():
    nested = nested_logits()
    rows = matryoshka(
        nested, lambda z: F.cross_entropy(z, LABELS, reduction="none"), MatryoshkaConfig()
    )
    assert rows.shape == (3,)
    assert torch.isclose(rows.mean(), matryoshka(nested, by_label, MatryoshkaConfig()))


@pytest.mark.parametrize("kind", ["cross_entropy", "focal"])
def test_class_weighted_losses_are_wrapped_and_rows_without_a_label_count_nothing(kind):
    weights = torch.tensor([1.0, 2.0, 4.0])
    loss = TurnLoss(TurnLossConfig(kind=kind, gamma=2.0), weights)
    nested = {size: z.requires_grad_() for size, z in nested_logits().items()}
    labels = torch.tensor([0, UNLABELLED, 1])
    found = matryoshka(nested, lambda z: loss(z, labels), MatryoshkaConfig())

    def by_hand(z):
        p = z.softmax(dim=-1)[[0, 2], [0, 1]]
        factor = (1 - p) ** 2 if kind == "focal" else 1.0
        return (weights[[0, 1]] * factor * -p.log()).sum() / 3.0

    assert torch.isclose(found, sum(by_hand(z) for z in nested.values()))
    kept = {size: z.detach()[[0, 2]] for size, z in nested.items()}
    alone = matryoshka(kept, lambda z: loss(z, labels[[0, 2]]), MatryoshkaConfig())
    assert torch.isclose(found, alone)


def test_without_any_label_the_loss_is_zero():
    loss = TurnLoss(TurnLossConfig())
    labels = torch.full((3,), UNLABELLED)
    assert matryoshka(nested_logits(), lambda z: loss(z, labels), MatryoshkaConfig()) == 0.0


def test_a_subset_always_has_the_whole_size_and_differs_from_step_to_step():
    generator = torch.Generator().manual_seed(0)
    sizes = (48, 24, 12, 6, 3)
    found = [drawn(sizes, 2, generator) for _ in range(40)]
    assert all(len(f) == 3 and f[0] == 48 and list(f) == sorted(f, reverse=True) for f in found)
    assert {size for f in found for size in f} == set(sizes)
    assert len(set(found)) > 3


def test_subsets_go_on_identically_from_a_stored_generator():
    generator = torch.Generator().manual_seed(5)
    config, nested = MatryoshkaConfig(subset=1), nested_logits()
    for _ in range(3):
        matryoshka(nested, by_label, config, generator)
    state = generator.get_state()
    first = [matryoshka(nested, by_label, config, generator).item() for _ in range(8)]
    resumed = torch.Generator()
    resumed.set_state(state)
    again = [matryoshka(nested, by_label, config, resumed).item() for _ in range(8)]
    assert first == again
    assert len(set(first)) == 2  # the whole size with one or the other


def test_sizes_that_were_not_drawn_get_no_gradient():
    torch.manual_seed(0)
    head = NestedHead((4, 4), 3, NestedConfig((4, 2)))
    nested = head(torch.randn(3, 8)).nested
    generator = torch.Generator().manual_seed(0)
    matryoshka(nested, by_label, MatryoshkaConfig(subset=1), generator).backward()
    with_gradient = {name for name, p in head.named_parameters() if p.grad is not None}
    assert "classifiers.8.weight" in with_gradient
    assert len(with_gradient) == 4


def test_judging_takes_all_sizes_even_if_training_draws_some():
    nested = nested_logits()
    drawn_config = MatryoshkaConfig(subset=1)
    assert matryoshka(nested, by_label, drawn_config) == matryoshka(
        nested, by_label, MatryoshkaConfig()
    )


def test_an_importance_of_a_size_that_is_not_there_is_refused():
    with pytest.raises(ConfigError, match="no nested size 5"):
        matryoshka(nested_logits(), by_label, MatryoshkaConfig({"5": 1.0}))
    with pytest.raises(ConfigError, match="no nested sizes"):
        matryoshka({}, by_label, MatryoshkaConfig())


def test_yaml_may_name_sizes_as_numbers(tmp_path):
    config = from_mapping(
        MatryoshkaConfig, {"importance": {8: 2.0, 4: 0.0}, "subset": 0}, tmp_path / "x.yaml"
    )
    nested = nested_logits()
    wanted = 2 * by_label(nested[8]) + by_label(nested[2])
    assert torch.isclose(matryoshka(nested, by_label, config), wanted)


@pytest.mark.parametrize(
    "values", [{"importance": {"big": 1.0}}, {"importance": {"8": -1.0}}, {"subset": -1}]
)
def test_nonsense_is_refused(values, tmp_path):
    with pytest.raises(ConfigError):
        from_mapping(MatryoshkaConfig, values, tmp_path / "x.yaml")
