"""Masked graph learning: layers of graph convolution over nodes of which some are hidden.

"feature" (the released code of MGLRA): in every layer each value of a node is hidden with the
mask rate, and h <- h + conv(masked h). The released code hides in evaluation as well; here it is
done in training alone, and values that remain are scaled by 1 / (1 - rate), so that in evaluation
gates and sums are of the size they were trained at.
"node" (the abstract of the paper: random mask reconstruction on the nodes): whole nodes are hidden
before the first layer, and a Linear tells from what the layers made of them what they were. The
loss is the scaled cosine error of Hou et al. (2022), GraphMAE, KDD, section 3.2, with gamma 2; the
paper fixes neither rate nor loss. What is to be told is taken as it is (no gradient), or nodes
would learn to be easy to tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.models.layers.graph import DialogueGraph, EdgeWeights, GatedGraphConvolution

Hidden: TypeAlias = tuple[Tensor, Callable[[Tensor], Tensor], Tensor]
"""h_0, what every layer does to what it takes, and which whole nodes (B, M, T) are hidden."""


@dataclass(frozen=True, slots=True)
class GraphOutput:
    """hidden: (B, M, T, width or less); weights: of every layer; reconstruction: scalar loss."""

    hidden: Tensor
    weights: Sequence[EdgeWeights]
    reconstruction: Tensor | None


class MaskedGraphNetwork(nn.Module):
    """h_0 = nodes, h <- h + conv(h) in every layer.

    Args:
        width: of a node. layers: at least one.
        mask: "feature" or "node". rate: share of what is hidden, from 0 to under 1.
        reconstruct: whether hidden nodes are told ("node" alone).
    """

    def __init__(
        self, width: int, layers: int, *, mask: str, rate: float, reconstruct: bool
    ) -> None:
        super().__init__()
        self.rate = rate
        self._hide = MASKS[mask]
        self.layers = nn.ModuleList(GatedGraphConvolution(width) for _ in range(layers))
        self.decoder = nn.Linear(width, width) if reconstruct else None

    def forward(self, nodes: Tensor, graph: DialogueGraph, kept: int | None = None) -> GraphOutput:
        """Run all layers over nodes (B, M, T, width); of the last keep the leading values."""
        rate = self.rate if self.training else 0.0
        hidden, per_layer, masked = self._hide(nodes, graph.valid, rate)
        weights = []
        for number, layer in enumerate(self.layers):
            last = number == len(self.layers) - 1
            messages, edges = layer(per_layer(hidden), graph, kept if last else None)
            hidden = hidden[..., :kept] + messages if last else hidden + messages
            weights.append(edges)
        return GraphOutput(hidden, weights, self._reconstruction(nodes, hidden, masked))

    def _reconstruction(self, nodes: Tensor, hidden: Tensor, masked: Tensor) -> Tensor | None:
        if self.decoder is None or not self.training:
            return None
        told = self.decoder(hidden)
        error = (1 - F.cosine_similarity(told, nodes.detach(), dim=-1)).square()  # (B, M, T)
        return (error * masked).sum() / masked.sum().clamp(min=1)


def _hide_features(nodes: Tensor, valid: Tensor, rate: float) -> Hidden:
    def per_layer(hidden: Tensor) -> Tensor:
        return F.dropout(hidden, rate, training=rate > 0)

    return nodes, per_layer, torch.zeros_like(valid)


def _hide_nodes(nodes: Tensor, valid: Tensor, rate: float) -> Hidden:
    if rate <= 0:
        return nodes, _unchanged, torch.zeros_like(valid)
    masked = valid & (torch.rand(valid.shape, device=valid.device) < rate)
    return nodes.masked_fill(masked[..., None], 0.0), _unchanged, masked


def _unchanged(hidden: Tensor) -> Tensor:
    return hidden


MASKS: Mapping[str, Callable[[Tensor, Tensor, float], Hidden]] = MappingProxyType(
    {"feature": _hide_features, "node": _hide_nodes}
)
