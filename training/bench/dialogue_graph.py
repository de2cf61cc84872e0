"""The graph of a dialogue as a list of edges made in a loop: what `core.models.layers.graph` saves.

This is how the released code of MGLRA goes about it: all ordered pairs as Python tuples, then one
tensor of them; per layer the degrees anew, both ends of every edge side by side, and a sum by
target. Written from that description for the comparison; nothing else uses it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations

import torch
from torch import Tensor

from core.bench.report import Measurement
from core.bench.timing import interleave, ratios, summarise
from core.models.layers.graph import DialogueGraph, GatedGraphConvolution, build_graph

TURNS, MODALITIES, WIDTH, LAYERS = 100, 3, 64, 4
DIALOGUES = 10
"""Graphs that are timed together, since one takes hundredths of a millisecond."""
RATIO = 20.0


def edge_list(turns: int, modalities: int) -> Tensor:
    """Return edges (2, E) of one dialogue: sources, targets; node m * turns + t."""
    edges: list[tuple[int, ...]] = []
    for first in range(0, modalities * turns, turns):
        edges += permutations(range(first, first + turns), 2)
    for turn in range(turns):
        edges += permutations(range(turn, modalities * turns, turns), 2)
    return torch.tensor(edges, dtype=torch.long).reshape(-1, 2).T


def convolve_edges(nodes: Tensor, edges: Tensor, layer: GatedGraphConvolution) -> Tensor:
    """Return the messages (N, width) of one layer, edge by edge in tensors."""
    source, target = edges
    degree = torch.bincount(target, minlength=len(nodes)).to(nodes.dtype)
    scale = degree.clamp(min=1).rsqrt()
    both = torch.cat([nodes[target], nodes[source]], dim=-1)
    gate = torch.tanh(layer.gate(both)) * (scale[source] * scale[target])[:, None]
    return torch.zeros_like(nodes).index_add(0, target, gate * nodes[source])


def measured(rounds: int) -> Iterator[Measurement]:
    """Compare building the graph alone, and building it with the layers over it."""
    torch.manual_seed(0)
    valid = torch.ones(1, MODALITIES, TURNS, dtype=torch.bool)
    nodes = torch.randn(1, MODALITIES, TURNS, WIDTH)
    layers = [GatedGraphConvolution(WIDTH) for _ in range(LAYERS)]

    @torch.inference_mode()
    def dense() -> Tensor:
        graph, hidden = build_graph(valid), nodes
        for layer in layers:
            hidden = hidden + layer(hidden, graph)[0]
        return hidden

    @torch.inference_mode()
    def looped() -> Tensor:
        edges, hidden = edge_list(TURNS, MODALITIES), nodes.flatten(0, 2)
        for layer in layers:
            hidden = hidden + convolve_edges(hidden, edges, layer)
        return hidden

    @torch.inference_mode()
    def built() -> DialogueGraph:
        return build_graph(valid)

    actions: dict[str, Callable[[], object]] = {
        "list": lambda: edge_list(TURNS, MODALITIES),
        "tensors": built,
        "list, layers": looped,
        "tensors, layers": dense,
    }
    runs = interleave({n: _repeated(action) for n, action in actions.items()}, rounds, warm_up=2)
    what = f"graph of {TURNS} turns, {MODALITIES} modalities"
    for name in ("list", "tensors"):
        milliseconds = [1000 * run.processor / DIALOGUES for run in runs[name]]
        yield summarise(f"{what}: {name}", milliseconds, "ms")
    yield summarise(
        f"{what}: list of edges / tensors",
        ratios(runs["list"], runs["tensors"]),
        "",
        target=RATIO,
        at_least=True,
        note=f"{DIALOGUES} in a row; the tensors include the degrees, the list does not",
    )
    yield summarise(
        f"{what} and {LAYERS} layers: list of edges / tensors",
        ratios(runs["list, layers"], runs["tensors, layers"]),
        "",
    )


def _repeated(action: Callable[[], object]) -> Callable[[], object]:
    def run() -> None:
        for _ in range(DIALOGUES):
            action()

    return run
