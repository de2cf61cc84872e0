"""Utterances that were prepared one by one, as a batch: exactly what the app's processor makes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from core.models.outputs import Encoded, ModelInputs

_PADDED = {"speech": "speech_mask", "tokens": "token_mask", "waveform": "waveform_mask"}


def collate(utterances: Sequence[ModelInputs], pad_id: int = 0) -> ModelInputs:
    """Join batches of one into one batch, padded to the longest; masks say what is valid.

    All have a modality, or none has.

    Args:
        pad_id: token id for padding; everything else is padded with zeros.
    """
    joined: dict[str, Tensor | None] = {}
    for name, mask in _PADDED.items():
        rows = [getattr(utterance, name) for utterance in utterances]
        masks = [getattr(utterance, mask) for utterance in utterances]
        if rows[0] is None:
            continue
        joined[name] = _padded(rows, pad_id if name == "tokens" else 0)
        joined[mask] = _masks(rows, masks)
    functionals = [utterance.functionals for utterance in utterances]
    if functionals[0] is not None:
        joined["functionals"] = torch.cat([row for row in functionals if row is not None])
    return ModelInputs(**joined)


def moved(
    inputs: ModelInputs, device: torch.device | str, *, non_blocking: bool = False
) -> ModelInputs:
    """Return inputs on a device."""
    return _mapped(inputs, lambda value: value.to(device, non_blocking=non_blocking))


def moved_encoded(encoded: Encoded, device: torch.device | str) -> Encoded:
    """Return an encoded modality on a device."""
    values = {f.name: getattr(encoded, f.name).to(device) for f in fields(encoded)}
    return Encoded(**values)


def pad_id_of(processor: object) -> int:
    """Return the id with which a processor's tokenizer pads; 0 where it takes no text."""
    tokenizer = getattr(processor, "tokenizer", None)
    for owner, name in ((processor, "pad_id"), (tokenizer, "pad_id"), (tokenizer, "pad_token_id")):
        found = getattr(owner, name, None)
        if isinstance(found, int):
            return found
    return 0


def _mapped(inputs: ModelInputs, change: Callable[[Tensor], Tensor]) -> ModelInputs:
    values = {f.name: getattr(inputs, f.name) for f in fields(inputs)}
    return ModelInputs(**{n: None if v is None else change(v) for n, v in values.items()})


def _padded(rows: Sequence[Tensor], value: float) -> Tensor:
    if all(row.shape[1] == rows[0].shape[1] for row in rows):
        return torch.cat(list(rows))
    return pad_sequence([row[0] for row in rows], batch_first=True, padding_value=value)


def _masks(rows: Sequence[Tensor], masks: Sequence[Tensor | None]) -> Tensor:
    valid = [
        torch.ones(row.shape[1], dtype=torch.bool) if mask is None else mask[0].bool()
        for row, mask in zip(rows, masks, strict=True)
    ]
    return pad_sequence(valid, batch_first=True, padding_value=False)
