"""What the rows of a two-stage table share: the corpus, its folds, the encoder, first stages."""

from __future__ import annotations

import itertools
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from torch import nn

from core.models.two_stage import TwoStageModel
from core.types import Modality
from training import config as configuration
from training.data.batches import BatchSource
from training.data.example_splits import fold_count
from training.data.loading import AudioLoader, default_digests
from training.distributed import current
from training.evaluation.metrics import Estimate
from training.multitask.config import LOSSES, SCL_COS, SCL_NORM, MultiTaskConfig, TrainingStage
from training.multitask.data import TaskData, prepare_tasks
from training.multitask.fingerprint import fingerprint_of_tasks
from training.multitask.starts import first_encoders
from training.multitask.training import judge_part, task_source, train_stage
from training.progress import Reporter
from training.reproduce.options import ReproduceOptions
from training.reproduce.rows import Row, RowResult
from training.reproduce.two_stage_answers import scored
from training.reproduce.two_stage_kept import KeptAnswers
from training.reproduce.two_stage_scores import (
    ScoredAnswers,
    figures,
    majority,
    occurring_counts,
)
from training.system_data import LoadedCorpus, load_examples
from training.system_encoders import Encoders

VERSION = 1
"""Raised whenever the way from corpus to answers changes in this program's code."""


@dataclass(frozen=True)
class _Fold:
    """One fold and seed: data with the targets of all tasks, and where batches come from.

    fingerprint: of rows, targets, recordings and encoder.
    """

    fold: int
    seed: int
    data: TaskData
    source: BatchSource
    fingerprint: str


@dataclass(frozen=True)
class _Kept:
    """A model that several rows go on from, and the seconds it took."""

    model: TwoStageModel
    seconds: float


