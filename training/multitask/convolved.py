"""What the frozen convolutions of a pretrained encoder make of each row, computed once.

In a stage whose convolutions are frozen they make the same of a row in every epoch: a row does not
depend on its batch, and nothing before the transformer is random. So the transformer may as well be
given that; what it says of it is equal up to rounding.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from core.errors import ConfigError
from core.models.encoders.pretrained_speech import BY_VALID_FRAMES, PretrainedSpeechEncoder
from core.models.outputs import Encoded, Features, ModelInputs
from training.data.batches import BatchSource
from training.data.split_config import Rows

_MANY = 32
"""Rows that are prepared together."""


class ConvolvedSource:
    """Rows as what the convolutions made of them: `ModelInputs.speech` (B, T, C) under its mask.

    Args:
        source: of waveforms.
        encoder: whose convolutions are frozen.
        rows: that will be asked for; about 100 kB a second are kept of each.
        device: to compute on; the encoder is moved there.

    Raises:
        ConfigError: the encoder can't be given them, or its convolutions train.
    """

    threaded = False

    def __init__(
        self,
        source: BatchSource,
        encoder: nn.Module,
        rows: Sequence[int] | Rows,
        device: torch.device | str = "cpu",
    ) -> None:
        able = _checked(encoder).to(device)
        self.lengths: NDArray[np.float64] = source.lengths
        self._features: dict[int, Tensor] = {}
        chosen = np.unique(np.asarray(rows, dtype=np.int64))
        for start in range(0, len(chosen), _MANY):
            some = chosen[start : start + _MANY]
            inputs, _ = source.load(some, None)
            assert inputs is not None
            self._features |= zip(some.tolist(), _convolved(able, inputs), strict=True)

    def load(
        self, rows: Rows, generator: np.random.Generator | None
    ) -> tuple[ModelInputs | None, Features | None]:
        """Return the features of rows; they are never altered."""
        found = [self._features[row] for row in rows.tolist()]
        counts = torch.tensor([len(each) for each in found])
        features = pad_sequence(found, batch_first=True)
        mask = torch.arange(features.shape[1])[None] < counts[:, None]
        return ModelInputs(speech=features, speech_mask=mask), None


def encode_convolved(encoder: PretrainedSpeechEncoder, inputs: ModelInputs) -> Features:
    """Return what the encoder makes of features (B, T, C) from a `ConvolvedSource`."""
    assert inputs.speech is not None
    assert inputs.speech_mask is not None
    mask = inputs.speech_mask
    sequence = encoder.contextualise_valid(inputs.speech, mask) * mask.unsqueeze(-1)
    nothing = sequence.new_zeros(len(sequence), 0)
    return Features(speech=Encoded(sequence, mask, nothing, nothing))


def is_convolved(encoder: nn.Module, inputs: ModelInputs) -> bool:
    """Tell whether inputs have been through the convolutions of this encoder."""
    return isinstance(encoder, PretrainedSpeechEncoder) and inputs.waveform is None


@torch.no_grad()
def _convolved(encoder: PretrainedSpeechEncoder, inputs: ModelInputs) -> list[Tensor]:
    assert inputs.waveform is not None
    assert inputs.waveform_mask is not None
    device = next(encoder.parameters()).device
    pairs = zip(inputs.waveform, inputs.waveform_mask.sum(dim=1).tolist(), strict=True)
    rows = (row[None, :length].to(device) for row, length in pairs)
    return [encoder.convolve_by_torch(row)[0].cpu() for row in rows]


def _checked(encoder: nn.Module) -> PretrainedSpeechEncoder:
    if not isinstance(encoder, PretrainedSpeechEncoder) or not _pads(encoder):
        raise ConfigError(
            "What the convolutions make can be kept of wav2vec 2.0, HuBERT and WavLM only, with"
            " respect_padding.",
            "Set keeps_convolved to false.",
        )
    convolutions = encoder.convolutions()
    assert convolutions is not None
    if any(parameter.requires_grad for parameter in convolutions.parameters()):
        raise ConfigError(
            "What the convolutions make can't be kept while they train.",
            "Set keeps_convolved to false, or let this stage train something else.",
        )
    return encoder


def _pads(encoder: PretrainedSpeechEncoder) -> bool:
    """Tell whether the transformer takes rows of several lengths together."""
    config = encoder.model.config
    shifted = bool(getattr(config, "conv_pos_batch_norm", False))
    known = config.model_type in BY_VALID_FRAMES and not shifted
    return known and encoder.settings.respect_padding and encoder.has_context
