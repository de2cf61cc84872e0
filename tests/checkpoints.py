"""Small checkpoints with random weights, made in a second through the real `save_checkpoint`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.labels import EMOTIONS
from core.models.baseline import FeatureStatistics, normalised_functional_dim
from core.models.bimodal import BimodalConfig, BimodalModel, FusionConfig
from core.models.calibration import Calibration, DoubtLimits
from core.models.calibration import Path as JudgedBy
from core.models.checkpoint import save_checkpoint
from core.models.encoders.speech import SpeechEncoderConfig
from core.models.encoders.text import TextEncoderConfig
from core.models.fusion.cross_attention import CrossAttentionConfig
from core.models.fusion.rsa_cfn import RsaCfnConfig
from core.models.processor import Processor, ProcessorConfig
from core.models.specification import Specification
from core.models.speech_features import SpeechFeatureExtractor
from core.models.tokenizer import TextTokenizer
from core.types import FloatArray, Modality

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


_EXTRACTOR = SpeechFeatureExtractor()
MODEL = BimodalConfig(
    SpeechEncoderConfig(
        frame_dim=_EXTRACTOR.frame_dim,
        functional_dim=normalised_functional_dim(_EXTRACTOR.functional_dim),
        dim=16,
        blocks=1,
        attention_layers=1,
        heads=2,
        functional_hidden=8,
    ),
    TextEncoderConfig(vocabulary=400, dim=16, layers=1, heads=2, feed_forward=16),
    FusionConfig(
        rsa_cfn=RsaCfnConfig(speech_dim=16, text_dim=16, projection=4, attention=4, hidden=8),
        cross_attention=CrossAttentionConfig(speech_dim=16, text_dim=16, dim=8),
    ),
)
"""The embedded architecture in the smallest size that has every part."""


def make_model(seed: int = 0) -> BimodalModel:
    """Return an untrained model, also its corrections and gates away from where they start."""
    torch.manual_seed(seed)
    model = BimodalModel(SPECIFICATION, MODEL)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


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
    temperatures = {JudgedBy.SPEECH_RAW: 1.3, JudgedBy.SPEECH_PERSONAL: 0.8, JudgedBy.FUSED: 1.1}
    save_checkpoint(
        directory,
        make_model(seed),
        make_processor(),
        name="tiny",
        architecture="bimodal",
        training={"seed": seed, "trained_on": dict(trained_on or {})},
        metrics={"uar": None},
        card="# Tiny\n\nRandom weights, for tests.\n",
        calibration=Calibration(temperatures, (0.4,) * len(EMOTIONS)),
        limits=limits,
    )
    return directory


def voice(seconds: float, pitch: float = 150.0, seed: int = 0) -> FloatArray:
    """A buzz with syllables: harmonics of a pitch under a 4 Hz envelope, and a little noise."""
    t = np.arange(int(seconds * 16_000)) / 16_000
    buzz = sum(np.sin(2 * np.pi * pitch * k * t) / k for k in range(1, 12))
    noise = np.random.default_rng(seed).normal(0, 1e-3, t.size)
    return (0.2 * buzz * (0.55 - 0.45 * np.cos(2 * np.pi * 4 * t)) + noise).astype(np.float32)
