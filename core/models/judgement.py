"""What a model says about a batch, as arrays on the CPU; rows can be taken out and put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from core.models.outputs import EmotionOutput, Encoded, Features
from core.types import FloatArray, Modality


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
        vectors: (B, D) by modality, where personal adapters read something else than `pooled`: the
            functionals that went in, which tell more of how one person speaks.
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
    vectors: Mapping[Modality, FloatArray] = field(default_factory=dict)

    def voice(self, modality: Modality) -> FloatArray:
        """Return what personal adapters read of a modality, (B, D)."""
        return self.vectors[modality] if modality in self.vectors else self.pooled[modality]

    def rows(self, begin: int, end: int, tokens: int | None = None) -> Judgement:
        """Return some rows: the chunks of one of several utterances.

        Args:
            begin, end: which.
            tokens: how long their text is, to cut off what filled it up; None: there is no text.
        """
        chosen = slice(begin, end)
        attentions = {name: values[chosen] for name, values in self.attentions.items()}
        if tokens is not None and "token" in attentions:
            attentions["token"] = attentions["token"][:, :tokens]
        return replace(
            self,
            logits=self.logits[chosen],
            alone={m: values[chosen] for m, values in self.alone.items()},
            lengths=self.lengths[chosen],
            attentions=attentions,
            arousal=None if self.arousal is None else self.arousal[chosen],
            valence=None if self.valence is None else self.valence[chosen],
            pooled={m: values[chosen] for m, values in self.pooled.items()},
            vectors={m: values[chosen] for m, values in self.vectors.items()},
        )


def joined(parts: Sequence[Judgement]) -> Judgement:
    """Put the rows of several batches of one kind together, in order."""
    first = parts[0]
    if len(parts) == 1:
        return first
    return replace(
        first,
        logits=_stacked([p.logits for p in parts]),
        alone={m: _stacked([p.alone[m] for p in parts]) for m in first.alone},
        lengths=np.concatenate([p.lengths for p in parts]),
        attentions={n: _stacked([p.attentions[n] for p in parts]) for n in first.attentions},
        arousal=_optional([p.arousal for p in parts]),
        valence=_optional([p.valence for p in parts]),
        pooled={m: _stacked([p.pooled[m] for p in parts]) for m in first.pooled},
        vectors={m: _stacked([p.vectors[m] for p in parts]) for m in first.vectors},
    )


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


def _stacked(arrays: Sequence[FloatArray]) -> FloatArray:
    """Put arrays (B_i, ...) one after another, each filled up with zeros to the largest."""
    largest = (
        np.max([a.shape[1:] for a in arrays], axis=0).astype(int) if arrays[0].ndim > 1 else ()
    )
    filled = [
        np.pad(
            a, [(0, 0), *((0, most - has) for most, has in zip(largest, a.shape[1:], strict=True))]
        )
        for a in arrays
    ]
    return np.concatenate(filled)


def _optional(arrays: Sequence[FloatArray | None]) -> FloatArray | None:
    there = [a for a in arrays if a is not None]
    return np.concatenate(there) if len(there) == len(arrays) else None
