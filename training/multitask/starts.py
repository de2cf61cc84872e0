"""What a stage starts from: the pretrained encoder, an earlier stage, or any checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from core.errors import CheckpointError, ConfigError
from core.models.adapters.bases import speech_encoder_of
from core.models.adapters.checkpoint import load_adapter_checkpoint
from core.models.checkpoint import LoadedModel, load_checkpoint
from core.models.encoders.build import build_speech_encoder
from core.models.encoders.hub import model_folder
from core.models.manifest import CheckpointInfo, read_info
from core.models.processor_loading import AnyProcessor
from core.models.two_stage import TwoStageModel
from core.resources import embedded_checkpoint
from training import trained_on
from training.evaluation.seen import as_training
from training.multitask.config import MultiTaskConfig, TrainingStage
from training.system_encoders import EMBEDDED, Encoders, load_chosen

CHECKPOINT = "checkpoint"


@dataclass(frozen=True)
class Start:
    """What a stage starts from.

    Attributes:
        module: a speech encoder, or the model of an earlier stage.
        processor: which it is fed by.
        base: folder with the very weights of the encoder; None: there is none on disk.
        digest: sha256 of the checkpoint; empty for an encoder without one.
        seen: what these weights were trained on, for `trained_on`.
    """

    module: nn.Module
    processor: AnyProcessor
    base: Path | None
    digest: str
    seen: Mapping[str, Any]


def first_encoders(config: MultiTaskConfig) -> Encoders:
    """Load the encoder that stages start from which name nothing else; with `fresh` its weights
    are drawn anew.

    Raises:
        CheckpointError: it can't be had or used. ConfigError: an option makes no sense.
    """
    found = load_chosen(config.encoder, None)
    if not config.fresh:
        return found
    assert found.speech is not None
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.stages[0].trainer.seed)
        drawn = build_speech_encoder(found.speech.config())  # type: ignore[operator]
    return Encoders(drawn, None, found.processor)


def open_start(
    config: MultiTaskConfig, stage: TrainingStage, folder: Path, encoders: Encoders
) -> Start:
    """Open what a stage starts from.

    Args:
        folder: of the run; every stage has a subfolder of its name.
        encoders: what `first_encoders` returned.

    Raises:
        CheckpointError: it is not there, damaged, or its sha256 is not the one in `digest`.
    """
    if not stage.starts_from:
        assert encoders.speech is not None
        base, seen = _pretrained(config)
        return Start(encoders.speech, encoders.processor, base, "", seen)
    earlier = {other.name for other in config.stages}
    path = Path(stage.starts_from).expanduser()
    if stage.starts_from in earlier:
        path = folder / stage.starts_from / CHECKPOINT
    info = read_info(path)
    _check_digest(stage, info)
    loaded = load_checkpoint(path) if info.base is None else _adapted(path)
    module: nn.Module = loaded.model
    if not isinstance(module, TwoStageModel):
        module = speech_encoder_of(module, path)
    seen = trained_on.of_checkpoint(info)
    return Start(module, loaded.processor, path, info.digest, seen)


def _adapted(path: Path) -> LoadedModel:
    return load_adapter_checkpoint(path, trainable=True)


def _check_digest(stage: TrainingStage, info: CheckpointInfo) -> None:
    if stage.digest and info.digest != stage.digest:
        raise CheckpointError(
            f"The stage {stage.name!r} must start from weights of sha256 {stage.digest[:12]}, but"
            f" those in {info.path} have {info.digest[:12]}.",
            "Give the checkpoint that is meant, or correct the stage's digest.",
        )


def _pretrained(config: MultiTaskConfig) -> tuple[Path | None, Mapping[str, Any]]:
    """Return where the first encoder's weights are, and what they were trained on."""
    if config.fresh:
        return None, as_training({}, {})
    name = config.encoder.model
    if config.encoder.kind == "compact":
        folder = embedded_checkpoint() if name == EMBEDDED else Path(name)
        return folder, trained_on.of_folder(folder)
    return model_folder(name), trained_on.of_makers((name,))


def check_starts(config: MultiTaskConfig) -> None:
    """Refuse a stage that starts from itself or from a later one. Raises ConfigError."""
    names = [stage.name for stage in config.stages]
    for place, stage in enumerate(config.stages):
        if stage.starts_from in names[place:]:
            raise ConfigError(
                f"The stage {stage.name!r} can't start from {stage.starts_from!r}, which is trained"
                " after it.",
                "Name an earlier stage, or the folder of a checkpoint.",
            )
