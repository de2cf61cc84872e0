"""What the rows of a KEMDy table share: the corpus, its splits, encoders and cached features."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core.models.specification import Problem
from core.models.speech_text import SpeechTextModel
from core.types import Modality
from training.data.augment.config import AugmentConfig
from training.data.batches import BatchSource, FeatureSource, InputSource
from training.data.encoded_bank import EncodedBank
from training.data.example_splits import SplitConfig, fold_count
from training.data.feature_cache import FeatureBank
from training.data.loading import AudioLoader, default_digests
from training.distributed import current, main_first
from training.evaluation.system_scores import Judged, score
from training.progress import Reporter
from training.reproduce.adaptation import seeded
from training.reproduce.kept import KeptTrainings
from training.reproduce.options import ReproduceOptions
from training.reproduce.rows import Row, RowResult
from training.system import cached_features, train_and_judge
from training.system_config import CorpusConfig, SystemConfig
from training.system_data import LoadedCorpus, SystemData, load_examples, prepare
from training.system_encoders import Encoders, load_encoders
from training.system_facts import Sizes
from training.system_model import sizes_of

_BOTH = (Modality.SPEECH, Modality.TEXT)


@dataclass(frozen=True)
class LastTraining:
    """The last model that was trained for a row, with its data and where batches come from."""

    model: SpeechTextModel
    data: SystemData
    source: BatchSource


@dataclass(frozen=True)
class RowRun:
    """A row's result; `last` is None if all its trainings had been finished before."""

    result: RowResult
    last: LastTraining | None


class KemdyLab:
    """One corpus for all rows of a table.

    All rows, unimodal ones too, are trained and judged on the segments that have both speech and
    text, as in the papers.

    Args:
        corpus: how it is read.
        root: its folder.
    """

    def __init__(self, corpus: CorpusConfig, root: Path, options: ReproduceOptions) -> None:
        self._options = options
        self._reporter = options.reporter or Reporter()
        self._cache = options.out / "cache"
        self._kept = KeptTrainings(options.out / "trainings", options.resume)
        loader = AudioLoader(default_digests(self._cache))
        self.corpus: LoadedCorpus = load_examples(corpus, root, _BOTH, self._reporter, loader)
        self._data: dict[tuple[SplitConfig, str, bool], SystemData] = {}
        self._encoders: dict[str, Encoders] = {}
        self._banks: dict[tuple[str, Modality], EncodedBank] = {}

    def data(self, config: SystemConfig) -> SystemData:
        """Return the corpus split as a configuration says; made once."""
        key = (config.split, config.problem, config.corpus.label_transform)
        if key not in self._data:
            problem = Problem(config.problem)
            self._data[key] = prepare(self.corpus, config.split, problem, key[2])
        return self._data[key]

    def folds(self, split: SplitConfig) -> int:
        """Return how many folds there are to run."""
        return fold_count(self.corpus.examples, split)

    def run_row(
        self, row: Row, config: SystemConfig, folds: Sequence[int], seeds: int,
        model_needed: bool = False,
    ) -> RowRun:  # fmt: skip
        """Train and judge a row once per fold and seed; with `resume` what is kept is taken.

        Args:
            model_needed: train all the same, since only the figures are kept.
        """
        started = time.monotonic()
        judged: list[Judged] = []
        last = None
        for fold, seed in itertools.product(folds, range(seeds)):
            chosen = seeded(config, fold, seed)
            data = self.data(chosen)
            kept = None if model_needed else self._kept.load(chosen, data.digest)
            done = ", finished before" if kept else ""
            self._reporter.say(f"row {row.name}, {row.title}: fold {fold}, seed {seed}{done}")
            if kept is None:
                last, one, sizes = self._train(chosen, data)
            else:
                one, sizes = kept
            judged.append(one)
        scores = score(judged)
        result = RowResult(
            name=row.name, system=row.system, figures=scores.figures, majority=scores.majority,
            counts=_counts(scores.predicted) if judged[0].judges_labels else (),
            occurring=_counts(scores.occurring), rows=scores.rows,
            train_rows=len(data.parts.train), parameters=sizes.trained, head_parameters=sizes.head,
            seconds=time.monotonic() - started, seeds=tuple(range(seeds)), folds=len(folds),
        )  # fmt: skip
        return RowRun(result, last)

    def _train(self, config: SystemConfig, data: SystemData) -> tuple[LastTraining, Judged, Sizes]:
        encoders = self._encoders_of(config)
        source = self._source(config, data, encoders)
        finished = train_and_judge(config, data, source, encoders, None, Reporter(silent=True))
        model = finished.trained.model
        sizes = sizes_of(model, model.head, encoders)
        if current().is_main:
            self._kept.save(config, data.digest, finished.judged, sizes)
        return LastTraining(model, data, source), finished.judged, sizes

    def _encoders_of(self, config: SystemConfig) -> Encoders:
        """Return encoders: loaded once if they are frozen, anew if they are trained."""
        if not config.is_cached:
            return load_encoders(config)
        key = repr((config.speech, config.text))
        if key not in self._encoders:
            self._encoders[key] = load_encoders(config)
        return self._encoders[key]

    def _source(self, config: SystemConfig, data: SystemData, encoders: Encoders) -> BatchSource:
        if not config.is_cached:
            return InputSource(
                data.examples, encoders.processor, config.modalities, self.corpus.loader
            )
        banks = {m: self._bank(config, m, data, encoders) for m in config.modalities}
        bank = FeatureBank(
            banks.get(Modality.SPEECH), banks.get(Modality.TEXT), len(self.corpus.examples)
        )
        return FeatureSource(bank)

    def _bank(
        self, config: SystemConfig, modality: Modality, data: SystemData, encoders: Encoders
    ) -> EncodedBank:
        """Return a modality's features, with sequences, of all examples; encoded once.

        `data` of any split will do: it has the audio and text of all examples.
        """
        choice = config.speech if modality is Modality.SPEECH else config.text
        key = (repr(choice), modality)
        if key not in self._banks:
            features = replace(config.features, sequence="float16")
            plain = replace(config, features=features, augment=AugmentConfig())
            heard = modality is Modality.SPEECH
            one = replace(encoders, text=None) if heard else replace(encoders, speech=None)
            with main_first():
                banks = cached_features(plain, data, self.corpus, one, self._cache, self._reporter)
            bank = banks.speech if heard else banks.text
            assert bank is not None
            self._banks[key] = bank
        return self._banks[key]


def _counts(values: np.ndarray) -> tuple[float, ...]:
    return tuple(round(float(value), 2) for value in values)
