"""Fitting the fusion: a dozen numbers of the late fusion, then the corrections on top of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.models.bimodal import FusionHead
from core.models.fusion.late import LateFusion
from core.models.outputs import EmotionOutput
from training.data.encoded_bank import EncodedBank
from training.data.pairs import Pairs, PairSampler
from training.progress import Reporter
from training.trainer import Objective, Trainer, TrainerConfig


@dataclass(frozen=True)
class Speakers:
    """Clips of some speakers: one bank per way of normalising, a label and a weight per clip."""

    banks: Sequence[EncodedBank]
    labels: Sequence[int]
    weights: Tensor
    sampler: PairSampler


@dataclass(frozen=True, slots=True)
class PairBatch:
    """Indices of a batch of pairs, and which of the speakers' banks the speech comes from."""

    bank: int
    pairs: Pairs


def corpus_weights(corpora: Sequence[str]) -> Tensor:
    """Return a weight per clip (n,), of mean one, that lets every corpus count the same."""
    _, index, count = np.unique(corpora, return_inverse=True, return_counts=True)
    weight = 1.0 / count[index]
    return torch.from_numpy(weight / weight.mean()).float()


def fit_late(
    late: LateFusion, speakers: Speakers, texts: EncodedBank, draws: int, seed: int
) -> None:
    """Fit the late fusion to synthetic pairs of speakers and texts that no encoder has seen.

    Stacking (Wolpert 1992, Stacked generalization): on the encoders' own training data their
    confidence would be too good to be true.
    """
    generator = np.random.default_rng(seed)
    heard, read, labels, weights = [], [], [], []
    for _ in range(draws):
        for bank in speakers.banks:
            pairs = speakers.sampler.draw(generator)
            heard.append(bank.logits[pairs.speech])
            read.append(texts.logits[pairs.text])
            labels.append(torch.from_numpy(pairs.labels))
            weights.append(speakers.weights[pairs.speech])
    speech, text = torch.cat(heard), torch.cat(read)
    truth, weight = torch.cat(labels), torch.cat(weights)
    fitted = [late.log_scale, late.mixture]
    optimizer = torch.optim.LBFGS(fitted, max_iter=60, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(late(speech, text).logits, truth, reduction="none")
        total = (loss * weight).mean() + 0.01 * sum(p.square().sum() for p in fitted)
        torch.autograd.backward(total)
        return total

    optimizer.step(closure)  # type: ignore[no-untyped-call]


def set_prior(late: LateFusion, texts: EncodedBank) -> None:
    """Take the prior of the texts from what the text encoder says about them on average."""
    with torch.no_grad():
        late.log_prior.copy_(texts.logits.softmax(dim=-1).mean(dim=0).log())


def fuse(head: FusionHead, speech: EncodedBank, texts: EncodedBank, pairs: Pairs) -> EmotionOutput:
    """Run the head on a batch of pairs."""
    output: EmotionOutput = head(speech.batch(pairs.speech), texts.batch(pairs.text))
    return output


class CorrectionObjective:
    """Trains the corrections of a head whose late fusion stays as it is."""

    def __init__(
        self,
        head: FusionHead,
        trained: Speakers,
        unseen: Speakers,
        texts: EncodedBank,
        batch: int,
        restraint: float,
        seed: int,
    ) -> None:
        self._head = head
        self._trained = trained
        self._unseen = unseen
        self._texts = texts
        self._batch = batch
        self._restraint = restraint
        generator = np.random.default_rng(seed)
        self._checks = [
            PairBatch(bank, unseen.sampler.draw(generator)) for bank in range(len(unseen.banks))
        ]

    def fit(self, config: TrainerConfig, folder: Path, reporter: Reporter, resume: bool) -> float:
        """Train; return the loss on unseen speakers at the best epoch."""
        for parameter in self._head.late.parameters():
            parameter.requires_grad_(False)
        steps = -(-len(self._trained.labels) // self._batch)
        objective = Objective(self._head, self._batches, steps, self._loss, self._validate)
        outcome = Trainer(config, objective, folder, reporter).fit(resume)
        return outcome.best

    def _batches(self, epoch: int, generator: np.random.Generator) -> Iterator[PairBatch]:
        pairs = self._trained.sampler.draw(generator)
        order = generator.permutation(len(pairs.labels))
        for start in range(0, len(order), self._batch):
            yield PairBatch(
                int(generator.integers(len(self._trained.banks))),
                pairs.take(order[start : start + self._batch]),
            )

    def _loss(self, model: nn.Module, batch: PairBatch) -> Mapping[str, Tensor]:
        assert isinstance(model, FusionHead)
        output = fuse(model, self._trained.banks[batch.bank], self._texts, batch.pairs)
        labels = torch.from_numpy(batch.pairs.labels)
        loss = F.cross_entropy(output.logits, labels, reduction="none")
        weighted = (loss * self._trained.weights[batch.pairs.speech]).mean()
        size = output.auxiliary["correction"].square().mean()
        return {"loss": weighted + self._restraint * size, "correction": size.sqrt()}

    @torch.inference_mode()
    def _validate(self, model: nn.Module) -> Mapping[str, float]:
        assert isinstance(model, FusionHead)
        return {
            "loss": self._unseen_loss(model, corrected=True),
            "late_loss": self._unseen_loss(model, corrected=False),
        }

    def _unseen_loss(self, head: FusionHead, corrected: bool) -> float:
        total, count = 0.0, 0.0
        for check in self._checks:
            bank = self._unseen.banks[check.bank]
            for start in range(0, len(check.pairs.labels), 256):
                pairs = check.pairs.take(
                    np.arange(start, min(start + 256, len(check.pairs.labels)))
                )
                output = fuse(head, bank, self._texts, pairs)
                logits = output.logits if corrected else output.auxiliary["late"]
                weights = self._unseen.weights[pairs.speech]
                loss = F.cross_entropy(logits, torch.from_numpy(pairs.labels), reduction="none")
                total += float((loss * weights).sum())
                count += float(weights.sum())
        return total / count
