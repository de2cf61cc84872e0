"""How two turns of a dialogue stand to each other: how far apart, and whether of one speaker."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from core.models.context.inputs import UNKNOWN_SPEAKER

UNKNOWN, SAME, OTHER = range(3)


class TurnRelation(nn.Module):
    """A bias per attention head for every pair of turns, learned from distance and speakers.

    Relative positions as a bias of attention scores: Raffel et al. (2020), Exploring the limits of
    transfer learning with a unified text-to-text transformer, JMLR, section 2.1; edges by speaker:
    Ghosal et al. (2019), DialogueGCN, EMNLP, section 3.3. It begins at zero: all pairs alike.

    Args:
        heads: of the attention.
        distance: how many turns back (and ahead) are told apart; all further ones are alike.
    """

    def __init__(self, heads: int, distance: int) -> None:
        super().__init__()
        self._distance = distance
        self.far = nn.Parameter(torch.zeros(2 * distance + 1, heads))
        self.speaker = nn.Parameter(torch.zeros(3, heads))

    def forward(self, speakers: Tensor) -> Tensor:
        """Return (B, heads, T, T) of speakers (B, T); row i holds what turn i adds to others."""
        positions = torch.arange(speakers.shape[1], device=speakers.device)
        apart = positions[None, :] - positions[:, None]  # (T, T): source minus target
        apart = apart.clamp(-self._distance, self._distance) + self._distance
        bias = self.far[apart] + self.speaker[speaker_relation(speakers)]  # (B, T, T, heads)
        return bias.permute(0, 3, 1, 2)


def speaker_relation(speakers: Tensor) -> Tensor:
    """Return (B, T, T): `SAME`, `OTHER`, or `UNKNOWN` where either speaker is not known."""
    ours, theirs = speakers[:, :, None], speakers[:, None, :]
    known = (ours != UNKNOWN_SPEAKER) & (theirs != UNKNOWN_SPEAKER)
    relation = torch.where(ours == theirs, SAME, OTHER)
    return torch.where(known, relation, UNKNOWN)
