"""What the modalities of a turn have said together so far: the memory of recurrent alignment."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from core.models.layers.masking import zero_where_absent


class TurnMemory(nn.Module):
    """A vector per turn that every iteration of the alignment writes to and reads from.

    What is published of MGLRA names a memory and gives neither size nor form. Here it is written as
    the state of a GRU (Cho et al. 2014, EMNLP, section 2.3) whose input is the mean over the
    modalities that a turn has, and read by a Linear; it begins at zero.

    Args:
        dim: of the turns. width: of the memory.
    """

    def __init__(self, dim: int, width: int) -> None:
        super().__init__()
        self.width = width
        self.cell = nn.GRUCell(dim, width)
        self.out = nn.Linear(width, dim)

    def write(
        self, turns: Mapping[str, Tensor], valid: Mapping[str, Tensor], memory: Tensor | None
    ) -> Tensor:
        """Return the memory (B, T, width) after turns (B, T, dim), each valid where (B, T)."""
        mean = present_mean(turns, valid)
        state = mean.new_zeros(*mean.shape[:2], self.width) if memory is None else memory
        new: Tensor = self.cell(mean.flatten(0, 1), state.flatten(0, 1))
        return new.view_as(state)

    def read(self, memory: Tensor) -> Tensor:
        """Return (B, T, dim)."""
        read: Tensor = self.out(memory)
        return read


def present_mean(turns: Mapping[str, Tensor], valid: Mapping[str, Tensor]) -> Tensor:
    """Return the mean (B, T, D) over the modalities a turn has; zeros where it has none."""
    total = torch.stack([zero_where_absent(turns[name], valid[name]) for name in turns]).sum(dim=0)
    number = torch.stack([valid[name] for name in turns]).sum(dim=0).clamp(min=1)
    return total / number[..., None]
