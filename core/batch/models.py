"""The models of a batch, opened by what the options name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from core.asr.catalog import find_model
from core.errors import ConfigError, RecognitionError
from core.models.manifest import read_info
from core.personal.catalog import find_adapter
from core.pipeline.analyzer import load_analyzer
from core.pipeline.context import DialogueContext
from core.pipeline.dialogue_context import load_context, shipped_context
from core.pipeline.protocols import Analyzer
from core.pipeline.speakers import SpeakerTracker
from core.pipeline.voice_speakers import load_voice_speakers
from core.resources import embedded_checkpoint, voice_checkpoint
from core.types import ModelInfo

NO_WHISPER = "none"
"""What `--whisper` takes that is no model."""

MOST_CONTEXT_TURNS = 256
"""What a dialogue model takes grows with the square of its window; nobody talks of one thing so
long."""


def open_analyzer(
    model: str, device: str = "auto", runtime: str = "auto", personal: str = ""
) -> Analyzer:
    """Return the analyzer of a checkpoint folder, or of the "embedded" one.

    Args:
        model: "embedded" or a folder.
        device: "auto", "cpu" or "cuda".
        runtime: what computes pretrained encoders: "auto", "lossy", or the name of one.
        personal: name or folder of the personal adapter of whoever speaks; empty: none.

    Raises:
        CheckpointError: the folder holds no checkpoint, or the adapter is for another one.
        ConfigError: there is no such runtime, or no such adapter.
    """
    folder = embedded_checkpoint() if model == "embedded" else Path(model)
    adapter = find_adapter(personal, read_info(folder).digest) if personal else None
    return load_analyzer(folder, device, runtime, personal=adapter)


def open_context(wanted: str, model: ModelInfo, turns: int | None = None) -> DialogueContext | None:
    """Return the dialogue model to read turns with, or None.

    Args:
        wanted: "auto", "off", or a checkpoint folder.
        model: the utterance model whose features it gets.
        turns: how many it looks at; None: as many as in its training.

    Raises:
        CheckpointError: the folder named is none of a dialogue model.
        ConfigError: it is to look at no turn, or at too many.
    """
    if turns is not None and turns > MOST_CONTEXT_TURNS:
        raise ConfigError(
            f"A dialogue model can't look at {turns} turns at once.",
            f"Choose {MOST_CONTEXT_TURNS} or fewer.",
        )
    choice = CONTEXTS.get(wanted.lower())
    return load_context(Path(wanted), turns) if choice is None else choice(model, turns)


CONTEXTS: Mapping[str, Callable[[ModelInfo, int | None], DialogueContext | None]] = {
    "auto": lambda model, turns: shipped_context(model.digest, turns),
    "off": lambda model, turns: None,
}
"""What `--context` takes that is no folder."""


def find_whisper(wanted: str) -> Path | None:
    """Return the weights of a recognition model; None without one, or one that can't be used.

    Args:
        wanted: a name, a folder, or "none".
    """
    try:
        folder = None if wanted.lower() == NO_WHISPER else find_model(wanted)
    except RecognitionError:
        return None  # which is said when it is opened
    return None if folder is None else folder.resolve() / "model.bin"


def open_speakers(wanted: str) -> SpeakerTracker | None:
    """Return who tells voices apart: nobody for "auto", the model that ships for "voices".

    Raises:
        CheckpointError: that model is not there.
    """
    return load_voice_speakers(voice_checkpoint()) if wanted == "voices" else None