class TwoStageLab:
    """One corpus and one encoder for all rows.

    A first stage that several rows share is trained once per fold and seed.

    Args:
        some: any row's configuration: corpus, split, encoder and vocabulary are those of all rows.
        folder: of the corpus.
        options: of the command: what is kept goes into `options.out`; with `resume` a finished
            training is not done again, and one that was killed goes on.
    """

    def __init__(self, some: MultiTaskConfig, folder: Path, options: ReproduceOptions) -> None:
        self._some = some
        self._options = options
        self._kept = KeptAnswers(options.out / "trainings", resume=options.resume)
        self._states = options.out / "states"
        self._models: dict[str, _Kept] = {}
        self._said: dict[str, ScoredAnswers] = {}
        loader = AudioLoader(default_digests(options.out / "cache"))
        reporter = options.reporter or Reporter(silent=True)
        heard = (Modality.SPEECH,)
        self.corpus: LoadedCorpus = load_examples(some.corpus, folder, heard, reporter, loader)
        self.folds = fold_count(self.corpus.examples, some.split)
        self.classes: tuple[str, ...] = ()
        """Emotions that occur, in the order of counts; known once something was run."""

    def run(
        self, rows: Mapping[str, MultiTaskConfig], folds: Sequence[int], seeds: int
    ) -> dict[str, list[ScoredAnswers]]:
        """Train and judge every row once per fold and seed; with `resume` what is kept is taken."""
        found: dict[str, list[ScoredAnswers]] = {name: [] for name in rows}
        for fold, seed in itertools.product(folds, range(seeds)):
            prepared = self._prepared(fold, seed)
            seeded = {name: _seeded(config, seed) for name, config in rows.items()}
            shared = {
                self._key(config, stages, prepared)
                for config in seeded.values()
                for stages in range(1, len(config.stages))
            }
            for name, config in seeded.items():
                self._options.say(f"{name}: fold {fold}, seed {seed}")
                found[name].append(self._answers(config, prepared, shared))
            self._models.clear()
        shutil.rmtree(self._states, ignore_errors=True)
        return found

    def _prepared(self, fold: int, seed: int) -> _Fold:
        """Return the data of a fold with the targets of all tasks, whatever a row learns."""
        everything = dict.fromkeys(set(LOSSES) - {SCL_NORM, SCL_COS}, 1.0)
        stage = replace(self._some.stages[0], losses=everything)
        split = replace(self._some.split, fold=fold)
        data = prepare_tasks(self.corpus, replace(self._some, split=split, stages=(stage,)))
        self.classes = data.classes
        source = task_source(data, self._encoders.processor, self.corpus.loader)
        found = fingerprint_of_tasks(data, self._encoders, self.corpus.loader)
        return _Fold(fold, seed, data, source, found)

    def _answers(self, config: MultiTaskConfig, prepared: _Fold, shared: set[str]) -> ScoredAnswers:
        key = self._key(config, len(config.stages), prepared)
        kept = self._said.get(key) or self._kept.find(key)
        if kept is not None:
            self._options.say("finished before")
            return kept
        trained = self._trained(config, len(config.stages), prepared, shared)
        started = time.monotonic()
        test = prepared.data.parts.test
        said = judge_part(trained.model, config, prepared.data, prepared.source, test)
        found = scored(said, prepared.data, trained.model, prepared.fold, prepared.seed)
        found = replace(found, seconds=trained.seconds + time.monotonic() - started)
        self._said[key] = found  # a sweep has a row of another table among its own
        if current().is_main:
            self._kept.keep(key, found)
        return found

    def _trained(
        self, config: MultiTaskConfig, stages: int, prepared: _Fold, shared: set[str]
    ) -> _Kept:
        """Return the model of the first `stages`; its seconds include those of earlier ones."""
        key = self._key(config, stages, prepared)
        if key in self._models:
            return self._models[key]
        before = 0.0
        assert self._encoders.speech is not None
        start: nn.Module = self._encoders.speech
        if stages > 1:
            earlier = self._trained(config, stages - 1, prepared, shared)
            start, before = earlier.model, earlier.seconds
        began = time.monotonic()
        model = self._train(config, config.stages[stages - 1], prepared, start, key)
        made = _Kept(model, before + time.monotonic() - began)
        if key in shared:
            self._models[key] = made
        return made

    def _train(
        self,
        config: MultiTaskConfig,
        stage: TrainingStage,
        prepared: _Fold,
        start: nn.Module,
        key: str,
    ) -> TwoStageModel:
        quick = self._options.quick
        reporter = None if quick else self._options.reporter
        trained = train_stage(
            config, stage, prepared.data, prepared.source, start,
            None if quick else self._states / key[:32],
            reporter or Reporter(silent=True),
            resume=self._options.resume, fingerprint=key,
        )  # fmt: skip
        return trained.model

    def _key(self, config: MultiTaskConfig, stages: int, prepared: _Fold) -> str:
        """Return a digest of everything that the first `stages` depend on."""
        chain = [replace(s, name="any", starts_from="") for s in config.stages[:stages]]
        rest = replace(config, name="any", stages=tuple(chain[:1]), split=self._some.split)
        return configuration.digest([VERSION, chain, rest, prepared.fingerprint])

    @cached_property
    def _encoders(self) -> Encoders:
        return first_encoders(self._some)


def _seeded(config: MultiTaskConfig, seed: int) -> MultiTaskConfig:
    stages = (
        replace(stage, trainer=replace(stage.trainer, seed=stage.trainer.seed + seed))
        for stage in config.stages
    )
    return replace(config, stages=tuple(stages))


def row_result(row: Row, trainings: Sequence[ScoredAnswers]) -> RowResult:
    """Return what the trainings of a row came to."""
    first = trainings[0]
    sizes = {"trained": first.trained, "stored": first.stored}
    return RowResult(
        name=row.name,
        system=row.system,
        figures=figures(trainings) | {n: Estimate(x, x, x) for n, x in sizes.items()},
        majority=majority(trainings),
        occurring=occurring_counts(trainings),
        rows=round(sum(len(t.rows) for t in trainings) / len({t.seed for t in trainings})),
        train_rows=first.train_rows,
        parameters=first.trained,
        head_parameters=first.heads,
        seconds=sum(t.seconds for t in trainings),
        seeds=tuple(sorted({t.seed for t in trainings})),
        folds=len({t.fold for t in trainings}),
    )
