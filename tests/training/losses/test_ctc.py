"""CTC against the sum over every alignment there is."""

from __future__ import annotations

from itertools import groupby, product

import numpy as np
import pytest
import torch
from torch import Tensor

from training.losses.ctc import ctc_loss, fits


def brute_force(logits: Tensor, text: list[int]) -> float:
    """Return -log p(text): all paths over (T, V + 1) that collapse to it, added up."""
    scores = logits.double().numpy()
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    total = 0.0
    for path in product(range(p.shape[1]), repeat=len(p)):
        if [s for s, _ in groupby(path) if s] == text:
            total += float(np.prod([p[t, s] for t, s in enumerate(path)]))
    return -float(np.log(total))


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def targets(*texts: list[int]) -> tuple[Tensor, Tensor]:
    rows = [torch.tensor([*text, *[0] * (3 - len(text))]) for text in texts]
    return torch.stack(rows), torch.tensor([len(text) for text in texts])


@pytest.mark.parametrize("text", [[1], [1, 2], [2, 2], [1, 2, 1], [1, 1, 2]])
def test_it_is_the_sum_over_all_alignments(text):
    logits = draw(1, 4, 3)
    loss = ctc_loss(logits, torch.tensor([4]), *targets(text))
    assert float(loss[0]) == pytest.approx(brute_force(logits[0], text) / len(text), rel=1e-5)


def test_two_positions_by_hand():
    # p(blank, 1) is (1/2, 1/2), then (1/4, 3/4); the paths are 1-, -1 and 11
    logits = torch.tensor([[[0.5, 0.5], [0.25, 0.75]]]).log()
    loss = ctc_loss(logits, torch.tensor([2]), *targets([1]))
    assert float(loss[0]) == pytest.approx(-np.log(1 / 8 + 3 / 8 + 3 / 8), rel=1e-6)


def test_what_fills_up_a_batch_changes_nothing():
    logits, lengths = draw(3, 5, 3), torch.tensor([5, 3, 2])
    texts = [[1, 2, 2], [2], [1, 2]]
    loss = ctc_loss(logits, lengths, *targets(*texts))
    for row, text in enumerate(texts):
        own = logits[row, : int(lengths[row])]
        assert float(loss[row]) == pytest.approx(brute_force(own, text) / len(text), rel=1e-5)
    changed = logits.clone()
    changed[1, 3:], changed[2, 2:] = 50.0, float("inf")
    symbols, counts = targets(*texts)
    symbols[1, 1:] = 2
    torch.testing.assert_close(ctc_loss(changed, lengths, symbols, counts), loss)


def test_rows_without_text_and_rows_too_short_give_neither_loss_nor_gradient():
    logits = draw(5, 4, 3).requires_grad_()
    lengths = torch.tensor([4, 4, 1, 3, 0])
    loss = ctc_loss(logits, lengths, *targets([1], [], [1, 2], [1, 1, 2], [2]))
    assert loss.tolist()[1:] == [0.0] * 4
    assert float(loss[0].detach()) > 0
    torch.autograd.backward(loss.sum())
    assert logits.grad is not None
    assert float(logits.grad[0].abs().sum()) > 0
    assert float(logits.grad[1:].abs().max()) == 0


def test_a_batch_without_any_text_still_has_a_gradient_of_zero():
    logits = draw(2, 4, 3).requires_grad_()
    loss = ctc_loss(logits, torch.tensor([4, 4]), *targets([], []))
    torch.autograd.backward(loss.sum())
    assert loss.tolist() == [0.0, 0.0]
    assert logits.grad is not None
    assert float(logits.grad.abs().max()) == 0


@pytest.mark.parametrize(
    ("text", "least"), [([], 0), ([1], 1), ([1, 2], 2), ([1, 1], 3), ([1, 1, 1], 5), ([2, 1, 1], 4)]
)
def test_a_text_needs_a_position_per_symbol_and_one_between_equal_ones(text, least):
    symbols, counts = targets(text)
    for positions in range(6):
        there = fits(torch.tensor([positions]), symbols, counts)
        assert bool(there[0]) == (positions >= least)


def test_equal_symbols_beyond_the_end_need_no_room():
    symbols = torch.tensor([[1, 1, 1]])
    assert bool(fits(torch.tensor([1]), symbols, torch.tensor([1]))[0])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_logits_in_half_precision_are_summed_up_in_single(dtype):
    logits = (20 * draw(2, 200, 40)).to(dtype)
    text = torch.randint(1, 40, (2, 60), generator=torch.Generator().manual_seed(1))
    given = torch.tensor([200, 200]), text, torch.tensor([60, 60])
    loss = ctc_loss(logits, *given)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, ctc_loss(logits.float(), *given))
    assert loss.isfinite().all()


def test_the_gradient_is_that_of_differences():
    logits = draw(1, 4, 3).double().requires_grad_()
    symbols, counts = targets([1, 2])

    def loss(values: Tensor) -> Tensor:
        return ctc_loss(values, torch.tensor([4]), symbols, counts)[0]

    torch.autograd.backward(loss(logits))
    assert logits.grad is not None
    step = 1e-2
    for t, s in product(range(4), range(3)):
        moved = torch.zeros_like(logits)
        moved[0, t, s] = step
        with torch.no_grad():
            slope = float(loss(logits + moved) - loss(logits - moved)) / (2 * step)
        assert float(logits.grad[0, t, s]) == pytest.approx(slope, abs=1e-4)
