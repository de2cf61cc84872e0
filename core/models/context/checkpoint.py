"""Saving and loading the checkpoint directory of a dialogue model; see `manifest` for its layout.

Importing this module is cheap: torch comes in when weights are written or read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from core.errors import CheckpointError
from core.models.checkpoint_folder import replacing, write_papers
from core.models.context.manifest import DialogueInfo, checked_temperature, read_dialogue_info
from core.models.context.registry import dialogue_architecture
from core.models.context.specification import DialogueSpecification
from core.models.manifest import WEIGHTS, error_of, file_problems, hash_files, write_config

if TYPE_CHECKING:
    from core.models.context.base import DialogueModel

__all__ = [
    "DialogueInfo",
    "LoadedDialogue",
    "load_dialogue_checkpoint",
    "read_dialogue_info",
    "save_dialogue_checkpoint",
]


@dataclass(frozen=True, slots=True)
class LoadedDialogue:
    """A verified dialogue model in evaluation mode on the CPU, in fp32."""

    model: DialogueModel
    info: DialogueInfo

    @property
    def specification(self) -> DialogueSpecification:
        """What goes in and what comes out."""
        return self.info.specification


def save_dialogue_checkpoint(
    directory: Path | str,
    model: DialogueModel,
    *,
    name: str,
    architecture: str,
    training: Mapping[str, Any],
    metrics: Mapping[str, Any],
    card: str,
    version: str = "1",
    temperature: float = 1.0,
    half: bool = True,
) -> DialogueInfo:
    """Write a dialogue checkpoint, whole or not at all; one that lies there is replaced.

    Args:
        directory: where; its parent is created.
        model: trained; on any device.
        name: shown to people; `version` tells trainings of one name apart.
        architecture: its name in `core.models.context.registry`.
        training: resolved configuration, and what the weights were trained on.
        metrics: what was measured. card: the model card in Markdown.
        temperature: logits are divided by it before the softmax.
        half: store weights in fp16, at half the size; they are loaded as fp32.

    Raises:
        CheckpointError: a weight is not finite, or too large for fp16, or the temperature or the
            architecture makes no sense.
    """
    from core.models.stored_weights import write_weights

    dialogue_architecture(architecture)
    target = Path(directory)
    with replacing(target) as folder:
        write_weights(model, folder / WEIGHTS, half=half)
        write_papers(folder, training, metrics, card)
        write_config(
            DialogueInfo(
                path=folder,
                name=name,
                version=version,
                architecture=architecture,
                specification=model.specification,
                model_config=MappingProxyType(model.config()),
                temperature=_checked(temperature),
                files=MappingProxyType(hash_files(folder)),
            )
        )
    return read_dialogue_info(target)


def _checked(temperature: float) -> float:
    try:
        return checked_temperature(temperature)
    except ValueError as error:
        raise CheckpointError(f"The model can't be saved: {error}.") from error


def load_dialogue_checkpoint(folder: Path | str) -> LoadedDialogue:
    """Verify a dialogue checkpoint and build its model: in evaluation mode, on the CPU, in fp32.

    Raises:
        CheckpointError: it holds no dialogue model; or naming every file that is missing, damaged
            or a pickle and every weight that is missing, unexpected, of the wrong shape, or not
            finite.
    """
    from core.models.stored_weights import build, load_weights

    info = read_dialogue_info(folder)
    problems = file_problems(info)
    model = build(lambda: _untrained(info), problems, info.path / WEIGHTS)
    if model is not None:
        problems += load_weights(model, info.path / WEIGHTS)
    if problems or model is None:
        raise error_of(info.path, problems)
    return LoadedDialogue(model.eval().requires_grad_(False), info)


def _untrained(info: DialogueInfo) -> DialogueModel:
    return dialogue_architecture(info.architecture).from_config(
        info.specification, info.model_config
    )
