"""Saving and loading the checkpoint directory of a voice network.

Importing this module is cheap: torch comes in when weights are written or read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from core.models.checkpoint_folder import replacing, write_papers
from core.models.manifest import WEIGHTS, error_of, file_problems, hash_files, write_config
from core.models.voices.clustering import ClusteringConfig
from core.models.voices.front_end import VoiceFrontEnd, VoiceFrontEndConfig
from core.models.voices.manifest import VoiceInfo, read_voice_info

if TYPE_CHECKING:
    from core.models.voices.network import VoiceNetwork

__all__ = [
    "LoadedVoices",
    "VoiceInfo",
    "load_voice_checkpoint",
    "read_voice_info",
    "save_voice_checkpoint",
]


@dataclass(frozen=True, slots=True)
class LoadedVoices:
    """A verified voice network in evaluation mode on the CPU, in fp32, and its front end."""

    model: VoiceNetwork
    front_end: VoiceFrontEnd
    info: VoiceInfo


def save_voice_checkpoint(
    directory: Path | str,
    model: VoiceNetwork,
    *,
    name: str,
    front_end: VoiceFrontEndConfig,
    clustering: ClusteringConfig,
    experimental: bool,
    training: Mapping[str, Any],
    metrics: Mapping[str, Any],
    card: str,
    version: str = "1",
) -> VoiceInfo:
    """Write a voice checkpoint (weights in fp16), whole or not at all; one there is replaced.

    Args:
        directory: where; its parent is created.
        model: trained. front_end: the one it was trained with.
        name: shown to people; `version` tells trainings of one name apart.
        clustering: thresholds that were fitted for these weights.
        experimental: whether it is too often wrong to be on by default.
        training: resolved configuration, and what the weights were trained on.
        metrics: what was measured. card: the model card in Markdown.

    Raises:
        CheckpointError: a weight is not finite, or too large for fp16.
    """
    from core.models.stored_weights import write_weights

    target = Path(directory)
    with replacing(target) as folder:
        write_weights(model, folder / WEIGHTS, half=True)
        write_papers(folder, training, metrics, card)
        write_config(
            VoiceInfo(
                path=folder,
                name=name,
                version=version,
                model_config=MappingProxyType(model.config.to_dict()),
                front_end=front_end,
                clustering=clustering,
                experimental=experimental,
                files=MappingProxyType(hash_files(folder)),
            )
        )
    return read_voice_info(target)


def load_voice_checkpoint(directory: Path | str) -> LoadedVoices:
    """Verify a voice checkpoint and build its network.

    Raises:
        CheckpointError: it holds no voice network; or naming every file that is missing, damaged or
            a pickle and every weight that is missing, unexpected, of the wrong shape, or not
            finite.
    """
    from core.models.stored_weights import build, load_weights

    info = read_voice_info(directory)
    problems = file_problems(info)
    model = build(lambda: _untrained(info), problems, info.path / WEIGHTS)
    if model is not None:
        problems += load_weights(model, info.path / WEIGHTS)
    if problems or model is None:
        raise error_of(info.path, problems)
    return LoadedVoices(model.eval().requires_grad_(False), VoiceFrontEnd(info.front_end), info)


def _untrained(info: VoiceInfo) -> VoiceNetwork:
    from core.models.voices.network import VoiceNetwork, VoiceNetworkConfig

    return VoiceNetwork(VoiceNetworkConfig(**info.model_config))
