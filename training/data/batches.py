"""Batches for training a system: of cached features, or of inputs made while it trains.

    source = FeatureSource(bank)                      # or InputSource(examples, processor, ...)
    batches = SystemBatches(source, targets, rows, BatchConfig(size=16))
    Objective(model, batches, batches.steps, ...)     # batches(epoch, generator) -> Batches
    ScoringBatches(source, targets, validation_rows)  # every row once, never altered

All randomness comes from the generator, in an order that does not depend on threads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from core.errors import ConfigError
from core.models.outputs import Features, ModelInputs
from core.types import Modality
from training.data.augment.config import AugmentConfig
from training.data.augment.features import alter_features, alter_inputs
from training.data.augment.text import with_recognition_errors
from training.data.augment.waveform import alter_waveform
from training.data.batch import Batch, Targets
from training.data.buckets import (
    BucketConfig,
    Rows,
    batch_count,
    shuffled_batches,
    sorted_batches,
)
from training.data.collate import collate, moved, pad_id_of
from training.data.content_digest import UtteranceProcessor
from training.data.example import Example
from training.data.extraction import prepare_speech, prepare_text
from training.data.feature_cache import FeatureBank
from training.data.loading import AudioLoader
from training.data.prefetch import prefetched
from training.data.sampling import SamplingConfig, drawn_rows, epoch_size, row_probabilities
from training.data.targets import moved_targets, take

__all__ = [
    "BatchConfig",
    "BatchSource",
    "FeatureSource",
    "InputSource",
    "ScoringBatches",
    "SystemBatches",
]


@dataclass(frozen=True, slots=True)
class BatchConfig:
    """Sizes of batches, and which rows they are made of."""

    size: int = 16
    """Most rows in a batch."""
    length: float = 0.0
    """Most of rows times longest row: positions of cached features, seconds end to end; 0: any."""
    pool: int = 64
    """Batches whose rows are sorted by length together; 1: no sorting."""
    prefetch: int = 2
    """Batches that a thread prepares ahead when encoders run end to end; 0: none."""
    sampling: SamplingConfig = field(default_factory=SamplingConfig)

    def __post_init__(self) -> None:
        if self.prefetch < 0:
            raise ValueError("prefetch must not be negative")
        BucketConfig(self.size, self.length, self.pool)  # checks the rest

    @property
    def buckets(self) -> BucketConfig:
        """What one batch is."""
        return BucketConfig(self.size, self.length, self.pool)


class BatchSource(Protocol):
    """Where the rows of a batch come from."""

    @property
    def lengths(self) -> NDArray[np.float64]:
        """How long each row is (N,), in whatever unit; a batch's cost grows with it."""
        ...

    @property
    def threaded(self) -> bool:
        """Whether preparing batches takes long enough to be done ahead, by a thread."""
        ...

    def load(
        self, rows: Rows, generator: np.random.Generator | None
    ) -> tuple[ModelInputs | None, Features | None]:
        """Return inputs or features of rows; altered for training with a generator."""
        ...


