"""What a voice checkpoint says about itself, read without importing torch.

The directory has `config.json`, `model.safetensors`, `training.yaml`, `metrics.json` and the card
`README.md`, verified like the other checkpoints (see `core.models.manifest`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.models.manifest import (
    FORMAT_VERSION,
    VOICES,
    WEIGHTS,
    listed_files,
    read_manifest,
)
from core.models.speech_features import SpeechFeatureConfig
from core.models.voices.clustering import ClusteringConfig
from core.models.voices.front_end import VoiceFrontEndConfig


@dataclass(frozen=True, slots=True)
class VoiceInfo:
    """What a voice checkpoint says about itself; `digest` is the sha256 of its weights (hex).

    experimental: its card says that it is often wrong; it is off unless somebody wants it.
    """

    path: Path
    name: str
    version: str
    model_config: Mapping[str, Any]
    front_end: VoiceFrontEndConfig
    clustering: ClusteringConfig
    experimental: bool
    files: Mapping[str, str]

    @property
    def digest(self) -> str:
        """Identify the weights."""
        return self.files[WEIGHTS]

    def to_dict(self) -> dict[str, Any]:
        """Return the content of config.json."""
        return {
            "format_version": FORMAT_VERSION,
            "kind": VOICES,
            "name": self.name,
            "version": self.version,
            "model": dict(self.model_config),
            "front_end": self.front_end.to_dict(),
            "clustering": self.clustering.to_dict(),
            "experimental": self.experimental,
            "files": dict(self.files),
        }


def read_voice_info(directory: Path | str) -> VoiceInfo:
    """Read config.json; no file is verified. Raises CheckpointError."""
    return read_manifest(directory, VOICES, _parse)


def _parse(path: Path, config: Mapping[str, Any]) -> VoiceInfo:
    front_end = dict(config["front_end"])
    speech = SpeechFeatureConfig(**front_end.pop("speech"))
    return VoiceInfo(
        path=path,
        name=str(config["name"]),
        version=str(config["version"]),
        model_config=dict(config["model"]),
        front_end=VoiceFrontEndConfig(speech=speech, **front_end),
        clustering=ClusteringConfig.from_dict(config["clustering"]),
        experimental=bool(config["experimental"]),
        files=listed_files(config),
    )
