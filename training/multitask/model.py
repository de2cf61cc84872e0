"""The model of a stage: an encoder or what an earlier stage left, with this stage's heads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from core.errors import ConfigError
from core.models.adapters import attach, config_of
from core.models.adapters.config import AdapterConfig
from core.models.encoders.build import build_speech_encoder
from core.models.two_stage import TwoStageModel, make_specification
from core.models.two_stage_config import (
    EMOTION,
    GENDER,
    RECOGNITION,
    STYLE,
    TaskHeads,
    TwoStageConfig,
)
from training.multitask.config import MultiTaskConfig, TrainingStage
from training.multitask.data import TaskData

_CLASSES = {GENDER: "gender", STYLE: "style", RECOGNITION: "symbols"}
_READ_BY_NAME = ("task_adapters.", "classifiers.")


def stage_model(
    config: MultiTaskConfig, stage: TrainingStage, data: TaskData, start: nn.Module
) -> TwoStageModel:
    """Return the model that a stage trains; `start` stays as it is.

    Heads and adapters after pooling that an earlier stage has trained, for the same classes and of
    the same shape, go on from there; all others are new.

    Args:
        start: a speech encoder, or the model of an earlier stage.

    Raises:
        ConfigError: adapters of another kind are there already, or the encoder takes none.
    """
    earlier = start if isinstance(start, TwoStageModel) else None
    torch.manual_seed(stage.trainer.seed)
    speech = copy_of(start if earlier is None else earlier.speech)
    adapters = _adapters(stage, speech)
    described = TwoStageConfig(_config(speech), heads_of(config, stage, data), adapters)
    model = TwoStageModel(make_specification(data.classes), described, speech=speech)
    if earlier is not None:
        _go_on(model, earlier)
    return model


def heads_of(config: MultiTaskConfig, stage: TrainingStage, data: TaskData) -> TaskHeads:
    """Return the heads of a stage: of the tasks that its losses name."""
    return TaskHeads(
        gender=data.gender if GENDER in stage.losses else (),
        style=data.style if STYLE in stage.losses else (),
        symbols=data.symbols if RECOGNITION in stage.losses else (),
        steps=config.vocabulary.steps,
        adapter=stage.task_adapter,
        fusion=stage.fusion,
        dropout=stage.dropout,
    )


def copy_of(encoder: nn.Module) -> nn.Module:
    """Return an encoder with the same weights and adapters, none of them shared."""
    made = build_speech_encoder(_config(encoder))
    adapters = config_of(encoder)
    if adapters is not None:
        attach(made, adapters)
    made.load_state_dict(encoder.state_dict())
    return made


def _config(encoder: nn.Module) -> Mapping[str, Any]:
    found: Mapping[str, Any] = encoder.config()  # type: ignore[operator]
    return found


def _adapters(stage: TrainingStage, speech: nn.Module) -> AdapterConfig | None:
    there = config_of(speech)
    if there is None:
        return stage.adapters
    if stage.adapters not in (None, there):
        raise ConfigError(
            f"The stage {stage.name!r} asks for other adapters than what it starts from has.",
            "Leave its adapters out to go on with those, or start from a stage without.",
        )
    return there


def _go_on(model: TwoStageModel, earlier: TwoStageModel) -> None:
    """Take over what an earlier stage has learnt in heads that mean the same."""
    own = model.state_dict()
    found = {
        name: tensor
        for name, tensor in earlier.state_dict().items()
        if name in own and own[name].shape == tensor.shape and _same_meaning(name, model, earlier)
    }
    model.load_state_dict({name: t for name, t in found.items() if _is_head(name)}, strict=False)


def _is_head(name: str) -> bool:
    return not name.startswith("speech.")


def _same_meaning(name: str, model: TwoStageModel, earlier: TwoStageModel) -> bool:
    """Tell whether the classes behind a weight of a head are the same in both models."""
    task = name.split(".")[1] if name.startswith(_READ_BY_NAME) else RECOGNITION
    return bool(_classes(model, task) == _classes(earlier, task))


def _classes(model: TwoStageModel, task: str) -> tuple[str, ...]:
    if task == EMOTION:
        return model.specification.labels
    found: tuple[str, ...] = getattr(model.architecture.heads, _CLASSES[task])
    return found


def state_of(model: nn.Module) -> dict[str, Tensor]:
    """Return copies of all weights and buffers, on the CPU."""
    return {name: t.detach().to("cpu", copy=True) for name, t in model.state_dict().items()}
