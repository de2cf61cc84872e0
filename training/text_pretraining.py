"""Masked-token pretraining of the text encoder on the training texts themselves.

Devlin, Chang, Lee & Toutanova (2019), BERT, NAACL, section 3.1, with the output layer tied to the
embedding and only masked positions predicted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.models.encoders.text import TextEncoder
from core.models.tokenizer import TextTokenizer
from training.data.text_batches import batch_count, collate, training_batches
from training.stages import StageContext
from training.trainer import Objective, Trainer, TrainerConfig


@dataclass(frozen=True, slots=True)
class PretrainingConfig:
    """Masked-token pretraining; every key is explained in configs/embedded/text.yaml."""

    trainer: TrainerConfig
    enabled: bool = True
    masked: float = 0.2
    merge_dropout: float = 0.0
    batch_rows: int = 128


@dataclass(frozen=True, slots=True)
class MaskedBatch:
    """tokens (B, L) with some hidden, mask (B, L), hidden (B, L), and what was there (H,)."""

    tokens: Tensor
    mask: Tensor
    hidden: Tensor
    truth: Tensor


class MaskedModel(nn.Module):
    """The encoder and a prediction layer that shares the embedding's weights."""

    def __init__(self, encoder: TextEncoder) -> None:
        super().__init__()
        dim = encoder.config.dim
        self.encoder = encoder
        self.transform = nn.Sequential(nn.Linear(dim, dim), nn.GELU(), nn.LayerNorm(dim))
        self.bias = nn.Parameter(torch.zeros(encoder.config.vocabulary))

    def forward(self, batch: MaskedBatch) -> Tensor:
        """Return the cross-entropy at the hidden positions."""
        states = self.encoder.sequence(batch.tokens, batch.mask)[batch.hidden]
        logits = F.linear(self.transform(states), self.encoder.embedding.weight, self.bias)
        return F.cross_entropy(logits.float(), batch.truth)


def pretrain(
    config: PretrainingConfig,
    encoder: TextEncoder,
    tokenizer: TextTokenizer,
    texts: list[str],
    context: StageContext,
) -> None:
    """Pretrain `encoder` in place."""
    if not config.enabled:
        return
    context.reporter.say("text: masked-token pretraining")
    order = np.random.default_rng(context.seed).permutation(len(texts))
    cut = max(1, len(texts) // 50)
    checked = [texts[i] for i in order[:cut]]
    trained = [texts[i] for i in order[cut:]]
    size = config.batch_rows

    def batches(epoch: int, generator: np.random.Generator) -> Iterator[MaskedBatch]:
        ids = tokenizer.encode_ids(trained, config.merge_dropout)
        for batch in training_batches(ids, size, tokenizer.pad_id, generator):
            yield hide(batch.tokens, batch.mask, tokenizer, config.masked, generator)

    def loss(model: nn.Module, batch: MaskedBatch) -> Mapping[str, Tensor]:
        return {"loss": model(batch)}

    @torch.inference_mode()
    def validate(model: nn.Module) -> Mapping[str, float]:
        generator = np.random.default_rng(0)
        values = []
        for start in range(0, len(checked), size):
            ids = tokenizer.encode_ids(checked[start : start + size])
            batch = collate(ids, range(len(ids)), tokenizer.pad_id)
            masked = hide(batch.tokens, batch.mask, tokenizer, config.masked, generator)
            values.append(float(model(masked)))
        return {"loss": float(np.mean(values))}

    steps = batch_count(len(trained), size)
    objective = Objective(MaskedModel(encoder), batches, steps, loss, validate)
    folder = context.folder / "pretraining"
    Trainer(config.trainer, objective, folder, context.reporter).fit(context.resume)


def hide(
    tokens: Tensor,
    mask: Tensor,
    tokenizer: TextTokenizer,
    share: float,
    generator: np.random.Generator,
) -> MaskedBatch:
    """Hide `share` of the tokens: 80 % become [MASK], 10 % a random token, 10 % stay."""
    chance = torch.from_numpy(generator.random(tuple(tokens.shape)))
    chance[:, 0] = 1.0  # the start token is never hidden
    hidden = (chance < share) & mask
    if not hidden.any():
        hidden[0, 0] = True
    truth = tokens[hidden]
    kind = torch.from_numpy(generator.random(tuple(tokens.shape)))
    random = torch.from_numpy(
        generator.integers(tokenizer.vocabulary_size, size=tuple(tokens.shape))
    )
    changed = torch.where(hidden & (kind < 0.8), tokenizer.mask_id, tokens)
    changed = torch.where(hidden & (kind >= 0.8) & (kind < 0.9), random, changed)
    return MaskedBatch(changed, mask, hidden, truth)
