"""Encoded utterances kept in memory, so that a fusion head trains without running the encoders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.models.baseline import SpeakerBaseline
from core.models.encoders.speech import SpeechEncoder
from core.models.encoders.text import TextEncoder
from core.models.outputs import Encoded
from core.models.processor import Processor, SpeechMeasures
from core.models.tokenizer import TextTokenizer
from training.data.text_batches import scoring_batches

BATCH = 32


@dataclass(frozen=True)
class EncodedBank:
    """Rows of one encoder: sequences (T_i, D), pooled (N, D) and logits (N, C).

    Sequences may be kept in fp16 and mapped from a file; batches are float32.
    """

    sequences: tuple[Tensor, ...]
    pooled: Tensor
    logits: Tensor

    def __len__(self) -> int:
        return len(self.sequences)

    def batch(self, rows: Sequence[int] | NDArray[np.int64]) -> Encoded:
        """Return rows padded to the longest."""
        index = torch.as_tensor(np.asarray(rows), dtype=torch.long)
        lengths = torch.from_numpy(self.lengths)[index]
        longest = int(lengths.max())
        sequence = torch.zeros(len(index), longest, self.sequences[0].shape[1])
        for place, row in enumerate(index.tolist()):
            kept = self.sequences[row]
            sequence[place, : len(kept)] = kept  # converts and copies in one go
        mask = torch.arange(longest)[None] < lengths[:, None]
        return Encoded(sequence, mask, self.pooled[index], self.logits[index])

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """Positions of each row's sequence (N,)."""
        return np.array([len(sequence) for sequence in self.sequences], dtype=np.int64)


@torch.inference_mode()
def encode_speech(
    encoder: SpeechEncoder,
    processor: Processor,
    measures: Sequence[SpeechMeasures],
    baselines: Sequence[SpeakerBaseline | None],
) -> EncodedBank:
    """Encode clips, each normalised by the baseline that goes with it (None: average speaker)."""
    order = sorted(range(len(measures)), key=lambda row: len(measures[row].frames))
    found = []
    for rows in _parts(order, BATCH):
        normalised = [processor.normalise(measures[row], baselines[row]) for row in rows]
        inputs = processor.batch(speech=normalised)
        assert inputs.speech is not None
        assert inputs.speech_mask is not None
        found.append((rows, encoder(inputs.speech, inputs.speech_mask, inputs.functionals)))
    return _bank(found, len(measures))


@torch.inference_mode()
def encode_texts(
    encoder: TextEncoder, tokenizer: TextTokenizer, texts: Sequence[str]
) -> EncodedBank:
    """Encode texts."""
    found = []
    for batch in scoring_batches(tokenizer, texts, 4 * BATCH):
        found.append((batch.rows.tolist(), encoder(batch.tokens, batch.mask)))
    return _bank(found, len(texts))


def _bank(found: Iterable[tuple[list[int], Encoded]], count: int) -> EncodedBank:
    sequences: list[Tensor] = [torch.empty(0)] * count
    pooled, logits = [torch.empty(0)] * count, [torch.empty(0)] * count
    for rows, encoded in found:
        for place, row in enumerate(rows):
            valid = encoded.sequence[place][encoded.mask[place]]
            sequences[row] = valid.half().clone()  # half the memory; only kept, not computed with
            pooled[row] = encoded.pooled[place].float().clone()
            logits[row] = encoded.logits[place].float().clone()
    return EncodedBank(tuple(sequences), torch.stack(pooled), torch.stack(logits))


def _parts(rows: Sequence[int], size: int) -> list[list[int]]:
    return [list(rows[start : start + size]) for start in range(0, len(rows), size)]
