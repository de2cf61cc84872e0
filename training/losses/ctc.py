"""Connectionist temporal classification: the likelihood of a text over all its alignments.

Graves, Fernandez, Gomez & Schmidhuber (2006), Connectionist temporal classification, ICML.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

BLANK = 0
"""Number of the blank among the logits."""


def ctc_loss(logits: Tensor, lengths: Tensor, symbols: Tensor, counts: Tensor) -> Tensor:
    """Return -log p(text) / length of the text for each row (B,), in fp32.

    The division makes it comparable with a cross-entropy, and is that of `torch.nn.CTCLoss`. Rows
    without a text, and those whose text does not fit into their positions, give exactly 0 and no
    gradient.

    Args:
        logits: (B, T, V + 1), the blank at 0.
        lengths: (B,) positions of each row that count.
        symbols: (B, L) numbers of symbols, from 1; beyond `counts` anything.
        counts: (B,) length of each text.
    """
    losses = logits.new_zeros(len(logits), dtype=torch.float32)
    rows = ((counts > 0) & fits(lengths, symbols, counts)).nonzero().flatten()
    if not len(rows):
        return losses + 0.0 * logits.float().sum()  # still part of the graph
    scores = logits[rows].float().log_softmax(dim=2)
    found = F.ctc_loss(
        scores.transpose(0, 1), symbols[rows], lengths[rows], counts[rows],
        blank=BLANK, reduction="none", zero_infinity=True,
    )  # fmt: skip
    return losses.index_copy(0, rows, found / counts[rows])


def fits(lengths: Tensor, symbols: Tensor, counts: Tensor) -> Tensor:
    """Tell for each row (B,) whether it has enough positions for its text.

    A symbol takes one position, and one more for the blank that keeps it from an equal one before
    it. An empty text always fits. Arguments: see `ctc_loss`.
    """
    repeated = symbols[:, 1:] == symbols[:, :-1]
    within = torch.arange(1, symbols.shape[1], device=symbols.device)[None] < counts[:, None]
    return lengths >= counts + (repeated & within).sum(dim=1)
