"""The stage `multitask`: a model trained on several tasks in stages, one after the other.

    emoscope train training/configs/two_stage/iemocap_full_adapters.yaml --data FOLDER

corpus -> split, checked -> stage by stage: what it starts from -> training -> the test part, judged
once -> `STAGE/checkpoint`, `metrics.json`, `history.json`, `predictions.csv`, `transcripts.csv`. An
interrupted run goes on with --resume: finished stages are kept, the one that was interrupted ends
as it would have, to the last bit. Several processes may run the same command (see
`training.distributed`); the first writes.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from pathlib import Path

from core.models.two_stage import TwoStageModel
from core.types import Modality
from training import config as configuration
from training.data.batches import BatchSource
from training.data.content_digest import text_digest
from training.data.loading import AudioLoader, default_digests
from training.distributed import current
from training.multitask.artifacts import write_json, write_stage
from training.multitask.config import MultiTaskConfig, TrainingStage
from training.multitask.data import TaskData, prepare_tasks
from training.multitask.facts import StageFacts
from training.multitask.fingerprint import fingerprint_of_tasks
from training.multitask.freezing import encoder_is_frozen, trained_count
from training.multitask.results import score_part
from training.multitask.starts import CHECKPOINT, Start, check_starts, first_encoders, open_start
from training.multitask.training import TrainedStage, judge_part, task_source, train_stage
from training.progress import Reporter
from training.stages import StageContext
from training.system_data import LoadedCorpus, load_examples
from training.system_encoders import Encoders
from training.system_training import forget_state

_DONE, _STATE = "done.json", "training"
_QUICK_EPOCHS = 2


@dataclass(frozen=True)
class _Ingredients:
    """What all stages are trained on; the fingerprint is that of all of it, before training."""

    corpus: LoadedCorpus
    data: TaskData
    encoders: Encoders
    fingerprint: str


def run(config: MultiTaskConfig, context: StageContext) -> str:
    """Train all stages into folders of their names; return the fingerprint of the data.

    Raises:
        EmoscopeError: a sentence that names the stage or file, and what to do.
    """
    check_starts(config)
    config = _quick(config) if context.quick else config
    found = _ingredients(config, context)
    _say_parts(found.data, context.reporter)
    for stage in config.stages:
        _run_stage(config, stage, found, context)
    return found.fingerprint


def fingerprint(config: MultiTaskConfig, context: StageContext) -> str:
    """Return a digest of what `run` would train on: rows, targets, parts, encoder."""
    return _ingredients(config, context).fingerprint


def _ingredients(config: MultiTaskConfig, context: StageContext) -> _Ingredients:
    loader = AudioLoader(default_digests(context.out / config.cache) if config.cache else None)
    corpus = load_examples(
        config.corpus, context.data, (Modality.SPEECH,), context.reporter, loader
    )
    data = prepare_tasks(corpus, config)
    encoders = first_encoders(config)
    found = fingerprint_of_tasks(data, encoders, loader)
    if current().is_main:
        loader.digests.save()
    return _Ingredients(corpus, data, encoders, found)


def _quick(config: MultiTaskConfig) -> MultiTaskConfig:
    def shortened(stage: TrainingStage) -> TrainingStage:
        epochs = min(stage.trainer.epochs, _QUICK_EPOCHS)
        return replace(stage, trainer=replace(stage.trainer, epochs=epochs))

    return replace(config, stages=tuple(shortened(stage) for stage in config.stages))


def _say_parts(data: TaskData, reporter: Reporter) -> None:
    for name, found in data.system.described.items():
        classes = ", ".join(f"{label} {n:,}" for label, n in found["classes"].items())
        reporter.say(f"{name}: {found['rows']:,} rows of {found['speakers']} speakers ({classes})")
    for task, names in (("gender", data.gender), ("style", data.style)):
        if names:
            reporter.say(f"{task}: {', '.join(names)}")
    if data.symbols:
        reporter.say(f"recognition writes {len(data.symbols)} symbols")


def _run_stage(
    config: MultiTaskConfig, stage: TrainingStage, found: _Ingredients, context: StageContext
) -> None:
    folder, say = context.folder / stage.name, context.reporter
    started = time.monotonic()
    start = open_start(config, stage, context.folder, found.encoders)
    digest = text_digest(found.fingerprint, _settings(config, stage), start.digest)
    if context.resume and _is_finished(folder, digest):
        say.say(f"{stage.name}: finished before, kept")
        return
    _begin(folder)
    say.say(f"{stage.name}: trains {', '.join(stage.trains)} on {', '.join(stage.losses)}")
    source = task_source(found.data, start.processor, found.corpus.loader)
    trained = train_stage(
        config, stage, found.data, source, start.module, folder / _STATE, say,
        resume=context.resume, fingerprint=digest,
    )  # fmt: skip
    if current().is_main:
        _write(folder, config, stage, found.data, source, start, trained, started, say)
        write_json(folder / _DONE, {"fingerprint": digest})
        forget_state(folder / _STATE)
    current().wait()  # the next stage may start from this one


def _settings(config: MultiTaskConfig, stage: TrainingStage) -> str:
    """Return a digest of everything in the configuration that this stage depends on."""
    return configuration.digest([replace(config, stages=(stage,))])


def _is_finished(folder: Path, digest: str) -> bool:
    if not (folder / CHECKPOINT).is_dir():
        return False
    try:
        mark = json.loads((folder / _DONE).read_text(encoding="utf-8"))
        return bool(mark["fingerprint"] == digest)
    except (OSError, ValueError, KeyError, TypeError):
        return False  # none, or a damaged one


def _begin(folder: Path) -> None:
    processes = current()
    processes.wait()  # all have read the mark before it is taken away
    if processes.is_main:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _DONE).unlink(missing_ok=True)
    processes.wait()


def _write(
    folder: Path,
    config: MultiTaskConfig,
    stage: TrainingStage,
    data: TaskData,
    source: BatchSource,
    start: Start,
    trained: TrainedStage,
    started: float,
    say: Reporter,
) -> None:
    """Judge the test part, and write all there is."""
    model: TwoStageModel = trained.model
    answers = judge_part(model, config, data, source, data.parts.test)
    scores = score_part(answers, data, trained.calibration, config, stage)
    facts = StageFacts(
        config=config,
        stage=stage,
        data=data,
        scores=scores,
        history=trained.outcome.history,
        best_epoch=trained.outcome.best_epoch,
        calibration=trained.calibration,
        parameters=sum(p.numel() for p in model.parameters()),
        trained=trained_count(model),
        frozen=encoder_is_frozen(model),
        seconds=time.monotonic() - started,
    )
    info = write_stage(folder, model, start, answers, facts)
    for name, figure in scores.figures.items():
        say.say(f"{stage.name}: test {name} {figure}")
    kind = "checkpoint" if info.base is None else f"adapters of {info.base.name}"
    say.say(f"{stage.name}: {kind} {info.digest[:12]} in {folder / CHECKPOINT}")
