"""What every utterance of a dialogue drew on in an MGLRA, as one map (B, T, T)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from core.models.layers.graph import DialogueGraph, EdgeWeights
from core.models.mglra_encoders import Maps


def drawn_on(maps: Maps, layers: Sequence[EdgeWeights], graph: DialogueGraph | None) -> Maps:
    """Return the encoder's maps and those of the graph: one per layer and modality.

    In a graph map an edge has the absolute value of its weight (gate and normalisation together),
    and the utterance itself 1, with which a layer keeps it, and the edges to its other modalities.
    Rows sum to one.
    """
    if graph is None:
        return maps
    found = list(maps)
    for edges in layers:
        within = edges.within.abs()  # (B, M, T, T)
        itself = 1 + edges.across.abs().sum(dim=-1).transpose(1, 2)  # (B, M, T)
        weights = within + torch.diag_embed(itself)
        weights = weights / weights.sum(dim=-1, keepdim=True)
        found += zip(weights.unbind(dim=1), graph.valid.unbind(dim=1), strict=True)
    return tuple(found)


def mean_map(maps: Maps, mask: Tensor) -> Tensor:
    """Return the mean (B, T, T) of the maps in which a row counts.

    A valid utterance with a row in none of them drew on itself alone. Rows where `mask` (B, T) is
    false are zeros.
    """
    itself = torch.eye(mask.shape[1], device=mask.device).expand(*mask.shape, -1)
    if not maps:
        return itself * mask[..., None]
    counts = torch.stack([rows for _, rows in maps])[..., None]  # (K, B, T, 1)
    total = (torch.stack([weights for weights, _ in maps]) * counts).sum(dim=0)
    number = counts.sum(dim=0)
    mean = torch.where(number > 0, total / number.clamp(min=1), itself)
    return mean * mask[..., None]
