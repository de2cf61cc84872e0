"""The model of a system, for training on cached features or end to end, and its sizes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from core.models.outputs import Encoded, ModelInputs
from core.models.specification import Problem
from core.models.speech_text import SpeechTextConfig, SpeechTextModel, make_specification
from core.models.systems.head import Variant
from training.system_config import SystemConfig
from training.system_encoders import Encoders
from training.system_facts import Sizes


class StandIn(nn.Module):
    """Takes the place of a frozen encoder whose features are cached, so that neither its weights
    nor their averages are copied about in training.
    """

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.dim = int(encoder.dim)  # type: ignore[arg-type]

    def config(self) -> dict[str, Any]:
        """A stand-in is never saved."""
        raise NotImplementedError("a stand-in is never saved")

    def forward(self, inputs: ModelInputs) -> Encoded:
        """Features were cached, so nothing is ever encoded."""
        raise NotImplementedError("the features of this encoder are cached")


def build_model(
    config: SystemConfig, encoders: Encoders, classes: Sequence[str]
) -> SpeechTextModel:
    """Return the model with an untrained head, the same for every run of this seed."""
    torch.manual_seed(config.trainer.seed)
    return _model(config, encoders.speech, encoders.text, classes)


def build_stand_in(
    config: SystemConfig, encoders: Encoders, classes: Sequence[str]
) -> SpeechTextModel:
    """Return the same model without its encoders, to train its head on cached features."""
    torch.manual_seed(config.trainer.seed)
    speech = None if encoders.speech is None else StandIn(encoders.speech)
    text = None if encoders.text is None else StandIn(encoders.text)
    return _model(config, speech, text, classes)


def _model(
    config: SystemConfig, speech: nn.Module | None, text: nn.Module | None, classes: Sequence[str]
) -> SpeechTextModel:
    described = SpeechTextConfig(
        config.system, Variant(config.variant), config.affect, dict(config.head)
    )
    specification = make_specification(
        described,
        tuple(classes),
        problem=Problem(config.problem),
        languages=() if config.text is None else config.text.languages,
    )
    return SpeechTextModel(specification, described, speech=speech, text=text)


def with_encoders(
    trained: SpeechTextModel, config: SystemConfig, encoders: Encoders, classes: Sequence[str]
) -> SpeechTextModel:
    """Return a model of the encoders and of what was trained without them."""
    model = _model(config, encoders.speech, encoders.text, classes)
    model.head.load_state_dict(trained.head.state_dict())
    model.probes.load_state_dict(trained.probes.state_dict())
    return model.eval()


def sizes_of(model: nn.Module, head: nn.Module, encoders: Encoders) -> Sizes:
    """Return the parameters of the whole, those trained in `model`, and those of the head."""
    parts = [module for module in (encoders.speech, encoders.text) if module is not None]
    encoding = {id(p): p.numel() for module in parts for p in module.parameters()}
    own = {id(p): p.numel() for p in model.parameters()}
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return Sizes(
        sum({**encoding, **own}.values()), trained, sum(p.numel() for p in head.parameters())
    )
