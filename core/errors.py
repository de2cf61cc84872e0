"""Errors a user can act on: each says what is wrong and what to do about it."""

from __future__ import annotations


class EmoscopeError(Exception):
    """Base of every error that is shown to the user as a sentence.

    Args:
        problem: what is wrong, naming the file or device.
        remedy: what the user can do about it; empty when nothing can be done.
    """

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(f"{problem} {remedy}".strip())
        self.problem = problem
        self.remedy = remedy


class MediaError(EmoscopeError):
    """A recording can't be read: missing, empty, damaged, or without an audio track."""


class TranscriptFileError(EmoscopeError):
    """A transcript file (SRT, VTT, TextGrid, CSV) can't be read."""


class CheckpointError(EmoscopeError):
    """A checkpoint directory is incomplete, damaged, or of a kind this version does not know."""


class ConfigError(EmoscopeError):
    """A configuration has an unknown key or a value that makes no sense."""


class DeviceError(EmoscopeError):
    """An audio device, or the library that drives it, can't be used."""


class RecognitionError(EmoscopeError):
    """A speech recognition model is missing, damaged or failed."""


class CorpusError(EmoscopeError):
    """A corpus or one of its rows does not have the layout it should have."""


class JournalError(EmoscopeError):
    """A recorded session can't be written or read back."""
