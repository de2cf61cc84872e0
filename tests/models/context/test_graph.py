"""The graph of MGLRA beside the list of edges and the formulas it stands for."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from core.models.context.inputs import UNKNOWN_SPEAKER
from core.models.layers.graph import GatedGraphConvolution, between_turns, build_graph
from core.models.layers.graph_filter import GraphFilter, without_noise
from core.models.layers.graph_network import MaskedGraphNetwork
from core.models.layers.graph_relation import TurnRelation
from core.models.layers.masking import masked_softmax

Array = NDArray[np.float64]
WIDTH = 6


def nodes_there(seed: int = 0, modalities: int = 3) -> torch.Tensor:
    """(2, M, 5): dialogues of five and of three turns with modalities missing here and there."""
    generator = torch.Generator().manual_seed(seed)
    valid = torch.rand(2, modalities, 5, generator=generator) > 0.25
    valid[1, :, 3:] = False
    return valid


def random_nodes(valid: torch.Tensor, width: int = WIDTH) -> torch.Tensor:
    generator = torch.Generator().manual_seed(7)
    nodes = torch.randn(*valid.shape, width, generator=generator, dtype=torch.float64)
    return nodes * valid[..., None]


def edge_list(valid: torch.Tensor, reach: int | None = None) -> list[tuple[tuple[int, int], ...]]:
    """Ordered pairs (target, source) of nodes (modality, turn) of one dialogue (M, T)."""
    there = [(m, t) for m in range(valid.shape[0]) for t in range(valid.shape[1]) if valid[m, t]]
    far = valid.shape[1] if reach is None else reach
    return [
        (i, j)
        for i, j in permutations(there, 2)
        if (i[0] == j[0] and abs(i[1] - j[1]) <= far) or i[1] == j[1]
    ]


def looped(
    nodes: torch.Tensor, valid: torch.Tensor, layer: GatedGraphConvolution, reach: int | None
) -> Array:
    """The convolution, edge by edge."""
    weight, bias = layer.gate.weight[0].detach().numpy(), float(layer.gate.bias.detach())
    out = np.zeros(tuple(nodes.shape))
    for row, x in enumerate(nodes.numpy()):
        edges = edge_list(valid[row], reach)
        degree = {i: sum(1 for target, _ in edges if target == i) for i, _ in edges}
        for i, j in edges:
            gate = np.tanh(weight @ np.concatenate([x[i], x[j]]) + bias)
            out[row][i] += x[j] * gate / np.sqrt(degree[i] * degree[j])
    return out


@pytest.mark.parametrize("reach", [None, 2, 0])
@pytest.mark.parametrize("modalities", [1, 2, 3])
def test_the_convolution_is_that_of_the_list_of_edges(modalities: int, reach: int | None) -> None:
    torch.manual_seed(0)
    valid = nodes_there(modalities=modalities)
    nodes, layer = random_nodes(valid), GatedGraphConvolution(WIDTH).double()
    with torch.no_grad():
        messages, _ = layer(nodes, build_graph(valid, reach))
    np.testing.assert_allclose(messages.numpy(), looped(nodes, valid, layer, reach), atol=1e-7)


def test_edges_join_a_clique_within_a_modality_and_the_modalities_of_a_turn() -> None:
    valid = nodes_there()
    graph = build_graph(valid)
    for row in range(len(valid)):
        within = {((m, t), (m, u)) for m, t, u in graph.within[row].nonzero().tolist()}
        across = {((m, t), (n, t)) for t, m, n in graph.across[row].nonzero().tolist()}
        assert within | across == set(edge_list(valid[row]))


def test_a_node_alone_gets_no_message_and_stays_finite() -> None:
    valid = torch.zeros(1, 2, 3, dtype=torch.bool)
    valid[0, 0, 1] = True
    nodes, layer = random_nodes(valid), GatedGraphConvolution(WIDTH).double()
    with torch.no_grad():
        assert not layer(nodes, build_graph(valid))[0].any()


def test_leading_values_alone_are_those_of_the_whole_sum() -> None:
    valid = nodes_there()
    nodes, graph = random_nodes(valid), build_graph(valid)
    network = MaskedGraphNetwork(WIDTH, 3, mask="feature", rate=0.5, reconstruct=False)
    network = network.double().eval()
    with torch.no_grad():
        whole, part = network(nodes, graph).hidden, network(nodes, graph, 2).hidden
    assert part.shape[-1] == 2
    torch.testing.assert_close(part, whole[..., :2], rtol=0, atol=1e-12)


def test_a_network_adds_every_layer_to_what_it_took() -> None:
    torch.manual_seed(1)
    valid = nodes_there()
    nodes = random_nodes(valid)
    network = MaskedGraphNetwork(WIDTH, 4, mask="feature", rate=0.5, reconstruct=False)
    network = network.double().eval()
    expected = nodes.clone()
    for layer in network.layers:
        assert isinstance(layer, GatedGraphConvolution)
        expected = expected + torch.from_numpy(looped(expected, valid, layer, None))
    with torch.no_grad():
        torch.testing.assert_close(network(nodes, build_graph(valid)).hidden, expected)


@pytest.mark.parametrize("mask", ["feature", "node"])
def test_the_graph_hides_in_training_and_never_in_evaluation(mask: str) -> None:
    valid = nodes_there()
    nodes, graph = random_nodes(valid), build_graph(valid)
    network = MaskedGraphNetwork(WIDTH, 2, mask=mask, rate=0.5, reconstruct=mask == "node").double()
    with torch.no_grad():
        network.train()
        first, second = (network(nodes, graph) for _ in range(2))
        assert not torch.equal(first.hidden, second.hidden)
        network.eval()
        first, second = (network(nodes, graph) for _ in range(2))
    assert torch.equal(first.hidden, second.hidden)
    assert first.reconstruction is None


def test_hidden_values_are_made_up_for_by_the_others() -> None:
    """Over many masks the mean of what a layer takes is what it takes in evaluation."""
    valid = torch.ones(1, 1, 2, dtype=torch.bool)
    nodes = torch.ones(1, 1, 2, 4000)
    network = MaskedGraphNetwork(4000, 1, mask="feature", rate=0.5, reconstruct=False)
    torch.nn.init.zeros_(network.layers[0].gate.weight)
    torch.nn.init.ones_(network.layers[0].gate.bias)
    graph = build_graph(valid)
    with torch.no_grad():
        trained, judged = network.train()(nodes, graph).hidden, network.eval()(nodes, graph).hidden
    assert trained.unique().numel() == 2  # a value was there, twofold, or not at all
    assert float(trained.mean()) == pytest.approx(float(judged.mean()), abs=0.05)


def test_reconstruction_is_the_scaled_cosine_error_of_hidden_nodes_alone() -> None:
    torch.manual_seed(2)
    valid = torch.ones(1, 1, 30, dtype=torch.bool)
    nodes, graph = random_nodes(valid).float(), build_graph(valid)
    network = MaskedGraphNetwork(WIDTH, 1, mask="node", rate=0.4, reconstruct=True).train()
    for p in network.parameters():
        torch.nn.init.zeros_(p)
    assert network.decoder is not None
    target = nodes.mean(dim=(0, 1, 2)).abs()
    network.decoder.bias.data.copy_(target)  # so it tells the same of all nodes
    torch.manual_seed(3)
    hidden = torch.rand(valid.shape) < 0.4
    torch.manual_seed(3)
    found = network(nodes, graph).reconstruction
    chosen = nodes[hidden].numpy()
    lengths = np.linalg.norm(chosen, axis=-1) * np.linalg.norm(target.numpy())
    cosine = chosen @ target.numpy() / lengths
    assert found is not None
    assert 0 < int(hidden.sum()) < 30
    assert float(found.detach()) == pytest.approx(float(np.mean((1 - cosine) ** 2)), rel=1e-5)


def looped_filter(
    layer: GraphFilter, x: Array, allowed: NDArray[np.bool_], bias: Array
) -> tuple[Array, Array]:
    """The filter for one dialogue (T, D), pair by pair."""
    get = {name: p.detach().numpy() for name, p in layer.named_parameters()}
    turns, dim = x.shape
    heads = layer.heads
    values = (x @ get["value.weight"].T).reshape(turns, heads, -1)
    weights = np.zeros((heads, turns, turns))
    drawn = np.zeros((turns, heads, dim // heads))
    for h in range(heads):
        for i in range(turns):
            js = np.flatnonzero(allowed[i])
            if not len(js):
                continue
            scores = np.array(
                [get["target"][h] @ values[i, h] + get["source"][h] @ values[j, h] for j in js]
            )
            scores = np.where(scores > 0, scores, 0.2 * scores) + bias[h, i, js]
            weight = np.exp(scores - scores.max())
            weight /= weight.sum()
            weight[weight < layer.threshold / len(js)] = 0
            weights[h, i, js] = weight / weight.sum()
            drawn[i, h] = weights[h, i] @ values[:, h]
    flat = drawn.reshape(turns, dim)
    gate = np.concatenate([x, flat], axis=1) @ get["gate.weight"].T + get["gate.bias"]
    kept = 1 / (1 + np.exp(-gate))
    mixed = kept * x + (1 - kept) * flat
    centred = mixed - mixed.mean(axis=1, keepdims=True)
    normed = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + layer.norm.eps)
    out = normed * get["norm.weight"] + get["norm.bias"]
    return np.where(allowed.any(axis=1)[:, None], out, 0), weights


@pytest.mark.parametrize("threshold", [0.0, 0.5, 0.95])
def test_the_filter_is_graph_attention_without_weak_turns_and_a_gate(threshold: float) -> None:
    torch.manual_seed(4)
    layer = GraphFilter(8, 2, threshold).double()
    x = torch.randn(2, 6, 8, dtype=torch.float64)
    valid = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 0, 1, 1, 0, 0]], dtype=torch.bool)
    allowed = valid[:, None] & valid[..., None] & between_turns(6, 3)
    bias = torch.randn(2, 2, 6, 6, dtype=torch.float64)
    with torch.no_grad():
        filtered, weights = layer(x, allowed, bias)
    for row in range(2):
        expected, looked = looped_filter(
            layer, x[row].numpy(), allowed[row].numpy(), bias[row].numpy()
        )
        np.testing.assert_allclose(weights[row].numpy(), looked, atol=1e-10)
        np.testing.assert_allclose(filtered[row].numpy(), expected, atol=1e-10)


def test_the_threshold_drops_what_is_weak_and_only_that() -> None:
    scores = torch.tensor([[2.0, 1.9, -3.0, 5.0]])
    allowed = torch.tensor([[True, True, True, False]])
    plain, filtered = (without_noise(scores, allowed, t) for t in (0.0, 0.5))
    assert (plain[0, :3] > 0).all()
    assert filtered[0, 2] == 0
    assert filtered[0, 3] == 0
    assert float(filtered.sum()) == pytest.approx(1.0)
    assert float(filtered[0, 0] / filtered[0, 1]) == pytest.approx(float(np.exp(0.1)), rel=1e-5)


def test_nothing_allowed_is_no_weight_at_all() -> None:
    weights = masked_softmax(torch.randn(2, 3), torch.tensor([[True], [False]]))
    assert float(weights[0].sum()) == pytest.approx(1.0)
    assert not weights[1].any()


def test_a_relation_adds_what_belongs_to_distance_and_speakers() -> None:
    torch.manual_seed(5)
    relation = TurnRelation(2, distance=2)
    torch.nn.init.normal_(relation.far)
    torch.nn.init.normal_(relation.speaker)
    speakers = [0, 1, 0, UNKNOWN_SPEAKER, 1]
    bias = relation(torch.tensor([speakers])).detach()
    for i, ours in enumerate(speakers):
        for j, theirs in enumerate(speakers):
            apart = max(-2, min(2, j - i)) + 2
            kind = 0 if UNKNOWN_SPEAKER in (ours, theirs) else 1 if ours == theirs else 2
            expected = relation.far[apart] + relation.speaker[kind]
            torch.testing.assert_close(bias[0, :, i, j], expected.detach())
