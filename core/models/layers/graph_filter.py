"""Graph attention filtering: a turn takes from the others of its modality what is not noise.

Graph attention is that of Velickovic et al. (2018), Graph attention networks, ICLR, section 2.1,
over the clique of a dialogue's turns:
    e_ij = LeakyReLU_0.2(a_target . W x_i + a_source . W x_j) + bias_ij,   w_i = softmax_j(e_ij)
Filtering is this project's choice, because what is published of MGLRA names it and gives no form:
weights under `threshold` times those of equal attention are dropped and the others grow to sum to
one again; then a gate decides, value by value, what the turn keeps of itself:
    m_i = sum_j w_ij W x_j,   g = sigmoid(U [x_i || m_i]),   LN(g * x_i + (1 - g) * m_i)
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.models.layers.masking import masked_softmax, zero_where_absent

SLOPE = 0.2


class GraphFilter(nn.Module):
    """(B, T, dim) -> (B, T, dim) and the weights (B, heads, T, T).

    Args:
        dim: a multiple of heads.
        heads: of the attention.
        threshold: share of equal attention under which a turn is dropped: 0 (none) to 1.
    """

    def __init__(self, dim: int, heads: int, threshold: float) -> None:
        super().__init__()
        self.heads, self.threshold = heads, threshold
        self.value = nn.Linear(dim, dim, bias=False)
        self.target = nn.Parameter(torch.empty(heads, dim // heads))
        self.source = nn.Parameter(torch.empty(heads, dim // heads))
        self.gate = nn.Linear(2 * dim, dim)
        self.norm = nn.LayerNorm(dim)
        nn.init.xavier_uniform_(self.target)
        nn.init.xavier_uniform_(self.source)

    def forward(
        self, turns: Tensor, allowed: Tensor, bias: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Filter turns (B, T, dim); `allowed` (B, T, T) says what a turn (row) may look at.

        `bias` (B, heads, T, T) is added to the scores. Turns that may look at nothing become zeros.
        """
        values = self.value(turns).unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (B, H, T, d)
        target = (values * self.target[:, None]).sum(dim=-1)  # (B, H, T)
        source = (values * self.source[:, None]).sum(dim=-1)
        scores = F.leaky_relu(target[..., :, None] + source[..., None, :], SLOPE)
        scores = scores if bias is None else scores + bias
        weights = without_noise(scores, allowed[:, None], self.threshold)
        drawn = (weights @ values).transpose(1, 2).flatten(2)  # (B, T, dim)
        kept = torch.sigmoid(self.gate(torch.cat([turns, drawn], dim=-1)))
        filtered = self.norm(kept * turns + (1 - kept) * drawn)
        return zero_where_absent(filtered, allowed.any(dim=-1)), weights


def without_noise(scores: Tensor, allowed: Tensor, threshold: float) -> Tensor:
    """Return the softmax of scores (..., N) without weights under `threshold` / allowed ones."""
    weights = masked_softmax(scores, allowed)
    if threshold <= 0:
        return weights
    weak = weights * allowed.sum(dim=-1, keepdim=True) < threshold
    kept = weights.masked_fill(weak, 0.0)
    return kept / kept.sum(dim=-1, keepdim=True).clamp(min=torch.finfo(kept.dtype).tiny)