class FeatureSource:
    """Rows of a bank of cached features.

    Args:
        augment: masks and modality dropout are applied in training; copies are drawn.
        device: where batches shall lie.
    """

    threaded = False

    def __init__(
        self,
        bank: FeatureBank,
        augment: AugmentConfig | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        self._bank = bank
        self._augment = augment
        self._device = device
        self.lengths = bank.lengths.astype(np.float64)

    def load(
        self, rows: Rows, generator: np.random.Generator | None
    ) -> tuple[ModelInputs | None, Features | None]:
        """Return features of rows, altered when a generator is given."""
        features = self._bank.batch(rows, generator, self._device)
        if generator is not None and self._augment is not None:
            features = alter_features(features, self._augment, generator)
        return None, features


class InputSource:
    """Rows prepared by the processor on the way, for encoders that are trained as well.

    Args:
        modalities: that the system takes; every example has them (see `loading.usable`).
        augment: waveforms, text, frame masks and modality dropout are altered in training.
        device: where batches shall lie.

    Raises:
        CorpusError: an example has no text the processor takes. MediaError: no audio.
    """

    threaded = True

    def __init__(
        self,
        examples: Sequence[Example],
        processor: UtteranceProcessor,
        modalities: Sequence[Modality],
        loader: AudioLoader | None = None,
        augment: AugmentConfig | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        self._examples = examples
        self._processor = processor
        self._modalities = tuple(modalities)
        self._loader = loader or AudioLoader()
        self._augment = augment
        self._device = device
        self._pad_id = pad_id_of(processor)
        self.lengths = self._measured()

    def load(
        self, rows: Rows, generator: np.random.Generator | None
    ) -> tuple[ModelInputs | None, Features | None]:
        """Return inputs of rows, altered when a generator is given."""
        prepared = [self._prepared(self._examples[row], generator) for row in rows.tolist()]
        inputs = collate(prepared, self._pad_id)
        if generator is not None and self._augment is not None:
            inputs = alter_inputs(inputs, self._augment, generator)
        return moved(inputs, self._device), None

    def _prepared(self, example: Example, generator: np.random.Generator | None) -> ModelInputs:
        """Return one example as a batch of one."""
        speech = text = ModelInputs()
        if Modality.SPEECH in self._modalities:
            samples = self._loader.samples(example)
            if generator is not None and self._augment and self._augment.waveform:
                samples = alter_waveform(samples, self._augment.waveform, generator)
            speech = prepare_speech(self._processor, samples)
        if Modality.TEXT in self._modalities:
            said = example.text or ""
            if generator is not None and self._augment and self._augment.recognition_errors:
                said = with_recognition_errors(said, self._augment.recognition_errors, generator)
            text = prepare_text(self._processor, said, example)
        return ModelInputs(
            speech=speech.speech,
            speech_mask=speech.speech_mask,
            functionals=speech.functionals,
            waveform=speech.waveform,
            waveform_mask=speech.waveform_mask,
            tokens=text.tokens,
            token_mask=text.token_mask,
        )

    def _measured(self) -> NDArray[np.float64]:
        """Seconds of each example as the processor will cut it, else of text, 20 letters each."""
        if Modality.SPEECH not in self._modalities:
            return np.array([max(1, len(e.text or "")) / 20 for e in self._examples])
        longest = getattr(self._processor, "longest_seconds", None) or np.inf
        return np.array([min(longest, self._loader.seconds(e)) for e in self._examples])


class SystemBatches:
    """An epoch of training: (epoch, generator) -> batches, always `steps` of them.

    Args:
        targets: of all rows of the source.
        rows: of the training part; None: all.
        corpora: (N,) names, for balance between corpora.

    Raises:
        ConfigError: there is no row.
    """

    def __init__(
        self,
        source: BatchSource,
        targets: Targets,
        rows: Sequence[int] | Rows | None = None,
        config: BatchConfig | None = None,
        *,
        corpora: Sequence[str] | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        self._source = source
        self._targets = targets
        self._rows = _rows(rows, len(targets.labels))
        self._config = config or BatchConfig()
        self._device = device
        names = ["" if corpora is None else corpora[row] for row in self._rows]
        self._probabilities = row_probabilities(
            targets.labels[torch.from_numpy(self._rows)], names, self._config.sampling
        )
        self.steps = self._count()

    def __call__(self, epoch: int, generator: np.random.Generator) -> Iterator[Batch]:
        """Yield the batches of an epoch; `epoch` plays no role beyond the generator's state."""
        plan = self.plan(generator)
        seeds = generator.spawn(len(plan))  # of each batch, so threads can't change an order
        made = (self._batch(rows, seed) for rows, seed in zip(plan, seeds, strict=True))
        ahead = self._config.prefetch if self._source.threaded else 0
        return prefetched(made, ahead) if ahead else made

    def plan(self, generator: np.random.Generator) -> list[Rows]:
        """Return the rows of every batch of an epoch."""
        config = self._config
        batches: list[Rows] = []
        while len(batches) < self.steps:
            drawn = drawn_rows(len(self._rows), self._probabilities, config.sampling, generator)
            rows = self._rows[drawn]
            batches += shuffled_batches(rows, self._source.lengths, config.buckets, generator)
        return batches[: self.steps]

    def _count(self) -> int:
        config = self._config
        if self._probabilities is None:
            return batch_count(self._rows, self._source.lengths, config.buckets)
        drawn = drawn_rows(
            len(self._rows), self._probabilities, config.sampling, np.random.default_rng(0)
        )
        assert len(drawn) == epoch_size(len(self._rows), self._probabilities, config.sampling)
        return batch_count(self._rows[drawn], self._source.lengths, config.buckets)

    def _batch(self, rows: Rows, generator: np.random.Generator) -> Batch:
        return _made(self._source, self._targets, rows, generator, self._device)


class ScoringBatches:
    """Every row once, unaltered, shortest first; iterate as often as needed.

    `Batch.rows` says which rows a batch has.
    """

    def __init__(
        self,
        source: BatchSource,
        targets: Targets,
        rows: Sequence[int] | Rows | None = None,
        config: BatchConfig | None = None,
        *,
        device: torch.device | str = "cpu",
    ) -> None:
        self._source = source
        self._targets = targets
        self._config = config or BatchConfig()
        self._device = device
        self._plan = sorted_batches(
            _rows(rows, len(targets.labels)), source.lengths, self._config.buckets
        )

    def __len__(self) -> int:
        return len(self._plan)

    def __iter__(self) -> Iterator[Batch]:
        made = (_made(self._source, self._targets, rows, None, self._device) for rows in self._plan)
        ahead = self._config.prefetch if self._source.threaded else 0
        return prefetched(made, ahead) if ahead else made


def _made(
    source: BatchSource,
    targets: Targets,
    rows: Rows,
    generator: np.random.Generator | None,
    device: torch.device | str,
) -> Batch:
    inputs, features = source.load(rows, generator)
    chosen = moved_targets(take(targets, rows), device)
    return Batch(chosen, torch.from_numpy(rows), inputs, features)


def _rows(rows: Sequence[int] | Rows | None, count: int) -> Rows:
    chosen = np.arange(count) if rows is None else np.asarray(rows, dtype=np.int64)
    if not len(chosen):
        raise ConfigError("There is no row to make batches of.", "Check the split.")
    return chosen
