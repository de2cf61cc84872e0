"""Masks over encoded features and frames, and modalities hidden from some rows of a batch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from core.models.outputs import Encoded, Features, ModelInputs
from training.data.augment.config import AugmentConfig, MaskConfig, ModalityDropoutConfig


def alter_features(
    features: Features, config: AugmentConfig, generator: np.random.Generator
) -> Features:
    """Return features masked and with modalities hidden, as configured; the given ones stay."""
    speech, text = features.speech, features.text
    if config.masks is not None:
        speech = None if speech is None else mask_encoded(speech, config.masks, generator)
        text = None if text is None else mask_encoded(text, config.masks, generator)
    if config.modality_dropout is not None and speech is not None and text is not None:
        no_speech, no_text = drawn_rows(len(speech.pooled), config.modality_dropout, generator)
        speech, text = hidden(speech, no_speech), hidden(text, no_text)
    return Features(speech, text)


def alter_inputs(
    inputs: ModelInputs, config: AugmentConfig, generator: np.random.Generator
) -> ModelInputs:
    """Return inputs with masked frames and hidden modalities; waveforms are altered before."""
    if config.masks is not None and inputs.speech is not None:
        frames = inputs.speech.clone()
        mask = inputs.speech_mask
        assert mask is not None
        _mask_time(frames, mask, config.masks, generator)
        _mask_features(frames, config.masks, generator)
        inputs = replace(inputs, speech=frames)
    has_speech = inputs.waveform is not None or inputs.speech is not None
    if config.modality_dropout is not None and has_speech and inputs.tokens is not None:
        no_speech, no_text = drawn_rows(len(inputs.tokens), config.modality_dropout, generator)
        inputs = _hidden_inputs(inputs, no_speech, no_text)
    return inputs


def mask_encoded(encoded: Encoded, config: MaskConfig, generator: np.random.Generator) -> Encoded:
    """Zero stretches of time and of features in a sequence.

    The same features of the pooled vector are zeroed where it is as wide as the sequence (pooling
    by the mean, the first or the last position commutes with that; time masks don't reach it).
    """
    sequence, pooled = encoded.sequence.clone(), encoded.pooled
    _mask_time(sequence, encoded.mask, config, generator)
    spans = _mask_features(sequence, config, generator)
    if pooled.shape[-1] == sequence.shape[-1]:
        pooled = pooled.clone()
        for row, start, stop in spans:
            pooled[row, start:stop] = 0
    return replace(encoded, sequence=sequence, pooled=pooled)


def drawn_rows(
    count: int, config: ModalityDropoutConfig, generator: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Draw which rows (B,) lose their speech, and which their text; none loses both."""
    draw = torch.from_numpy(generator.random(count))
    return draw < config.speech, draw >= 1 - config.text


def hidden(encoded: Encoded, rows: Tensor) -> Encoded:
    """Hide a modality of some rows: zeros everywhere, a single valid position.

    (No valid position at all would make attention over the row undefined.)
    """
    keep = (~rows).to(encoded.pooled.device)
    first = torch.zeros_like(encoded.mask)
    first[:, 0] = True
    return replace(
        encoded,
        sequence=encoded.sequence * keep[:, None, None],
        mask=torch.where(keep[:, None], encoded.mask, first),
        pooled=encoded.pooled * keep[:, None],
    )


def _hidden_inputs(inputs: ModelInputs, no_speech: Tensor, no_text: Tensor) -> ModelInputs:
    """Silence for speech; the first token alone (start of text) for text."""

    def zeroed(value: Tensor | None) -> Tensor | None:
        if value is None:
            return None
        keep = (~no_speech).to(value.device).view(-1, *[1] * (value.ndim - 1))
        return value * keep

    tokens, mask = inputs.tokens, inputs.token_mask
    assert tokens is not None
    assert mask is not None
    first = torch.zeros_like(mask)
    first[:, 0] = True
    return replace(
        inputs,
        speech=zeroed(inputs.speech),
        functionals=zeroed(inputs.functionals),
        waveform=zeroed(inputs.waveform),
        token_mask=torch.where(no_text.to(mask.device)[:, None], first, mask),
    )


def _mask_time(x: Tensor, mask: Tensor, config: MaskConfig, generator: np.random.Generator) -> None:
    lengths = mask.sum(dim=1).tolist()
    for row, length in enumerate(lengths):
        for start, stop in _spans(length, config.time_masks, config.time_share, generator):
            x[row, start:stop] = 0


def _mask_features(
    x: Tensor, config: MaskConfig, generator: np.random.Generator
) -> list[tuple[int, int, int]]:
    """Zero features of every row; return (row, first, last) of what was zeroed."""
    found = []
    for row in range(len(x)):
        spans = _spans(x.shape[-1], config.feature_masks, config.feature_share, generator)
        for start, stop in spans:
            x[row, :, start:stop] = 0
            found.append((row, start, stop))
    return found


def _spans(
    length: int, count: int, share: float, generator: np.random.Generator
) -> list[tuple[int, int]]:
    """Draw stretches of up to `share` of a length."""
    widths = (generator.random(count) * (share * length + 1)).astype(int)
    starts = (generator.random(count) * (length - widths + 1)).astype(int)
    return [(int(start), int(start + width)) for start, width in zip(starts, widths, strict=True)]
