"""What the pipeline asks of its parts; each has a real form, and a fake in `tests/fakes.py`."""

from __future__ import annotations

from typing import Protocol

from core.types import AudioBlock, EmotionResult, Message, ModelInfo, Transcript, Utterance


class EndOfSource(Exception):  # noqa: N818 (an end is no error)
    """Raised by `AudioSource.read` when a recording is exhausted or the source was stopped."""


class AudioSource(Protocol):
    """Mono or two-channel audio at 16 kHz, in blocks of `WINDOW` samples."""

    @property
    def description(self) -> str:
        """Name of the device or file, for people."""
        ...

    @property
    def channels(self) -> int:
        """Rows of every block: 1, or 2 when each channel is a speaker."""
        ...

    @property
    def total_samples(self) -> int | None:
        """Length of a recording; None when unknown or live."""
        ...

    def start(self) -> None:
        """Open the device or file. Raises DeviceError or MediaError."""
        ...

    def read(self, timeout: float) -> AudioBlock | None:
        """Return the next block of `WINDOW` samples (the last of a file may be zero-padded).

        None when nothing came within `timeout` seconds. Raises EndOfSource at the end.
        """
        ...

    def take_messages(self) -> tuple[Message, ...]:
        """Return what happened since the last call (device lost, device back, samples lost)."""
        ...

    def stop(self) -> None:
        """Stop delivering; never blocks on a hung device."""
        ...


class Transcriber(Protocol):
    """Turns an utterance into text."""

    @property
    def name(self) -> str:
        """Model name, for people and for the journal."""
        ...

    def warm_up(self) -> None:
        """Load what is needed. Raises RecognitionError."""
        ...

    def partial(self, utterance: Utterance) -> Transcript:
        """Transcribe a growing utterance; `stable` never shrinks within one `utterance.index`."""
        ...

    def final(self, utterance: Utterance) -> Transcript:
        """Transcribe a complete utterance; a gated text comes back empty with `rejection` set.

        Fast enough to be waited for. Also called for a paused one, which may still grow.
        """
        ...

    def better(self, utterance: Utterance, transcript: Transcript) -> Transcript | None:
        """Look at a complete utterance again, thoroughly, when nothing else is to be done.

        Returns a transcript to put in the place of the one that `final` gave, or None: it stands.
        """
        ...

    def take_messages(self) -> tuple[Message, ...]:
        """Return what happened since the last call that the user should know (device lost)."""
        ...

    @property
    def smaller(self) -> str | None:
        """Name of a model that takes less time, for a machine that can't keep up; or None."""
        ...


class Analyzer(Protocol):
    """Reads emotion from an utterance; keeps a personal baseline per speaker of one session."""

    @property
    def model(self) -> ModelInfo:
        """What the results will name as their model."""
        ...

    def warm_up(self) -> None:
        """Load weights and run once, so that the first result is as fast as the others."""
        ...

    def partial(
        self, utterance: Utterance, transcript: Transcript | None, seconds: float | None = None
    ) -> EmotionResult | None:
        """Judge a growing utterance at a cost bounded whatever its length (newest seconds only).

        Args:
            seconds: look at no more than so many; None: as many as suit the model.

        None while there is nothing it could judge by: it reads text only, and none is there yet.
        """
        ...

    def final(self, utterance: Utterance, transcript: Transcript | None) -> EmotionResult | None:
        """Judge a complete utterance. Does not change the baseline: see `remember`.

        Also called for a paused one, which may still grow; nothing of it is then remembered.
        None when there is nothing it could judge by.
        """
        ...

    def remember(self, utterance: Utterance) -> None:
        """Let a complete utterance shape its speaker's personal baseline (once per utterance)."""
        ...

    def reset(self) -> None:
        """Forget every speaker: a new session starts."""
        ...
