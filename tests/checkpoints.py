"""Small checkpoints with random weights, made in a second through the real `save_checkpoint`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from core.labels import EMOTIONS
from core.models import registry
from core.models.base import EmotionModel
from core.models.baseline import FeatureStatistics
from core.models.calibration import Calibration, DoubtLimits
from core.models.calibration import Path as JudgedBy
from core.models.checkpoint import save_checkpoint
from core.models.encoders.speech import SpeechEncoder, SpeechEncoderConfig
from core.models.encoders.text import TextEncoder, TextEncoderConfig
from core.models.outputs import EmotionOutput, Encoded, Features, ModelInputs
from core.models.processor import Processor, ProcessorConfig
from core.models.specification import Specification
from core.models.speech_features import SpeechFeatureExtractor
from core.models.tokenizer import TextTokenizer
from core.types import Modality

SENTENCES = (
    "I am so happy to see you today",
    "What is this, why are you angry with me",
    "It is nothing, the train is late again and we are sad",
    "정말 기쁘다 오늘 만나서 반가워요",
    "왜 이렇게 화가 났어요 무서워요",
    "아무 일도 아니에요 기차가 또 늦었어요",
)
"""What the tokenizer of a test checkpoint is trained on."""

SPECIFICATION = Specification(
    labels=EMOTIONS, modalities=(Modality.SPEECH, Modality.TEXT), languages=("en", "ko")
)


class TinyModel(EmotionModel):
    """The smallest model with all that the embedded one has: two encoders and three maps."""

    def __init__(self, specification: Specification, dim: int = 16, vocabulary: int = 400) -> None:
        super().__init__(specification)
        self._config = {"dim": dim, "vocabulary": vocabulary}
        self.speech = SpeechEncoder(
            SpeechEncoderConfig(dim=dim, blocks=1, attention_layers=1, heads=2, functional_hidden=8)
        )
        self.text = TextEncoder(
            TextEncoderConfig(vocabulary=vocabulary, dim=dim, layers=1, heads=2, feed_forward=16)
        )
        self.gate = torch.nn.Linear(2 * dim, 2)

    def config(self) -> dict[str, Any]:
        return dict(self._config)

    def encode(self, inputs: ModelInputs) -> Features:
        speech = text = None
        if inputs.speech is not None:
            assert inputs.speech_mask is not None
            speech = self.speech(inputs.speech, inputs.speech_mask, inputs.functionals)
        if inputs.tokens is not None:
            assert inputs.token_mask is not None
            text = self.text(inputs.tokens, inputs.token_mask)
        return Features(speech, text)

    def forward(self, features: Features, context: Any | None = None) -> EmotionOutput:
        speech, text = features.speech, features.text
        if speech is None or text is None:
            present = speech or text
            assert present is not None
            return EmotionOutput(present.logits)
        return self._fused(speech, text)

    def _fused(self, speech: Encoded, text: Encoded) -> EmotionOutput:
        pooled = torch.cat([speech.pooled, text.pooled], dim=1)
        share = self.gate(pooled).softmax(dim=1)
        logits = share[:, :1] * speech.logits + share[:, 1:] * text.logits
        maps: dict[str, Tensor] = {
            "token": _attend(text.sequence, speech.sequence, speech.mask),
            "feature": (pooled[:, :, None] * pooled[:, None, :]).softmax(dim=-1),
            "modality": share,
        }
        return EmotionOutput(logits, attentions=maps)


def _attend(queries: Tensor, keys: Tensor, mask: Tensor) -> Tensor:
    scores = queries @ keys.transpose(1, 2)
    return scores.masked_fill(~mask[:, None], -1e4).softmax(dim=-1)


def make_processor(languages: tuple[str, ...] = ("en", "ko")) -> Processor:
    """Return a processor with a tiny tokenizer and round feature statistics."""
    extractor = SpeechFeatureExtractor()
    config = ProcessorConfig(languages=languages)
    statistics = FeatureStatistics(
        frame_mean=np.zeros(extractor.frame_dim, np.float32),
        frame_deviation=np.full(extractor.frame_dim, 4.0, np.float32),
        functional_mean=np.zeros(extractor.functional_dim, np.float32),
        functional_deviation=np.full(extractor.functional_dim, 4.0, np.float32),
    )
    return Processor(config, statistics, TextTokenizer.train(SENTENCES * 4, 400))


def make_checkpoint(
    directory: Path,
    *,
    seed: int = 0,
    trained_on: Mapping[str, Any] | None = None,
    limits: DoubtLimits | None = None,
) -> Path:
    """Write a checkpoint with random weights to `directory` and return it.

    Args:
        directory: where; replaced if it exists.
        seed: of the weights.
        trained_on: what its training.yaml names as seen.
        limits: when a result is uncertain.
    """
    torch.manual_seed(seed)
    processor = make_processor()
    assert processor.tokenizer is not None
    model = TinyModel(SPECIFICATION, vocabulary=processor.tokenizer.vocabulary_size)
    temperatures = {JudgedBy.SPEECH_RAW: 1.3, JudgedBy.SPEECH_PERSONAL: 0.8, JudgedBy.FUSED: 1.1}
    save_checkpoint(
        directory,
        model,
        processor,
        name="tiny",
        architecture="tiny",
        training={"seed": seed, "trained_on": dict(trained_on or {})},
        metrics={"uar": None},
        card="# Tiny\n\nRandom weights, for tests.\n",
        calibration=Calibration(temperatures, (0.4,) * len(EMOTIONS)),
        limits=limits,
    )
    return directory


def know_tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the registry know the architecture of `make_checkpoint` for one test."""
    known = {**registry.ARCHITECTURES, "tiny": "tests.checkpoints:TinyModel"}
    monkeypatch.setattr(registry, "ARCHITECTURES", known)
