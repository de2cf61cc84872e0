"""Somebody's audio classifier and somebody's text classifier, read as our classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Self

import torch
from torch import Tensor, nn

from core.errors import ConfigError
from core.models.encoders import backbone
from core.models.encoders.pretrained_speech import BY_LENGTH, BY_VALID_FRAMES
from core.models.outputs import Encoded, ModelInputs
from core.models.ready_made_labels import LabelMap, class_log_probabilities, label_matrix
from core.types import SAMPLE_RATE

WAVEFORMS = BY_VALID_FRAMES | BY_LENGTH | {"wav2vec2-conformer"}
"""Model types that take samples; all are run over rows of equal length, so nothing is padded."""

FRONTS: Mapping[str, str] = MappingProxyType(
    {
        "audio-spectrogram-transformer": "ASTFeatureExtractor",
        "wav2vec2-bert": "SeamlessM4TFeatureExtractor",
        "whisper": "WhisperFeatureExtractor",
    }
)
"""Model types that take a spectrogram -> the class in transformers that makes it."""


@dataclass(frozen=True, slots=True)
class BranchConfig:
    """One classifier.

    Attributes:
        model: its Hugging Face configuration, as in `config.json`.
        labels: each of its labels -> class, or None.
        multi_label: its labels do not exclude one another.
        front: content of `preprocessor_config.json` where the model takes a spectrogram.
    """

    model: Mapping[str, Any]
    labels: LabelMap
    multi_label: bool = False
    front: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote. Raises ConfigError."""
        try:
            return cls(**values)
        except TypeError as error:
            raise ConfigError(f"A classifier can't be made of this ({error}).") from error

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "model": dict(self.model),
            "labels": dict(self.labels),
            "multi_label": self.multi_label,
            "front": dict(self.front),
        }


def label_names(model: Mapping[str, Any]) -> list[str]:
    """Return the labels of a configuration in the order of the outputs."""
    found = backbone.config_of(model).id2label
    return [str(found[index]) for index in sorted(found)]


class Branch(nn.Module):
    """A classifier whose answer is told in our classes.

    Args:
        config: see BranchConfig.
        classes: of the result.
        task: what the model is.
        model: with weights; None: built with random ones.

    Raises:
        ConfigError: labels, model and task do not fit one another.
    """

    matrix: Tensor

    def __init__(
        self,
        config: BranchConfig,
        classes: Sequence[str],
        task: backbone.Task,
        model: Any | None = None,
    ) -> None:
        super().__init__()
        self.settings = config
        found = backbone.config_of(config.model)
        matrix = label_matrix(label_names(config.model), config.labels, classes)
        self.register_buffer("matrix", matrix, persistent=False)
        self.model = backbone.build(found, task) if model is None else model

    @property
    def covered(self) -> Tensor:
        """(C,), true for classes that some label of the model means."""
        return self.matrix.any(dim=0)

    def read(self, logits: Tensor) -> Encoded:
        """Return the model's answer (B, labels) as log-probabilities of our classes."""
        multi = self.settings.multi_label
        answer = class_log_probabilities(logits.float(), self.matrix, multi_label=multi)
        mask = torch.ones(len(answer), 1, dtype=torch.bool, device=answer.device)
        return Encoded(answer[:, None], mask, answer, answer)


class SpeechBranch(Branch):
    """An audio classifier over waveforms."""

    def __init__(
        self, config: BranchConfig, classes: Sequence[str], model: Any | None = None
    ) -> None:
        kind = str(config.model.get("model_type"))
        if kind not in WAVEFORMS and kind not in FRONTS:
            known = ", ".join(sorted(WAVEFORMS | set(FRONTS)))
            raise ConfigError(f"An audio classifier of type {kind} is not taken.", f"Of: {known}.")
        super().__init__(config, classes, backbone.AUDIO_CLASSIFIER, model)
        self._front = _front(kind, config.front) if kind in FRONTS else None

    def forward(self, inputs: ModelInputs) -> Encoded:
        """Classify waveform (B, N) under waveform_mask (B, N). Raises ValueError without."""
        if inputs.waveform is None or inputs.waveform_mask is None:
            raise ValueError("a speech classifier needs a waveform")
        lengths = inputs.waveform_mask.sum(dim=1)
        rows: dict[int, Tensor] = {}
        for length in sorted(set(lengths.tolist())):
            chosen = (lengths == length).nonzero().flatten()
            logits = self._classify(inputs.waveform[chosen, :length])
            rows |= dict(zip(chosen.tolist(), logits, strict=True))
        return self.read(torch.stack([rows[i] for i in range(len(lengths))]))

    def _classify(self, waveform: Tensor) -> Tensor:
        """Return logits (B, labels) of rows without padding (B, N)."""
        given = waveform
        if self._front is not None:
            rows = [row.numpy() for row in waveform.cpu()]
            made = self._front(rows, sampling_rate=SAMPLE_RATE, return_tensors="pt")
            given = made[self.model.main_input_name].to(waveform.device)
        logits: Tensor = self.model(given).logits
        return logits


def _front(kind: str, values: Mapping[str, Any]) -> Any:
    import transformers

    settings = {k: v for k, v in values.items() if k != "feature_extractor_type"}
    try:
        return getattr(transformers, FRONTS[kind])(**settings)
    except Exception as error:  # what a feature extractor raises for nonsense varies
        raise ConfigError(
            f"The preprocessor of the {kind} model makes no sense ({error})."
        ) from error


class TextBranch(Branch):
    """A text classifier over tokens."""

    def __init__(
        self, config: BranchConfig, classes: Sequence[str], model: Any | None = None
    ) -> None:
        super().__init__(config, classes, backbone.TEXT_CLASSIFIER, model)

    def forward(self, inputs: ModelInputs) -> Encoded:
        """Classify tokens (B, L) under token_mask (B, L). Raises ValueError without."""
        if inputs.tokens is None or inputs.token_mask is None:
            raise ValueError("a text classifier needs tokens")
        output = self.model(input_ids=inputs.tokens, attention_mask=inputs.token_mask.long())
        return self.read(output.logits)
