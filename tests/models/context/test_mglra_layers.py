"""The layers of MGLRA before its graph, beside references written from their formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.models.context.specification import FeatureSize
from core.models.layers.alignment import CrossModalAttention, RecurrentAlignment
from core.models.layers.feature_input import FeatureInput
from core.models.layers.masking import MaskedBatchNorm
from core.models.layers.memory import TurnMemory
from core.models.layers.recurrent import TurnLSTM, turned_round

Array = NDArray[np.float64]


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def parameters(module: nn.Module) -> dict[str, Array]:
    return {name: p.detach().double().numpy() for name, p in module.named_parameters()}


def gru(get: dict[str, Array], prefix: str, x: Array, h: Array) -> Array:
    """A GRU cell (Cho et al. 2014, with the reset gate inside, as PyTorch documents it)."""
    gi = x @ get[f"{prefix}weight_ih"].T + get[f"{prefix}bias_ih"]
    gh = h @ get[f"{prefix}weight_hh"].T + get[f"{prefix}bias_hh"]
    (ri, zi, ni), (rh, zh, nh) = np.split(gi, 3, -1), np.split(gh, 3, -1)
    reset, update = sigmoid(ri + rh), sigmoid(zi + zh)
    return (1 - update) * np.tanh(ni + reset * nh) + update * h


def lstm(get: dict[str, Array], prefix: str, x: Array) -> Array:
    """An LSTM over (T, D) from a state of zeros."""
    hidden = get[f"{prefix}weight_hh_l0"].shape[1]
    h, c, out = np.zeros(hidden), np.zeros(hidden), []
    for turn in x:
        gates = (
            get[f"{prefix}weight_ih_l0"] @ turn + get[f"{prefix}bias_ih_l0"]
            + get[f"{prefix}weight_hh_l0"] @ h + get[f"{prefix}bias_hh_l0"]
        )  # fmt: skip
        i, f, g, o = np.split(gates, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        out.append(h)
    return np.array(out)


def looped_attention(
    layer: CrossModalAttention, x: Array, others: Array, allowed: NDArray[np.bool_]
) -> tuple[Array, Array]:
    """Multi-head attention of turns (T, D) over others (S, D), turn by turn; mean of the heads."""
    get = parameters(layer)
    q, k, v = (
        (values @ get[f"{name}.weight"].T + get[f"{name}.bias"]).reshape(
            len(values), layer.heads, -1
        )
        for name, values in (("query", x), ("key", others), ("value", others))
    )
    found, seen = np.zeros_like(x), np.zeros((len(x), len(others)))
    for t in range(len(x)):
        at = np.flatnonzero(allowed[t])
        if not len(at):
            continue
        parts = []
        for head in range(layer.heads):
            scores = k[at, head] @ q[t, head] / np.sqrt(q.shape[-1])
            weights = np.exp(scores - scores.max())
            weights /= weights.sum()
            seen[t, at] += weights / layer.heads
            parts.append(weights @ v[at, head])
        found[t] = get["out.weight"] @ np.concatenate(parts) + get["out.bias"]
    return found, seen


def test_the_lstm_runs_both_ways_over_a_dialogue_and_not_into_its_padding() -> None:
    torch.manual_seed(0)
    layer = TurnLSTM(6, layers=2, dropout=0.5).double().eval()
    get = parameters(layer)
    x = torch.randn(3, 7, 6, dtype=torch.float64)
    lengths = [7, 4, 1]
    mask = torch.arange(7) < torch.tensor(lengths)[:, None]
    with torch.no_grad():
        out = layer(x, mask)
    for row, length in enumerate(lengths):
        hidden = x[row, :length].numpy()
        for number in range(2):
            later = lstm(get, f"back.{number}.", hidden[::-1])[::-1]
            hidden = np.concatenate([lstm(get, f"ahead.{number}.", hidden), later], axis=1)
        np.testing.assert_allclose(out[row, :length].numpy(), hidden, atol=1e-10)
        assert not out[row, length:].any()


def test_turning_round_leaves_padding_where_it_is() -> None:
    mask = torch.tensor([[1, 1, 1, 0], [0, 0, 0, 0], [1, 1, 1, 1]], dtype=torch.bool)
    assert turned_round(mask).tolist() == [[2, 1, 0, 3], [0, 1, 2, 3], [3, 2, 1, 0]]


def test_batch_normalisation_counts_only_what_is_there() -> None:
    torch.manual_seed(1)
    ours, theirs = MaskedBatchNorm(2, 5), [nn.BatchNorm1d(5) for _ in range(2)]
    valid = torch.rand(4, 6) > 0.4
    for _ in range(3):
        x = 2 + 3 * torch.randn(4, 6, 2, 5)
        garbage = torch.where(valid[..., None, None], x, torch.full_like(x, 1e6))
        normed = ours(garbage, valid)[valid]
        for level, reference in enumerate(theirs):
            expected = reference(x[valid][:, level])
            torch.testing.assert_close(normed[:, level], expected, rtol=1e-4, atol=1e-4)
    ours.eval()
    for level, reference in enumerate(theirs):
        torch.testing.assert_close(ours.running_mean[level], reference.running_mean)
        torch.testing.assert_close(ours.running_var[level], reference.running_var)
        expected = reference.eval()(x[valid][:, level])
        torch.testing.assert_close(ours(x, valid)[valid][:, level], expected)


def test_a_single_utterance_is_normalised_by_what_was_seen_before() -> None:
    layer = MaskedBatchNorm(1, 4).train()
    before = layer.running_mean.clone()
    x, valid = torch.randn(1, 1, 1, 4), torch.ones(1, 1, dtype=torch.bool)
    assert torch.isfinite(layer(x, valid)).all()
    assert torch.equal(layer.running_mean, before)


@pytest.mark.parametrize("norm", ["layer", "none"])
def test_features_are_normalised_per_layer_averaged_and_projected(norm: str) -> None:
    torch.manual_seed(2)
    layer = FeatureInput(FeatureSize(5, 3), 4, norm).double()
    x = torch.randn(2, 3, 3, 5, dtype=torch.float64)
    valid = torch.tensor([[True, False, True], [True, True, False]])
    get = parameters(layer)
    levels = []
    for level in range(3):
        values = x[:, :, level].numpy()
        if norm == "layer":
            centred = values - values.mean(-1, keepdims=True)
            values = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
            values = values * get["norm.weight"][level] + get["norm.bias"][level]
        levels.append(values)
    expected = np.mean(levels, axis=0) @ get["project.weight"].T + get["project.bias"]
    x[~valid] = float("nan")
    with torch.no_grad():
        out = layer(x, valid)
    np.testing.assert_allclose(out.numpy(), np.where(valid[..., None], expected, 0), atol=1e-9)


def test_features_of_another_size_are_refused() -> None:
    layer = FeatureInput(FeatureSize(5, 3), 4, "layer")
    with pytest.raises(ValueError, match="3 layers of 5"):
        layer(torch.zeros(1, 2, 5), torch.ones(1, 2, dtype=torch.bool))


def test_the_memory_is_written_by_the_mean_of_what_a_turn_has() -> None:
    torch.manual_seed(3)
    memory = TurnMemory(4, 3).double()
    turns = {name: torch.randn(1, 3, 4, dtype=torch.float64) for name in ("text", "speech")}
    valid = {
        "text": torch.tensor([[True, True, False]]),
        "speech": torch.tensor([[True, False, False]]),
    }
    get = parameters(memory)
    t, s = (turns[name][0].numpy() for name in ("text", "speech"))
    mean = np.stack([(t[0] + s[0]) / 2, t[1], np.zeros(4)])
    once = gru(get, "cell.", mean, np.zeros((3, 3)))
    twice = gru(get, "cell.", mean, once)
    with torch.no_grad():
        first = memory.write(turns, valid, None)
        second = memory.write(turns, valid, first)
        read = memory.read(second)
    np.testing.assert_allclose(first[0].numpy(), once, atol=1e-10)
    np.testing.assert_allclose(second[0].numpy(), twice, atol=1e-10)
    np.testing.assert_allclose(
        read[0].numpy(), twice @ get["out.weight"].T + get["out.bias"], atol=1e-10
    )


def test_attention_runs_over_the_turns_of_one_dialogue() -> None:
    torch.manual_seed(4)
    layer = CrossModalAttention(8, 2).double()
    x, others = (torch.randn(2, n, 8, dtype=torch.float64) for n in (4, 5))
    allowed = torch.rand(2, 4, 5) > 0.4
    allowed[1, 2] = False
    with torch.no_grad():
        found, weights = layer(x, others, allowed)
    for row in range(2):
        expected, seen = looped_attention(
            layer, x[row].numpy(), others[row].numpy(), allowed[row].numpy()
        )
        np.testing.assert_allclose(found[row].numpy(), expected, atol=1e-10)
        np.testing.assert_allclose(weights[row].mean(dim=0).numpy(), seen, atol=1e-10)
    assert not found[1, 2].any()


def test_an_iteration_looks_at_the_other_modalities_and_the_memory_then_feeds_back() -> None:
    torch.manual_seed(5)
    names, turns = ("text", "speech", "vision"), 4
    layer = RecurrentAlignment(names, 8, 2, 5, feedback=True).double()
    x = {name: torch.randn(1, turns, 8, dtype=torch.float64) for name in names}
    valid = {name: torch.rand(1, turns) > 0.3 for name in names}
    near = torch.ones(turns, turns, dtype=torch.bool)
    before = torch.randn(1, turns, 5, dtype=torch.float64)
    with torch.no_grad():
        aligned = layer(x, valid, near, before)
        fed = layer.feed_back(x, aligned.found)
        memory = layer.memory.write(x, valid, before)
        remembered = layer.memory.read(memory)[0].numpy()
    torch.testing.assert_close(aligned.memory, memory)
    get = parameters(layer)
    anything = np.stack([valid[name][0].numpy() for name in names]).any(axis=0)
    for name in names:
        rest = [other for other in names if other != name]
        own, there = x[name][0].numpy(), valid[name][0].numpy()
        others = np.concatenate([*(x[other][0].numpy() for other in rest), remembered])
        keys = np.concatenate([*(valid[other][0].numpy() for other in rest), anything])
        found, seen = looped_attention(layer.attention, own, others, there[:, None] & keys)
        np.testing.assert_allclose(aligned.found[name][0].numpy(), found, atol=1e-10)
        by_turn = seen.reshape(turns, 3, turns).sum(axis=1)
        np.testing.assert_allclose(aligned.weights[name][0].numpy(), by_turn, atol=1e-10)
        norm = nn.LayerNorm(8).double()
        norm.load_state_dict(layer.norms[name].state_dict())
        with torch.no_grad():
            expected: Tensor = (
                norm(torch.from_numpy(own + found)) * torch.from_numpy(there)[:, None]
            )
        torch.testing.assert_close(aligned.turns[name][0], expected)
        np.testing.assert_allclose(
            fed[name][0].numpy(), gru(get, f"cells.{name}.", found, own), atol=1e-10
        )


def test_a_modality_alone_is_aligned_with_the_memory() -> None:
    torch.manual_seed(6)
    layer = RecurrentAlignment(("text",), 8, 2, 8, feedback=False)
    x, valid = {"text": torch.randn(1, 3, 8)}, {"text": torch.tensor([[True, True, False]])}
    with torch.no_grad():
        aligned = layer(x, valid, torch.ones(3, 3, dtype=torch.bool))
    assert aligned.found["text"][0, :2].any()
    assert aligned.weights["text"].sum(dim=-1)[0].tolist() == pytest.approx([1, 1, 0])
