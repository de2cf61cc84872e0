from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from core.models.fusion.cross_attention import CrossAttentionConfig, CrossAttentionHead
from core.models.fusion.late import LateFusion, modality_share
from core.models.fusion.rsa_cfn import PUBLISHED, RsaCfnConfig, RsaCfnHead
from core.models.outputs import Encoded

CONFIG = RsaCfnConfig(speech_dim=12, text_dim=10, projection=4, attention=3, hidden=8)


def encoded(length: int, dim: int, rows: int = 3, valid: int | None = None) -> Encoded:
    generator = torch.Generator().manual_seed(length)
    mask = torch.zeros(rows, length, dtype=torch.bool)
    mask[:, : valid or length] = True
    sequence = torch.randn(rows, length, dim, generator=generator)
    return Encoded(sequence, mask, sequence.mean(dim=1), torch.randn(rows, 7, generator=generator))


def test_the_published_head_has_its_published_size() -> None:
    with torch.device("meta"):
        head = RsaCfnHead(PUBLISHED)
    assert sum(p.numel() for p in head.parameters()) == 328_300_813


def test_the_default_head_is_small() -> None:
    assert sum(p.numel() for p in RsaCfnHead().parameters()) < 250_000


@pytest.mark.parametrize("joint", [True, False])
def test_rsa_cfn_map_rows_sum_to_one(joint: bool) -> None:
    head = RsaCfnHead(replace(CONFIG, joint=joint)).eval()
    logits, weight = head(torch.randn(5, 12), torch.randn(5, 10))
    assert logits.shape == (5, 7)
    assert weight.shape == (5, 8, 8)
    assert torch.allclose(weight.sum(-1), torch.ones(5, 8))
    crossing = weight[:, :4, 4:].sum()
    assert (crossing > 0) == joint


def test_rsa_cfn_needs_both_modalities_together() -> None:
    """The outer product makes the effect of one depend on the other."""
    torch.manual_seed(0)
    head = RsaCfnHead(CONFIG).eval()
    first, second = torch.randn(2, 1, 12)
    text, other = torch.randn(2, 1, 10)
    effect = head(first, text)[0] - head(second, text)[0]
    assert not torch.allclose(effect, head(first, other)[0] - head(second, other)[0], atol=1e-4)


def test_word_by_time_map_covers_valid_frames_only() -> None:
    config = CrossAttentionConfig(speech_dim=6, text_dim=5, dim=4)
    head = CrossAttentionHead(config).eval()
    logits, weight = head(encoded(9, 6, valid=6), encoded(4, 5))
    assert logits.shape == (3, 7)
    assert weight.shape == (3, 4, 9)
    assert torch.allclose(weight.sum(-1), torch.ones(3, 4))
    assert not weight[:, :, 6:].any()


def test_cross_attention_ignores_padding() -> None:
    config = CrossAttentionConfig(speech_dim=6, text_dim=5, dim=4)
    head = CrossAttentionHead(config).eval()
    speech, text = encoded(9, 6, valid=6), encoded(7, 5, valid=4)
    short = replace(speech, sequence=speech.sequence[:, :6], mask=speech.mask[:, :6])
    brief = replace(text, sequence=text.sequence[:, :4], mask=text.mask[:, :4])
    assert torch.allclose(head(speech, text)[0], head(short, brief)[0], atol=1e-5)


def late(relevance: float = 0.5, plainness: float = 0.5) -> LateFusion:
    fusion = LateFusion(7)
    with torch.no_grad():
        fusion.mixture.copy_(torch.logit(torch.tensor([relevance, plainness])))
    return fusion.eval()


def sure_of(label: int, strength: float = 6.0) -> torch.Tensor:
    return strength * torch.nn.functional.one_hot(torch.tensor([label]), 7).float()


def test_contributions_add_up_to_the_logits() -> None:
    output = late()(torch.randn(4, 7), torch.randn(4, 7))
    assert torch.allclose(output.contributions.sum(1), output.logits)


def test_a_fully_relevant_text_counts_like_speech() -> None:
    speech, text = torch.randn(4, 7), torch.randn(4, 7)
    logits = late(relevance=1 - 1e-6)(speech, text).logits
    assert torch.allclose(logits.softmax(-1), (speech + text).softmax(-1), atol=1e-4)


def test_an_irrelevant_text_changes_nothing() -> None:
    speech = torch.randn(4, 7)
    logits = late(relevance=1e-7)(speech, 5 * torch.randn(4, 7)).logits
    assert torch.allclose(logits.softmax(-1), speech.softmax(-1), atol=1e-3)


def test_a_neutral_text_says_less_than_an_emotional_one() -> None:
    even = torch.zeros(1, 7)
    neutral = late(plainness=0.9)(even, sure_of(0)).logits.softmax(-1)[0, 0]
    happy = late(plainness=0.9)(even, sure_of(1)).logits.softmax(-1)[0, 1]
    assert happy > neutral + 0.2


def test_no_text_can_veto_a_class() -> None:
    logits = late()(torch.zeros(1, 7), sure_of(1, 60.0)).logits
    assert (logits[0, 1] - logits[0, 2]) < 3.0


def test_a_modality_that_says_nothing_has_no_share() -> None:
    loud, even = torch.tensor([3.0, -1.0, -2.0]), torch.tensor([0.5, 0.5, 0.5])
    share = modality_share(torch.stack([loud, even])[None])
    assert share[0, 0] > 0.999
    equal = modality_share(torch.stack([loud, loud.flip(0)])[None])
    assert torch.allclose(equal, torch.full((1, 2), 0.5))
