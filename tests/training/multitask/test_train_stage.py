"""One stage: what trains changes, what is frozen does not, and heads go on where they can."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from core.errors import ConfigError
from core.models.adapters import adapter_names
from core.models.adapters.config import AdapterConfig
from core.models.adapters.injection import original_state
from core.models.two_stage import HEAD_PREFIXES, TwoStageModel
from tests.training.multitask.small_run import ADAPTERS, TRAINER, config_of, prepared
from training import onednn_products
from training.multitask.config import MultiTaskConfig, TrainingStage
from training.multitask.freezing import choose_trained, encoder_is_frozen
from training.multitask.judging import figures
from training.multitask.model import stage_model, state_of
from training.multitask.training import TrainedStage, judge_part, train_stage
from training.progress import Reporter

SILENT = Reporter(silent=True)
KINDS = ("pretrained", "compact")


class Setting:
    """A configuration with its data, and what its stages gave."""

    def __init__(self, kind: str, tones: Path, encoder: Path) -> None:
        self.config = config_of(encoder if kind == "pretrained" else None)
        self.data, self.encoders, self.source = prepared(self.config, tones)

    def train(self, stage: TrainingStage, start: nn.Module | None = None) -> TrainedStage:
        begin = start or self.encoders.speech
        assert begin is not None
        return train_stage(self.config, stage, self.data, self.source, begin, None, SILENT)

    def model(self, start: nn.Module | None = None, **changes: Any) -> TwoStageModel:
        stage = replace(self.config.stages[1], **changes)
        begin = start or self.encoders.speech
        assert begin is not None
        return stage_model(self.config, stage, self.data, begin)


@pytest.fixture(scope="module", params=KINDS)
def setting(request: pytest.FixtureRequest, tones: Path, encoder: Path) -> Setting:
    return Setting(request.param, tones, encoder)


@pytest.fixture(scope="module")
def first(setting: Setting) -> TrainedStage:
    return setting.train(setting.config.stages[0])


@pytest.fixture(scope="module")
def second(setting: Setting, first: TrainedStage) -> TrainedStage:
    return setting.train(setting.config.stages[1], first.model)


def differing(one: dict[str, Tensor], other: dict[str, Tensor]) -> set[str]:
    assert one.keys() == other.keys()
    return {name for name in one if not torch.equal(one[name], other[name])}


def test_stage_two_leaves_every_weight_and_buffer_of_the_encoder_as_it_was(
    first: TrainedStage, second: TrainedStage
) -> None:
    before = first.model.speech.state_dict()
    assert differing(before, original_state(second.model.speech)) == set()


def test_stage_two_trains_all_adapters_and_heads(setting: Setting, second: TrainedStage) -> None:
    untrained = state_of(setting.model())
    trained = state_of(second.model)
    own = adapter_names(second.model) | {n for n in trained if n.startswith(HEAD_PREFIXES)}
    assert adapter_names(second.model)
    assert differing(untrained, trained) >= own
    assert encoder_is_frozen(second.model)


def test_stage_one_trains_the_encoder_too(setting: Setting, first: TrainedStage) -> None:
    assert setting.encoders.speech is not None
    before = setting.encoders.speech.state_dict()
    assert len(differing(before, first.model.speech.state_dict())) > len(before) / 2
    assert not encoder_is_frozen(first.model)


def test_a_stage_leaves_what_it_starts_from_as_it_was(
    setting: Setting, first: TrainedStage
) -> None:
    before = state_of(first.model)
    setting.train(replace(setting.config.stages[1], trains=("all",)), first.model)
    assert differing(before, state_of(first.model)) == set()


def test_every_task_is_judged(setting: Setting, first: TrainedStage, second: TrainedStage) -> None:
    def found(trained: TrainedStage) -> dict[str, float]:
        test = setting.data.parts.test
        said = judge_part(trained.model, setting.config, setting.data, setting.source, test)
        return figures(said, setting.data)

    assert found(first).keys() == {"ua", "wa", "wer", "cer"}
    assert found(second).keys() == {"ua", "wa", "gender", "style"}
    row = second.outcome.history[-1]
    assert {"loss", "train_loss", "train_scl_cos", *found(second)} <= row.keys()


def test_the_same_training_gives_the_same_bits(
    setting: Setting, first: TrainedStage, second: TrainedStage
) -> None:
    again = setting.train(setting.config.stages[1], first.model)
    assert differing(state_of(second.model), state_of(again.model)) == set()


@pytest.mark.skipif(
    not torch.backends.mkldnn.is_available(),  # type: ignore[no-untyped-call]
    reason="this PyTorch was built without oneDNN",
)
def test_linear_layers_by_onednn_learn_what_those_of_torch_do(
    setting: Setting, first: TrainedStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[bool] = []
    linear = onednn_products.linear

    def noted(*given: Tensor) -> Tensor:
        taken.append(torch.is_grad_enabled())
        return linear(*given)

    monkeypatch.setattr(onednn_products, "linear", noted)
    ours = setting.train(setting.config.stages[1], first.model)
    assert taken
    assert all(taken)  # judging is left as it is
    taken.clear()
    monkeypatch.setattr(onednn_products, "LEAST_WORK", math.inf)
    theirs = setting.train(setting.config.stages[1], first.model)
    assert not taken
    for row, other in zip(ours.outcome.history, theirs.outcome.history, strict=True):
        assert row["train_loss"] == pytest.approx(other["train_loss"], rel=1e-5)


def test_new_adapters_say_what_the_start_said(setting: Setting, first: TrainedStage) -> None:
    model = setting.model(first.model, dropout=0.0).eval()
    test = setting.data.parts.test
    ours = judge_part(model, setting.config, setting.data, setting.source, test)
    theirs = judge_part(first.model, setting.config, setting.data, setting.source, test)
    assert abs(ours.logits - theirs.logits).max() < 1e-5  # its emotion head goes on, too


def test_heads_of_other_classes_are_new(setting: Setting, first: TrainedStage) -> None:
    system = replace(setting.data.system, classes=("a", "b", "c", "d"))
    other = replace(setting.data, system=system)
    model = stage_model(setting.config, setting.config.stages[1], other, first.model)
    name = "classifiers.emotion.1.weight"
    assert not torch.equal(model.state_dict()[name], first.model.state_dict()[name])


def test_frozen_parts_stay_in_evaluation_mode(setting: Setting) -> None:
    model = setting.model()
    choose_trained(model, ("heads",))
    model.train()
    assert not any(module.training for module in model.speech.modules())
    assert model.classifiers.training


def test_the_start_of_a_name_trains_what_begins_so(setting: Setting) -> None:
    model = setting.model()
    chosen = next(name for name, _ in model.named_parameters() if name.startswith("speech."))
    choose_trained(model, ("heads", chosen))
    assert {n for n, p in model.named_parameters() if p.requires_grad} == {
        n for n, _ in model.named_parameters() if n.startswith(HEAD_PREFIXES)
    } | {chosen}
    assert not encoder_is_frozen(model)


def test_an_unknown_name_is_refused_with_what_there_is(setting: Setting) -> None:
    model = setting.model(adapters=None)
    with pytest.raises(ConfigError, match=r"'speech\.magic'.*heads.*classifiers\.emotion"):
        choose_trained(model, ("speech.magic",))


def test_adapters_that_are_not_there_can_not_be_trained(setting: Setting) -> None:
    with pytest.raises(ConfigError, match="nothing called 'adapters'"):
        choose_trained(
            setting.model(adapters=None, task_adapter=0, losses={"emotion": 1.0}), ("adapters",)
        )


def test_adapters_go_on_and_others_are_refused(setting: Setting, second: TrainedStage) -> None:
    model = setting.model(second.model, adapters=None)
    assert differing(state_of(second.model), state_of(model)) == set()
    other = AdapterConfig(lora=None, bottleneck=ADAPTERS.bottleneck)
    with pytest.raises(ConfigError, match="'second' asks for other adapters"):
        setting.model(second.model, adapters=other)


def test_groups_learn_at_their_own_rates(setting: Setting) -> None:
    slow = replace(TRAINER, rates={"speech.": 1e-12}, weight_decay=0.0, ema_decay=0.0)
    stage = replace(setting.config.stages[0], trainer=slow)
    trained = setting.train(stage).model
    assert setting.encoders.speech is not None
    before = {f"speech.{n}": t for n, t in setting.encoders.speech.named_parameters()}
    for name, tensor in trained.named_parameters():
        if name in before:
            assert float((tensor - before[name]).detach().abs().max()) < 1e-6, name


def test_kept_convolutions_give_the_same_training(tones: Path, encoder: Path) -> None:
    setting = Setting("pretrained", tones, encoder)
    assert setting.encoders.speech is not None
    stage = replace(
        setting.config.stages[1], adapters=None, trains=("heads", "speech.model.encoder")
    )
    plain = setting.train(stage)
    kept = setting.train(replace(stage, keeps_convolved=True))
    ours, theirs = state_of(kept.model), state_of(plain.model)
    assert max(float((ours[n] - theirs[n]).abs().max()) for n in ours) < 1e-3
    for name in ("loss", "ua", "gender"):
        rows = kept.outcome.history[-1], plain.outcome.history[-1]
        assert rows[0][name] == pytest.approx(rows[1][name], abs=1e-3)


def test_convolutions_that_train_or_are_not_there_can_not_be_kept(setting: Setting) -> None:
    stage = replace(setting.config.stages[0], keeps_convolved=True)
    with pytest.raises(ConfigError, match=r"while they train|wav2vec 2\.0, HuBERT and WavLM only"):
        setting.train(stage)


def config_with(first: dict[str, Any]) -> MultiTaskConfig:
    return config_of(None, stages=(TrainingStage("one", TRAINER, **first),))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"losses": {"magic": 1.0}}, "no magic"),
        ({"losses": {"emotion": 1.0, "scl_cos": 0.1}}, "task_adapter above 0"),
        ({"fusion": True}, "fusion needs"),
        ({"trains": ()}, "must name something"),
        ({"dropout": 1.0}, "dropout"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        config_with(options)


def test_names_of_stages_are_names_of_folders_and_differ() -> None:
    with pytest.raises(ValueError, match="name of a folder"):
        TrainingStage("../up", TRAINER)
    with pytest.raises(ValueError, match="same name"):
        config_of(None, stages=(TrainingStage("one", TRAINER),) * 2)
