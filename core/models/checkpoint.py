"""Saving and loading a checkpoint directory; its layout is described in `manifest`.

Importing this module is cheap: torch comes in when weights are written or read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import yaml

from core.errors import CheckpointError, EmoscopeError
from core.models.calibration import Calibration, DoubtLimits
from core.models.checkpoint_folder import replacing, write_papers
from core.models.manifest import (
    PROCESSOR,
    TRAINING,
    WEIGHTS,
    CheckpointInfo,
    Manifest,
    error_of,
    file_problems,
    hash_files,
    read_info,
    seal,
    write_config,
)
from core.models.registry import architecture_class
from core.models.specification import Specification

if TYPE_CHECKING:
    from core.models.base import EmotionModel
    from core.models.processor import Processor
    from core.models.processor_loading import AnyProcessor

__all__ = [
    "CheckpointInfo",
    "LoadedModel",
    "load_checkpoint",
    "read_info",
    "read_training",
    "save_checkpoint",
    "seal",
]


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A verified model in evaluation mode on the CPU, in fp32, and what belongs to it."""

    model: EmotionModel
    processor: AnyProcessor
    info: CheckpointInfo

    @property
    def specification(self) -> Specification:
        """What goes in and what comes out."""
        return self.info.specification

    @property
    def frame_processor(self) -> Processor:
        """The processor of a model over measured frames. Raises CheckpointError for others."""
        from core.models.processor import Processor

        if not isinstance(self.processor, Processor):
            raise CheckpointError(
                f"The checkpoint {self.info.path} takes samples instead of measured frames.",
                "Score it with the stage that trained it.",
            )
        return self.processor

    @property
    def calibration(self) -> Calibration:
        """How logits become probabilities."""
        return self.info.calibration


def save_checkpoint(
    directory: Path | str,
    model: EmotionModel,
    processor: AnyProcessor,
    *,
    name: str,
    architecture: str,
    training: Mapping[str, Any],
    metrics: Mapping[str, Any],
    card: str,
    version: str = "1",
    calibration: Calibration | None = None,
    limits: DoubtLimits | None = None,
    half: bool = True,
) -> CheckpointInfo:
    """Write a checkpoint, whole or not at all; one that lies at `directory` is replaced.

    LoRA in the model is written merged into its weights; the model itself stays as it is.

    Args:
        directory: where; its parent is created.
        model: trained; on any device.
        processor: the very one the model was trained with.
        name: shown to people; `version` tells trainings of one name apart.
        architecture: its name in the registry.
        training: resolved configuration, and under `trained_on` what the weights saw
            (see `training.evaluation.seen`).
        metrics: what was measured. card: the model card in Markdown.
        half: store weights in fp16, at half the size; they are loaded as fp32.

    Raises:
        CheckpointError: a weight is not finite, or too large for fp16.
    """
    from core.models.adapters import as_merged
    from core.models.stored_weights import write_weights

    target = Path(directory)
    with replacing(target) as folder, as_merged(model):
        write_weights(model, folder / WEIGHTS, half=half)
        processor.save(folder / PROCESSOR)
        write_papers(folder, training, metrics, card)
        info = CheckpointInfo(
            path=folder,
            name=name,
            version=version,
            architecture=architecture,
            specification=model.specification,
            model_config=MappingProxyType(model.config()),
            calibration=calibration or Calibration(),
            limits=limits or DoubtLimits(),
            files=MappingProxyType(hash_files(folder)),
        )
        write_config(info)
    return read_info(target)


def load_checkpoint(directory: Path | str, base: Path | str | None = None) -> LoadedModel:
    """Verify a checkpoint and build its model, in evaluation mode, on the CPU, in fp32.

    Of an adapter the base is found and verified too, and LoRA is merged into its weights.

    Args:
        directory: of the checkpoint, or of an adapter.
        base: where an adapter's base is; None: where it was, or a folder nearby.

    Raises:
        CheckpointError: naming every file that is missing, damaged or a pickle and every weight
            that is missing, unexpected, of the wrong shape, or not finite; or an adapter's base is
            not to be found.
    """
    from core.models.stored_weights import build, load_weights

    info = read_info(directory)
    if info.base is not None:
        from core.models.adapters.checkpoint import load_adapter_checkpoint

        return load_adapter_checkpoint(directory, base)
    problems = file_problems(info)
    model = build(lambda: _untrained(info), problems, info.path / WEIGHTS)
    processor = read_processor(info, problems)
    if model is not None:
        problems += load_weights(model, info.path / WEIGHTS)
    if problems or model is None or processor is None:
        raise error_of(info.path, problems)
    return LoadedModel(model.eval().requires_grad_(False), processor, info)


def read_processor(info: CheckpointInfo, problems: list[str]) -> AnyProcessor | None:
    """Return the processor in a checkpoint's folder, or None and one more of `problems`."""
    from core.models.processor_loading import load_processor

    try:
        return load_processor(info.path / PROCESSOR)
    except (EmoscopeError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        problems.append(f"the processor can't be read ({error})")
        return None


def _untrained(info: CheckpointInfo) -> EmotionModel:
    return architecture_class(info.architecture).from_config(info.specification, info.model_config)


def read_training(info: Manifest) -> dict[str, Any]:
    """Return training.yaml as plain values.

    Raises:
        CheckpointError: it is missing or not a mapping.
    """
    path = info.path / TRAINING
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise CheckpointError(f"{path} can't be read ({error}).") from error
    if not isinstance(values, dict):
        raise CheckpointError(f"{path} is not a mapping.")
    return values
