"""Two classifiers that somebody else trained, fused late: for people who don't train.

Each model's answer is told in our classes (see `ready_made_labels`); both are pooled by a weighted
product of their probabilities (logarithmic opinion pool: Genest & Zidek 1986, Statistical Science
1), which is `fusion.late` with text that always speaks of the speaker. A class for which one of
the models has no label at all gets the level of chance from it: not being able to say "fear" is no
evidence against fear.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

from core.errors import ConfigError
from core.models.base import EmotionModel
from core.models.fusion.late import LateFusion, modality_share
from core.models.outputs import EmotionOutput, Encoded, Features, ModelInputs
from core.models.ready_made_branches import BranchConfig, SpeechBranch, TextBranch
from core.models.specification import Specification
from core.types import Modality

ARCHITECTURE = "ready_made"
_ALWAYS = 20.0
"""Log-odds of "the words carry the speaker's emotion": a plain logarithmic opinion pool."""


@dataclass(frozen=True, slots=True)
class ReadyMadeConfig:
    """The two classifiers; either may be None."""

    speech: BranchConfig | None = None
    text: BranchConfig | None = None

    def __post_init__(self) -> None:
        if self.speech is None and self.text is None:
            raise ConfigError("A ready-made model needs a speech or a text classifier.")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote. Raises ConfigError."""
        if unknown := sorted(set(values) - {"speech", "text"}):
            raise ConfigError(f"A ready-made model has no {', '.join(unknown)}.")
        branches = {
            name: None if branch is None else BranchConfig.from_dict(branch)
            for name, branch in values.items()
        }
        return cls(**branches)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "speech": self.speech.to_dict() if self.speech else None,
            "text": self.text.to_dict() if self.text else None,
        }

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """What it takes."""
        given = {Modality.SPEECH: self.speech, Modality.TEXT: self.text}
        return tuple(modality for modality, branch in given.items() if branch is not None)


class ReadyMadeModel(EmotionModel):
    """Logits are logarithms of (pooled) probabilities.

    Args:
        specification: its labels are the classes.
        config: the classifiers.
        speech, text: models with weights; None: built with random ones.

    Raises:
        ConfigError: labels do not fit, or the specification has other modalities.
    """

    def __init__(
        self,
        specification: Specification,
        config: ReadyMadeConfig,
        *,
        speech: Any | None = None,
        text: Any | None = None,
    ) -> None:
        super().__init__(specification)
        if set(specification.modalities) != set(config.modalities):
            raise ConfigError("The specification has other modalities than the classifiers.")
        self.architecture = config
        classes = specification.labels
        self.speech = SpeechBranch(config.speech, classes, speech) if config.speech else None
        self.text = TextBranch(config.text, classes, text) if config.text else None
        self.fusion = LateFusion(len(classes))
        with torch.no_grad():
            self.fusion.mixture.copy_(torch.tensor([_ALWAYS, 0.0]))
        self.weigh(0.5, 0.5)

    def weigh(self, speech: float, text: float) -> None:
        """Set the exponents of both probabilities. Raises ConfigError unless positive."""
        if not (speech > 0 and text > 0):
            raise ConfigError("The weights of speech and text must be positive.")
        with torch.no_grad():
            self.fusion.log_scale.copy_(torch.tensor([math.log(speech), math.log(text)]))

    @classmethod
    def from_config(cls, specification: Specification, config: Mapping[str, Any]) -> Self:
        """Build an untrained model from the `model` section of a checkpoint."""
        return cls(specification, ReadyMadeConfig.from_dict(config))

    def config(self) -> dict[str, Any]:
        """Return the plain values with which `from_config` builds the same architecture."""
        return self.architecture.to_dict()

    def encode(self, inputs: ModelInputs) -> Features:
        """Run each classifier whose modality is there. Raises ValueError when none is."""
        speech = text = None
        if self.speech is not None and inputs.waveform is not None:
            speech = self.speech(inputs)
        if self.text is not None and inputs.tokens is not None:
            text = self.text(inputs)
        if speech is None and text is None:
            raise ValueError("nothing was given that the model takes")
        return Features(speech, text)

    def forward(self, features: Features, context: Any | None = None) -> EmotionOutput:
        """Return logits (B, C), and `modality` (B, 2), the share of each in the decision."""
        speech, text = features.speech, features.text
        if speech is not None and text is not None:
            fused = self.fusion(*self._informed(speech, text))
            share = modality_share(fused.contributions)
            return EmotionOutput(self._possible(fused.logits), attentions={"modality": share})
        only = speech if speech is not None else text
        if only is None:
            raise ValueError("neither speech nor text was encoded")
        share = only.logits.new_zeros(len(only.logits), 2)
        share[:, 0 if speech is not None else 1] = 1.0
        return EmotionOutput(only.logits, attentions={"modality": share})

    def _informed(self, speech: Encoded, text: Encoded) -> tuple[Tensor, Tensor]:
        """Put the level of chance where a classifier has no label for a class."""
        assert self.speech is not None
        assert self.text is not None
        chance = -math.log(len(self.specification.labels))
        return (
            speech.logits.masked_fill(~self.speech.covered, chance),
            text.logits.masked_fill(~self.text.covered, chance),
        )

    def _possible(self, logits: Tensor) -> Tensor:
        """Rule out classes for which neither classifier has a label."""
        assert self.speech is not None
        assert self.text is not None
        never = ~(self.speech.covered | self.text.covered)
        lowest = logits.amin(dim=-1, keepdim=True) - 12.0
        return torch.where(never, lowest, logits)
