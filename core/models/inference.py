"""Running a model: tensors go in and stay in; arrays on the CPU come out."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Mapping
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
        present: the modalities that were there.
        alone: (B, C) by modality, from each alone, where the model can tell.
        lengths: (B,) valid positions of the speech sequence, empty without speech.
        attentions: (B, ...) by name.
        arousal, valence: (B,) or None.
        pooled: (B, D) by modality, the utterance as one vector each.
        feature_sizes: how many rows of the map `feature` are speech and text, where the features
            are those of the encoders.
    """

    logits: FloatArray
    present: tuple[Modality, ...]
    alone: Mapping[Modality, FloatArray]
    lengths: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    attentions: Mapping[str, FloatArray] = field(default_factory=dict)
    arousal: FloatArray | None = None
    valence: FloatArray | None = None
    feature_sizes: tuple[int, int] | None = None
    pooled: Mapping[Modality, FloatArray] = field(default_factory=dict)


class Inference:
    """A model on a device; falls back to the CPU when the GPU's memory is full.

    The speech it encoded last is kept under its key, so that a fused answer, once the text is
    there, costs the text alone. Not safe for use by several threads at once.
    """

    def __init__(self, model: EmotionModel, choice: DeviceChoice) -> None:
        self._model = model
        self.choice = choice
        self._model.to(choice.device)
        self._kept: tuple[Hashable, Encoded] | None = None

    def __call__(self, inputs: ModelInputs, key: Hashable = None) -> Judgement:
        """Encode and fuse a batch.

        Args:
            inputs: the batch.
            key: the same for the same speech, whatever the text; None: nothing is kept.
        """
        try:
            return self._run(inputs, key)
        except torch.OutOfMemoryError:
            if self.choice.device == CPU:
                raise
            log.warning("the GPU's memory is full; the model moves to the CPU")
        self.choice = DeviceChoice(CPU, "out_of_memory")
        self._model.to(CPU)
        self.forget()
        return self._run(inputs, key)

    def forget(self) -> None:
        """Let go of the speech that was encoded last."""
        self._kept = None

    @torch.inference_mode()
    def _run(self, inputs: ModelInputs, key: Hashable) -> Judgement:
        features = self._features(_moved(inputs, self.choice.device), key)
        judgement = judgement_of(features, self._model(features))
        return replace(judgement, feature_sizes=self._model.feature_sizes)

    def _features(self, inputs: ModelInputs, key: Hashable) -> Features:
        """Encode what was not just encoded."""
        if key is None:
            return self._model.encode(inputs)
        if self._kept is not None and self._kept[0] == key:
            speech = self._kept[1]
            text = self._model.encode(without_speech(inputs)).text if _has_text(inputs) else None
            return Features(speech, text)
        features = self._model.encode(inputs)
        self._kept = None if features.speech is None else (key, features.speech)
        return features


def without_speech(inputs: ModelInputs) -> ModelInputs:
    """Return a batch of the texts alone."""
    return ModelInputs(tokens=inputs.tokens, token_mask=inputs.token_mask)


def _has_text(inputs: ModelInputs) -> bool:
    return inputs.tokens is not None


def _moved(inputs: ModelInputs, device: str) -> ModelInputs:
    given = {f.name: getattr(inputs, f.name) for f in fields(inputs)}
    return replace(inputs, **{n: t.to(device) for n, t in given.items() if t is not None})


def judgement_of(features: Features, output: EmotionOutput) -> Judgement:
    """Copy to the CPU what leaves the model."""
    encoded = {Modality.SPEECH: features.speech, Modality.TEXT: features.text}
    present = {m: e for m, e in encoded.items() if e is not None}
    speech = features.speech
    return Judgement(
        logits=_array(output.logits),
        present=tuple(present),
        alone=_alone(present, output),
        lengths=np.zeros(0, np.int64) if speech is None else speech.mask.sum(1).cpu().numpy(),
        attentions={name: _array(tensor) for name, tensor in output.attentions.items()},
        arousal=None if output.arousal is None else _array(output.arousal),
        valence=None if output.valence is None else _array(output.valence),
        pooled={modality: _array(one.pooled) for modality, one in present.items()},
    )


def _alone(
    present: Mapping[Modality, Encoded], output: EmotionOutput
) -> dict[Modality, FloatArray]:
    """Return what each modality says alone; the only one there is says what the model says."""
    if len(present) == 1:
        return dict.fromkeys(present, _array(output.logits))
    return {m: _array(e.logits) for m, e in present.items() if e.logits.shape[1]}


def _array(tensor: Tensor) -> FloatArray:
    """Return an own copy, so that no storage of the model lives on."""
    return np.array(tensor.detach().float().cpu().numpy())
