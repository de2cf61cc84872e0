"""What a dialogue checkpoint says about itself, read without importing torch.

It is a directory as `core.models.manifest` describes it, with `kind: dialogue`, a
DialogueSpecification, one temperature instead of a calibration, and no processor: its inputs are
the features of a checkpoint of utterances.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from core.models.context.specification import DialogueSpecification
from core.models.manifest import (
    DIALOGUES,
    FORMAT_VERSION,
    WEIGHTS,
    listed_files,
    read_manifest,
)


@dataclass(frozen=True, slots=True)
class DialogueInfo:
    """What a dialogue checkpoint says about itself.

    Attributes:
        path: its directory.
        name: shown to people; `version` tells trainings of one name apart.
        architecture: its name in `core.models.context.registry`.
        specification: what goes in and what comes out.
        model_config: what `DialogueModel.from_config` takes.
        temperature: logits are divided by it before the softmax.
        files: POSIX path below `path` -> sha256 (hex).
    """

    path: Path
    name: str
    version: str
    architecture: str
    specification: DialogueSpecification
    model_config: Mapping[str, Any]
    temperature: float
    files: Mapping[str, str]

    @property
    def digest(self) -> str:
        """Identify the weights."""
        return self.files[WEIGHTS]

    def to_dict(self) -> dict[str, Any]:
        """Return the content of config.json."""
        return {
            "format_version": FORMAT_VERSION,
            "kind": DIALOGUES,
            "name": self.name,
            "version": self.version,
            "architecture": self.architecture,
            "model": dict(self.model_config),
            "specification": self.specification.to_dict(),
            "temperature": self.temperature,
            "files": dict(self.files),
        }


def read_dialogue_info(folder: Path | str) -> DialogueInfo:
    """Read config.json, fast enough to list checkpoints in a window; no file is verified.

    Raises:
        CheckpointError: there is no config, it can't be read, its format is unknown, or it holds
            no dialogue model.
    """
    return read_manifest(folder, DIALOGUES, _parse)


def _parse(path: Path, config: Mapping[str, Any]) -> DialogueInfo:
    return DialogueInfo(
        path=path,
        name=str(config["name"]),
        version=str(config["version"]),
        architecture=str(config["architecture"]),
        specification=DialogueSpecification.from_dict(config["specification"]),
        model_config=MappingProxyType(dict(config["model"])),
        temperature=checked_temperature(config.get("temperature", 1.0)),
        files=listed_files(config),
    )


def checked_temperature(value: Any) -> float:
    """Return a temperature. Raises ValueError unless it is a finite number above zero."""
    found = float(value)
    if not math.isfinite(found) or found <= 0:
        raise ValueError(f"the temperature must be a number above zero, not {value!r}")
    return found
