"""wav2vec 2.0 and its kin as an encoder whose rows do not depend on their batch.

Baevski, Zhou, Mohamed & Auli (2020), wav2vec 2.0: a framework for self-supervised learning of
speech representations, NeurIPS; Hsu et al. (2021), HuBERT, TASLP 29; Chen et al. (2022), WavLM,
JSTSP 16; Babu et al. (2022), XLS-R, Interspeech.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from core.errors import ConfigError
from core.models.adapters.record import is_open
from core.models.encoders import backbone
from core.models.encoders.convolutions import convolve, frame_counts
from core.models.encoders.pooling import pooling
from core.models.encoders.pretrained_config import PretrainedSpeechConfig, SpeechOutput
from core.models.encoders.staged import StagedEncoder
from core.models.outputs import Encoded, ModelInputs
from core.models.runtimes.base import SpeechStages

if TYPE_CHECKING:
    from transformers import PretrainedConfig

BY_VALID_FRAMES = frozenset({"wav2vec2", "hubert", "wavlm"})
"""Model types that are exact on padded batches once statistics are taken over valid frames."""
BY_LENGTH = frozenset({"data2vec-audio", "sew", "sew-d", "unispeech", "unispeech-sat"})
"""Others that take waveforms: run over rows of equal length, so that nothing is ever padded."""
_MORE_THAN_STAGES = frozenset({"sew", "sew-d"})
"""Models that shorten the sequence for the transformer, and lengthen it again."""


def model_config(config: PretrainedSpeechConfig) -> PretrainedConfig:
    """Return the Hugging Face configuration with the options of ours put in.

    Raises:
        ConfigError: it is not of a model that takes waveforms.
    """
    found = backbone.config_of(config.model)
    kind = found.model_type
    if kind not in BY_VALID_FRAMES | BY_LENGTH:
        known = ", ".join(sorted(BY_VALID_FRAMES | BY_LENGTH))
        raise ConfigError(
            f"A model of type {kind} is no speech encoder over waveforms.", f"These are: {known}."
        )
    if not config.dropout:
        backbone.drop_nothing(found)
    found.layerdrop = config.layerdrop
    found.mask_time_prob, found.mask_feature_prob = config.mask_time, config.mask_feature
    found.apply_spec_augment = config.mask_time > 0 or config.mask_feature > 0
    if config.output is SpeechOutput.EXTRACT_FEATURES:
        found.num_hidden_layers = 0
    return found


class PretrainedSpeechEncoder(StagedEncoder[SpeechStages]):
    """Waveforms to a sequence of vectors, 50 a second, and a pooled one.

    Args:
        config: which model, and how it is read out.
        model: with weights; None: built with random ones.

    Raises:
        ConfigError: the configuration is of no such model.
    """

    def __init__(self, config: PretrainedSpeechConfig, model: Any | None = None) -> None:
        super().__init__()
        self.settings = config
        wanted = model_config(config)
        self.model = backbone.build(wanted, backbone.ENCODER) if model is None else model
        self._pool = pooling(config.pooling)
        self._features_only = config.output is SpeechOutput.EXTRACT_FEATURES
        self._by_length = _needs_equal_lengths(wanted)
        if self._features_only:
            if self._by_length:
                raise ConfigError(f"{wanted.model_type} has no extract_features here.")
            self.model.encoder = nn.Identity()  # neither run nor stored
        self.dim = int(wanted.conv_dim[-1] if self._features_only else _width(wanted))

    def config(self) -> dict[str, Any]:
        """Return plain JSON values from which `build` makes the same architecture."""
        return self.settings.to_dict()

    def layers(self) -> Sequence[nn.Module]:
        """Return the transformer layers."""
        if self._features_only:
            return []
        encoder = self.model.encoder
        return list(encoder.layers if hasattr(encoder, "layers") else encoder.encoder.layer)

    def beyond_layers(self) -> Sequence[nn.Module]:
        """Return the last norm of a model with norms before its blocks."""
        stable = getattr(self.model.config, "do_stable_layer_norm", False)
        return [self.model.encoder.layer_norm] if stable and not self._features_only else []

    def convolutions(self) -> nn.Module | None:
        """Return the convolutions over the waveform."""
        found: nn.Module = self.model.feature_extractor
        return found

    @property
    def incremental(self) -> bool:
        """Whether a feature depends on samples near it alone, so that new sound adds new features.

        False for models that normalise a channel over the whole clip (wav2vec2-base, HuBERT-base).
        """
        config = self.model.config
        return not self._by_length and getattr(config, "feat_extract_norm", "") == "layer"

    @property
    def has_stages(self) -> bool:
        """Whether it is just convolutions and a transformer, so that stages can compute it.

        LoRA that still stands beside its weights is torch's alone; merged it is one with them.
        """
        return self.model.config.model_type not in _MORE_THAN_STAGES and not is_open(self)

    @property
    def has_context(self) -> bool:
        """Whether there is a transformer; else the features are the output."""
        return not self._features_only

    def convolve(self, waveform: Tensor) -> Tensor:
        """Return features (B, T, C) of waveforms (B, N) that are all of full length."""
        stages = self._in_use
        return self.convolve_by_torch(waveform) if stages is None else stages.convolve(waveform)

    def convolve_by_torch(self, waveform: Tensor) -> Tensor:
        """Do what `convolve` does without the help of stages."""
        counts = torch.full((len(waveform),), waveform.shape[1], device=waveform.device)
        return convolve(waveform, counts, self.model.feature_extractor)

    def contextualise(self, features: Tensor) -> Tensor:
        """Return the sequence (B, T, D) of features (B, T, C), none of which is padding."""
        stages = self._in_use
        if stages is None:
            return self.contextualise_by_torch(features)
        return stages.contextualise(features)

    def contextualise_by_torch(self, features: Tensor) -> Tensor:
        """Do what `contextualise` does without the help of stages."""
        return (
            self._normed(features)
            if self._features_only
            else self.contextualise_valid(features, None)
        )

    def forward(self, inputs: ModelInputs) -> Encoded:
        """Encode waveform (B, N) under waveform_mask (B, N).

        Returns:
            sequence (B, T, D), mask (B, T), pooled (B, D), logits (B, 0). The sequence is zero
            beyond the mask, but where pooling takes padding in.

        Raises:
            ValueError: there is no waveform.
        """
        if inputs.waveform is None or inputs.waveform_mask is None:
            raise ValueError("a pretrained speech encoder needs a waveform")
        waveform, samples = self._long_enough(inputs.waveform, inputs.waveform_mask.sum(dim=1))
        c = self.settings
        heard = samples if c.respect_padding else torch.full_like(samples, waveform.shape[1])
        sequence = self._run(waveform, heard)
        mask = _mask(frame_counts(samples, self.model.feature_extractor), sequence)
        pooled = self._pool(sequence, mask)
        if c.respect_padding and not c.pooling.startswith("padded"):
            sequence = sequence * mask.unsqueeze(-1)
        return Encoded(sequence, mask, pooled, pooled.new_zeros(len(pooled), 0))

    def _long_enough(self, waveform: Tensor, samples: Tensor) -> tuple[Tensor, Tensor]:
        """Fill up with zeros to what one frame needs, and count those as heard."""
        least = _receptive_field(self.model.config)
        lacking = max(0, least - waveform.shape[1])
        return F.pad(waveform, (0, lacking)), samples.clamp(min=least)

    def _run(self, waveform: Tensor, samples: Tensor) -> Tensor:
        """Return (B, T, D); `samples` (B,) of each row count as heard."""
        if self._by_length:
            return self._rows_of_equal_length(waveform, samples)
        if self._in_use is not None and bool((samples == waveform.shape[1]).all()):
            return self.contextualise(self.convolve(waveform))
        return self._over_valid_frames(waveform, samples)

    def _over_valid_frames(self, waveform: Tensor, samples: Tensor) -> Tensor:
        """Return (B, T, D) of a padded batch; frames beyond a row's own mean nothing."""
        extractor = self.model.feature_extractor
        features = convolve(waveform, samples, extractor)
        if self._features_only:
            return self._normed(features)
        valid = _mask(frame_counts(samples, extractor), features)
        return self.contextualise_valid(features, valid)

    def contextualise_valid(self, features: Tensor, valid: Tensor | None) -> Tensor:
        """Return (B, T, D) of features (B, T, C) under valid (B, T), None where all are.

        Always by torch. Only models in `BY_VALID_FRAMES` that have a transformer take padding.
        """
        projected = self.model.feature_projection(features)
        hidden = projected[0] if isinstance(projected, tuple) else projected
        if valid is not None:
            hidden = self._masked(hidden, valid)
        with _tolerant():
            mask = None if valid is None or bool(valid.all()) else valid
            output: Tensor = self.model.encoder(hidden, attention_mask=mask).last_hidden_state
        return output

    def _normed(self, features: Tensor) -> Tensor:
        """Return the layer-normed output of the convolutions."""
        norm = getattr(self.model.feature_projection, "layer_norm", None)
        normed: Tensor = features if norm is None else norm(features)
        return normed

    def _masked(self, hidden: Tensor, valid: Tensor) -> Tensor:
        """Hide stretches of frames and channels in training (SpecAugment), if asked for."""
        config = self.model.config
        if not self.model.training or not config.apply_spec_augment:
            return hidden
        if hidden.shape[1] < config.mask_time_length:
            return hidden
        masked: Tensor = self.model._mask_hidden_states(hidden, attention_mask=valid)
        return masked

    def _rows_of_equal_length(self, waveform: Tensor, samples: Tensor) -> Tensor:
        rows: dict[int, Tensor] = {}
        for length in sorted(set(samples.tolist())):
            chosen = (samples == length).nonzero().flatten()
            hidden = self._of_one_length(waveform[chosen, :length])
            rows |= dict(zip(chosen.tolist(), hidden, strict=True))
        return pad_sequence([rows[i] for i in range(len(samples))], batch_first=True)

    def _of_one_length(self, waveform: Tensor) -> Tensor:
        if self._in_use is not None:
            return self.contextualise(self.convolve(waveform))
        hidden: Tensor = self.model(waveform).last_hidden_state
        return hidden


def _needs_equal_lengths(config: PretrainedConfig) -> bool:
    # a batch norm before the positional convolution gives padding a value of its own
    shifted = bool(getattr(config, "conv_pos_batch_norm", False))
    return shifted or config.model_type not in BY_VALID_FRAMES


def _width(config: PretrainedConfig) -> int:
    if getattr(config, "add_adapter", False):
        raise ConfigError("A speech encoder with a downsampling adapter is not taken.")
    return int(config.hidden_size)


def _mask(counts: Tensor, sequence: Tensor) -> Tensor:
    return torch.arange(sequence.shape[1], device=sequence.device)[None] < counts[:, None]


def _receptive_field(config: Any) -> int:
    """Return how many samples one frame is made of."""
    field = 1
    for kernel, stride in zip(
        reversed(config.conv_kernel), reversed(config.conv_stride), strict=True
    ):
        field = (field - 1) * stride + kernel
    return int(field)


@contextmanager
def _tolerant() -> Iterator[None]:
    """Torch dislikes that WavLM masks attention by truth values here and by numbers there."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Support for mismatched key_padding_mask")
        yield
