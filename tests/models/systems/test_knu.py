"""Several labels at once with arousal and valence: tasks, and the softmax of the public code."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from core.errors import ConfigError
from core.models.specification import Problem
from core.models.systems.build import build_head
from core.models.systems.head import LOSS_LOGITS, HeadSizes, Variant
from core.models.systems.knu import logit_of_softmax
from tests.models.systems.material import CLASSES, SIZES, small_head, taken_by, utterances
from training.data.batch import Targets
from training.losses import LossConfig, make_loss

NAMES = ("knu_speech", "knu_text", "cat", "add")


@pytest.mark.parametrize("name", NAMES)
def test_published_labels_fire_where_the_softmax_exceeds_one_half(name: str) -> None:
    inputs = taken_by(name, *utterances(40))
    corrected = small_head(name)(*inputs)
    published = small_head(name, Variant.PAPER)(*inputs)
    softmax = corrected.logits.softmax(-1)
    assert torch.allclose(published.logits.sigmoid(), softmax, atol=1e-6)
    assert torch.allclose(published.auxiliary[LOSS_LOGITS], softmax, atol=1e-6)
    assert torch.equal(published.logits > 0, softmax > 0.5)
    assert (published.logits > 0).sum(-1).max() <= 1
    assert (corrected.logits > 0).sum(-1).max() > 1


@pytest.mark.parametrize("name", NAMES)
def test_only_the_public_code_trains_on_something_else(name: str) -> None:
    inputs = taken_by(name, *utterances())
    assert LOSS_LOGITS not in small_head(name)(*inputs).auxiliary


def test_the_published_loss_applies_a_sigmoid_to_the_softmax() -> None:
    """With a softmax for logits the loss can't fall below log(1 + 1/e), however right it is."""
    z = torch.full((1, CLASSES), -50.0)
    z[0, 2] = 50.0
    truth = F.one_hot(torch.tensor([2]), CLASSES).float()
    seen = F.multilabel_soft_margin_loss(z.softmax(-1), truth)
    floor = (6 * torch.log(torch.tensor(2.0)) + torch.log1p(torch.exp(torch.tensor(-1.0)))) / 7
    assert torch.allclose(seen, floor)


@pytest.mark.parametrize("paper_softmax", [False, True])
def test_the_loss_sees_the_softmax_once(paper_softmax: bool) -> None:
    inputs = utterances(6)
    truth = (torch.rand(6, CLASSES, generator=torch.Generator().manual_seed(2)) > 0.5).float()
    unknown = torch.full((6,), float("nan"))
    config = LossConfig(
        emotion="multilabel_soft_margin", affect="none", paper_softmax=paper_softmax
    )
    loss = make_loss(config, Problem.MULTI_LABEL)
    targets = Targets(truth, unknown, unknown, torch.ones(6))
    found = loss(small_head("cat", Variant.PAPER)(*inputs), targets)["loss"]
    softmax = small_head("cat")(*inputs).logits.softmax(-1)
    assert torch.allclose(found, F.multilabel_soft_margin_loss(softmax, truth), atol=1e-6)


def test_the_logit_of_a_softmax_stays_finite() -> None:
    z = torch.tensor([[200.0, -200.0, 0.0], [1.0, 1.0, 1.0]], requires_grad=True)
    logits = logit_of_softmax(z)
    assert torch.allclose(logits[0], torch.tensor([200.0, -400.0, -200.0]))
    assert torch.allclose(logits[1].sigmoid(), torch.full((3,), 1 / 3))
    logits.sum().backward()
    assert z.grad is not None
    assert z.grad.isfinite().all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("variant", list(Variant))
def test_a_head_for_affect_alone_says_nothing_about_labels(name: str, variant: Variant) -> None:
    head = small_head(name, variant, emotion=False)
    output = head(*taken_by(name, *utterances()))
    assert not output.logits.any()
    assert not output.logits.requires_grad
    assert output.arousal is not None
    assert not [n for n, _ in head.named_parameters() if "emotion" in n]


@pytest.mark.parametrize("name", NAMES)
def test_a_head_for_labels_alone_has_no_affect(name: str) -> None:
    head = small_head(name, sizes=replace(SIZES, affect=False))
    assert head(*taken_by(name, *utterances())).valence is None


@pytest.mark.parametrize("name", NAMES)
def test_a_head_for_nothing_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="needs arousal and valence"):
        build_head(name, HeadSizes(4, 4, CLASSES), options={"emotion": False})


def test_a_softmax_over_one_class_is_refused() -> None:
    with pytest.raises(ConfigError, match="single class"):
        build_head("cat", HeadSizes(4, 4, 1), Variant.PAPER)


def test_affect_is_linear() -> None:
    """No squashing: what lies outside [-1, 1] is left to the loss, so that gradients never die."""
    speech, text = utterances()
    head = small_head("cat")
    far = head(replace(speech, pooled=100 * speech.pooled), text)
    assert far.arousal.abs().max() > 1


@pytest.mark.parametrize("name", ["knu_text", "cat", "add"])
def test_only_the_text_is_dropped(name: str) -> None:
    speech, text = utterances()
    head = small_head(name, dropout=1.0).train()
    speech_in, text_in = taken_by(name, speech, text)
    silent = replace(text, pooled=torch.zeros_like(text.pooled))
    expected = small_head(name)(speech_in, silent).logits
    assert torch.allclose(head(speech_in, text_in).logits, expected, atol=1e-6)
