"""The speech stage: heads on utterance statistics first, then the frame network beside them.

The two are trained apart, because heads learn in seconds what would keep the frame network from
learning anything of its own; their logits are averaged.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.models.baseline import normalised_functional_dim
from core.models.encoders.speech import FunctionalHeads, SpeechEncoder, SpeechEncoderConfig
from core.models.processor import Processor, ProcessorConfig
from core.models.speech_features import SpeechFeatureConfig, SpeechFeatureExtractor
from training.data.augmentation import AugmentationConfig
from training.data.corpora.speech import Clip, read_manifest
from training.data.speech_bank import SpeechBank, VirtualSpeakers, measured_bank
from training.data.speech_batches import (
    SamplingConfig,
    SpeechBatch,
    SpeechBatches,
    SpeechSource,
    global_statistics,
)
from training.data.splits import check_parts, split_by_speaker
from training.progress import Reporter
from training.speech_artifacts import save_speech_encoder
from training.speech_scoring import mean_recalls
from training.stages import StageContext
from training.trainer import Objective, Trainer, TrainerConfig

SPLIT = "split.json"
_QUICK_CLIPS = 4

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SplitConfig:
    """Speakers `corpus/name` that are scored, and those that only calibrate; the others train."""

    held_out: tuple[str, ...] = ()
    calibration: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SpeechLossConfig:
    """label_smoothing spreads that share of the target over the corpus's classes; absent_penalty
    is taken off the logits of classes that the corpus lacks, which can't be right nor wrong there.
    """

    label_smoothing: float = 0.1
    absent_penalty: float = 4.0


@dataclass(frozen=True)
class SpeechConfig:
    """The speech stage; every key is explained in configs/embedded/speech.yaml."""

    heads_trainer: TrainerConfig
    trainer: TrainerConfig
    split: SplitConfig = field(default_factory=SplitConfig)
    features: SpeechFeatureConfig = field(default_factory=SpeechFeatureConfig)
    encoder: SpeechEncoderConfig = field(default_factory=SpeechEncoderConfig)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    loss: SpeechLossConfig = field(default_factory=SpeechLossConfig)
    virtual_speakers: tuple[VirtualSpeakers, ...] = ()
    heads_batch: int = 64
    frames_batch: int = 32


@dataclass(frozen=True)
class SpeechCorpus:
    """All clips of known classes with their measures; `banks[0]` is real speech."""

    clips: tuple[Clip, ...]
    banks: tuple[SpeechBank, ...]
    extractor: SpeechFeatureExtractor

    def rows_of(self, speakers: Sequence[str]) -> Rows:
        """Return the clips of some speakers."""
        wanted = set(speakers)
        return np.flatnonzero([clip.speaker in wanted for clip in self.clips])

    def check(self, parts: Mapping[str, Rows]) -> None:
        """Raise CorpusError when a speaker or identical audio is in two parts."""
        digests = self.banks[0].digests
        audio = {clip.path: digest for clip, digest in zip(self.clips, digests, strict=True)}
        check_parts({k: [self.clips[r] for r in rows] for k, rows in parts.items()}, audio)


def run(config: SpeechConfig, context: StageContext) -> None:
    """Train the speech encoder; leaves it with its processor and `split.json` in the folder."""
    config = quick_config(config) if context.quick else config
    cache = context.out / "measured"
    corpus = load_corpus(context.data, config, cache, context.reporter, quick=context.quick)
    split = _split(config.split, corpus)
    parts = {name: corpus.rows_of(speakers) for name, speakers in split.items()}
    corpus.check(parts)
    torch.manual_seed(context.seed)
    encoder, processor = train_encoder(
        config, corpus, parts["train"], parts["calibration"], context.folder / "training",
        context.reporter, resume=context.resume,
    )  # fmt: skip
    save_speech_encoder(context.folder, encoder, processor)
    text = json.dumps(split, indent=2) + "\n"
    (context.folder / SPLIT).write_text(text, encoding="utf-8")


def load_corpus(
    data: Path, config: SpeechConfig, cache: Path, reporter: Reporter, *, quick: bool = False
) -> SpeechCorpus:
    """Read and measure the speech corpora below `data`. Raises CorpusError and MediaError."""
    clips = tuple(c for c in read_manifest(data / "speech") if c.label is not None)
    clips = _few(clips) if quick else clips
    extractor = SpeechFeatureExtractor(config.features)
    copies = (VirtualSpeakers(), *config.virtual_speakers)
    banks = [
        measured_bank(data / "speech", clips, copy, extractor, cache, reporter) for copy in copies
    ]
    return SpeechCorpus(clips, tuple(banks), extractor)


def train_encoder(
    config: SpeechConfig,
    corpus: SpeechCorpus,
    train: Rows,
    judged: Rows,
    folder: Path,
    reporter: Reporter,
    *,
    resume: bool = False,
) -> tuple[SpeechEncoder, Processor]:
    """Train on clips `train`; unlabelled statistics and labels of no other clip are used.

    `judged` clips are only shown as validation metrics, unless a trainer keeps its best epoch.
    """
    statistics = global_statistics(corpus.clips, corpus.banks[0], train)
    source = SpeechSource(corpus.clips, corpus.banks, statistics, corpus.extractor)
    encoder = SpeechEncoder(_sized(config.encoder, corpus.extractor))
    reporter.say("speech: heads on functionals")
    heads = _heads_objective(config, source, train, judged, encoder)
    Trainer(config.heads_trainer, heads, folder / "heads", reporter).fit(resume)
    encoder.functional_heads.requires_grad_(False)
    reporter.say("speech: frame network")
    frames = _frames_objective(config, source, train, judged, encoder)
    Trainer(config.trainer, frames, folder / "frames", reporter).fit(resume)
    processor = Processor(ProcessorConfig(speech=config.features), statistics)
    return encoder.eval(), processor


def masked_loss(logits: Tensor, batch: SpeechBatch, config: SpeechLossConfig) -> Tensor:
    """Return the smoothed cross-entropy of logits (B, C) among the classes of each corpus."""
    allowed = batch.allowed
    scores = (logits.float() - config.absent_penalty * ~allowed).log_softmax(dim=1)
    target = nn.functional.one_hot(batch.labels, logits.shape[1]).float()
    even = allowed.float() / allowed.sum(dim=1, keepdim=True)
    target = (1 - config.label_smoothing) * target + config.label_smoothing * even
    return -(target * scores).sum(dim=1).mean()


def _heads_objective(
    config: SpeechConfig, source: SpeechSource, train: Rows, judged: Rows, encoder: SpeechEncoder
) -> Objective:
    batches = SpeechBatches(
        source, train, config.sampling, config.augmentation, config.heads_batch, with_frames=False
    )

    def loss(model: nn.Module, batch: SpeechBatch) -> Mapping[str, Tensor]:
        assert isinstance(model, FunctionalHeads)
        anyone = model.separate(batch.functionals)[: model.each]
        personal = model.separate(batch.personal)[model.each :]
        losses = [masked_loss(x, batch, config.loss) for x in (*anyone, *personal)]
        return {"loss": torch.stack(losses).mean()}

    def validate(model: nn.Module) -> Mapping[str, float]:
        return mean_recalls(encoder, source, judged, with_frames=False)

    return Objective(encoder.functional_heads, batches, batches.steps, loss, validate)


def _frames_objective(
    config: SpeechConfig, source: SpeechSource, train: Rows, judged: Rows, encoder: SpeechEncoder
) -> Objective:
    batches = SpeechBatches(
        source, train, config.sampling, config.augmentation, config.frames_batch, with_frames=True
    )

    def loss(model: nn.Module, batch: SpeechBatch) -> Mapping[str, Tensor]:
        assert isinstance(model, SpeechEncoder)
        assert batch.frames is not None
        assert batch.mask is not None
        parts = model.parts(batch.frames, batch.mask, batch.functionals)
        frames = masked_loss(parts.frame_logits, batch, config.loss)
        joint = masked_loss(model.joint_head(parts.pooled), batch, config.loss)
        return {"loss": frames + joint, "frames": frames, "joint": joint}

    def validate(model: nn.Module) -> Mapping[str, float]:
        return mean_recalls(encoder, source, judged)

    return Objective(encoder, batches, batches.steps, loss, validate)


def _sized(config: SpeechEncoderConfig, extractor: SpeechFeatureExtractor) -> SpeechEncoderConfig:
    return replace(
        config,
        frame_dim=extractor.frame_dim,
        functional_dim=normalised_functional_dim(extractor.functional_dim),
    )


def _split(config: SplitConfig, corpus: SpeechCorpus) -> dict[str, list[str]]:
    """Return the speakers of each part. Raises CorpusError for a configured name nobody has."""
    known = {clip.speaker for clip in corpus.clips}
    if not known & {*config.held_out, *config.calibration}:
        config = _own_split(sorted(known))
    split = split_by_speaker(corpus.clips, config.held_out, config.calibration)
    parts = {"train": split.train, "calibration": split.calibration, "held_out": split.held_out}
    return {name: sorted({clip.speaker for clip in clips}) for name, clips in parts.items()}


def _own_split(speakers: Sequence[str]) -> SplitConfig:
    """Return a split for a data folder with none of the configured speakers: the last ones."""
    if len(speakers) < 3:
        return SplitConfig()
    return SplitConfig(held_out=(speakers[-1],), calibration=(speakers[-2],))


def _few(clips: Sequence[Clip]) -> tuple[Clip, ...]:
    """Keep a few clips per speaker and class."""
    kept, count = [], dict[tuple[str, str], int]()
    for clip in clips:
        key = (clip.speaker, clip.emotion)
        count[key] = count.get(key, 0) + 1
        if count[key] <= _QUICK_CLIPS:
            kept.append(clip)
    return tuple(kept)


def quick_config(config: SpeechConfig) -> SpeechConfig:
    """Return a configuration that trains in seconds."""
    return replace(
        config,
        heads_trainer=replace(config.heads_trainer, epochs=2),
        trainer=replace(config.trainer, epochs=1),
        encoder=replace(config.encoder, dim=32, blocks=1, attention_layers=1),
        sampling=replace(config.sampling, most_per_corpus=64, least_per_corpus=32),
        virtual_speakers=config.virtual_speakers[:1],
    )
