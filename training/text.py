"""The text stage: a subword tokenizer, masked-token pretraining, then emotion classification.

Multi-task: every row trains the seven shared classes; rows of GoEmotions also its 28 labels, rows
of KOTE its 44 (heads that are not shipped). KOTE marks three labels a row where GoEmotions marks
one, so its seven logits get a bias of their own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from core.errors import CheckpointError
from core.models.encoders.text import TextEncoder, TextEncoderConfig
from core.models.tokenizer import FILE, TextTokenizer
from training.data.text_split import load_parts
from training.stages import StageContext
from training.text_objective import MultiTask, TextLossConfig, TextObjective
from training.text_pretraining import PretrainingConfig, pretrain
from training.text_scoring import calibrate, score
from training.trainer import Trainer, TrainerConfig

WEIGHTS = "text.safetensors"
INFO = "text.json"


@dataclass(frozen=True, slots=True)
class TextConfig:
    """The text stage; every key is explained in configs/embedded/text.yaml."""

    trainer: TrainerConfig
    pretraining: PretrainingConfig
    encoder: TextEncoderConfig = field(default_factory=TextEncoderConfig)
    loss: TextLossConfig = field(default_factory=TextLossConfig)
    held_out: float = 0.06


def run(config: TextConfig, context: StageContext) -> None:
    """Train the text encoder; leaves weights, tokenizer and `text.json` in the stage's folder."""
    config = _quick(config) if context.quick else config
    parts = load_parts(context.data, config.held_out, context.seed, quick=context.quick)
    tokenizer = _tokenizer(config, parts.train.texts, context)
    torch.manual_seed(context.seed)
    encoder = TextEncoder(replace(config.encoder, vocabulary=tokenizer.vocabulary_size))
    pretrain(config.pretraining, encoder, tokenizer, parts.train.texts, context)
    model = MultiTask(encoder, {k: len(v) for k, v in parts.train.label_names.items()})
    objective = TextObjective(config.loss, model, tokenizer, parts.train, parts.held_out)
    folder = context.folder / "training"
    outcome = Trainer(config.trainer, objective.build(), folder, context.reporter).fit(
        context.resume
    )
    info = calibrate(encoder, tokenizer, parts.held_out)
    metrics = score(encoder, tokenizer, info["thresholds"], parts.held_out, parts.scored)
    info |= {
        "metrics": metrics,
        "held_out": {"f1_macro": outcome.best, "epoch": outcome.best_epoch},
        "split": parts.description,
    }
    save(context.folder, encoder, info)
    for name, values in metrics.items():
        context.reporter.metrics(name, {k: v for k, v in values.items() if k != "f1"})


def _tokenizer(config: TextConfig, texts: list[str], context: StageContext) -> TextTokenizer:
    """Train the tokenizer, or take that of the run which goes on: its ids are in the weights."""
    if context.resume and (context.folder / FILE).is_file():
        return TextTokenizer.load(context.folder)
    tokenizer = TextTokenizer.train(texts, config.encoder.vocabulary)
    tokenizer.save(context.folder)
    return tokenizer


def save(folder: Path, encoder: TextEncoder, info: Mapping[str, Any]) -> None:
    """Write the encoder's weights and what belongs to them."""
    save_file({k: v.contiguous() for k, v in encoder.state_dict().items()}, folder / WEIGHTS)
    content = {"encoder": asdict(encoder.config), **info}
    (folder / INFO).write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")


def load(folder: Path) -> tuple[TextEncoder, TextTokenizer, dict[str, Any]]:
    """Read what `save` wrote. Raises CheckpointError."""
    try:
        info = json.loads((folder / INFO).read_text(encoding="utf-8"))
        encoder = TextEncoder(TextEncoderConfig(**info["encoder"]))
        encoder.load_state_dict(load_file(folder / WEIGHTS))
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise CheckpointError(
            f"The text encoder in {folder} can't be read: {error}.", "Train the text stage again."
        ) from error
    return encoder.eval(), TextTokenizer.load(folder), info


def _quick(config: TextConfig) -> TextConfig:
    """Shrink everything, to see in seconds that it works."""
    small = replace(config.encoder, vocabulary=1200, dim=32, layers=1, heads=2, feed_forward=32)
    first = replace(config.pretraining.trainer, epochs=1)
    return replace(
        config,
        encoder=small,
        trainer=replace(config.trainer, epochs=1),
        pretraining=replace(config.pretraining, trainer=first),
        loss=replace(config.loss, batch_rows=32),
    )
