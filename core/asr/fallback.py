"""Recognition when it is possible, and one sentence about why not when it isn't."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.asr.catalog import CATALOG, find_model, looks_like_folder
from core.asr.whisper import WhisperSettings, WhisperTranscriber
from core.errors import RecognitionError
from core.types import Message


@dataclass(frozen=True, slots=True)
class Recognition:
    """A transcriber, or the message that says why there is none (never both, never neither)."""

    transcriber: WhisperTranscriber | None
    message: Message | None = None


def find_transcriber(settings: WhisperSettings, root: Path | None = None) -> Recognition:
    """Look for the model on this machine, at once and without the network.

    Codes: "no_whisper_model" (`model`, `megabytes`), "no_whisper_folder" (`folder`),
    "whisper_unusable" (`model`, `reason`).
    """
    try:
        folder = find_model(settings.model, root)
        if folder is not None:
            return Recognition(WhisperTranscriber(settings, folder))
    except RecognitionError as error:
        values = {"model": settings.model, "reason": str(error)}
        return Recognition(None, Message("whisper_unusable", values))
    if looks_like_folder(settings.model):
        return Recognition(None, Message("no_whisper_folder", {"folder": settings.model}))
    size = str(CATALOG[settings.model].megabytes)
    values = {"model": settings.model, "megabytes": size}
    return Recognition(None, Message("no_whisper_model", values))
