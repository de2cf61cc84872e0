"""MGLRA learns what only other turns say."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from core.models.context.base import DialogueModel
from core.models.context.inputs import DialogueInputs
from core.models.context.registry import dialogue_architecture
from core.models.context.specification import DialogueSpecification, FeatureSize

CLASSES, WIDTH, TURNS = 3, 8, 8
SPECIFICATION = DialogueSpecification(
    tuple("abc"), {"text": FeatureSize(WIDTH)}, window=TURNS, speakers=2
)


def echoes(number: int, seed: int) -> tuple[DialogueInputs, Tensor]:
    """Dialogues in which a turn's label is what the turn before it showed."""
    generator = torch.Generator().manual_seed(seed)
    shown = torch.randint(0, CLASSES, (number, TURNS), generator=generator)
    centres = 2 * torch.eye(CLASSES, WIDTH)
    features = centres[shown] + 0.5 * torch.randn(number, TURNS, WIDTH, generator=generator)
    mask = torch.ones(number, TURNS, dtype=torch.bool)
    speakers = torch.arange(TURNS).remainder(2).expand(number, -1)
    labels = shown.roll(1, dims=1)
    labels[:, 0] = -1
    return DialogueInputs({"text": features}, {"text": mask}, speakers, mask), labels


def accuracy(architecture: str, options: dict[str, object]) -> float:
    """Train for a few seconds; accuracy on dialogues of another seed."""
    torch.manual_seed(0)
    made = dialogue_architecture(architecture).from_config(SPECIFICATION, options)
    optimizer = torch.optim.AdamW(made.parameters(), lr=5e-3)
    inputs, labels = echoes(64, seed=1)
    made.train()
    for _ in range(80):
        optimizer.zero_grad()
        loss(made, inputs, labels).backward()
        optimizer.step()
    fresh, truth = echoes(100, seed=2)
    with torch.no_grad():
        said = made.eval()(fresh).logits.argmax(dim=-1)
    counted = truth >= 0
    return float((said[counted] == truth[counted]).float().mean())


def loss(made: DialogueModel, inputs: DialogueInputs, labels: Tensor) -> Tensor:
    output = made(inputs)
    emotion = F.cross_entropy(output.logits.flatten(0, 1), labels.flatten(), ignore_index=-1)
    return emotion + 0.1 * sum(output.auxiliary.values())


@pytest.mark.parametrize("variant", ["full", "released"])
def test_it_learns_a_label_that_the_turn_before_decides(variant: str) -> None:
    options = {"variant": variant, "dim": 32, "node": 16, "dropout": 0.1, "encoder_dropout": 0.0}
    assert accuracy("mglra", options) > 0.8


def test_the_utterance_alone_can_t_learn_it() -> None:
    assert accuracy("utterance", {}) < 0.5
