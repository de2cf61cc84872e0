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
    """Self-attention in which every scalar feature is a token of width one.

    Queries q_i = x_i w + b and keys k_j = x_j u + c of width one in, H out, meet in
    q_i . k_j = (x_i w.u + b.u) x_j + (x_i w.c + b.c): a sum of two products of scalars. So the
    scores need no vector of width H per feature, whatever H is: the same figures, H times cheaper.
    """

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.query = nn.Linear(1, hidden)
        self.key = nn.Linear(1, hidden)
        self.value = nn.Linear(1, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the attended features (B, D) and the map (B, D, D) of features x (B, D)."""
        tokens = x.unsqueeze(-1)
        keys = torch.cat([tokens, torch.ones_like(tokens)], dim=-1)  # (B, D, 2)
        score = (keys @ self._products()) @ keys.transpose(1, 2)  # (B, D, D)
        weight = score.softmax(dim=-1)
        return (weight @ self.value(tokens)).squeeze(-1), weight

    def _products(self) -> Tensor:
        """Return (2, 2): w.u, w.c; b.u, b.c, over the square root of H."""
        query = torch.stack([self.query.weight[:, 0], self.query.bias])
        key = torch.stack([self.key.weight[:, 0], self.key.bias])
        return query @ key.T * query.shape[1] ** -0.5


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
        hidden, weight = self.fuse(speech, text)
        return self.classify(hidden), weight

    def fuse(self, speech: Tensor, text: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the last layer sees (B, hidden), and the map, as `forward` does."""
        one, two = self.project_speech(speech), self.project_text(text)
        attended_one, attended_two, weight = self._attend(one, two)
        one = _with_one(self.speech_norm(attended_one + one))
        two = _with_one(self.text_norm(attended_two + two))
        z = (one.unsqueeze(2) * two.unsqueeze(1)).flatten(1)  # (B, (P + 1)^2)
        residual = self.expand(torch.cat([z, self.block(z)], dim=1))
        return self.out[:-1](z + residual), weight

    def classify(self, hidden: Tensor) -> Tensor:
        """Return logits (B, C) of what `fuse` returned (B, hidden)."""
        logits: Tensor = self.out[-1](hidden)
        return logits

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
