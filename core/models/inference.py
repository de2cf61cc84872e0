"""Running a model: tensors go in and stay in; arrays on the CPU come out."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.models.base import EmotionModel
from core.models.device import CPU, DeviceChoice
from core.models.outputs import EmotionOutput, Encoded, Features, ModelInputs
from core.types import FloatArray, Modality

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a model says about a batch of B utterances, or chunks of one.

    Attributes:
        logits: (B, C) from everything present.
        alone: (B, C) by modality, from each alone.
        lengths: (B,) valid positions of the speech sequence, empty without speech.
        attentions: (B, ...) by name.
        arousal, valence: (B,) or None.
    """

    logits: FloatArray
    alone: Mapping[Modality, FloatArray]
    lengths: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    attentions: Mapping[str, FloatArray] = field(default_factory=dict)
    arousal: FloatArray | None = None
    valence: FloatArray | None = None


class Inference:
    """A model on a device; falls back to the CPU when the GPU's memory is full.

    Not safe for use by several threads at once.
    """

    def __init__(self, model: EmotionModel, choice: DeviceChoice) -> None:
        self._model = model
        self.choice = choice
        self._model.to(choice.device)

    def __call__(self, inputs: ModelInputs) -> Judgement:
        """Encode and fuse a batch."""
        try:
            return self._run(inputs)
        except torch.OutOfMemoryError:
            if self.choice.device == CPU:
                raise
            log.warning("the GPU's memory is full; the model moves to the CPU")
        self.choice = DeviceChoice(CPU, "out_of_memory")
        self._model.to(CPU)
        return self._run(inputs)

    @torch.inference_mode()
    def _run(self, inputs: ModelInputs) -> Judgement:
        features = self._model.encode(_moved(inputs, self.choice.device))
        return judgement_of(features, self._model(features))


def _moved(inputs: ModelInputs, device: str) -> ModelInputs:
    given = {f.name: getattr(inputs, f.name) for f in fields(inputs)}
    return replace(inputs, **{n: t.to(device) for n, t in given.items() if t is not None})


def judgement_of(features: Features, output: EmotionOutput) -> Judgement:
    """Copy to the CPU what leaves the model."""
    encoded: dict[Modality, Encoded | None] = {
        Modality.SPEECH: features.speech,
        Modality.TEXT: features.text,
    }
    speech = features.speech
    return Judgement(
        logits=_array(output.logits),
        alone={m: _array(e.logits) for m, e in encoded.items() if e is not None},
        lengths=np.zeros(0, np.int64) if speech is None else speech.mask.sum(1).cpu().numpy(),
        attentions={name: _array(tensor) for name, tensor in output.attentions.items()},
        arousal=None if output.arousal is None else _array(output.arousal),
        valence=None if output.valence is None else _array(output.valence),
    )


def _array(tensor: Tensor) -> FloatArray:
    """Return an own copy, so that no storage of the model lives on."""
    return np.array(tensor.detach().float().cpu().numpy())
