"""What a model says of rows on every task, and figures of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.models.calibration import UNTEMPERED, Calibration, fit_temperature
from core.models.calibration import Path as Way
from core.models.encoders.pretrained_speech import PretrainedSpeechEncoder
from core.models.outputs import EmotionOutput
from core.models.two_stage import TwoStageModel
from core.models.two_stage_config import CTC, CTC_LENGTHS, GENDER, STYLE
from training.evaluation.metrics import confusion, uar_of, wa_of
from training.losses.group import Group
from training.losses.multitask import UNFIT, MultiTaskLoss
from training.multitask.batches import ScoringTaskBatches, place_tasks
from training.multitask.convolved import encode_convolved, is_convolved
from training.multitask.data import TaskData, take_tasks
from training.multitask.targets import UNKNOWN, TaskBatch
from training.multitask.word_errors import RecognitionErrors, recognition_errors

Float = NDArray[np.float64]
Indices = NDArray[np.int64]

_TEMPERATURES = (0.4, 10.0)
"""A validation part of a few rows may be separated perfectly; no temperature follows from that."""


@dataclass(frozen=True)
class TaskAnswers:
    """What a model says of n rows, in their order.

    Attributes:
        rows: (n,) indices into the examples.
        logits: (n, C) of the emotions.
        gender, style: (n,) the likeliest class; None: it has no such head.
        transcripts: n texts; None: it does not write.
    """

    rows: Indices
    logits: Float
    gender: Indices | None = None
    style: Indices | None = None
    transcripts: tuple[str, ...] | None = None

    def classes(self, task: str) -> Indices | None:
        """Return the likeliest classes of gender or style."""
        return {GENDER: self.gender, STYLE: self.style}[task]


def run_tasks(model: nn.Module, batch: TaskBatch) -> EmotionOutput:
    """Run the model on a batch that lies where it does."""
    assert isinstance(model, TwoStageModel)
    speech, inputs = model.speech, batch.inputs
    if is_convolved(speech, inputs):
        assert isinstance(speech, PretrainedSpeechEncoder)
        features = encode_convolved(speech, inputs)
    else:
        features = model.encode(inputs)
    output: EmotionOutput = model(features)
    return output


@torch.no_grad()
def answer(model: TwoStageModel, batches: ScoringTaskBatches, data: TaskData) -> TaskAnswers:
    """Return what a model in evaluation mode says of the rows of `batches`."""
    return _answers(model, batches, data, None)[0]


@torch.no_grad()
def _answers(
    model: TwoStageModel,
    batches: ScoringTaskBatches,
    data: TaskData,
    criterion: MultiTaskLoss | None,
) -> tuple[TaskAnswers, dict[str, float]]:
    device = next(model.parameters()).device
    group = None
    if criterion is not None:
        everything = take_tasks(data.targets, batches.rows)
        totals = criterion.normalisers(everything)
        group = Group({name: total.to(device) for name, total in totals.items()})
    found: list[_Said] = []
    losses: dict[str, float] = {}
    for batch in batches:
        placed = place_tasks(batch, device)
        output = run_tasks(model, placed)
        found.append(_said(output, batch.rows, data))
        if criterion is not None:
            for name, value in criterion(output, placed.targets, group).items():
                losses[name] = losses.get(name, 0.0) + float(value)
    return _joined(found, batches.rows), losses


@dataclass(frozen=True)
class _Said:
    """Answers of one batch."""

    rows: Tensor
    logits: Tensor
    classes: Mapping[str, Tensor]
    transcripts: Sequence[str]


def _said(output: EmotionOutput, rows: Tensor, data: TaskData) -> _Said:
    auxiliary = output.auxiliary
    classes = {
        task: auxiliary[task].argmax(dim=1).cpu() for task in (GENDER, STYLE) if task in auxiliary
    }
    transcripts: Sequence[str] = ()
    if CTC in auxiliary and data.vocabulary is not None:
        transcripts = data.vocabulary.greedy(auxiliary[CTC], auxiliary[CTC_LENGTHS])
    return _Said(rows, output.logits.float().cpu(), classes, transcripts)


def _joined(found: Sequence[_Said], rows: Indices) -> TaskAnswers:
    """Return the answers of all batches in the order of `rows`."""
    place = {row: at for at, row in enumerate(torch.cat([s.rows for s in found]).tolist())}
    order = [place[row] for row in rows.tolist()]
    logits = torch.cat([s.logits for s in found])[order].double().numpy()
    classes = {
        task: torch.cat([s.classes[task] for s in found])[order].numpy()
        for task in (GENDER, STYLE)
        if task in found[0].classes
    }
    texts = [text for s in found for text in s.transcripts]
    transcripts = tuple(texts[at] for at in order) if texts else None
    return TaskAnswers(rows, logits, classes.get(GENDER), classes.get(STYLE), transcripts)


def validation_figures(
    model: TwoStageModel, batches: ScoringTaskBatches, data: TaskData, criterion: MultiTaskLoss
) -> dict[str, float]:
    """Return the loss of a part, as one over all of it, and `figures` of it."""
    answers, losses = _answers(model, batches, data, criterion)
    parts = {f"loss_{name}": value for name, value in losses.items() if name not in ("loss", UNFIT)}
    return {"loss": losses["loss"], **figures(answers, data), **parts}


def figures(answers: TaskAnswers, data: TaskData) -> dict[str, float]:
    """Return ua, wa, and as far as the model has heads: gender, style, wer, cer.

    Rows of which the truth is not known do not count; NaN where it is known of none.
    """
    truth = data.targets.emotion.numpy()[answers.rows]
    said = answers.logits.argmax(axis=1)
    matrix = confusion(truth, said, len(data.classes), np.ones((1, len(truth))))
    found = {"ua": float(uar_of(matrix)[0]), "wa": float(wa_of(matrix)[0])}
    for task in (GENDER, STYLE):
        right = rights(answers, data, task)
        if right is not None:
            found[task] = float(right.mean()) if len(right) else float("nan")
    errors = transcript_errors(answers, data)
    return found if errors is None else {**found, "wer": errors.wer, "cer": errors.cer}


def rights(answers: TaskAnswers, data: TaskData, task: str) -> Float | None:
    """Return 1 where gender or style is right, else 0, of rows where it is known (m,)."""
    said = answers.classes(task)
    if said is None:
        return None
    truth = getattr(data.targets, task).numpy()[answers.rows]
    known = truth != UNKNOWN
    return np.asarray(said[known] == truth[known], dtype=np.float64)


def transcript_errors(answers: TaskAnswers, data: TaskData) -> RecognitionErrors | None:
    """Compare what was said with what the model wrote; None if it writes nothing."""
    if answers.transcripts is None:
        return None
    return recognition_errors(data.texts(answers.rows), answers.transcripts)


def calibrate(answers: TaskAnswers, data: TaskData) -> Calibration:
    """Fit one temperature, that of the only way in which such a model judges: by speech.

    On rows as long as they are, so the app is not to make more of their length either.
    """
    truth = data.targets.emotion.numpy()[answers.rows]
    temperature = fit_temperature(answers.logits, truth, *_TEMPERATURES)
    ways = (Way.FUSED, Way.SPEECH_RAW, Way.SPEECH_PERSONAL)
    return Calibration(dict.fromkeys(ways, temperature), short_speech=UNTEMPERED)
