"""Graph convolution over the utterance x modality nodes of dialogues, as dense masked tensors.

The graph of MGLRA: within a modality every turn is joined to every other of the dialogue (or to
those within reach), across modalities the nodes of one utterance are joined. Its convolution, in
the released code:
    out_i = sum over neighbours j of  x_j * tanh(w . [x_i || x_j] + b) / sqrt(deg_i deg_j)
w . [x_i || x_j] is a sum of a number of i and a number of j, so all edges are weighed by adding a
column and a row, without a list of edges; the sums over them are two matrix products.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class DialogueGraph:
    """Edges of B dialogues with M modalities of T turns, as 1 / sqrt(deg_i deg_j), else zero.

    within: (B, M, T, T) turns of one modality. across: (B, T, M, M) modalities of one turn.
    valid: (B, M, T) which nodes there are.
    """

    within: Tensor
    across: Tensor
    valid: Tensor


def build_graph(valid: Tensor, reach: int | None = None) -> DialogueGraph:
    """Join the nodes that there are.

    Args:
        valid: (B, M, T), true where an utterance has the modality.
        reach: how many turns an edge may span; None: all of the dialogue.
    """
    turns = valid.shape[-1]
    near = None if reach is None else between_turns(turns, reach, valid.device).float()
    there = valid.float()
    of_turn, of_modality = there.sum(dim=1, keepdim=True), there.sum(dim=2, keepdim=True)
    of_modality = of_modality if near is None else there @ near
    degree = of_turn + of_modality - 2  # (B, M, T): itself is in both sums
    scale = degree.clamp(min=1).rsqrt() * there  # a node without neighbours has no edge to scale
    within = _pairs(scale)
    return DialogueGraph(
        within if near is None else within * near, _pairs(scale.transpose(1, 2)), valid
    )


def _pairs(scale: Tensor) -> Tensor:
    """Return (..., N, N), the products of all ordered pairs of different ones of (..., N)."""
    products = scale[..., :, None] * scale[..., None, :]
    products.diagonal(dim1=-2, dim2=-1).zero_()
    return products


def between_turns(turns: int, reach: int | None, device: torch.device | None = None) -> Tensor:
    """Return (T, T), true for turns at most `reach` apart (all, if it is None)."""
    if reach is None:
        return torch.ones(turns, turns, dtype=torch.bool, device=device)
    positions = torch.arange(turns, device=device)
    return (positions[:, None] - positions[None, :]).abs() <= reach


@dataclass(frozen=True, slots=True)
class EdgeWeights:
    """What every edge multiplies its source with, of the shapes of a `DialogueGraph`."""

    within: Tensor
    across: Tensor


class GatedGraphConvolution(nn.Module):
    """Messages between nodes; it has no weights but those of the gate. The caller adds h.

    Args:
        width: of a node.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gate = nn.Linear(2 * width, 1)

    def weigh(self, nodes: Tensor, graph: DialogueGraph) -> EdgeWeights:
        """Return the weights of all edges between nodes (B, M, T, width)."""
        target, source = self.gate.weight[0].chunk(2)
        ours, theirs = nodes @ target + self.gate.bias, nodes @ source  # (B, M, T)
        within = torch.tanh(ours[..., :, None] + theirs[..., None, :])
        ours, theirs = ours.transpose(1, 2), theirs.transpose(1, 2)
        across = torch.tanh(ours[..., :, None] + theirs[..., None, :])
        return EdgeWeights(within * graph.within, across * graph.across)

    def forward(
        self, nodes: Tensor, graph: DialogueGraph, kept: int | None = None
    ) -> tuple[Tensor, EdgeWeights]:
        """Return the sums of messages (B, M, T, width) and the weights.

        Values of a node never mix, so with `kept` only that many leading ones are summed.
        """
        weights = self.weigh(nodes, graph)
        return spread(nodes[..., :kept], weights), weights


def spread(nodes: Tensor, weights: EdgeWeights) -> Tensor:
    """Return what every node (B, M, T, width) gets from its neighbours."""
    turns = weights.within @ nodes
    if nodes.shape[1] == 1:  # one modality: nothing lies across
        return turns
    modalities = weights.across @ nodes.transpose(1, 2)  # (B, T, M, width)
    return turns + modalities.transpose(1, 2)
