"""Small checkpoints with random weights, made in a second through the real `save_checkpoint`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from core.labels import EMOTIONS
from core.models.baseline import FeatureStatistics, normalised_functional_dim
from core.models.bimodal import BimodalConfig, BimodalModel, FusionConfig
from core.models.calibration import Calibration, DoubtLimits
from core.models.calibration import Path as JudgedBy
from core.models.checkpoint import CheckpointInfo, save_checkpoint
from core.models.context.checkpoint import save_dialogue_checkpoint
from core.models.context.registry import dialogue_architecture
from core.models.context.specification import DialogueSpecification, FeatureSize
from core.models.encoders.build import build_speech_encoder, build_text_encoder
from core.models.encoders.pretrained import load_pretrained_speech, load_pretrained_text
from core.models.encoders.pretrained import make_processor as make_pretrained_processor
from core.models.encoders.speech import SpeechEncoderConfig
from core.models.encoders.text import TextEncoderConfig
from core.models.fusion.cross_attention import CrossAttentionConfig
from core.models.fusion.rsa_cfn import RsaCfnConfig
from core.models.processor import Processor, ProcessorConfig
from core.models.processor_loading import AnyProcessor
from core.models.specification import Problem, Specification
from core.models.speech_features import SpeechFeatureExtractor
from core.models.speech_text import SpeechTextConfig, SpeechTextModel, make_specification
from core.models.systems.registry import system as published
from core.models.tokenizer import TextTokenizer
from core.types import FloatArray, Modality
from training.generated.encoders import write_encoder

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


def make_speech_text_checkpoint(
    directory: Path,
    *,
    system: str = "early",
    problem: Problem = Problem.SINGLE_LABEL,
    affect: bool = False,
    labels: tuple[str, ...] = EMOTIONS,
    languages: tuple[str, ...] = ("en", "ko"),
    pretrained: bool = False,
    head: Mapping[str, Any] | None = None,
    calibration: Calibration | None = None,
    metrics: Mapping[str, Any] | None = None,
    card: str = "# Tiny\n\nRandom weights, for tests. Licence: none needed.\n",
    limits: DoubtLimits | None = None,
    name: str = "",
    seed: int = 0,
    width: int = 32,
) -> Path:
    """Write a checkpoint of a published system with random weights to `directory`; return it.

    Args:
        pretrained: encoders of the kind a hub has, tiny; else those of the embedded checkpoint.
        head: options of the system's head.
        width: of pretrained encoders; that of text is two thirds of it, in steps of 16.
    """
    torch.manual_seed(seed)
    config = SpeechTextConfig(system, affect=affect, head=dict(head or {}))
    takes = published(system).modalities
    make = _pretrained_parts if pretrained else _compact_parts
    speech, text, processor = make(directory.parent / "encoders", takes, languages, width)
    known = languages if Modality.TEXT in takes else ()
    specification = make_specification(config, labels, problem=problem, languages=known)
    model = SpeechTextModel(specification, config, speech=speech, text=text)
    _shake(model)
    save_checkpoint(
        directory,
        model,
        processor,
        name=name or f"tiny-{system}",
        architecture="speech_text",
        training={"seed": seed, "trained_on": {}},
        metrics=metrics or {"uar": None},
        card=card,
        calibration=calibration,
        limits=limits,
        half=False,
    )
    return directory


DIALOGUE_MODELS: Mapping[str, Mapping[str, Any]] = {
    "mglra": {"dim": 16, "node": 8, "layers": 2, "nested": {"sizes": [8, 4]}},
    "bilstm": {"hidden": 16, "speaker": 4},
    "utterance": {"hidden": 8},
}
"""Dialogue architectures in the smallest size that has every part."""


def make_dialogue_checkpoint(
    directory: Path,
    *,
    architecture: str = "bilstm",
    model: Mapping[str, Any] | None = None,
    features: Mapping[str, FeatureSize] | None = None,
    utterance_model: CheckpointInfo | None = None,
    labels: tuple[str, ...] = EMOTIONS,
    window: int = 6,
    temperature: float = 1.0,
    utterance_share: float = 0.0,
    name: str = "",
    seed: int = 0,
) -> Path:
    """Write a dialogue checkpoint with random weights to `directory` and return it.

    Args:
        model: its configuration; that of `DIALOGUE_MODELS` if not given.
        features: what it takes; those of the tiny embedded architecture if not given.
        utterance_model: whose features it claims to be trained on; none if not given.
    """
    torch.manual_seed(seed)
    specification = DialogueSpecification(
        labels=labels,
        features=features or {"speech": FeatureSize(16), "text": FeatureSize(16)},
        window=window,
        speakers=4,
        utterance_model=utterance_model.digest if utterance_model else "",
        utterance_name=utterance_model.name if utterance_model else "",
        languages=("en", "ko"),
        utterance_share=utterance_share,
    )
    config = DIALOGUE_MODELS[architecture] if model is None else model
    built = dialogue_architecture(architecture).from_config(specification, config)
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    save_dialogue_checkpoint(
        directory,
        built,
        name=name or f"tiny-{architecture}",
        architecture=architecture,
        training={"seed": seed},
        metrics={},
        card="# Tiny\n\nRandom weights, for tests. Licence: none needed.\n",
        temperature=temperature,
        half=False,
    )
    return directory


def _compact_parts(
    _: Path, takes: tuple[Modality, ...], languages: tuple[str, ...], __: int
) -> tuple[nn.Module | None, nn.Module | None, AnyProcessor]:
    speech = build_speech_encoder({"kind": "compact", **MODEL.speech.to_dict()})
    text = build_text_encoder({"kind": "compact", **MODEL.text.to_dict()})
    reads, hears = Modality.TEXT in takes, Modality.SPEECH in takes
    processor = make_processor(languages if reads else ())
    return speech if hears else None, text if reads else None, processor


def _pretrained_parts(
    folder: Path, takes: tuple[Modality, ...], languages: tuple[str, ...], width: int
) -> tuple[nn.Module | None, nn.Module | None, AnyProcessor]:
    narrow = max(16, width * 2 // 3 // 16 * 16)
    speech = text = None
    if Modality.SPEECH in takes:
        kind = "wav2vec2_large_like"
        speech = load_pretrained_speech(write_encoder(kind, folder / f"speech{width}", width=width))
    if Modality.TEXT in takes:
        kind = "klue_roberta_like"
        text = load_pretrained_text(write_encoder(kind, folder / f"text{narrow}", width=narrow))
    prepared = languages if text is not None else ()
    processor = make_pretrained_processor(speech, text, languages=prepared, longest_seconds=6.0)
    return speech.encoder if speech else None, text.encoder if text else None, processor


def _shake(model: SpeechTextModel) -> None:
    """Move the parts that answer away from where they start, so that answers differ."""
    with torch.no_grad():
        for parameter in (*model.head.parameters(), *model.probes.parameters()):
            if parameter.ndim > 1:
                parameter.add_(0.3 * torch.randn_like(parameter))


def voice(seconds: float, pitch: float = 150.0, seed: int = 0) -> FloatArray:
    """A buzz with syllables: harmonics of a pitch under a 4 Hz envelope, and a little noise."""
    t = np.arange(int(seconds * 16_000)) / 16_000
    buzz = sum(np.sin(2 * np.pi * pitch * k * t) / k for k in range(1, 12))
    noise = np.random.default_rng(seed).normal(0, 1e-3, t.size)
    return (0.2 * buzz * (0.55 - 0.45 * np.cos(2 * np.pi * 4 * t)) + noise).astype(np.float32)
