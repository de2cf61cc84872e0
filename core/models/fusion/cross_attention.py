"""Attention of text tokens over speech frames: which moments of the voice each word draws on.

Scaled dot-product attention (Vaswani et al. 2017) across modalities as in Tsai et al. (2019),
Multimodal transformer for unaligned multimodal language sequences, ACL, section 3.1; one head, so
that the map which is shown is the one that is used.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.models.outputs import Encoded


@dataclass(frozen=True)
class CrossAttentionConfig:
    """Sizes of the head."""

    speech_dim: int = 128
    text_dim: int = 256
    dim: int = 48
    dropout: float = 0.3
    classes: int = 7


class CrossAttentionHead(nn.Module):
    """Two encoded sequences to logits and a word-by-time map."""

    def __init__(self, config: CrossAttentionConfig | None = None) -> None:
        super().__init__()
        self.config = config or CrossAttentionConfig()
        c = self.config
        self.query = nn.Linear(c.text_dim, c.dim)
        self.key = nn.Linear(c.speech_dim, c.dim)
        self.value = nn.Linear(c.speech_dim, c.dim)
        self.token = nn.Linear(c.text_dim, c.dim)
        self.norm = nn.LayerNorm(2 * c.dim)
        self.score = nn.Linear(2 * c.dim, 1)
        self.dropout = nn.Dropout(c.dropout)
        self.out = nn.Linear(2 * c.dim, c.classes)

    def forward(self, speech: Encoded, text: Encoded) -> tuple[Tensor, Tensor]:
        """Return logits (B, C) and the map (B, L, T); rows sum to one over valid frames."""
        query, key = self.query(text.sequence), self.key(speech.sequence)
        score = query @ key.transpose(1, 2) * self.config.dim**-0.5
        weight = score.masked_fill(~speech.mask[:, None], -1e4).softmax(dim=-1)  # (B, L, T)
        heard = weight @ self.value(speech.sequence)
        both = self.norm(torch.cat([heard, self.token(text.sequence)], dim=-1))
        importance = self.score(both).squeeze(-1).masked_fill(~text.mask, -1e4).softmax(dim=1)
        pooled = (importance.unsqueeze(-1) * both).sum(dim=1)
        return self.out(self.dropout(pooled)), weight
