"""Low-rank RSA-CFN learns what only speech and text together tell, as the published head does."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from core.models.outputs import Encoded
from core.models.size import number_of_parameters
from core.models.systems.build import build_head
from core.models.systems.head import HeadSizes, SystemHead
from core.models.systems.low_rank_rsa_cfn import LowRankProduct

HIDDEN, CLASSES = 4, 3
SIZES = HeadSizes(speech=32, text=24, classes=CLASSES)
PUBLISHED: dict[str, Any] = {"projection": 16, "hidden": 64, "attention": 16}
LOW_RANK: dict[str, Any] = {"projection": 16, "rank": 64, "hidden": 32, "attention": 16}


def interactions(rows: int, seed: int) -> tuple[Encoded, Encoded, Tensor]:
    """The class is the largest of three bilinear forms of hidden factors of both modalities.

    Neither modality alone says anything about it: flipping the sign of all its factors flips every
    form.
    """
    task = torch.Generator().manual_seed(0)
    forms = torch.randn(CLASSES, HIDDEN, HIDDEN, generator=task)
    mixing = [torch.randn(HIDDEN, n, generator=task) / 2 for n in (SIZES.speech, SIZES.text)]
    draw = torch.Generator().manual_seed(seed)
    factors = torch.randn(2, rows, HIDDEN, generator=draw)
    truth = torch.einsum("ni,cij,nj->nc", factors[0], forms, factors[1]).argmax(1)
    noisy = [f @ m + 0.2 * torch.randn(rows, m.shape[1], generator=draw)
             for f, m in zip(factors, mixing, strict=True)]  # fmt: skip
    return _encoded(noisy[0]), _encoded(noisy[1]), truth


def _encoded(pooled: Tensor) -> Encoded:
    mask = torch.ones(len(pooled), 1, dtype=torch.bool)
    return Encoded(pooled[:, None], mask, pooled, pooled.new_zeros(len(pooled), 0))


def _rows(encoded: Encoded, rows: Tensor) -> Encoded:
    return _encoded(encoded.pooled[rows])


def accuracy_after_training(head: SystemHead, learning_rate: float, epochs: int = 15) -> float:
    """Train on 400 examples, return the accuracy on 1,000 others."""
    speech, text, truth = interactions(400, seed=1)
    optimizer = torch.optim.AdamW(head.parameters(), lr=learning_rate)
    for _ in range(epochs):
        for rows in torch.randperm(len(truth)).split(32):
            optimizer.zero_grad()
            logits = head(_rows(speech, rows), _rows(text, rows)).logits
            F.cross_entropy(logits, truth[rows]).backward()
            optimizer.step()
    speech, text, truth = interactions(1000, seed=2)
    with torch.inference_mode():
        return float((head.eval()(speech, text).logits.argmax(1) == truth).float().mean())


def trained(name: str, options: dict[str, Any], learning_rate: float) -> tuple[float, int]:
    torch.manual_seed(0)
    head = build_head(name, SIZES, options=options)
    return accuracy_after_training(head, learning_rate), number_of_parameters(head)


def test_it_learns_interactions_as_the_published_head_does() -> None:
    accuracy, parameters = trained("low_rank_rsa_cfn", LOW_RANK, 1e-3)
    published, published_parameters = trained("rsa_cfn", PUBLISHED, 3e-4)
    without, _ = trained("early", {}, 1e-2)
    assert without < 0.45
    assert published > 0.7
    assert accuracy > published - 0.05
    assert parameters < 0.15 * published_parameters


def test_products_start_at_the_size_of_an_outer_products_entries() -> None:
    torch.manual_seed(0)
    product = LowRankProduct(128, 512)
    one, two = F.layer_norm(torch.randn(2, 200, 128), (128,))
    size = float(product(one, two).detach().std())
    assert size == pytest.approx(1.25, rel=0.15)  # (1 + .5^2), from forms of variance 1 + .5^2


def test_the_outer_product_is_never_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that a layer takes or returns comes near the 129^2 entries of a row's product."""
    sizes = HeadSizes(speech=1024, text=768, classes=7)
    with torch.device("meta"):
        head = build_head("low_rank_rsa_cfn", sizes)
        speech, text = (_encoded(torch.empty(2, n)) for n in (sizes.speech, sizes.text))
    widths = []
    linear = F.linear
    monkeypatch.setattr(
        F, "linear", lambda x, *rest: widths.append(x.shape[-1]) or linear(x, *rest)
    )
    assert head(speech, text).logits.shape == (2, 7)
    assert max(widths) == sizes.speech
