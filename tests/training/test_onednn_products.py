from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training import onednn_products as products
from training.onednn_products import onednn_products

pytestmark = pytest.mark.skipif(
    not torch.backends.mkldnn.is_available(),  # type: ignore[no-untyped-call]
    reason="this PyTorch was built without oneDNN",
)


@pytest.fixture(autouse=True)
def small_products_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "LEAST_WORK", 20 * 24 * 40)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Shapes of the weights whose products were taken over."""
    shapes: list[tuple[int, ...]] = []
    linear = products.linear

    def noted(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        shapes.append(tuple(weight.shape))
        return linear(input, weight, bias)

    monkeypatch.setattr(products, "linear", noted)
    return shapes


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(24, 40), nn.GELU(), nn.Linear(40, 24, bias=False), nn.Tanh())


def gradients(model: nn.Module, given: Tensor) -> dict[str, Tensor]:
    inputs = given.clone().requires_grad_()
    torch.autograd.backward(model(inputs).mean(dim=1).square().sum())
    assert inputs.grad is not None
    found = {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}
    return {**found, "input": inputs.grad}


def test_outputs_and_all_gradients_are_those_of_torch(taken: list[tuple[int, ...]]) -> None:
    model, given = network(), torch.randn(3, 20, 24)
    plain = copy.deepcopy(model)
    expected = gradients(plain, given)
    assert not taken
    with onednn_products():
        torch.testing.assert_close(model(given), plain(given), atol=1e-6, rtol=1e-5)
        taken.clear()
        found = gradients(model, given)
    assert taken == [(40, 24), (24, 40)]
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, atol=1e-6, rtol=1e-5, msg=name)


def test_the_gradient_may_be_taken_outside() -> None:
    model, given = network(), torch.randn(30, 24)
    with onednn_products():
        loss = model(given).square().sum()
    torch.autograd.backward(loss)
    plain = network()
    torch.autograd.backward(plain(given).square().sum())
    for found, expected in zip(model.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(found.grad, expected.grad, atol=1e-5, rtol=1e-5)


def test_a_frozen_weight_gets_no_gradient_and_keeps_no_input() -> None:
    layer = nn.Linear(24, 40).requires_grad_(False)
    given = torch.randn(20, 24, requires_grad=True)
    kept: list[tuple[int, ...]] = []

    def note(tensor: Tensor) -> Tensor:
        kept.append(tuple(tensor.shape))
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda t: t), onednn_products():
        out = layer(given)
    torch.autograd.backward(out.sum())
    assert kept == [(40, 24)]
    assert layer.weight.grad is None
    assert layer.bias.grad is None
    assert given.grad is not None


@pytest.mark.parametrize(("rows", "dtype"), [(19, torch.float32), (64, torch.float64)])
def test_what_does_not_fit_is_left_to_torch(
    rows: int, dtype: torch.dtype, taken: list[tuple[int, ...]]
) -> None:
    layer, given = nn.Linear(24, 40, dtype=dtype), torch.randn(rows, 24, dtype=dtype)
    with onednn_products():
        out = layer(given)
    assert not taken
    assert torch.equal(out, layer(given))


def test_half_precision_is_left_to_autocast(taken: list[tuple[int, ...]]) -> None:
    with onednn_products(), torch.autocast("cpu", torch.bfloat16):
        out = F.linear(torch.randn(64, 24), torch.randn(40, 24))
    assert out.dtype == torch.bfloat16
    assert not taken


def test_only_what_runs_within_is_taken_over(taken: list[tuple[int, ...]]) -> None:
    model, given = network(), torch.randn(64, 24)
    with onednn_products():
        model(given)
    within = len(taken)
    model(given)
    assert within == len(taken) == 2


@pytest.mark.parametrize("shape", [(3, 20, 24), (60, 24)])
def test_outputs_may_be_written_to_as_those_of_torch(
    taken: list[tuple[int, ...]], shape: tuple[int, ...]
) -> None:
    def found(layer: nn.Linear) -> dict[str, Tensor]:
        inputs = torch.linspace(-1, 1, 60 * 24).reshape(shape).requires_grad_()
        output = layer(inputs)
        output[..., 0, :5] = 0.0
        torch.autograd.backward(output.square().sum())
        assert inputs.grad is not None
        return {"input": inputs.grad, **{n: p.grad for n, p in layer.named_parameters()}}  # type: ignore[misc]

    layer = nn.Linear(24, 40)
    expected = found(copy.deepcopy(layer))
    with onednn_products():
        ours = found(layer)
    assert taken
    for name, value in expected.items():
        torch.testing.assert_close(ours[name], value, atol=1e-5, rtol=1e-5, msg=name)
