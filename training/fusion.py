"""The fusion stage: encoders frozen, synthetic pairs, late fusion first, corrections after it.

Who is used for what: the speech encoder's training speakers train the corrections; its calibration
speakers (which it never saw) fit the late fusion and the temperatures; texts are those that were
held out from the text encoder. No speaker that is scored, and no spoken script, is used.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace

import numpy as np
import torch

from core.labels import EMOTIONS
from core.models.bimodal import FusionConfig as HeadConfig
from core.models.bimodal import FusionHead
from core.models.calibration import Path as Way
from core.models.calibration import expected_calibration_error, fit_temperature, softmax
from training.data.encoded_bank import EncodedBank, encode_texts
from training.data.pairs import PairConfig, PairSampler
from training.data.spoken import Spoken, load_spoken
from training.data.text_split import load_parts
from training.fusion_artifacts import FusionArtifact, save_fusion
from training.fusion_fit import (
    CorrectionObjective,
    Speakers,
    corpus_weights,
    fit_late,
    fuse,
    set_prior,
)
from training.metrics import Float
from training.speech_artifacts import load_speech_encoder
from training.stages import StageContext
from training.text import load as load_text_encoder
from training.text_scoring import single_label_rows
from training.trainer import TrainerConfig


@dataclass(frozen=True)
class FusionConfig:
    """The fusion stage; every key is explained in configs/embedded/fusion.yaml."""

    trainer: TrainerConfig
    head: HeadConfig = field(default_factory=HeadConfig)
    pairs: PairConfig = field(default_factory=PairConfig)
    batch_pairs: int = 64
    clips_per_corpus: int = 1200
    restraint: float = 0.05
    draws: int = 10


@dataclass(frozen=True)
class TextPool:
    """Texts of exactly one class that the text encoder has not seen, encoded."""

    bank: EncodedBank
    labels: list[int]
    languages: list[str]


def run(config: FusionConfig, context: StageContext) -> None:
    """Train the fusion head and fit all temperatures; leaves them in the stage's folder."""
    config = _quick(config) if context.quick else config
    torch.manual_seed(context.seed)
    encoder, processor = load_speech_encoder(context.folder_of("speech"))
    spoken = load_spoken(context, processor, config.clips_per_corpus)
    pool = load_pool(context)
    head = FusionHead(_sized(config.head, encoder.config.dim, pool), len(EMOTIONS))
    unseen = speakers_of(spoken.calibration.encode(encoder, processor, context.seed), pool, config)
    set_prior(head.late, pool.bank)
    fit_late(head.late, unseen, pool.bank, config.draws, context.seed)
    trained = speakers_of(spoken.train.encode(encoder, processor, context.seed), pool, config)
    objective = CorrectionObjective(
        head, trained, unseen, pool.bank, config.batch_pairs, config.restraint, context.seed
    )
    folder = context.folder / "training"
    loss = objective.fit(config.trainer, folder, context.reporter, context.resume)
    temperatures, errors = fit_temperatures(head.eval(), unseen, pool, context.seed)
    info = {
        "unseen_loss": loss,
        "calibration_error": errors,
        "late": {k: v.tolist() for k, v in head.late.state_dict().items()},
        "split": spoken.split,
        "pairs": {
            **asdict(config.pairs),
            "speech_clips": len(trained.labels),
            "texts": len(pool.labels),
        },
    }
    save_fusion(context.folder, FusionArtifact(head, temperatures, info))
    context.reporter.metrics("temperatures", temperatures)
    context.reporter.metrics("calibration error", errors)


def load_pool(context: StageContext) -> TextPool:
    """Encode the held-out texts that have exactly one class."""
    text_encoder, tokenizer, info = load_text_encoder(context.folder_of("text"))
    split = info["split"]
    parts = load_parts(context.data, split["goemotions_held_out"], split["seed"], context.quick)
    held_out = parts.held_out
    rows = np.flatnonzero(single_label_rows(held_out)).tolist()
    return TextPool(
        encode_texts(text_encoder, tokenizer, [held_out.texts[row] for row in rows]),
        held_out.targets[rows].argmax(axis=1).tolist(),
        [held_out.languages[row] for row in rows],
    )


def speakers_of(spoken: Spoken, pool: TextPool, config: FusionConfig) -> Speakers:
    """Give every clip its partners."""
    sampler = PairSampler(
        config.pairs, spoken.labels, spoken.languages, pool.labels, pool.languages
    )
    return Speakers(spoken.banks, spoken.labels, corpus_weights(spoken.corpora), sampler)


@torch.inference_mode()
def fit_temperatures(
    head: FusionHead, unseen: Speakers, pool: TextPool, seed: int
) -> tuple[dict[str, float], dict[str, float]]:
    """Return temperatures and calibration errors by path.

    Paths: raw and personal speech (the first and the last bank), text, and both.
    """
    labels = np.asarray(unseen.labels)
    logits: dict[Way, Float] = {
        Way.SPEECH_RAW: unseen.banks[0].logits.double().numpy(),
        Way.SPEECH_PERSONAL: unseen.banks[-1].logits.double().numpy(),
        Way.TEXT: pool.bank.logits.double().numpy(),
    }
    truth = {Way.SPEECH_RAW: labels, Way.SPEECH_PERSONAL: labels, Way.TEXT: np.array(pool.labels)}
    generator = np.random.default_rng((seed, 1))
    fused, fused_truth = [], []
    for bank in unseen.banks:
        pairs = unseen.sampler.draw(generator)
        for start in range(0, len(pairs.labels), 256):
            part = pairs.take(np.arange(start, min(start + 256, len(pairs.labels))))
            fused.append(fuse(head, bank, pool.bank, part).logits.double().numpy())
            fused_truth.append(part.labels)
    logits[Way.FUSED], truth[Way.FUSED] = np.concatenate(fused), np.concatenate(fused_truth)
    temperatures = {way.value: fit_temperature(logits[way], truth[way]) for way in logits}
    errors = {
        way.value: expected_calibration_error(
            softmax(logits[way] / temperatures[way.value]), truth[way]
        )
        for way in logits
    }
    return temperatures, errors


def _sized(config: HeadConfig, speech_dim: int, pool: TextPool) -> HeadConfig:
    """Fit the head to the widths of the encoders."""
    text_dim = pool.bank.pooled.shape[1]
    rsa_cfn, cross = config.rsa_cfn, config.cross_attention
    if rsa_cfn is not None:
        rsa_cfn = replace(rsa_cfn, speech_dim=speech_dim, text_dim=text_dim)
    if cross is not None:
        cross = replace(cross, speech_dim=speech_dim, text_dim=text_dim)
    return replace(config, rsa_cfn=rsa_cfn, cross_attention=cross)


def _quick(config: FusionConfig) -> FusionConfig:
    return replace(config, trainer=replace(config.trainer, epochs=1), draws=1)
