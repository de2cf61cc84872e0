"""Every head against the published formulas, value by value, and what all heads have in common."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from core.errors import ConfigError
from core.models.outputs import Encoded
from core.models.systems.build import build_head, head_options
from core.models.systems.head import LOSS_LOGITS, HeadSizes, Variant
from core.models.systems.registry import SYSTEMS
from tests.models.systems.material import (
    CLASSES,
    SIZES,
    SPEECH,
    TEXT,
    encoded,
    sizes_of,
    small_head,
    taken_by,
    utterances,
)
from tests.models.systems.reference import FORMULAS, published_mlp_mixer, state_of

NAMES = sorted(SYSTEMS)
VARIANTS = list(Variant)


def test_every_system_has_a_formula() -> None:
    assert set(FORMULAS) == set(SYSTEMS)


@pytest.mark.parametrize("name", NAMES)
def test_a_head_computes_the_published_formula(name: str) -> None:
    speech, text = utterances()
    head = small_head(name)
    expected = FORMULAS[name](state_of(head), speech, text)
    with torch.no_grad():
        output = head(*taken_by(name, speech, text))
    np.testing.assert_allclose(output.logits, expected.logits, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(output.arousal, expected.arousal, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(output.valence, expected.valence, rtol=1e-5, atol=1e-5)
    if expected.feature is not None:
        np.testing.assert_allclose(output.attentions["feature"], expected.feature, atol=1e-6)


def test_the_published_mixer_averages_padding_too() -> None:
    speech, text = utterances()
    head = small_head("mlp_mixer", Variant.PAPER)
    expected = published_mlp_mixer(state_of(head), speech, text)
    with torch.no_grad():
        output = head(speech, text)
    np.testing.assert_allclose(output.logits, expected.logits, rtol=1e-5, atol=1e-5)
    corrected = FORMULAS["mlp_mixer"](state_of(head), speech, text)
    assert not np.allclose(corrected.logits, expected.logits, atol=1e-3)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_heads_without_affect_leave_it_out(name: str, variant: Variant) -> None:
    head = small_head(name, variant, replace(SIZES, affect=False))
    output = head(*taken_by(name, *utterances()))
    assert output.arousal is None
    assert output.valence is None
    assert not [n for n, _ in head.named_parameters() if "affect" in n]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_one_utterance_gets_what_it_gets_among_others(name: str, variant: Variant) -> None:
    """Also: a row does not depend on its batch, and B = 1 keeps its first axis."""
    speech, text = utterances()
    head = small_head(name, variant)
    together = head(*taken_by(name, speech, text))
    alone = head(*taken_by(name, first(speech), first(text)))
    assert alone.logits.shape == (1, CLASSES)
    assert torch.allclose(alone.logits[0], together.logits[0], atol=1e-5)
    assert torch.allclose(alone.arousal[0], together.arousal[0], atol=1e-5)


def first(encoded: Encoded) -> Encoded:
    return Encoded(encoded.sequence[:1], encoded.mask[:1], encoded.pooled[:1], encoded.logits[:1])


@pytest.mark.parametrize("name", NAMES)
def test_padding_changes_nothing(name: str) -> None:
    """Of what an encoder made of padding a corrected head sees neither how much nor what."""
    speech, text = utterances()
    head = small_head(name)
    output = head(*taken_by(name, speech, text))
    noisy = head(*taken_by(name, _padded(speech, 4, 1e3), _padded(text, 9, float("nan"))))
    assert torch.allclose(noisy.logits, output.logits, atol=1e-5)
    assert torch.allclose(noisy.valence, output.valence, atol=1e-5)


def _padded(encoded: Encoded, more: int, value: float) -> Encoded:
    sequence = encoded.sequence.masked_fill(~encoded.mask[..., None], value)
    return replace(
        encoded,
        sequence=F.pad(sequence, (0, 0, 0, more), value=value),
        mask=F.pad(encoded.mask, (0, more)),
    )


def test_the_mixer_cuts_what_is_longer_than_its_positions() -> None:
    head = small_head("mlp_mixer")
    speech, text = encoded(SPEECH, (20, 14), 20, 0), encoded(TEXT, (11, 8), 11, 1)
    cut = head(_cut(speech, 9), _cut(text, 6))
    assert torch.allclose(head(speech, text).logits, cut.logits, atol=1e-6)


def _cut(encoded: Encoded, length: int) -> Encoded:
    cut = replace(encoded, sequence=encoded.sequence[:, :length])
    return replace(cut, mask=encoded.mask[:, :length])


@pytest.mark.parametrize("name", [n for n in NAMES if n != "mlp_mixer"])
def test_heads_of_pooled_vectors_need_no_sequence(name: str) -> None:
    speech, text = utterances()
    head = small_head(name)
    whole = head(*taken_by(name, speech, text))
    pooled = head(*taken_by(name, _cut(speech, 0), _cut(text, 0)))
    assert torch.equal(pooled.logits, whole.logits)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_gradients_reach_every_parameter(name: str, variant: Variant) -> None:
    head = small_head(name, variant)
    output = head(*taken_by(name, *utterances(8)))
    logits = output.auxiliary.get(LOSS_LOGITS, output.logits)
    (logits.square().sum() + output.arousal.sum() + output.valence.square().sum()).backward()
    missed = [n for n, p in head.named_parameters() if p.grad is None]
    assert not missed
    still = [n for n, p in head.named_parameters() if not p.grad.any()]
    # one key for all features shifts every score of a row alike, which the softmax takes out
    assert all(n.endswith("key.bias") for n in still)


@pytest.mark.parametrize("name", NAMES)
def test_a_few_steps_lower_the_loss(name: str) -> None:
    torch.manual_seed(0)
    head = small_head(name).train()
    speech, text = taken_by(name, *utterances(24))
    truth = torch.randint(CLASSES, (24,))
    optimizer = torch.optim.AdamW(head.parameters(), lr=3e-3)

    def loss() -> torch.Tensor:
        return F.cross_entropy(head(speech, text).logits, truth)

    before = float(loss().detach())
    for _ in range(40):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
    assert float(loss().detach()) < 0.9 * before


@pytest.mark.parametrize("name", NAMES)
def test_heads_run_in_bfloat16(name: str) -> None:
    head = small_head(name)
    speech, text = taken_by(name, *utterances())
    plain = head(speech, text).logits.detach()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = head(speech, text)
    assert torch.allclose(mixed.logits.float(), plain, atol=0.1 * float(plain.abs().max()))
    mixed.logits.float().sum().backward()


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_modality_is_refused(name: str) -> None:
    head = small_head(name)
    with pytest.raises(ValueError, match="needs"):
        head(None, None)


@pytest.mark.parametrize("name", NAMES)
def test_options_have_their_published_values_and_no_others_are_taken(name: str) -> None:
    sizes = replace(sizes_of(name, HeadSizes(SPEECH, TEXT, CLASSES)))
    with pytest.raises(ConfigError, match="has no option wings"):
        build_head(name, sizes, options={"wings": 2})
    assert "sizes" not in head_options(name)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("late", {"average": "medians"}),
        ("hybrid", {"voting": "by hand"}),
        ("hybrid", {"voters": {"rsa": {}}}),
        ("stack", {"samples": 0}),
        ("residual", {"dropout": 3.0}),
        ("residual", {"hidden": "wide"}),
    ],
)
def test_options_that_make_no_sense_are_refused(name: str, options: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        build_head(name, HeadSizes(SPEECH, TEXT, CLASSES), options=options)


@pytest.mark.parametrize(("speech", "text"), [(0, TEXT), (SPEECH, 0)])
def test_a_system_without_its_modality_is_refused(speech: int, text: int) -> None:
    with pytest.raises(ConfigError, match="needs"):
        build_head("early", HeadSizes(speech, text, CLASSES))
