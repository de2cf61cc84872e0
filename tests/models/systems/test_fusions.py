"""What is special about one head: sampled dropout, maps, shares, votes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from core.errors import CheckpointError
from core.models.fusion.rsa_cfn import FeatureAttention
from core.models.systems.hybrid import VOTERS, HybridHead
from core.models.systems.readout import vote_softly
from tests.models.systems.material import RSA_CFN, SIZES, SMALL, small_head, utterances


def test_the_stack_averages_five_dropped_samples_through_one_layer() -> None:
    speech, text = utterances()
    head = small_head("stack").train()
    torch.manual_seed(7)
    output = head(speech, text)
    torch.manual_seed(7)
    x = head.norm(torch.cat([speech.pooled, text.pooled], dim=1))
    masks = [torch.nn.functional.dropout(torch.ones_like(x), 0.5) for _ in range(5)]
    one_by_one = [head.out(x * mask).logits for mask in masks]
    assert torch.allclose(output.logits, torch.stack(one_by_one).mean(0), atol=1e-5)
    assert not torch.allclose(one_by_one[0], one_by_one[1])


def test_the_stack_keeps_everything_when_it_is_not_trained() -> None:
    speech, text = utterances()
    head = small_head("stack")
    early = small_head("early")
    early.load_state_dict(head.state_dict())
    assert torch.equal(head(speech, text).logits, early(speech, text).logits)


@pytest.mark.parametrize("name", ["rsa_cfn", "low_rank_rsa_cfn", "hybrid"])
def test_maps_over_projected_features_stay_within_a_modality(name: str) -> None:
    head = small_head(name)
    assert head.feature_sizes is None
    feature = head(*utterances()).attentions["feature"]
    assert torch.allclose(feature.sum(-1), torch.ones(3, 8), atol=1e-5)
    assert not feature[:, :4, 4:].any()
    assert not feature[:, 4:, :4].any()


def test_the_map_of_rsa_says_where_speech_ends() -> None:
    head = small_head("rsa")
    assert head.feature_sizes == (12, 10)
    feature = head(*utterances()).attentions["feature"]
    assert torch.allclose(feature.sum(-1), torch.ones(3, 22), atol=1e-5)
    assert feature[:, :12, 12:].any()


def test_scores_of_scalar_features_need_no_wide_queries() -> None:
    """Two products per pair give what queries and keys of any width give, gradients too."""
    torch.manual_seed(1)
    attention = FeatureAttention(96).double()
    x = torch.randn(2, 30, dtype=torch.double, requires_grad=True)
    attended, weight = attention(x)
    tokens = x[..., None]
    query, key = attention.query(tokens), attention.key(tokens)
    spelled_out = (query @ key.transpose(1, 2) / 96**0.5).softmax(-1)
    assert torch.allclose(weight, spelled_out, atol=1e-12)
    expected = (spelled_out @ attention.value(tokens)).squeeze(-1)
    given = torch.randn(attended.shape, dtype=torch.double)
    inputs = [x, *attention.parameters()]
    found = torch.autograd.grad((attended * given).sum(), inputs)
    wanted = torch.autograd.grad((expected * given).sum(), inputs)
    for one, two in zip(found, wanted, strict=True):
        assert torch.allclose(one, two, atol=1e-10)


def test_shares_of_late_fusion_add_up_and_follow_what_is_said() -> None:
    speech, text = utterances()
    head = small_head("late", average="probabilities")
    share = head(speech, text).attentions["modality"]
    assert torch.allclose(share.sum(-1), torch.ones(3))
    louder = head(replace(speech, pooled=5 * speech.pooled), text).attentions["modality"]
    assert (louder[:, 0] > share[:, 0]).all()


@pytest.mark.parametrize("exclusive", [True, False])
def test_soft_votes_average_probabilities(exclusive: bool) -> None:
    logits = 4 * torch.randn(5, 3, 7)
    to_probabilities = (lambda z: z.softmax(-1)) if exclusive else torch.sigmoid
    voted = to_probabilities(vote_softly(logits, exclusive=exclusive))
    assert torch.allclose(voted, to_probabilities(logits).mean(1), atol=1e-6)


@pytest.mark.parametrize("exclusive", [True, False])
def test_late_fusion_can_vote_softly(exclusive: bool) -> None:
    speech, text = utterances()
    head = small_head("late", sizes=replace(SIZES, exclusive=exclusive), average="probabilities")
    to_probabilities = (lambda z: z.softmax(-1)) if exclusive else torch.sigmoid
    said = [head.speech(speech.pooled).logits, head.text(text.pooled).logits]
    mean = (to_probabilities(said[0]) + to_probabilities(said[1])) / 2
    assert torch.allclose(to_probabilities(head(speech, text).logits), mean, atol=1e-6)


def voters() -> dict[str, torch.nn.Module]:
    return {name: small_head(name) for name in VOTERS}


def test_four_trained_heads_vote_by_their_probabilities() -> None:
    speech, text = utterances()
    heads = voters()
    hybrid = HybridHead.of_heads(heads, SMALL["hybrid"]["voters"]).eval()
    output = hybrid(speech, text)
    alone = [heads[name](speech, text) for name in VOTERS]
    mean = torch.stack([o.logits.softmax(-1) for o in alone]).mean(0)
    assert torch.allclose(output.logits.softmax(-1), mean, atol=1e-6)
    assert torch.allclose(output.arousal, torch.stack([o.arousal for o in alone]).mean(0))
    assert torch.equal(output.auxiliary["voters"][:, 2], alone[2].logits)
    assert set(output.attentions) == {"modality", "feature"}


def test_a_vote_without_all_four_is_refused() -> None:
    heads = voters()
    del heads["late"]
    with pytest.raises(CheckpointError, match="late"):
        HybridHead.of_heads(heads, {})


def test_a_vote_of_heads_that_differ_is_refused() -> None:
    heads = voters() | {"early": small_head("early", sizes=replace(SIZES, classes=4))}
    with pytest.raises(CheckpointError, match="differ"):
        HybridHead.of_heads(heads, {"rsa_cfn": RSA_CFN})
