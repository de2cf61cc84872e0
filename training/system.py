"""The stage `system`: from a configuration to a calibrated checkpoint, its figures and its report.

    emoscope train training/configs/rsa_cfn/kemdy20_rsa_cfn.yaml --data DIR

corpus -> split, checked -> encoders -> cached features, if they are frozen -> training -> the test
part, judged once -> `checkpoint/`, `report/`, `predictions.csv`, `problems.csv` in the stage's
folder. Several processes may run the same command (see `training.distributed`); the first writes.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.models.specification import Problem
from core.models.speech_text import SpeechTextModel
from training.data.augment.config import AugmentConfig
from training.data.batches import BatchSource, FeatureSource, InputSource, ScoringBatches
from training.data.feature_cache import FeatureBank, feature_bank
from training.data.loading import AudioLoader, default_digests
from training.distributed import current, main_first
from training.evaluation.system_scores import Judged, score
from training.losses.config import NONE
from training.progress import Reporter
from training.report.document import write_report
from training.report.run import run_document
from training.stages import StageContext
from training.system_checkpoint import write_checkpoint, write_predictions, write_problems
from training.system_config import SystemConfig
from training.system_data import LoadedCorpus, SystemData, load_examples, prepare, texts_met
from training.system_encoders import Encoders, load_encoders
from training.system_facts import RunFacts
from training.system_fingerprint import fingerprint_of
from training.system_model import build_model, build_stand_in, sizes_of, with_encoders
from training.system_training import (
    Trained,
    forget_state,
    judge,
    judge_nested,
    predict,
    train_system,
)

CHECKPOINT, REPORT, PREDICTIONS, PROBLEMS = (
    "checkpoint",
    "report",
    "predictions.csv",
    "problems.csv",
)
_QUICK_EPOCHS = 2
_SAME_TEXTS = 0.2
"""Share of the test part's texts from which a word of caution is due; "yes" is said everywhere."""


@dataclass(frozen=True)
class Finished:
    """A trained system with its encoders, and what it says of the test part."""

    model: SpeechTextModel
    trained: Trained
    judged: Judged
    nested: Mapping[int, Judged] = field(default_factory=dict)


@dataclass(frozen=True)
class _Ingredients:
    """What a system is trained on; the fingerprint is that of all of it, before training."""

    corpus: LoadedCorpus
    data: SystemData
    encoders: Encoders
    fingerprint: str


def run(config: SystemConfig, context: StageContext) -> str:
    """Train and write everything into the stage's folder; return the fingerprint of its data."""
    started = time.monotonic()
    config = _quick(config) if context.quick else config
    say = context.reporter
    found = _ingredients(config, context)
    corpus, data, encoders = found.corpus, found.data, found.encoders
    _say_parts(data, say)
    with main_first():
        source = make_source(config, data, corpus, encoders, _cache(config, context), say)
    finished = train_and_judge(
        config, data, source, encoders, context.folder / "training", say, context.resume,
        found.fingerprint,
    )  # fmt: skip
    if current().is_main:
        facts = _facts(config, corpus, data, encoders, finished, time.monotonic() - started)
        _write(facts, finished, encoders, data, context)
    return found.fingerprint


def fingerprint(config: SystemConfig, context: StageContext) -> str:
    """Return a digest of what `run` would train on: rows, targets, parts, encoders."""
    return _ingredients(config, context).fingerprint


def _ingredients(config: SystemConfig, context: StageContext) -> _Ingredients:
    cache = _cache(config, context)
    loader = AudioLoader(None if cache is None else default_digests(cache))
    corpus = load_examples(config.corpus, context.data, config.modalities, context.reporter, loader)
    data = prepare(corpus, config.split, Problem(config.problem), config.corpus.label_transform)
    encoders = load_encoders(config)
    digest = fingerprint_of(data, encoders, loader, config.modalities)
    if current().is_main:
        loader.digests.save()
    return _Ingredients(corpus, data, encoders, digest)


def _cache(config: SystemConfig, context: StageContext) -> Path | None:
    return context.out / config.cache if config.cache else None


def _quick(config: SystemConfig) -> SystemConfig:
    trainer = replace(config.trainer, epochs=min(config.trainer.epochs, _QUICK_EPOCHS))
    return replace(config, trainer=trainer)


