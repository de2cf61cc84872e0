"""Recurrent alignment: modalities of a dialogue look at each other over time, again and again.

Multi-head attention is that of Vaswani et al. (2017), Attention is all you need, section 3.2.2,
across modalities. It runs over the turns of one dialogue; the released code of MGLRA runs it over
the dialogues of a batch, because its tensors are (T, B, D) where the module takes (B, T, D).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.models.layers.masking import masked_softmax, zero_where_absent
from core.models.layers.memory import TurnMemory


class CrossModalAttention(nn.Module):
    """What turns of one modality find in those of another; the caller adds the residual.

    Args:
        dim: a multiple of heads. heads: of the attention.
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(dim, dim)
        self.key = nn.Linear(dim, dim)
        self.value = nn.Linear(dim, dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, turns: Tensor, others: Tensor, allowed: Tensor) -> tuple[Tensor, Tensor]:
        """Return (B, T, dim), zeros where nothing may be looked at, and weights (B, H, T, S).

        Args:
            turns: (B, T, dim). others: (B, S, dim). allowed: (B, T, S).
        """
        query, key, value = (
            layer(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (B, H, ., d)
            for layer, x in ((self.query, turns), (self.key, others), (self.value, others))
        )
        scores = query @ key.transpose(-2, -1) * query.shape[-1] ** -0.5
        weights = masked_softmax(scores, allowed[:, None])
        found = self.out((weights @ value).transpose(1, 2).flatten(2))
        return zero_where_absent(found, allowed.any(dim=-1)), weights


@dataclass(frozen=True, slots=True)
class Aligned:
    """turns: modality -> (B, T, dim); found: what attention gave each; memory: (B, T, width).

    weights: modality -> (B, T, T), the mean over heads, summed over what a turn was looked at in.
    """

    turns: Mapping[str, Tensor]
    found: Mapping[str, Tensor]
    memory: Tensor
    weights: Mapping[str, Tensor]


class RecurrentAlignment(nn.Module):
    """One iteration: write the memory, look at the other modalities and at the memory, feed back.

    What is published of MGLRA names memory, cross-modal multi-head attention and a GRU that feeds
    the aligned features back into the LSTM. The choices here: one attention for all modalities,
    as the released code has it; a turn's keys are the turns of every other modality and the memory
    of all turns, so that a single modality is aligned with the memory alone; the result is
    LN(x + found); the GRU's state is what went into the modality's LSTM, its input what was found.

    Args:
        modalities: names. dim: of turns. heads: of the attention. memory: its width.
        feedback: whether another iteration follows at all; else there is no GRU.
    """

    def __init__(
        self, modalities: Sequence[str], dim: int, heads: int, memory: int, *, feedback: bool
    ) -> None:
        super().__init__()
        self.memory = TurnMemory(dim, memory)
        self.attention = CrossModalAttention(dim, heads)
        self.norms = nn.ModuleDict({name: nn.LayerNorm(dim) for name in modalities})
        cells = {name: nn.GRUCell(dim, dim) for name in modalities} if feedback else {}
        self.cells = nn.ModuleDict(cells)

    def forward(
        self,
        turns: Mapping[str, Tensor],
        valid: Mapping[str, Tensor],
        near: Tensor,
        memory: Tensor | None = None,
    ) -> Aligned:
        """Align turns (B, T, dim), each there where `valid` (B, T) is true.

        `near` (T, T) says which turns may look at which.
        """
        memory = self.memory.write(turns, valid, memory)
        remembered, anything = self.memory.read(memory), torch.stack([*valid.values()]).any(dim=0)
        found, aligned, weights = {}, {}, {}
        for name, own in turns.items():
            rest = [other for other in turns if other != name]
            others = torch.cat([*(turns[other] for other in rest), remembered], dim=1)
            there = torch.cat([*(valid[other] for other in rest), anything], dim=1)  # (B, S)
            allowed = near.repeat(1, len(rest) + 1) & there[:, None] & valid[name][..., None]
            found[name], heads = self.attention(own, others, allowed)
            aligned[name] = zero_where_absent(self.norms[name](own + found[name]), valid[name])
            weights[name] = heads.mean(dim=1).unflatten(-1, (len(rest) + 1, -1)).sum(dim=2)
        return Aligned(aligned, found, memory, weights)

    def feed_back(
        self, inputs: Mapping[str, Tensor], found: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        """Return what goes into the LSTMs next, of what went in before and what was found."""
        fed = {}
        for name, before in inputs.items():
            new = self.cells[name](found[name].flatten(0, 1), before.flatten(0, 1))
            fed[name] = new.view_as(before)
        return fed
