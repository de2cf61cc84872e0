"""The trained speech encoder as a folder: encoder.json, encoder.safetensors and its processor."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors.torch import load_file, save_file

from core.errors import CheckpointError
from core.models.encoders.speech import SpeechEncoder, SpeechEncoderConfig
from core.models.processor import Processor

CONFIG, WEIGHTS = "encoder.json", "encoder.safetensors"


def save_speech_encoder(folder: Path, encoder: SpeechEncoder, processor: Processor) -> None:
    """Write an encoder with the feature settings and statistics it was trained with."""
    processor.save(folder)
    text = json.dumps(encoder.config.to_dict(), indent=2) + "\n"
    (folder / CONFIG).write_text(text, encoding="utf-8", newline="\n")
    save_file({k: v.contiguous() for k, v in encoder.state_dict().items()}, folder / WEIGHTS)


def load_speech_encoder(folder: Path) -> tuple[SpeechEncoder, Processor]:
    """Read what `save_speech_encoder` wrote, in evaluation mode. Raises CheckpointError."""
    processor = Processor.load(folder)
    try:
        values = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        encoder = SpeechEncoder(SpeechEncoderConfig(**values))
        encoder.load_state_dict(load_file(folder / WEIGHTS))
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        raise CheckpointError(f"{folder} holds no usable speech encoder ({error}).") from error
    return encoder.eval(), processor
