"""Torch as it is: what every other runtime is compared with."""

from __future__ import annotations

from core.models.encoders.pretrained_speech import PretrainedSpeechEncoder
from core.models.encoders.pretrained_text import PretrainedTextEncoder
from core.models.runtimes.base import Mode, Speech, Text, Workplace
from core.types import Modality, RuntimeInfo


class Plain:
    """A `Runtime` that computes as if there were none."""

    def __init__(self, mode: Mode, place: Workplace | None = None) -> None:
        self._mode = mode

    def speech(self, encoder: PretrainedSpeechEncoder) -> Speech:
        """Return the stages of a speech encoder."""
        info = RuntimeInfo(Modality.SPEECH, self._mode.runtime, difference=0.0)
        return Speech(info, encoder.convolve_by_torch, encoder.contextualise_by_torch)

    def text(self, encoder: PretrainedTextEncoder) -> Text:
        """Return the stage of a text encoder."""
        info = RuntimeInfo(Modality.TEXT, self._mode.runtime, difference=0.0)
        return Text(info, encoder.read_by_torch)
