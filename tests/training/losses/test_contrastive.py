"""Self-contrastive losses against sums by hand."""

from __future__ import annotations

import math

import pytest
import torch

from training.losses.contrastive import scl_cos, scl_norm


def test_norm_adds_up_the_distances_of_all_pairs():
    e, g, s = torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0]]), torch.tensor([[3.0, 0.0]])
    assert scl_norm([e, g, s]).tolist() == pytest.approx([5 + 3 + 4])
    assert scl_norm([e, g]).tolist() == pytest.approx([5])


def test_cos_is_three_less_the_cosines_of_all_pairs():
    e, g, s = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 3.0]]), torch.tensor([[1.0, 1.0]])
    expected = 3 - (0 + math.sqrt(0.5) + math.sqrt(0.5))
    assert scl_cos([e, g, s]).tolist() == pytest.approx([expected])
    assert scl_cos([e, -e]).tolist() == pytest.approx([2.0])
    assert scl_cos([e, 5 * e, 7 * e]).tolist() == pytest.approx([0.0], abs=1e-6)


@pytest.mark.parametrize("loss", [scl_norm, scl_cos])
def test_to_follow_its_gradient_draws_vectors_together(loss):
    # as printed, both losses would not
    vectors = [torch.randn(4, 6, generator=torch.Generator().manual_seed(i)) for i in range(3)]
    for vector in vectors:
        vector.requires_grad_()
    before = loss(vectors)
    torch.autograd.backward(before.sum())
    with torch.no_grad():
        after = [v - 0.01 * v.grad for v in vectors]
        assert (loss(after) < before).all()
        assert (scl_norm(after) < scl_norm(vectors)).all() or loss is scl_cos


@pytest.mark.parametrize("loss", [scl_norm, scl_cos])
def test_equal_vectors_and_zeros_have_finite_gradients(loss):
    one = torch.tensor([[1.0, 2.0], [0.0, 0.0]], requires_grad=True)
    other = one.detach().clone().requires_grad_()
    found = loss([one, other])
    torch.autograd.backward(found.sum())
    assert found[0].item() == pytest.approx(0.0, abs=1e-6)
    for vector in (one, other):
        assert vector.grad is not None
        assert float(vector.grad.abs().max()) < 1e-5


@pytest.mark.parametrize("loss", [scl_norm, scl_cos])
def test_large_vectors_in_half_precision_do_not_overflow(loss):
    one, other = torch.full((1, 8), 3e4, dtype=torch.float16), torch.zeros(1, 8).half()
    other[0, 0] = 300.0
    found = loss([one, other])
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, loss([one.float(), other.float()]))
    assert found.isfinite().all()


def test_one_vector_alone_is_refused():
    with pytest.raises(ValueError, match="fewer than two"):
        scl_norm([torch.ones(1, 2)])
