"""Saving and loading a checkpoint directory; its layout is described in `manifest`.

Importing this module is cheap: torch comes in when weights are written or read.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import yaml

from core.errors import CheckpointError, EmoscopeError
from core.models.calibration import Calibration, DoubtLimits
from core.models.encoders.initialisation import weights_follow
from core.models.manifest import (
    CARD,
    METRICS,
    PROCESSOR,
    TRAINING,
    WEIGHTS,
    CheckpointInfo,
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
    from torch import Tensor

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


_NAMED = 8
"""So many weights that do not fit are named, the others counted."""


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
    target = Path(directory)
    with _replacing(target) as folder:
        _write_weights(model, folder / WEIGHTS, half=half)
        processor.save(folder / PROCESSOR)
        _write_papers(folder, training, metrics, card)
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


def _write_papers(
    folder: Path, training: Mapping[str, Any], metrics: Mapping[str, Any], card: str
) -> None:
    """Write what people read about a checkpoint."""
    _write_text(folder / TRAINING, yaml.safe_dump(dict(training), allow_unicode=True))
    _write_text(folder / METRICS, json.dumps(metrics, indent=2, ensure_ascii=False) + "\n")
    _write_text(folder / CARD, card)


@contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    """Yield a new folder beside `target` that takes its place when all went well."""
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        yield folder
        folder.chmod(0o755)
        if target.exists():
            shutil.rmtree(target)
        folder.rename(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _write_weights(model: EmotionModel, path: Path, *, half: bool) -> None:
    from safetensors.torch import save_file

    state = model.state_dict()
    stored = {name: _stored(tensor, half=half) for name, tensor in state.items()}
    if wrong := _not_finite(stored):
        reason = "not finite, or too large for fp16" if half else "not finite"
        raise CheckpointError(f"The model can't be saved: {', '.join(wrong)}: {reason}.")
    save_file(stored, path)


def _stored(tensor: Tensor, *, half: bool) -> Tensor:
    """Return an own, contiguous copy on the CPU (tied weights share memory, which is refused)."""
    copy = tensor.detach().to("cpu", copy=True).contiguous()
    return copy.half() if half and copy.is_floating_point() else copy


def _not_finite(state: Mapping[str, Tensor]) -> list[str]:
    return [n for n, t in state.items() if t.is_floating_point() and not t.isfinite().all()]


def load_checkpoint(directory: Path | str) -> LoadedModel:
    """Verify a checkpoint and build its model, in evaluation mode, on the CPU, in fp32.

    Raises:
        CheckpointError: naming every file that is missing, damaged or a pickle and every weight
            that is missing, unexpected, of the wrong shape, or not finite.
    """
    from core.models.processor_loading import load_processor

    info = read_info(directory)
    problems = file_problems(info)
    model = _build(info, problems)
    processor = None
    try:
        processor = load_processor(info.path / PROCESSOR)
    except (EmoscopeError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        problems.append(f"the processor can't be read ({error})")
    if model is not None:
        problems += _load_weights(model, info.path / WEIGHTS)
    if problems or model is None or processor is None:
        raise error_of(info.path, problems)
    return LoadedModel(model.eval().requires_grad_(False), processor, info)


def _build(info: CheckpointInfo, problems: list[str]) -> EmotionModel | None:
    try:
        found = architecture_class(info.architecture)
        with weights_follow():
            return found.from_config(info.specification, info.model_config)
    except EmoscopeError as error:
        problems.append(error.problem.rstrip("."))
    except (TypeError, ValueError, KeyError, AttributeError, RuntimeError) as error:
        problems.append(f"its model configuration makes no sense ({error})")
    return None


def _load_weights(model: EmotionModel, path: Path) -> list[str]:
    """Copy weights into `model` if all is well; return a phrase for everything that is not."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        stored = load_file(path)
    except (OSError, SafetensorError, ValueError) as error:
        return [f"{path.name} can't be read ({error})"]
    expected = model.state_dict()
    problems = _mismatches(expected, stored)
    if not problems:
        for name, tensor in expected.items():  # each in place: the largest heads fill a gigabyte
            tensor.copy_(stored.pop(name))
    return problems


def _mismatches(expected: Mapping[str, Tensor], stored: Mapping[str, Tensor]) -> list[str]:
    problems = [f"weight {n} is missing" for n in sorted(expected.keys() - stored.keys())]
    problems += [f"weight {n} is unexpected" for n in sorted(stored.keys() - expected.keys())]
    for name in sorted(expected.keys() & stored.keys()):
        wanted, found = expected[name], stored[name]
        if wanted.shape != found.shape:
            shapes = f"{tuple(found.shape)} instead of {tuple(wanted.shape)}"
            problems.append(f"weight {name} has shape {shapes}")
        elif wanted.is_floating_point() != found.is_floating_point():
            problems.append(f"weight {name} has type {found.dtype} instead of {wanted.dtype}")
    return _shortened([*problems, *(f"weight {n} is not finite" for n in _not_finite(stored))])


def _shortened(problems: list[str]) -> list[str]:
    """Name a handful: weights of another model would fill pages."""
    beyond = len(problems) - _NAMED
    return [*problems[:_NAMED], f"{beyond} more weights do not fit"] if beyond > 1 else problems


def read_training(info: CheckpointInfo) -> dict[str, Any]:
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
