"""Keeps a model loaded, and moves it to the CPU when the GPU can't hold it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from core.asr.decoder import Decoder, DecoderChoice
from core.errors import RecognitionError
from core.types import Message

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")


def load_engine(choice: DecoderChoice) -> Decoder:
    """Load a model with faster-whisper. Raises RecognitionError."""
    from core.asr.threads import wait_passively

    wait_passively()
    from core.asr.engine import Engine  # costs half a second and ctranslate2's libraries

    return Engine(choice)


class DecoderHost:
    """A model that is loaded when first needed.

    What fails on a GPU is asked again on the CPU, where the model then stays: `take_messages` tells
    (code "whisper_on_cpu": `model`, `reason`). What fails on a CPU raises RecognitionError.

    Args:
        name: of the model, for people.
        choose: says what to load; given True, it must be for the CPU.
        load: loads it.
    """

    def __init__(
        self,
        name: str,
        choose: Callable[[bool], DecoderChoice],
        load: Callable[[DecoderChoice], Decoder] = load_engine,
    ) -> None:
        self._name, self._choose, self._load = name, choose, load
        self._messages: list[Message] = []
        self.decoder: Decoder | None = None
        """The loaded model; None before the first question."""

    def ask(self, question: Callable[[Decoder], Answer]) -> Answer:
        """Return what the model answers. Raises RecognitionError."""
        decoder = self.decoder or self._first()
        try:
            return question(decoder)
        except RuntimeError as error:  # ctranslate2: out of memory, a lost GPU
            if decoder.device == "cpu":
                raise self._failure(error) from error
            reason = str(error)
        del decoder  # the GPU's memory is free before the CPU's is taken
        moved = self._move_to_cpu(reason)
        try:
            return question(moved)
        except RuntimeError as error:
            raise self._failure(error) from error

    def take_messages(self) -> tuple[Message, ...]:
        """Return what happened since the last call."""
        messages = tuple(self._messages)
        self._messages.clear()
        return messages

    def _first(self) -> Decoder:
        choice = self._choose(False)
        try:
            self.decoder = self._load(choice)
        except RecognitionError as error:
            if choice.device == "cpu":
                raise
            # on "auto" it may have been the CPU that failed; it then fails again, with its reason
            return self._move_to_cpu(error.problem)
        return self.decoder

    def _move_to_cpu(self, reason: str) -> Decoder:
        self.decoder = None
        began = time.monotonic()
        moved = self.decoder = self._load(self._choose(True))
        log.warning("%s on the CPU after %.1f s: %s", self._name, time.monotonic() - began, reason)
        self._messages.append(Message("whisper_on_cpu", {"model": self._name, "reason": reason}))
        return moved

    def _failure(self, error: RuntimeError) -> RecognitionError:
        return RecognitionError(
            f"{self._name} failed: {error}.", "Choose a smaller model, or the CPU."
        )