def _say_parts(data: SystemData, reporter: Reporter) -> None:
    for name, found in data.described.items():
        classes = ", ".join(f"{label} {n:,}" for label, n in found["classes"].items())
        reporter.say(f"{name}: {found['rows']:,} rows of {found['speakers']} speakers ({classes})")
    tested, met = texts_met(data)
    if met > _SAME_TEXTS * tested:
        reporter.say(
            f"CAUTION: {met:,} of {tested:,} texts of the test part are trained on as well, said by"
            " others: figures of a system that reads flatter. split.script_folds keeps them apart."
        )


def make_source(
    config: SystemConfig,
    data: SystemData,
    corpus: LoadedCorpus,
    encoders: Encoders,
    cache: Path | None,
    reporter: Reporter,
) -> BatchSource:
    """Return where batches come from: features of frozen encoders, or inputs end to end."""
    augment = config.augment if config.augment != AugmentConfig() else None
    if not config.is_cached:
        return InputSource(
            data.examples, encoders.processor, config.modalities, corpus.loader, augment
        )
    bank = cached_features(config, data, corpus, encoders, cache, reporter)
    return FeatureSource(bank, augment)


def cached_features(
    config: SystemConfig,
    data: SystemData,
    corpus: LoadedCorpus,
    encoders: Encoders,
    cache: Path | None,
    reporter: Reporter,
) -> FeatureBank:
    """Encode every example once, on the GPU where there is one; nothing is encoded twice."""
    device = "cpu" if config.trainer.device == "cpu" else current().device
    running = [encoder for encoder in (encoders.speech, encoders.text) if encoder is not None]
    for encoder in running:
        encoder.to(device)
    try:
        return feature_bank(
            encoders.speech, encoders.text, encoders.processor, data.examples,
            cache=cache, loader=corpus.loader, config=config.features,
            augment=config.augment if config.augment.copies else None,
            altered=data.parts.train, reporter=reporter,
        )  # fmt: skip
    finally:
        for encoder in running:
            encoder.to("cpu")


def train_and_judge(
    config: SystemConfig,
    data: SystemData,
    source: BatchSource,
    encoders: Encoders,
    run_dir: Path | None,
    reporter: Reporter,
    resume: bool = False,
    fingerprint: str = "",
) -> Finished:
    """Train on the training part and judge the test part once, with the model that was kept."""
    make = build_stand_in if config.is_cached else build_model
    network = make(config, encoders, data.classes)
    trained = train_system(config, data, source, network, run_dir, reporter, resume, fingerprint)
    rows = data.parts.test
    said = predict(trained.model, ScoringBatches(source, data.targets, rows, config.batches), rows)
    fold, seed = config.split.fold, config.trainer.seed
    judged = judge(
        said, data, rows, trained.calibration, config.loss.emotion != NONE, fold=fold, seed=seed
    )
    nested = judge_nested(said, data, rows, trained.calibration, fold=fold, seed=seed)
    model = trained.model
    if config.is_cached:
        model = with_encoders(trained.model, config, encoders, data.classes)
    return Finished(model, trained, judged, nested)


def _facts(
    config: SystemConfig,
    corpus: LoadedCorpus,
    data: SystemData,
    encoders: Encoders,
    finished: Finished,
    seconds: float,
) -> RunFacts:
    trained = finished.trained
    return RunFacts(
        config=config,
        classes=data.classes,
        parts=data.described,
        digest=data.digest,
        problems=corpus.problems,
        transformed=sum(data.added.values()),
        sizes=sizes_of(trained.model, trained.model.head, encoders),
        history=trained.outcome.history,
        best_epoch=trained.outcome.best_epoch,
        scores=score([finished.judged]),
        judged=finished.judged,
        calibration=trained.calibration,
        seconds=seconds,
        nested={size: score([judged]) for size, judged in finished.nested.items()},
    )


def _write(
    facts: RunFacts, finished: Finished, encoders: Encoders, data: SystemData, context: StageContext
) -> None:
    folder = context.folder
    info = write_checkpoint(folder / CHECKPOINT, finished.model, encoders.processor, facts, data)
    page = write_report(run_document(facts), folder / REPORT)
    write_predictions(folder / PREDICTIONS, facts, data)
    write_problems(folder / PROBLEMS, facts)
    forget_state(folder / "training")
    for name, found in facts.scores.figures.items():
        guess = facts.scores.majority.get(name)
        beside = "" if guess is None else f"  (always the commonest class: {guess.value:.3f})"
        context.reporter.say(f"test {name} {found}{beside}")
    context.reporter.say(f"checkpoint {info.digest[:12]} in {folder / CHECKPOINT}")
    context.reporter.say(f"report: {page}")
