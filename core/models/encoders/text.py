"""Text encoder: a small pre-norm transformer over subwords with attentive and maximum pooling.

Rotary positions: Su et al. (2021), RoFormer, arXiv 2104.09864. Gated feed-forward: Shazeer (2020),
GLU variants improve transformer, arXiv 2002.05202. Pre-norm: Xiong et al. (2020), ICML.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.labels import EMOTIONS
from core.models.outputs import Encoded


@dataclass(frozen=True)
class TextEncoderConfig:
    """Sizes of the text encoder."""

    vocabulary: int = 14_000
    dim: int = 256
    layers: int = 3
    heads: int = 4
    feed_forward: int = 512
    dropout: float = 0.1
    word_dropout: float = 0.0
    """Share of tokens whose embedding is zeroed in training."""
    classes: int = len(EMOTIONS)

    def __post_init__(self) -> None:
        if self.dim % (2 * self.heads):
            raise ValueError("dim must be a multiple of twice the heads")

    def to_dict(self) -> dict[str, Any]:
        """Return the values for storage beside the weights."""
        return asdict(self)


class _Layer(nn.Module):
    """Self-attention with rotary positions, then a gated feed-forward; both residual, pre-norm."""

    def __init__(self, config: TextEncoderConfig) -> None:
        super().__init__()
        dim = config.dim
        self.heads = config.heads
        self.attention_norm = nn.LayerNorm(dim)
        self.project = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)
        self.feed_forward_norm = nn.LayerNorm(dim)
        self.gate_up = nn.Linear(dim, 2 * config.feed_forward)
        self.down = nn.Linear(config.feed_forward, dim)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, mask: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        batch, length, dim = x.shape
        qkv = self.project(self.attention_norm(x))
        qkv = qkv.view(batch, length, 3, self.heads, dim // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        query, key = _rotate(query, *rotation), _rotate(key, *rotation)
        # spelled out: several times faster in training than the fused kernel at such lengths
        score = (query @ key.transpose(2, 3)) * (dim // self.heads) ** -0.5
        weight = score.masked_fill(~mask[:, None, None], -1e4).softmax(dim=-1)
        y = (weight.to(value.dtype) @ value).transpose(1, 2).reshape(batch, length, dim)
        x = x + self.dropout(self.out(y))
        gate, up = self.gate_up(self.feed_forward_norm(x)).chunk(2, dim=-1)
        return x + self.dropout(self.down(F.gelu(gate) * up))


class TextPooling(nn.Module):
    """Attention-weighted mean and maximum over valid tokens, merged to the encoder's width."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.score = nn.Linear(dim, 1)
        self.merge = nn.Linear(2 * dim, dim)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return (B, D) from x (B, L, D) over mask (B, L)."""
        score = self.score(x).squeeze(-1).masked_fill(~mask, -1e4)
        weight = score.softmax(dim=1).unsqueeze(-1)
        mean = (weight * x).sum(dim=1)
        maximum = x.masked_fill(~mask.unsqueeze(-1), -1e4).amax(dim=1)
        return F.gelu(self.merge(torch.cat([mean, maximum], dim=1)))


class TextEncoder(nn.Module):
    """Token ids to a sequence, a pooled vector and one logit per class (multi-label, sigmoid)."""

    def __init__(self, config: TextEncoderConfig | None = None) -> None:
        super().__init__()
        self.config = config or TextEncoderConfig()
        c = self.config
        self.embedding = nn.Embedding(c.vocabulary, c.dim)
        nn.init.normal_(self.embedding.weight, std=0.05)
        self.layers = nn.ModuleList(_Layer(c) for _ in range(c.layers))
        self.norm = nn.LayerNorm(c.dim)
        self.pool = TextPooling(c.dim)
        self.dropout = nn.Dropout(c.dropout)
        self.head = nn.Linear(c.dim, c.classes)

    def forward(self, tokens: Tensor, mask: Tensor) -> Encoded:
        """Encode token ids (B, L) under mask (B, L), true where valid.

        Returns sequence (B, L, D), mask, pooled (B, D), logits (B, 7) in the order of EMOTIONS.
        """
        x = self.sequence(tokens, mask)
        pooled = self.pool(x, mask)
        return Encoded(x, mask, pooled, self.head(self.dropout(pooled)))

    def sequence(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Return the normalised states (B, L, D) of the last layer."""
        x = self.embedding(tokens)
        if self.training and self.config.word_dropout > 0:
            kept = torch.rand(tokens.shape, device=tokens.device) >= self.config.word_dropout
            x = x * kept.unsqueeze(-1)
        rotation = _rotation(tokens.shape[1], self.config.dim // self.config.heads, x)
        for layer in self.layers:
            x = layer(x, mask, rotation)
        return self.norm(x)


def _rotation(length: int, size: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return cosines and sines (L, size / 2) of the rotary positions."""
    rates = 10_000.0 ** (-torch.arange(0, size, 2, device=like.device) / size)
    angles = torch.arange(length, device=like.device)[:, None] * rates
    return angles.cos().to(like.dtype), angles.sin().to(like.dtype)


def _rotate(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Rotate the halves of x (B, H, L, size) by its position."""
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], dim=-1)
