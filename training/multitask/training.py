"""Training one stage: what trains, on which tasks, from where; the best epoch, calibrated.

corpus = load_examples(config.corpus, root, (Modality.SPEECH,), reporter)
data = prepare_tasks(corpus, config)
source = task_source(data, encoders.processor, corpus.loader)
first = train_stage(config, config.stages[0], data, source, encoders.speech, None, reporter)
second = train_stage(config, config.stages[1], data, source, first.model, None, reporter)
figures(judge_part(second.model, config, data, source, data.parts.test), data)["ua"]
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor, nn

from core.models.calibration import UNTEMPERED, Calibration
from core.models.two_stage import TwoStageModel
from core.types import Modality
from training.data.batches import BatchSource, InputSource
from training.data.content_digest import UtteranceProcessor
from training.data.loading import AudioLoader
from training.data.split_config import Rows
from training.distributed import current
from training.losses import Group, class_weights
from training.losses.multitask import MultiTaskLoss
from training.multitask.batches import ScoringTaskBatches, TaskBatches, place_tasks, split_tasks
from training.multitask.config import MultiTaskConfig, TrainingStage
from training.multitask.convolved import ConvolvedSource
from training.multitask.data import TaskData
from training.multitask.freezing import choose_trained
from training.multitask.judging import (
    TaskAnswers,
    answer,
    calibrate,
    run_tasks,
    validation_figures,
)
from training.multitask.model import stage_model
from training.multitask.targets import TaskBatch
from training.objective import Objective, Outcome
from training.onednn_products import onednn_products
from training.progress import Reporter
from training.trainer import Trainer


@dataclass(frozen=True)
class TrainedStage:
    """A trained model, in evaluation mode, and what came of the training.

    `outcome.history` has per epoch the losses (`train_*`), and of the validation part `loss`, `ua`,
    `wa`, `gender`, `style`, `wer`, `cer`.
    """

    model: TwoStageModel
    outcome: Outcome
    calibration: Calibration


def task_source(
    data: TaskData, processor: UtteranceProcessor, loader: AudioLoader | None = None
) -> BatchSource:
    """Return where batches come from: speech, prepared on the way by the encoder's processor."""
    return InputSource(data.examples, processor, (Modality.SPEECH,), loader)


def train_stage(
    config: MultiTaskConfig,
    stage: TrainingStage,
    data: TaskData,
    source: BatchSource,
    start: nn.Module,
    run_dir: Path | None,
    reporter: Reporter,
    *,
    resume: bool = False,
    fingerprint: str = "",
) -> TrainedStage:
    """Train a stage, keep its best epoch, and calibrate on the validation part.

    Args:
        data: must have been prepared for a configuration that has this stage's tasks.
        source: of inputs; see `task_source`.
        start: a speech encoder, or the model of an earlier stage; it stays as it is.
        run_dir: for the state of the training. None: nothing is written, and an interrupted
            training is lost.
        resume: go on where an interrupted training in `run_dir` ended, to the last bit.
        fingerprint: of what is trained on and started from; a state of another is not gone on with.

    Raises:
        ConfigError: something that the stage names is not there, or nothing would train.
        TrainingError: a loss or gradient is not finite.
    """
    model = stage_model(config, stage, data, start)
    choose_trained(model, stage.trains)
    source = _convolved(stage, data, source, model) if stage.keeps_convolved else source
    objective = stage_objective(config, stage, data, source, model)
    outcome = Trainer(stage.trainer, objective, run_dir, reporter, fingerprint).fit(resume)
    model.eval()
    calibration = Calibration(short_speech=UNTEMPERED)
    if len(data.parts.validation):
        answers = judge_part(model, config, data, source, data.parts.validation)
        calibration = calibrate(answers, data)
    return TrainedStage(model, outcome, calibration)


def _products(batch: TaskBatch) -> AbstractContextManager[object]:
    """Return in what a batch is computed: on a CPU linear layers go the fastest way in fp32."""
    on_cpu = batch.targets.weights.device.type == "cpu"
    return onednn_products() if on_cpu else nullcontext()


def _convolved(
    stage: TrainingStage, data: TaskData, source: BatchSource, model: TwoStageModel
) -> BatchSource:
    """Return a source of what the frozen convolutions make of the rows that are trained on."""
    rows = np.concatenate([data.parts.train, data.parts.validation])
    device = "cpu" if stage.trainer.device == "cpu" else current().device
    return ConvolvedSource(source, model.speech, rows, device)


def judge_part(
    model: TwoStageModel, config: MultiTaskConfig, data: TaskData, source: BatchSource, rows: Rows
) -> TaskAnswers:
    """Return what a model in evaluation mode says of rows, on every task."""
    return answer(model, ScoringTaskBatches(source, data, rows, config.batches), data)


def stage_loss(config: MultiTaskConfig, stage: TrainingStage, data: TaskData) -> MultiTaskLoss:
    """Return the loss of a stage, with class weights of the training part."""
    labels = data.system.targets.labels[data.parts.train]
    weights = class_weights(labels, config.class_weights)
    return MultiTaskLoss(stage.losses, config.label_smoothing, weights)


def stage_objective(
    config: MultiTaskConfig,
    stage: TrainingStage,
    data: TaskData,
    source: BatchSource,
    model: TwoStageModel,
) -> Objective:
    """Return what the trainer trains; it runs on any device and in several processes.

    Frozen weights are those that the stage starts from, which a resumed training has again.
    """
    criterion = stage_loss(config, stage, data)
    batches = TaskBatches(source, data, None, config.batches)
    chosen = data.parts.validation if len(data.parts.validation) else data.parts.train
    judging = ScoringTaskBatches(source, data, chosen, config.batches)

    def loss(network: nn.Module, batch: TaskBatch, group: Group) -> Mapping[str, Tensor]:
        with _products(batch):
            return criterion(run_tasks(network, batch), batch.targets, group)

    def validate(network: nn.Module) -> dict[str, float]:
        assert isinstance(network, TwoStageModel)
        return validation_figures(network, judging, data, criterion)

    return Objective(
        model, batches, batches.steps, loss, validate,
        normalisers=lambda batch: criterion.normalisers(batch.targets),
        split=split_tasks,
        place=place_tasks,
        reloads_frozen=True,
    )  # fmt: skip
