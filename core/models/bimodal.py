"""The embedded model: a speech encoder, a text encoder, and fusion; either modality may be missing.

The fused logits are the sum of both modalities' log-odds (`fusion/late.py`) plus corrections by
RSA-CFN (`fusion/rsa_cfn.py`) and by attention of words over time (`fusion/cross_attention.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

import torch
from torch import Tensor, nn

from core.errors import CheckpointError
from core.models.base import EmotionModel
from core.models.encoders.speech import SpeechEncoder, SpeechEncoderConfig
from core.models.encoders.text import TextEncoder, TextEncoderConfig
from core.models.fusion.cross_attention import CrossAttentionConfig, CrossAttentionHead
from core.models.fusion.late import LateFusion, LateOutput, modality_share
from core.models.fusion.rsa_cfn import RsaCfnConfig, RsaCfnHead
from core.models.outputs import EmotionOutput, Encoded, Features, ModelInputs
from core.models.specification import Specification


@dataclass(frozen=True)
class FusionConfig:
    """Which corrections are added to the late fusion, and their sizes."""

    rsa_cfn: RsaCfnConfig | None = field(default_factory=RsaCfnConfig)
    cross_attention: CrossAttentionConfig | None = field(default_factory=CrossAttentionConfig)
    modality_dropout: float = 0.15
    """Chance in training that a correction sees only one of the two modalities."""


def fusion_config(values: Mapping[str, Any]) -> FusionConfig:
    """Read the plain values of a FusionConfig. Raises TypeError for unknown keys."""
    given = dict(values)
    for name, kind in (("rsa_cfn", RsaCfnConfig), ("cross_attention", CrossAttentionConfig)):
        given[name] = None if given.get(name) is None else kind(**given[name])
    return FusionConfig(**given)


@dataclass(frozen=True)
class BimodalConfig:
    """The model's architecture."""

    speech: SpeechEncoderConfig = field(default_factory=SpeechEncoderConfig)
    text: TextEncoderConfig = field(default_factory=TextEncoderConfig)
    fusion: FusionConfig = field(default_factory=FusionConfig)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote. Raises TypeError for unknown keys."""
        return cls(
            SpeechEncoderConfig(**values["speech"]),
            TextEncoderConfig(**values["text"]),
            fusion_config(values["fusion"]),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


class FusionHead(nn.Module):
    """Everything that takes both modalities."""

    def __init__(self, config: FusionConfig, classes: int) -> None:
        super().__init__()
        self.config = config
        self.late = LateFusion(classes)
        self.rsa_cfn = RsaCfnHead(config.rsa_cfn) if config.rsa_cfn else None
        cross = config.cross_attention
        self.cross_attention = CrossAttentionHead(cross) if cross else None
        for last in self._last_layers():  # corrections start at nothing
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def _last_layers(self) -> list[nn.Linear]:
        found = [self.rsa_cfn.out[-1]] if self.rsa_cfn is not None else []
        if self.cross_attention is not None:
            found.append(self.cross_attention.out)
        return [layer for layer in found if isinstance(layer, nn.Linear)]

    def forward(self, speech: Encoded, text: Encoded) -> EmotionOutput:
        """Fuse two encoded modalities of the same batch."""
        late: LateOutput = self.late(speech.logits, text.logits)
        logits, attentions = late.logits, {"modality": modality_share(late.contributions)}
        heard, read = self._dropped(speech, text)
        corrections = []
        if self.rsa_cfn is not None:
            correction, attentions["feature"] = self.rsa_cfn(heard.pooled, read.pooled)
            corrections.append(correction)
        if self.cross_attention is not None:
            correction, attentions["token"] = self.cross_attention(heard, read)
            corrections.append(correction)
        auxiliary = {"late": late.logits, "contributions": late.contributions}
        for correction in corrections:
            logits = logits + correction
        if corrections:
            auxiliary["correction"] = torch.stack(corrections, dim=1)
        return EmotionOutput(logits, attentions=attentions, auxiliary=auxiliary)

    def _dropped(self, speech: Encoded, text: Encoded) -> tuple[Encoded, Encoded]:
        """In training now and then hide one modality of a row from the corrections."""
        if not self.training or self.config.modality_dropout == 0:
            return speech, text
        chance = torch.rand(len(speech.pooled), device=speech.pooled.device)
        dropped = self.config.modality_dropout
        return _hide(speech, chance < dropped / 2), _hide(text, chance > 1 - dropped / 2)


class BimodalModel(EmotionModel):
    """Speech and text to seven logits; speech alone and text alone give their encoder's logits.

    Attention maps by name: `modality` (B, 2) share of speech and text; `token` (B, L, T') of words
    over time and `feature` (B, D, D) over fused features, when both are there; `frame` (B, T'), how
    much each moment counted in the pooling of speech.
    """

    def __init__(self, specification: Specification, config: BimodalConfig | None = None) -> None:
        super().__init__(specification)
        self.architecture = config or BimodalConfig()
        c = self.architecture
        self.speech = SpeechEncoder(c.speech)
        self.text = TextEncoder(c.text)
        self.fusion = FusionHead(c.fusion, len(specification.labels))

    @classmethod
    def from_config(cls, specification: Specification, config: Mapping[str, Any]) -> Self:
        """Build an untrained model from the `model` section of a checkpoint."""
        try:
            return cls(specification, BimodalConfig.from_dict(config))
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"The model section makes no sense: {error}.") from error

    def config(self) -> dict[str, Any]:
        """Return the plain values with which `from_config` builds the same architecture."""
        return self.architecture.to_dict()

    def encode(self, inputs: ModelInputs) -> Features:
        """Encode each modality that is there. Raises ValueError when none is."""
        speech = text = None
        if inputs.speech is not None and inputs.speech_mask is not None:
            speech = self.speech(inputs.speech, inputs.speech_mask, inputs.functionals)
        if inputs.tokens is not None and inputs.token_mask is not None:
            text = self.text(inputs.tokens, inputs.token_mask)
        if speech is None and text is None:
            raise ValueError("neither speech nor text was given")
        return Features(speech, text)

    def forward(self, features: Features, context: Any | None = None) -> EmotionOutput:
        """Return fused logits (B, 7), or those of the only modality there is."""
        speech, text = features.speech, features.text
        if speech is not None and text is not None:
            output: EmotionOutput = self.fusion(speech, text)
            attentions = {**output.attentions, "frame": self._frame_weights(speech)}
            return replace(output, attentions=attentions)
        if speech is not None:
            attentions = {"frame": self._frame_weights(speech), "modality": _share(speech, 0)}
            return EmotionOutput(speech.logits, attentions=attentions)
        if text is not None:
            return EmotionOutput(text.logits, attentions={"modality": _share(text, 1)})
        raise ValueError("neither speech nor text was encoded")

    def _frame_weights(self, speech: Encoded) -> Tensor:
        """Return (B, T'), how much each moment counts in the pooling of the first member."""
        pool: Any = self.speech.members[0].pool
        weights: Tensor = pool.weights(speech.sequence, speech.mask)
        return weights


def _share(encoded: Encoded, column: int) -> Tensor:
    share = encoded.logits.new_zeros(len(encoded.logits), 2)
    share[:, column] = 1.0
    return share


def _hide(encoded: Encoded, rows: Tensor) -> Encoded:
    """Zero what is encoded of the chosen rows (B,)."""
    keep = (~rows).to(encoded.pooled.dtype)
    return replace(
        encoded,
        sequence=encoded.sequence * keep[:, None, None],
        pooled=encoded.pooled * keep[:, None],
    )
