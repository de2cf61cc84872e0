"""Losses against torch's own, and against the formulas written out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from core.errors import ConfigError
from core.models.outputs import EmotionOutput
from core.models.specification import Problem
from training import config as configuration
from training.data.batch import Targets
from training.losses import EmotionLoss, Group, LossConfig, class_weights, make_loss

ROWS, CLASSES = 12, 5
WEIGHTS = torch.tensor([0.5, 2.0, 1.0, 3.0, 0.25])


def draw(
    seed: int = 0, *, many: bool = False, affect: bool = True
) -> tuple[EmotionOutput, Targets]:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(ROWS, CLASSES, generator=generator) * 2
    chosen = torch.randint(0, CLASSES, (ROWS,), generator=generator)
    labels = F.one_hot(chosen, CLASSES).float()
    if many:
        labels = (torch.rand(ROWS, CLASSES, generator=generator) < 0.4).float()
    both = torch.rand(4, ROWS, generator=generator) * 2 - 1
    output = EmotionOutput(logits, both[0], both[1]) if affect else EmotionOutput(logits)
    return output, Targets(labels, both[2], both[3], torch.ones(ROWS))


def single(config: LossConfig, weights: Tensor | None = None) -> EmotionLoss:
    return make_loss(config, Problem.SINGLE_LABEL, weights)


def multi(config: LossConfig, weights: Tensor | None = None) -> EmotionLoss:
    return make_loss(config, Problem.MULTI_LABEL, weights)


@pytest.mark.parametrize("smoothing", [0.0, 0.15])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_cross_entropy_is_that_of_torch(smoothing: float, weights: Tensor | None) -> None:
    output, targets = draw()
    ours = single(LossConfig(label_smoothing=smoothing), weights)(output, targets)["loss"]
    theirs = F.cross_entropy(
        output.logits, targets.labels.argmax(1), weight=weights, label_smoothing=smoothing
    )
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_the_soft_margin_loss_is_that_of_torch(weights: Tensor | None) -> None:
    output, targets = draw(many=True)
    ours = multi(LossConfig("multilabel_soft_margin"), weights)(output, targets)["loss"]
    theirs = F.multilabel_soft_margin_loss(output.logits, targets.labels, weight=weights)
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_bce_is_that_of_torch(weights: Tensor | None) -> None:
    output, targets = draw(many=True)
    ours = multi(LossConfig("bce"), weights)(output, targets)["loss"]
    theirs = F.binary_cross_entropy_with_logits(output.logits, targets.labels, pos_weight=weights)
    torch.testing.assert_close(ours, theirs)


def test_focal_loss_without_focus_is_cross_entropy() -> None:
    output, targets = draw()
    for smoothing in (0.0, 0.1):
        plain = single(LossConfig(label_smoothing=smoothing), WEIGHTS)
        focal = single(LossConfig("focal", focal_gamma=0.0, label_smoothing=smoothing), WEIGHTS)
        torch.testing.assert_close(focal(output, targets)["loss"], plain(output, targets)["loss"])


def test_focal_loss_is_the_published_formula() -> None:
    output, targets = draw()
    p = output.logits.double().softmax(1)[torch.arange(ROWS), targets.labels.argmax(1)]
    expected = (-((1 - p) ** 2.5) * p.log()).mean()
    ours = single(LossConfig("focal", focal_gamma=2.5))(output, targets)["loss"]
    assert float(ours) == pytest.approx(float(expected), rel=1e-5)


def test_the_focal_loss_of_several_labels_is_the_published_formula() -> None:
    output, targets = draw(many=True)
    p = output.logits.double().sigmoid()
    truth = torch.where(targets.labels > 0, p, 1 - p)
    expected = (-((1 - truth) ** 2) * truth.log()).mean()
    assert float(multi(LossConfig("focal"))(output, targets)["loss"]) == pytest.approx(
        float(expected), rel=1e-5
    )


def test_the_squared_error_is_that_of_torch_in_the_units_of_the_corpus() -> None:
    output, targets = draw()
    ours = single(LossConfig("none", "mse", affect_scale=2.0))(output, targets)
    assert output.arousal is not None
    expected = F.mse_loss(3 + 2 * output.arousal, 3 + 2 * targets.arousal)  # from 1 to 5
    torch.testing.assert_close(ours["arousal"], expected)
    torch.testing.assert_close(ours["loss"], ours["arousal"] + ours["valence"])


def concordance(x: Tensor, y: Tensor) -> float:
    a, b = x.double().numpy(), y.double().numpy()
    covariance = float(np.mean((a - a.mean()) * (b - b.mean())))
    return float(2 * covariance / (a.var() + b.var() + (a.mean() - b.mean()) ** 2))


def test_the_concordance_loss_is_the_published_formula() -> None:
    output, targets = draw()
    ours = single(LossConfig("none", "ccc"))(output, targets)
    assert output.valence is not None
    expected = 1 - concordance(output.valence, targets.valence)
    assert float(ours["valence"]) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("affect", ["mse", "ccc"])
def test_rows_without_arousal_count_nothing(affect: str) -> None:
    output, targets = draw()
    assert output.arousal is not None
    known = torch.arange(ROWS) % 3 != 0
    masked = replace(targets, arousal=torch.where(known, targets.arousal, torch.nan))
    predicted = output.arousal.clone().requires_grad_()
    loss = single(LossConfig("none", affect))
    ours = loss(replace(output, arousal=predicted), masked)["arousal"]
    fewer = Targets(
        *(getattr(targets, n)[known] for n in ("labels", "arousal", "valence", "weights"))
    )
    assert output.valence is not None
    alone = loss(
        EmotionOutput(output.logits[known], output.arousal[known], output.valence[known]), fewer
    )
    torch.testing.assert_close(ours, alone["arousal"])
    torch.autograd.backward(ours)
    assert predicted.grad is not None
    assert predicted.grad[~known].abs().max() == 0
    assert predicted.grad.isfinite().all()


@pytest.mark.parametrize("affect", ["mse", "ccc"])
def test_a_batch_without_any_arousal_is_no_reason_to_stop(affect: str) -> None:
    output, targets = draw()
    assert output.arousal is not None
    nothing = replace(targets, arousal=torch.full((ROWS,), torch.nan))
    predicted = output.arousal.clone().requires_grad_()
    loss = single(LossConfig(affect=affect))(replace(output, arousal=predicted), nothing)
    torch.autograd.backward(loss["loss"])
    assert float(loss["arousal"].detach()) == 0
    assert predicted.grad is not None
    assert predicted.grad.isfinite().all()


def test_row_weights_count_like_repeated_rows() -> None:
    output, targets = draw()
    config = LossConfig(affect="mse")
    twice = torch.cat([torch.arange(ROWS), torch.arange(3)])
    weighted = replace(targets, weights=(torch.arange(ROWS) < 3).float() + 1)
    assert output.arousal is not None
    assert output.valence is not None
    again = EmotionOutput(output.logits[twice], output.arousal[twice], output.valence[twice])
    names = ("labels", "arousal", "valence", "weights")
    repeated = Targets(*(getattr(targets, name)[twice] for name in names))
    loss = single(config, WEIGHTS)
    torch.testing.assert_close(loss(output, weighted)["loss"], loss(again, repeated)["loss"])


@pytest.mark.parametrize(
    ("config", "many"),
    [
        (LossConfig(affect="mse", label_smoothing=0.1), False),
        (LossConfig("focal", "mse"), False),
        (LossConfig("multilabel_soft_margin", "mse"), True),
        (LossConfig("bce", "mse", emotion_weight=0.3), True),
    ],
)
def test_parts_of_a_group_add_up_to_one_batch(config: LossConfig, many: bool) -> None:
    output, targets = draw(many=many)
    targets = replace(targets, arousal=torch.where(torch.arange(ROWS) < 5, torch.nan, 0.3))
    loss = make_loss(config, Problem.MULTI_LABEL if many else Problem.SINGLE_LABEL, WEIGHTS)
    pieces = [torch.arange(0, 7), torch.arange(7, 8), torch.arange(8, ROWS)]
    names = ("labels", "arousal", "valence", "weights")
    parts = [Targets(*(getattr(targets, name)[rows] for name in names)) for rows in pieces]
    own = [loss.normalisers(part) for part in parts]
    group = Group({name: torch.stack([o[name] for o in own]).sum() for name in own[0]})
    total: dict[str, Tensor] = {}
    assert output.arousal is not None
    assert output.valence is not None
    for rows, part in zip(pieces, parts, strict=True):
        piece = EmotionOutput(output.logits[rows], output.arousal[rows], output.valence[rows])
        for name, value in loss(piece, part, group).items():
            total[name] = total.get(name, torch.zeros(())) + value
    whole = loss(output, targets)
    assert total.keys() == whole.keys()
    for name, value in whole.items():
        torch.testing.assert_close(total[name], value)


def test_the_probes_learn_beside_the_system() -> None:
    output, targets = draw()
    speech, text = draw(1)[0], draw(2)[0]
    assert speech.arousal is not None
    assert speech.valence is not None
    auxiliary = {
        "speech_alone": speech.logits,
        "speech_alone_arousal": speech.arousal,
        "speech_alone_valence": speech.valence,
    }
    config = LossConfig(affect="mse", alone_weight=0.5, arousal_weight=2.0)
    loss = single(config)
    found = loss(replace(output, auxiliary=auxiliary), targets)
    system, probe = loss(output, targets)["loss"], loss(speech, targets)["loss"]
    torch.testing.assert_close(found["loss"], system + 0.5 * probe)
    torch.testing.assert_close(found["alone"], probe)
    plain = single(LossConfig())
    both = {"speech_alone": speech.logits, "text_alone": text.logits}
    expected = plain(speech, targets)["loss"] + plain(text, targets)["loss"]
    torch.testing.assert_close(plain(replace(output, auxiliary=both), targets)["alone"], expected)


def test_the_published_softmax_before_the_sigmoid() -> None:
    output, targets = draw(many=True)
    config = LossConfig("multilabel_soft_margin", paper_softmax=True)
    expected = F.multilabel_soft_margin_loss(output.logits.softmax(1), targets.labels)
    torch.testing.assert_close(multi(config)(output, targets)["loss"], expected)


def test_class_weights_are_the_published_formulas() -> None:
    counts = [8, 4, 1]
    labels = F.one_hot(torch.arange(3).repeat_interleave(torch.tensor(counts)), 3).float()
    assert class_weights(labels, "none") is None
    inverse = class_weights(labels, "inverse")
    torch.testing.assert_close(inverse, torch.tensor([13 / (3 * n) for n in counts]))
    effective = class_weights(labels, "effective", beta=0.9)
    assert effective is not None
    raw = torch.tensor([(1 - 0.9) / (1 - 0.9**n) for n in counts])
    torch.testing.assert_close(effective, raw * 3 / raw.sum())
    positive = class_weights(labels, "positive")
    torch.testing.assert_close(positive, torch.tensor([(13 - n) / n for n in counts]))


def test_a_class_that_never_occurs_gets_a_finite_weight() -> None:
    labels = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    for kind in ("inverse", "effective", "positive"):
        weights = class_weights(labels, kind)
        assert weights is not None
        assert weights.isfinite().all()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("emotion: crossentropy", "emotion must be one of"),
        ("emotion: none", "nothing to learn"),
        ("affect: mae", "affect must be one of"),
        ("label_smoothing: 1.0", "label_smoothing"),
        ("arousal_weight: -1", "arousal_weight"),
        ("paper_softmax: true", "paper_softmax"),
        ("class_weights: positive", "bce only"),
        ("{emotion: none, affect: ccc, class_weights: inverse}", "need an emotion loss"),
        ("affect_scale: 0", "affect_scale"),
        ("gamma: 2", "unknown key 'gamma'"),
    ],
)
def test_nonsense_is_refused_before_anything_loads(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "loss.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=words):
        configuration.load(LossConfig, path)


def test_a_loss_for_another_kind_of_problem_is_refused() -> None:
    with pytest.raises(ConfigError, match="single_label"):
        single(LossConfig("multilabel_soft_margin"))
    with pytest.raises(ConfigError, match="multi_label"):
        multi(LossConfig("cross_entropy"))


def test_what_the_model_can_not_give_is_named() -> None:
    output, targets = draw(affect=False)
    with pytest.raises(ConfigError, match="predicts no arousal"):
        single(LossConfig(affect="ccc"))(output, targets)
    with pytest.raises(ConfigError, match="3 class weights for 5"):
        single(LossConfig(), torch.ones(3))(output, targets)
    with pytest.raises(ConfigError, match="no class weights 'rare'"):
        class_weights(targets.labels, "rare")
