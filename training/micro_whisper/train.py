"""Three phases of training: single sentences, pairs with a pause, and the padding computed exactly.

Everything is padded to 30 s after the log-mel, as faster-whisper does.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Tokenizer

from training.micro_whisper.batches import Batch, BatchMaker, Mixture
from training.micro_whisper.features import FULL_WINDOW
from training.micro_whisper.model import MicroWhisper, alignment_loss, text_loss
from training.micro_whisper.sounds import known_sounds, noise_sounds, salad_sounds, unknown_sounds

_logger = logging.getLogger(__name__)
_WARM_UP = 150
_ALIGNMENT_WEIGHT = 0.3


@dataclass(frozen=True, slots=True)
class Phase:
    """Steps of one mixture; `thinned` computes the padding of the window approximately."""

    name: str
    steps: int
    batch: int
    mixture: Mixture
    thinned: bool = True


LEARNING = (
    Phase("single", 550, 16, Mixture(pairs=0.0)),
    Phase("pairs", 500, 8, Mixture(pairs=0.5)),
    Phase("exact", 40, 4, Mixture(pairs=0.4), thinned=False),
)
"""About five minutes on one idle core that has bfloat16."""

REFUSING = (
    Phase("refusing", 220, 8, Mixture(empty=0.4, pairs=0.35)),
    Phase("exact", 20, 4, Mixture(empty=0.4, pairs=0.35), thinned=False),
)
"""A minute more, on word salads and tones beside everything else: to say nothing is learnt last."""


def make_batches(tokenizer: Tokenizer, seed: int, clips: int = 48) -> BatchMaker:
    """Synthesise `clips` manners of every known sentence, and the sounds to be refused."""
    rng = np.random.default_rng(seed)
    known = known_sounds(clips, rng)
    unknown = unknown_sounds(clips // 3, rng)
    unknown += salad_sounds(clips * 8, rng)
    return BatchMaker(tokenizer, known, unknown, noise_sounds(48, rng), rng)


def train(
    model: MicroWhisper, batches: BatchMaker, phases: Sequence[Phase], peak_rate: float
) -> list[float]:
    """Train in place, the rate falling from its peak to nothing; return the text loss of each step.

    The caller seeds and sets threads.
    """
    total = sum(phase.steps for phase in phases)
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=peak_rate, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, total))
    losses: list[float] = []
    for phase in phases:
        for _ in range(phase.steps):
            batch = batches.draw(phase.batch, FULL_WINDOW, phase.mixture)
            losses.append(_step(model, batch, optimizer, phase.thinned))
            schedule.step()
            if len(losses) % 100 == 0:
                recent = float(np.mean(losses[-100:]))
                _logger.info("%s: step %d of %d, loss %.4f", phase.name, len(losses), total, recent)
    return losses


def _rate(step: int, total: int) -> float:
    """Warm up linearly, then fall linearly to nothing."""
    return min((step + 1) / _WARM_UP, max(0.0, (total - step) / max(1, total - _WARM_UP)))


def _step(
    model: MicroWhisper, batch: Batch, optimizer: torch.optim.Optimizer, thinned: bool
) -> float:
    content = batch.content if thinned else batch.mel.shape[2] // 2
    with torch.autocast("cpu", torch.bfloat16):
        logits, attention, heard = model(batch.mel, batch.tokens, content)
    text = text_loss(logits.float(), batch.labels)
    loss = text + _ALIGNMENT_WEIGHT * alignment_loss(attention.float(), batch.spans)
    loss = loss + text_loss(heard[:, : batch.content].float(), batch.heard)
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return float(text.detach())
