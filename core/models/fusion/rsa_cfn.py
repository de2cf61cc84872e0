"""RSA-CFN: residual self-attention and cross-modal fusion by an outer product.

The head of the RSA-CFN paper on KEMDy20 (speech and text, seven classes). Each modality's pooled
vector is projected, its scalar features attend to each other, and the outer product of the two
vectors (each with a constant 1 in front, so that it holds both alone as well: Zadeh et al. 2017,
Tensor fusion network, EMNLP) passes a residual block.

The published sizes (`PUBLISHED`) make 328,300,813 weights, more than the speech backbone; 294
million of them in one layer. `RsaCfnConfig()` keeps the computation and narrows the projection.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class RsaCfnConfig:
    """Sizes of the head.

    joint: features of both modalities attend to each other, so that the map has all four blocks;
    the published head lets each attend within itself.
    """

    speech_dim: int = 128
    text_dim: int = 256
    projection: int = 16
    attention: int = 16
    hidden: int = 64
    dropout: float = 0.3
    classes: int = 7
    joint: bool = True


PUBLISHED = RsaCfnConfig(
    speech_dim=1024, text_dim=768, projection=128, attention=96, hidden=1024, joint=False
)
"""Sizes of the paper: wav2vec 2.0 large (1024) and KLUE-RoBERTa base (768), projected to 128."""


class FeatureAttention(nn.Module):
    """Self-attention in which every scalar feature is a token of width one."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.query = nn.Linear(1, hidden)
        self.key = nn.Linear(1, hidden)
        self.value = nn.Linear(1, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the attended features (B, D) and the map (B, D, D) of features x (B, D)."""
        tokens = x.unsqueeze(-1)
        query, key = self.query(tokens), self.key(tokens)
        weight = (query @ key.transpose(1, 2) * query.shape[-1] ** -0.5).softmax(dim=-1)
        return (weight @ self.value(tokens)).squeeze(-1), weight


class RsaCfnHead(nn.Module):
    """Pooled speech and text vectors to logits and the map over features."""

    def __init__(self, config: RsaCfnConfig | None = None) -> None:
        super().__init__()
        self.config = config or RsaCfnConfig()
        c = self.config
        self.project_speech = nn.Linear(c.speech_dim, c.projection)
        self.project_text = nn.Linear(c.text_dim, c.projection)
        self.attention = nn.ModuleList(
            FeatureAttention(c.attention) for _ in range(1 if c.joint else 2)
        )
        self.speech_norm = nn.LayerNorm(c.projection)
        self.text_norm = nn.LayerNorm(c.projection)
        size = (c.projection + 1) ** 2
        self.block = _dense(size, c.hidden, c.dropout)
        self.expand = _dense(size + c.hidden, size, c.dropout)
        self.out = nn.Sequential(*_dense(size, c.hidden, c.dropout), nn.Linear(c.hidden, c.classes))

    def forward(self, speech: Tensor, text: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (B, C) and the map (B, 2P, 2P): rows of speech features, then of text.

        Args:
            speech: pooled (B, speech_dim).
            text: pooled (B, text_dim).
        """
        one, two = self.project_speech(speech), self.project_text(text)
        attended_one, attended_two, weight = self._attend(one, two)
        one = _with_one(self.speech_norm(attended_one + one))
        two = _with_one(self.text_norm(attended_two + two))
        z = (one.unsqueeze(2) * two.unsqueeze(1)).flatten(1)  # (B, (P + 1)^2)
        residual = self.expand(torch.cat([z, self.block(z)], dim=1))
        return self.out(z + residual), weight

    def _attend(self, one: Tensor, two: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        if self.config.joint:
            attended, weight = self.attention[0](torch.cat([one, two], dim=1))
            first, second = attended.chunk(2, dim=1)
            return first, second, weight
        first, own = self.attention[0](one)
        second, other = self.attention[1](two)
        size = one.shape[1]
        weight = own.new_zeros(len(own), 2 * size, 2 * size)
        weight[:, :size, :size] = own
        weight[:, size:, size:] = other
        return first, second, weight


def _dense(inputs: int, outputs: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, outputs), nn.ReLU(), nn.Dropout(dropout))


def _with_one(x: Tensor) -> Tensor:
    """Put a constant 1 in front of x (B, P)."""
    return torch.cat([x.new_ones(len(x), 1), x], dim=1)
