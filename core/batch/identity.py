"""What tells the models of a batch from any others, without loading them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from core.batch import models
from core.batch.values import Options
from core.personal.catalog import find_adapter
from core.resources import dialogue_checkpoint, embedded_checkpoint, voice_checkpoint


def identities(options: Options) -> tuple[str, ...]:
    """Return a text for each model that the options lead to; "" for one that is not there.

    Opens what can be opened without loading weights, so that a wrong name is found at once.

    Raises:
        EmoscopeError: as `core.batch.models` does.
    """
    model = models.open_analyzer(
        options.model, options.device, options.runtime, options.personal
    ).model
    models.open_context(options.context, model, options.context_turns)
    models.open_speakers(options.speakers)
    folder = embedded_checkpoint() if options.model == "embedded" else Path(options.model)
    context = _CONTEXTS.get(options.context.lower(), lambda: Path(options.context))()
    voices = voice_checkpoint() if options.speakers == "voices" else None
    return (
        model.digest,
        *(_checkpoint(folder) for folder in (folder, context, voices)),
        _whisper(options.whisper),
        *([_personal(options.personal, model.digest)] if options.personal else []),
    )


_CONTEXTS: Mapping[str, Callable[[], Path | None]] = {
    "auto": dialogue_checkpoint,
    "off": lambda: None,
}


def _personal(name: str, digest: str) -> str:
    """Return a sha256 of what a personal adapter says about itself, its weights' own among it."""
    return _checkpoint(find_adapter(name, digest).path)


def _checkpoint(folder: Path | None) -> str:
    """Return a sha256 of what a checkpoint says about itself, every file's own among it."""
    try:
        return "" if folder is None else _sha256(folder / "config.json")
    except OSError:
        return ""


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _whisper(name: str) -> str:
    """Return where a recognition model is, how large, and when it was changed last."""
    weights = models.find_whisper(name)
    try:
        status = None if weights is None else weights.stat()
    except OSError:
        return ""
    return "" if status is None else f"{weights} {status.st_size} {status.st_mtime_ns}"
