"""The validation loss is that of the part, of the system alone, from one pass over the rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from core.models.outputs import Encoded, Features
from core.models.specification import Problem
from core.models.speech_text import SpeechTextConfig, SpeechTextModel, make_specification
from core.models.systems.head import Variant
from training.data.batch import Batch
from training.data.example import Example
from training.data.example_splits import Parts
from training.data.targets import take, targets_of
from training.losses import EmotionLoss, LossConfig, make_loss
from training.system_data import SystemData
from training.system_training import predict, validation_metrics

ROWS, DIM = 40, 5
CLASSES = ("neutral", "happy", "sad")


class UnevenBatches:
    """Rows in an order of their own, in batches of very different sizes; counts the passes."""

    def __init__(self, data: SystemData, rows: np.ndarray) -> None:
        rng = np.random.default_rng(3)
        self._data = data
        self._speech = torch.from_numpy(rng.normal(size=(ROWS, DIM)).astype(np.float32))
        self._text = torch.from_numpy(rng.normal(size=(ROWS, DIM)).astype(np.float32))
        self._plan = np.split(rng.permutation(rows), [3, 4, 15])
        self.passes = 0

    def __iter__(self) -> Iterator[Batch]:
        self.passes += 1
        yield from (self.batch(rows) for rows in self._plan)

    def batch(self, rows: np.ndarray) -> Batch:
        features = Features(*(self._encoded(values[rows]) for values in (self._speech, self._text)))
        return Batch(take(self._data.targets, rows), torch.from_numpy(rows), features=features)

    def _encoded(self, pooled: torch.Tensor) -> Encoded:
        mask = torch.ones(len(pooled), 1, dtype=torch.bool)
        return Encoded(pooled[:, None], mask, pooled, pooled[:, :0])


class Width(torch.nn.Module):
    """An encoder that is never asked."""

    dim = DIM


def make_data(problem: Problem) -> SystemData:
    rng = np.random.default_rng(1)
    examples = tuple(
        Example(
            "own", str(row), labels=(CLASSES[int(rng.choice(3, p=[0.7, 0.2, 0.1]))],),
            arousal=float(rng.uniform(-1, 1)) if row % 3 else None,
            valence=float(rng.uniform(-1, 1)),
        )
        for row in range(ROWS)
    )  # fmt: skip
    parts = Parts(np.arange(0, 10), np.arange(10, 35), np.arange(35, ROWS))
    targets = targets_of(examples, CLASSES, problem)
    return SystemData(examples, CLASSES, problem, targets, parts, {}, "", {})


CASES: dict[str, tuple[Problem, Variant, dict[str, Any]]] = {
    "class weights": (
        Problem.SINGLE_LABEL, Variant.CORRECTED, {"affect": "mse"},
    ),
    "concordance": (
        Problem.MULTI_LABEL, Variant.CORRECTED,
        {"emotion": "multilabel_soft_margin", "affect": "ccc"},
    ),
    "as published": (
        Problem.MULTI_LABEL, Variant.PAPER, {"emotion": "multilabel_soft_margin", "affect": "mse"},
    ),
}  # fmt: skip


@pytest.fixture(params=list(CASES.values()), ids=list(CASES))
def case(request: pytest.FixtureRequest) -> tuple[SystemData, SpeechTextModel, EmotionLoss]:
    problem, variant, loss = request.param
    data = make_data(problem)
    criterion = make_loss(LossConfig(**loss), problem, torch.tensor([0.2, 1.0, 5.0]))
    torch.manual_seed(0)
    described = SpeechTextConfig("add", variant, affect=True)
    specification = make_specification(described, CLASSES, problem=problem)
    model = SpeechTextModel(specification, described, speech=Width(), text=Width())
    return data, model.eval(), criterion


Case = tuple[SystemData, SpeechTextModel, EmotionLoss]


def loss_of(case: Case, batches: UnevenBatches) -> float:
    data, model, criterion = case
    rows = data.parts.validation
    return validation_metrics(model, batches, rows, data, criterion)["loss"]  # type: ignore[arg-type]


@torch.no_grad()
def expected_loss(case: Case, batches: UnevenBatches) -> float:
    """Return the weighted parts of the loss of the whole part in one batch, without `alone`."""
    data, model, criterion = case
    batch = batches.batch(data.parts.validation)
    assert batch.features is not None
    parts = criterion(model(batch.features), batch.targets)
    assert float(parts["alone"]) > 0
    return sum(float(parts[name]) for name in ("emotion", "arousal", "valence"))


def test_it_is_the_loss_of_the_whole_part(case: Case) -> None:
    batches = UnevenBatches(case[0], case[0].parts.validation)
    assert loss_of(case, batches) == pytest.approx(expected_loss(case, batches), rel=1e-5)


def test_probes_have_no_say(case: Case) -> None:
    batches = UnevenBatches(case[0], case[0].parts.validation)
    before = loss_of(case, batches)
    with torch.no_grad():
        for parameter in case[1].probes.parameters():
            parameter.add_(3.0)
    assert loss_of(case, batches) == before


def test_one_pass_is_enough(case: Case) -> None:
    batches = UnevenBatches(case[0], case[0].parts.validation)
    loss_of(case, batches)
    assert batches.passes == 1


def test_what_is_said_of_rows_is_in_their_order(case: Case) -> None:
    data, model, _ = case
    rows = data.parts.validation
    batches = UnevenBatches(data, rows)
    said = predict(model, batches, rows)  # type: ignore[arg-type]
    with torch.no_grad():
        output = model(batches.batch(rows).features)
    np.testing.assert_allclose(said.logits, output.logits.numpy(), atol=1e-5)
    np.testing.assert_allclose(said.affect["valence"], output.valence.numpy(), atol=1e-5)
