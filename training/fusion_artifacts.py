"""What the fusion stage leaves: weights of the fusion head, temperatures, and how it was judged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file

from core.errors import CheckpointError
from core.labels import EMOTIONS
from core.models.bimodal import FusionConfig, FusionHead, fusion_config

WEIGHTS, INFO = "fusion.safetensors", "fusion.json"


@dataclass(frozen=True)
class FusionArtifact:
    """The trained head and, by path of the calibration, temperatures; `info` is for the card."""

    head: FusionHead
    temperatures: Mapping[str, float]
    info: Mapping[str, Any]


def save_fusion(folder: Path, artifact: FusionArtifact) -> None:
    """Write an artifact into a folder."""
    weights = {k: v.contiguous() for k, v in artifact.head.state_dict().items()}
    save_file(weights, folder / WEIGHTS)
    content = {
        "fusion": asdict(artifact.head.config),
        "temperatures": dict(artifact.temperatures),
        **artifact.info,
    }
    (folder / INFO).write_text(json.dumps(content, indent=1), encoding="utf-8")


def load_fusion(folder: Path) -> FusionArtifact:
    """Read what `save_fusion` wrote. Raises CheckpointError."""
    try:
        info = json.loads((folder / INFO).read_text(encoding="utf-8"))
        config: FusionConfig = fusion_config(info.pop("fusion"))
        temperatures = {str(k): float(v) for k, v in info.pop("temperatures").items()}
        head = FusionHead(config, len(EMOTIONS))
        head.load_state_dict(load_file(folder / WEIGHTS))
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise CheckpointError(
            f"The fusion in {folder} can't be read: {error}.", "Train the fusion stage again."
        ) from error
    return FusionArtifact(head.eval(), temperatures, info)
