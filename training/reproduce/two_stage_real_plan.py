"""Which trainings the real comparison consists of, and which of them are rows of its tables.

Every row has had the same optimiser steps since its start: twelve epochs at once, or eight and then
four. Adapters need weights to adapt: there is no pretrained compact encoder, so theirs were trained
for eight epochs on recognition alone, which no other row has had; that is said where they stand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.models.adapters.config import AdapterConfig, BottleneckConfig, LoraConfig
from core.models.two_stage_config import EMOTION, GENDER, RECOGNITION, STYLE
from training.losses.multitask import shared_weights
from training.multitask.config import ADAPTERS, EVERYTHING, HEADS, SCL_COS, SCL_NORM, TrainingStage
from training.trainer_config import TrainerConfig

FIRST_EPOCHS, SECOND_EPOCHS = 8, 4
SINGLE_EPOCHS = FIRST_EPOCHS + SECOND_EPOCHS

SHARE = 0.1
"""Published a and b, of gender and style; here also of SCL, whose weight is not printed."""
HEARD_SHARE = 0.3
"""Of recognition: its lambda is not printed, nor by what a text's loss is divided (here: by its
symbols). With random weights it must be large enough for recognition to begin."""
RATE, LATER_RATE, ADAPTER_RATE = 3e-3, 1e-3, 3e-3
"""Peaks of the schedules: from scratch, of all weights again, and of adapters and heads."""

ADAPTER_SIZES = AdapterConfig(LoraConfig(rank=16), BottleneckConfig(width=32))
"""Published: rank 64 for 1024 wide layers; these are 96 wide."""
TASK_ADAPTER = 32
_DROPOUT = 0.1


@dataclass(frozen=True, slots=True)
class RealRow:
    """A row of a table.

    Attributes:
        name: of the row, and of the training that it is the end of.
        title: in the table.
        published: what the paper printed for its counterpart, in shares of one, by figure.
        table: of the paper, 1 to 3; 0: a control that the paper lacks.
    """

    name: str
    title: str
    table: int
    published: Mapping[str, float] = field(default_factory=dict)


def _trainer(epochs: int, rate: float) -> TrainerConfig:
    return TrainerConfig(
        epochs=epochs, learning_rate=rate, warmup=0.15, weight_decay=0.05, ema_decay=0.98,
        keep="last", device="cpu",
    )  # fmt: skip


def _full(name: str, losses: Mapping[str, float], epochs: int = SINGLE_EPOCHS) -> TrainingStage:
    """A training of everything from random weights."""
    return TrainingStage(
        name, _trainer(epochs, RATE), losses=losses, task_adapter=TASK_ADAPTER, dropout=_DROPOUT
    )


def _adapted(
    name: str,
    start: str,
    losses: Mapping[str, float],
    epochs: int = SECOND_EPOCHS,
    *,
    fusion: bool = False,
) -> TrainingStage:
    """A training of adapters and heads beside frozen weights."""
    return TrainingStage(
        name, _trainer(epochs, ADAPTER_RATE), (ADAPTERS, HEADS), losses, start,
        adapters=ADAPTER_SIZES, task_adapter=TASK_ADAPTER, fusion=fusion, dropout=_DROPOUT,
    )  # fmt: skip


def _again(name: str, start: str, losses: Mapping[str, float]) -> TrainingStage:
    """A second training of everything."""
    return TrainingStage(
        name, _trainer(SECOND_EPOCHS, LATER_RATE), (EVERYTHING,), losses, start,
        task_adapter=TASK_ADAPTER, dropout=_DROPOUT,
    )  # fmt: skip


_ALONE = {EMOTION: 1.0}
_HEARD = {EMOTION: 1 - HEARD_SHARE, RECOGNITION: HEARD_SHARE}
_KNOWN = shared_weights((GENDER, STYLE), SHARE)
_ALL = {**_KNOWN, EMOTION: _KNOWN[EMOTION] - HEARD_SHARE, RECOGNITION: HEARD_SHARE}

BASE, FIRST, FIRST_ADAPTERS, FIRST_EMOTION = "base", "first", "first_adapters", "first_emotion"

TRAININGS: tuple[TrainingStage, ...] = (
    _full("full_ser", _ALONE),
    _full("full_asr", _HEARD),
    _full(FIRST, _HEARD, FIRST_EPOCHS),
    _again("setting2", FIRST, _ALONE),
    _adapted("setting3", FIRST, _ALONE),
    _adapted("gender_style", FIRST, _KNOWN),
    _full("full_gender_style", _KNOWN),
    _full("full_all", _ALL),
    _full(BASE, {RECOGNITION: 1.0}, FIRST_EPOCHS),
    _adapted("concat", FIRST, _KNOWN, fusion=True),
    _adapted("scl_norm", FIRST, {**_KNOWN, SCL_NORM: SHARE}, fusion=True),
    _adapted("scl_cos", FIRST, {**_KNOWN, SCL_COS: SHARE}, fusion=True),
    _adapted("adapters_ser", BASE, _ALONE, SINGLE_EPOCHS),
    _adapted("adapters_asr", BASE, _HEARD, SINGLE_EPOCHS),
    _adapted("adapters_gender_style", BASE, _KNOWN, SINGLE_EPOCHS),
    _adapted(FIRST_ADAPTERS, BASE, _HEARD, FIRST_EPOCHS),
    _adapted("setting1", FIRST_ADAPTERS, _ALONE),
    _full(FIRST_EMOTION, _ALONE, FIRST_EPOCHS),
    _adapted("unheard_first", FIRST_EMOTION, _ALONE),
    _adapted("gender", FIRST, shared_weights((GENDER,), SHARE)),
    _adapted("style", FIRST, shared_weights((STYLE,), SHARE)),
)
"""In the order in which they are run; each starts from random weights or from an earlier one."""


def _row(name: str, title: str, table: int, *published: float | None) -> RealRow:
    names = ("ua", "wa", "wer", GENDER, STYLE)
    given = dict(zip(names, published, strict=False))
    return RealRow(name, title, table, {n: v / 100 for n, v in given.items() if v is not None})


ROWS: tuple[RealRow, ...] = (
    _row("adapters_ser", "adapters: emotion", 1, 68.51, 67.83),
    _row("adapters_asr", "adapters: emotion, recognition", 1, 71.70, 71.28, 23.68),
    _row("adapters_gender_style", "adapters: emotion, gender, style",
         1, 70.19, 69.85, None, 85.82, 80.34),
    _row("full_ser", "full: emotion", 1, 70.88, 71.57),
    _row("full_asr", "full: emotion, recognition", 1, 75.40, 75.17, 19.99),
    _row("full_gender_style", "full: emotion, gender, style",
         1, 71.05, 70.27, None, 86.37, 82.16),
    _row("full_all", "full: all four", 1, 76.19, 75.49, 20.14, 97.52, 89.29),
    _row("setting1", "1: adapters, then adapters", 2, 71.89, 71.46),
    _row("setting2", "2: full, then full", 2, 74.92, 73.81),
    _row("setting3", "3: full, then adapters", 2, 76.54, 76.07),
    _row("gender_style", "stage 2 with gender, style: x_e alone",
         3, 77.13, 76.30, None, 98.48, 91.33),
    _row("concat", "x_e, x_g, x_s joined", 3, 76.89, 76.06, None, 98.77, 89.29),
    _row("scl_norm", "joined, SCL norm", 3, 77.91, 77.24, None, 98.31, 90.23),
    _row("scl_cos", "joined, SCL cos", 3, 78.49, 77.85, None, 98.64, 90.57),
    _row("gender", "stage 2 with gender alone", 0),
    _row("style", "stage 2 with style alone", 0),
    _row("unheard_first", "full without recognition, then adapters", 0),
)  # fmt: skip


def training(name: str) -> TrainingStage:
    """Return a training by its name."""
    return next(stage for stage in TRAININGS if stage.name == name)


def chain(name: str) -> tuple[TrainingStage, ...]:
    """Return what has to be trained for a training, in order, itself last."""
    stage = training(name)
    return (*(chain(stage.starts_from) if stage.starts_from else ()), stage)
