"""Training one system on one split: the best epoch by a validation part, then calibrated."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.models.calibration import UNTEMPERED, Calibration, fit_temperature, sigmoid, softmax
from core.models.calibration import Path as Way
from core.models.outputs import EmotionOutput
from core.models.specification import Problem
from core.models.speech_text import SpeechTextModel
from core.models.systems.head import LOSS_LOGITS, Variant, nested_key, nested_logits
from core.types import Modality
from training.batch_objective import batch_objective, place_batch, run_batch
from training.data.batch import Batch, Targets
from training.data.batches import BatchSource, ScoringBatches, SystemBatches
from training.data.targets import take
from training.evaluation.system_scores import AFFECTS, Affect, Judged, score
from training.losses import EmotionLoss, class_weights, make_loss
from training.losses.config import NONE
from training.metrics import fit_thresholds
from training.objective import Outcome
from training.progress import Reporter
from training.system_config import SystemConfig
from training.system_data import SystemData
from training.trainer import Trainer

Float = NDArray[np.float64]
Rows = NDArray[np.int64]

_TEMPERATURES = (0.4, 10.0)
"""A validation part of a few rows may be separated perfectly; no temperature follows from that."""
SHOWN = ("f1_weighted", "f1_macro", "uar", "f1_micro", "ccc_arousal", "ccc_valence", "ccc_mean")
"""Figures of the validation part that are told every epoch; the best one is chosen by any."""
_ALONE: Mapping[Modality, tuple[Way, ...]] = {
    Modality.SPEECH: (Way.SPEECH_RAW, Way.SPEECH_PERSONAL),
    Modality.TEXT: (Way.TEXT,),
}


@dataclass(frozen=True)
class Trained:
    """A trained model and what came of the training."""

    model: SpeechTextModel
    outcome: Outcome
    calibration: Calibration


@dataclass(frozen=True, slots=True)
class Said:
    """What a model says of rows, in their order: logits (n, C), alone per modality, affect (n,),
    and logits by nested size, if it has any.
    """

    logits: Float
    alone: Mapping[Modality, Float]
    affect: Mapping[str, Float]
    nested: Mapping[int, Float] = field(default_factory=dict)


def make_criterion(config: SystemConfig, data: SystemData) -> EmotionLoss:
    """Return the loss, with class weights of the training part."""
    labels = data.targets.labels[torch.from_numpy(data.parts.train)]
    weights = None
    if config.loss.emotion != NONE:
        weights = class_weights(labels, config.loss.class_weights, config.loss.effective_beta)
    return make_loss(config.loss, data.problem, weights)


def train_system(
    config: SystemConfig,
    data: SystemData,
    source: BatchSource,
    model: SpeechTextModel,
    run_dir: Path | None,
    reporter: Reporter,
    resume: bool = False,
    fingerprint: str = "",
) -> Trained:
    """Train `model` (in place), keep the best epoch, and calibrate on the validation part.

    Args:
        source: where batches come from: cached features, or inputs end to end.
        run_dir: for the state of the training; removed by `forget_state` when it is no longer used.
            None: nothing is written, and an interrupted training is lost.
        fingerprint: of data and encoders; a state of others is not gone on with.
    """
    criterion = make_criterion(config, data)
    batches = SystemBatches(
        source, data.targets, data.parts.train, config.batches, corpora=data.corpora
    )
    chosen = data.parts.validation if config.selection == "validation" else data.parts.test
    judging = ScoringBatches(source, data.targets, chosen, config.batches)

    def validate(network: nn.Module) -> dict[str, float]:
        assert isinstance(network, SpeechTextModel)
        return validation_metrics(network, judging, chosen, data, criterion)

    objective = batch_objective(model, criterion, batches, batches.steps, validate)
    outcome = Trainer(config.trainer, objective, run_dir, reporter, fingerprint).fit(resume)
    model.eval()
    calibration = Calibration(short_speech=UNTEMPERED)
    if config.selection == "validation" and config.loss.emotion != NONE:
        said = predict(model, judging, chosen)
        calibration = calibrate(said, take(data.targets, chosen), config)
    return Trained(model, outcome, calibration)


def forget_state(run_dir: Path) -> None:
    """Remove weights and moments of a training that has come to its end."""
    (run_dir / "state.json").unlink(missing_ok=True)  # first: it must not point at nothing
    for folder in run_dir.glob("state-*"):
        shutil.rmtree(folder, ignore_errors=True)


def predict(model: SpeechTextModel, batches: ScoringBatches, rows: Rows) -> Said:
    """Return what the model says of `rows`, in that order."""
    return _said(_all_answers(model, batches, rows))


def _said(answers: Mapping[str, Tensor]) -> Said:
    found = {name: np.asarray(v.numpy(), dtype=np.float64) for name, v in answers.items()}
    alone = {m: found[m.value] for m in Modality if m.value in found}
    nested = {size: found[nested_key(size)] for size in nested_logits(answers)}
    affect = {name: found[name] for name in AFFECTS if name in found}
    return Said(found["logits"], alone, affect, nested)


@torch.no_grad()
def _all_answers(model: SpeechTextModel, batches: ScoringBatches, rows: Rows) -> dict[str, Tensor]:
    """Return all that the model says of `rows`, in that order, by name; float32 on the CPU."""
    place = {int(row): at for at, row in enumerate(rows)}
    found: dict[str, Tensor] = {}
    for batch in batches:
        at = torch.tensor([place[int(row)] for row in batch.rows])
        for name, values in _answers(model, batch).items():
            if name not in found:
                found[name] = torch.zeros(len(rows), *values.shape[1:])
            found[name][at] = values
    return found


def _answers(model: SpeechTextModel, batch: Batch) -> dict[str, Tensor]:
    device = next(model.parameters()).device
    output = run_batch(model, place_batch(batch, device))
    tensors = {"logits": output.logits, "arousal": output.arousal, "valence": output.valence}
    tensors[LOSS_LOGITS] = output.auxiliary.get(LOSS_LOGITS)
    for modality in _ALONE:
        tensors[modality.value] = output.auxiliary.get(f"{modality.value}_alone")
    for size, logits in nested_logits(output.auxiliary).items():
        tensors[nested_key(size)] = logits
    return {name: value.float().cpu() for name, value in tensors.items() if value is not None}


def validation_metrics(
    model: SpeechTextModel,
    batches: ScoringBatches,
    rows: Rows,
    data: SystemData,
    criterion: EmotionLoss,
) -> dict[str, float]:
    """Return the loss and every figure of a part, with uncalibrated decisions.

    The loss is one over the whole part at once, and without that of the probes, which have no say
    in which epoch is kept.
    """
    answers = _all_answers(model, batches, rows)
    keys = {LOSS_LOGITS, *map(nested_key, nested_logits(answers))}
    kept = {key: answers[key] for key in keys & answers.keys()}
    output = EmotionOutput(
        answers["logits"], answers.get("arousal"), answers.get("valence"), auxiliary=kept
    )
    loss = float(criterion(output, take(data.targets, rows))["loss"])
    judged = judge(_said(answers), data, rows, Calibration(), criterion.config.emotion != NONE)
    figures = score([judged], resamples=1).figures
    shown = {name: found.value for name, found in figures.items() if name in SHOWN}
    return {"loss": loss, **shown}


def calibrate(said: Said, targets: Targets, config: SystemConfig) -> Calibration:
    """Fit a temperature per way of judging (one label), or a threshold per label (several).

    On rows as long as they are, so the app is not to make more of their length either.
    """
    labels = targets.labels.numpy().astype(np.float64)
    if config.is_multi_label and config.variant == Variant.PAPER:
        return Calibration(short_speech=UNTEMPERED)  # the published decision is at one half
    if config.is_multi_label:
        fitted = fit_thresholds(sigmoid(said.logits), labels)
        thresholds = tuple(float(np.clip(t, 0.01, 0.99)) for t in fitted)
        return Calibration(thresholds=thresholds, short_speech=UNTEMPERED)
    truth = labels.argmax(axis=1)
    low, high = _TEMPERATURES
    temperatures = {Way.FUSED: fit_temperature(said.logits, truth, low, high)}
    for modality in config.modalities:
        # a system of one modality answers with its head on every way
        logits = said.alone.get(modality, said.logits)
        for way in _ALONE[modality]:
            temperatures[way] = fit_temperature(logits, truth, low, high)
    return Calibration(temperatures, short_speech=UNTEMPERED)


def judge(
    said: Said, data: SystemData, rows: Rows, calibration: Calibration, judges_labels: bool = True,
    *, fold: int = 0, seed: int = 0,
) -> Judged:  # fmt: skip
    """Return decisions and calibrated probabilities beside the truth."""
    truth = data.targets.labels.numpy()[rows].astype(np.float64)
    probabilities, chosen = _decide(said.logits, data, calibration)
    train = data.targets.labels.numpy()[data.parts.train]
    affect = {
        name: Affect(_truth(data.targets, name, rows), predicted)
        for name, predicted in said.affect.items()
    }
    return Judged(
        data.problem, truth, probabilities, chosen, rows, affect,
        commonest=int(train.sum(axis=0).argmax()), judges_labels=judges_labels,
        fold=fold, seed=seed,
    )  # fmt: skip


def judge_nested(
    said: Said, data: SystemData, rows: Rows, calibration: Calibration,
    *, fold: int = 0, seed: int = 0,
) -> dict[int, Judged]:  # fmt: skip
    """Return decisions from every nested size, by the temperature and thresholds of the whole."""
    return {
        size: judge(
            replace(said, logits=logits, affect={}), data, rows, calibration, fold=fold, seed=seed
        )
        for size, logits in said.nested.items()
    }


def _decide(logits: Float, data: SystemData, calibration: Calibration) -> tuple[Float, Float]:
    if data.problem is Problem.MULTI_LABEL:
        probabilities = sigmoid(logits)
        thresholds = np.asarray(calibration.thresholds_for(data.classes))
        return probabilities, (probabilities >= thresholds).astype(np.float64)
    probabilities = softmax(logits / calibration.temperature(Way.FUSED))
    return probabilities, np.eye(logits.shape[1])[logits.argmax(axis=1)]


def _truth(targets: Targets, name: str, rows: Sequence[int] | Rows) -> Float:
    values: torch.Tensor = getattr(targets, name)
    return np.asarray(values.numpy()[np.asarray(rows)], dtype=np.float64)
