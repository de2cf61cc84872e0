"""Running a model: tensors go in and stay in; arrays on the CPU come out."""

from __future__ import annotations

import logging
from collections.abc import Hashable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from core.models.base import EmotionModel
from core.models.device import CPU, DeviceChoice
from core.models.encoded_cache import EncodedCache, repeated, text_key
from core.models.encoders.trainable import FreezableEncoder
from core.models.judgement import Judgement, joined, judgement_of
from core.models.outputs import Encoded, Features, ModelInputs
from core.models.place import Place
from core.models.placement import (
    OUT_OF_MEMORY,
    PLACEMENTS,
    OnCpu,
    Placement,
    failure_of,
    mapped,
)
from core.models.runtimes.base import Precision
from core.models.work import Work
from core.types import Modality

if TYPE_CHECKING:
    from core.models.encoders.streaming import GrowingFeatures

__all__ = ["Inference", "Judgement", "judgement_of", "without_speech", "without_text"]

log = logging.getLogger(__name__)

_ANY_NUMBER = 1 << 30


class Inference:
    """A model on a device.

    When a GPU's memory is full, smaller batches are tried, down to one row; when that does not help
    either, or the GPU fails in another way, the model goes on on the CPU (`choice` then says so).

    Texts, and speech under its key, are kept once they are encoded, the last few of each: a fused
    answer, once the text is there, costs the text alone. Not safe for use by several threads.

    Args:
        model: in evaluation mode, on the host.
        choice: of the device.
        placement: how to get there; None: as `choice` says.
    """

    def __init__(
        self, model: EmotionModel, choice: DeviceChoice, placement: Placement | None = None
    ) -> None:
        self._host = model
        self.choice = choice
        self.work = Work()
        self._most_rows = _ANY_NUMBER
        self._speech_kept, self._text_kept = EncodedCache(), EncodedCache()
        self._growing = _growing(model)
        self._placement = placement or PLACEMENTS[choice.device]()
        self._model = self._adopted()

    def __call__(
        self, inputs: ModelInputs, key: Hashable = None, place: Place | None = None
    ) -> Judgement:
        """Encode and fuse a batch.

        Args:
            inputs: the batch, on the host.
            key: the same for the same speech, whatever the text; None: no speech is kept.
            place: where the only waveform lies in a growing utterance; None: it stands alone. Only
                for a model that `takes_places`.
        """
        rows = rows_of(inputs)
        if rows > self._most_rows:
            return self._in_parts(inputs, rows)
        judgement, failure = self._attempt(inputs, key, place)
        if judgement is not None:
            return judgement
        if failure == OUT_OF_MEMORY and rows > 1:
            self._most_rows = max(1, rows // 2)
            log.warning("the GPU's memory is full; %d rows at most from now on", self._most_rows)
            self.work.retries += 1
            self._placement.tidy()
            return self._in_parts(inputs, rows)
        self._retreat(failure)
        return self._run(inputs, key, place)

    @property
    def takes_places(self) -> bool:
        """Whether new sound of a growing utterance is encoded without that before it."""
        return self._growing is not None

    @property
    def exact_in_batches(self) -> bool:
        """Whether a row says the same in a batch as alone, to rounding."""
        encoders = (getattr(self._host, name, None) for name in ("speech", "text"))
        return not any(_takes_padding_in(e) for e in encoders if isinstance(e, FreezableEncoder))

    @property
    def on_host(self) -> bool:
        """Whether it runs on the CPU."""
        return self.choice.device == CPU

    def forget(self) -> None:
        """Let go of everything that was encoded."""
        self._speech_kept.clear()
        self._text_kept.clear()
        if self._growing is not None:
            self._growing.forget()

    def _adopted(self) -> EmotionModel:
        """Put the model on its device, or leave it on the host if it does not get there."""
        try:
            return self._placement.adopt(self._host, self.choice.precision)
        except RuntimeError as error:
            failure = failure_of(error)
            if self.on_host or failure is None:
                raise
        self._retreat(failure)
        return self._host

    def _attempt(
        self, inputs: ModelInputs, key: Hashable, place: Place | None
    ) -> tuple[Judgement | None, str]:
        """Return the judgement, or what the device did wrong.

        The error ends here: as long as it lives, so do the tensors of the call that raised it.
        """
        try:
            return self._run(inputs, key, place), ""
        except RuntimeError as error:
            failure = failure_of(error)
            if self.on_host or failure is None:
                raise
            log.warning("the GPU failed: %s", error)
            return None, failure

    def _retreat(self, reason: str) -> None:
        """Go on on the CPU, with the model that never left it."""
        log.warning("the model goes on on the CPU (%s)", reason)
        self._model = self._host
        self.forget()
        self._placement.tidy()
        self._placement = OnCpu()
        self._most_rows = _ANY_NUMBER
        self.choice = DeviceChoice(CPU, reason, Precision.FP32)

    def _in_parts(self, inputs: ModelInputs, rows: int) -> Judgement:
        step = self._most_rows
        parts = [
            self(mapped(inputs, lambda t, b=begin: t[b : b + step]))  # type: ignore[misc]
            for begin in range(0, rows, step)
        ]
        return joined(parts)

    @torch.inference_mode()
    def _run(self, inputs: ModelInputs, key: Hashable, place: Place | None) -> Judgement:
        self.work.calls += 1
        features = self._features(inputs, key, place)
        judgement = judgement_of(features, self._model(features))
        vectors = {}
        if features.speech is not None and inputs.functionals is not None:
            vectors[Modality.SPEECH] = inputs.functionals.numpy()
        return replace(judgement, feature_sizes=self._model.feature_sizes, vectors=vectors)

    def _features(self, inputs: ModelInputs, key: Hashable, place: Place | None) -> Features:
        takes = self._model.specification.modalities
        hears = Modality.SPEECH in takes and has_speech(inputs)
        reads = Modality.TEXT in takes and inputs.tokens is not None
        if not hears and not reads:
            return self._model.encode(self._placement.moved(inputs))  # it says what it lacks
        return Features(
            self._speech(without_text(inputs), key, place) if hears else None,
            self._text(without_speech(inputs)) if reads else None,
        )

    def _speech(self, inputs: ModelInputs, key: Hashable, place: Place | None) -> Encoded | None:
        if key is not None and (kept := self._speech_kept.get(key)) is not None:
            self.work.speech_kept += 1
            return kept
        encoded = self._encode_speech(self._placement.moved(inputs), place)
        if encoded is not None and key is not None:
            self._speech_kept.put(key, encoded)
        return encoded

    def _encode_speech(self, inputs: ModelInputs, place: Place | None) -> Encoded | None:
        before = self._growing.convolved if self._growing is not None else 0
        if place is None or self._growing is None or not self.on_host:
            encoded = self._model.encode(inputs).speech
            new = encoded.mask.numel() if encoded is not None and inputs.waveform is not None else 0
        else:
            encoded = self._growing.encode(self._model, inputs, place).speech
            new = self._growing.convolved - before
        self.work.frames_convolved += new
        self.work.frames_encoded += 0 if encoded is None else encoded.mask.numel()
        return encoded

    def _text(self, inputs: ModelInputs) -> Encoded | None:
        """Encode texts, or one for all rows if they are the same, and not just read."""
        assert inputs.tokens is not None
        assert inputs.token_mask is not None
        key = text_key(inputs.tokens, inputs.token_mask)
        if key is None:
            return self._read(inputs)
        rows, kept = len(inputs.tokens), self._text_kept.get(key)
        if kept is not None:
            self.work.text_kept += 1
            return repeated(kept, rows)
        encoded = self._read(mapped(inputs, lambda t: t[:1]))
        if encoded is None:
            return None
        self._text_kept.put(key, encoded)
        return repeated(encoded, rows)

    def _read(self, inputs: ModelInputs) -> Encoded | None:
        encoded = self._model.encode(self._placement.moved(inputs)).text
        self.work.tokens_read += 0 if encoded is None else encoded.mask.numel()
        return encoded


def has_speech(inputs: ModelInputs) -> bool:
    """Tell whether there are frames or samples."""
    return inputs.speech is not None or inputs.waveform is not None


def rows_of(inputs: ModelInputs) -> int:
    """Return how many rows a batch has."""
    given = (inputs.waveform, inputs.speech, inputs.tokens, inputs.functionals)
    return next((len(tensor) for tensor in given if tensor is not None), 0)


def without_speech(inputs: ModelInputs) -> ModelInputs:
    """Return a batch of the texts alone."""
    return ModelInputs(tokens=inputs.tokens, token_mask=inputs.token_mask)


def without_text(inputs: ModelInputs) -> ModelInputs:
    """Return a batch of the speech alone."""
    return replace(inputs, tokens=None, token_mask=None)


def _takes_padding_in(encoder: FreezableEncoder) -> bool:
    settings: Any = encoder.settings
    return not settings.respect_padding or str(settings.pooling).startswith("padded")


def _growing(model: EmotionModel) -> GrowingFeatures | None:
    encoder = getattr(model, "speech", None)
    if not isinstance(encoder, FreezableEncoder):
        return None  # and nothing of pretrained encoders is imported
    from core.models.encoders.pretrained_speech import PretrainedSpeechEncoder
    from core.models.encoders.streaming import GrowingFeatures

    if isinstance(encoder, PretrainedSpeechEncoder) and encoder.incremental:
        return GrowingFeatures(encoder)
    return None
