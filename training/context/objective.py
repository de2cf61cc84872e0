"""What a dialogue model is trained for: the loss of its turns and what goes with it.

Every part of the loss is a mean over the turns that count. Where batches are accumulated or shared
between processes, each part is weighed by the share of those turns that a batch has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from core.models.context.base import DialogueModel
from core.models.context.inputs import DialogueOutput
from training.context.loss import TurnLoss
from training.context.packed import map_batch
from training.data.dialogues import UNLABELLED, DialogueBatch
from training.losses.group import Group


@dataclass(frozen=True)
class DialogueCriterion:
    """Losses of a batch by name: `loss` is minimised, the others are its parts.

    Attributes:
        turn: of the whole representation's logits.
        classes: how many there are.
        auxiliary: weights of losses that the model brings along; 1 for those not named.
    """

    turn: TurnLoss
    classes: int
    auxiliary: Mapping[str, float] = field(default_factory=dict)

    def __call__(self, model: nn.Module, batch: DialogueBatch, group: Group) -> dict[str, Tensor]:
        """Run the model and return the batch's share of the group's losses."""
        assert isinstance(model, DialogueModel)
        output: DialogueOutput = model(batch.inputs)
        totals = self.normalisers(batch)
        by_weight = totals["weights"] / group.totals["weights"].clamp(min=1e-8)
        by_turn = totals["turns"] / group.totals["turns"].clamp(min=1.0)
        parts = {"emotion": by_weight * self.turn(output.logits, batch.labels)}
        for name, value in output.auxiliary.items():
            parts[name] = by_turn * self.auxiliary.get(name, 1.0) * value
        return {"loss": torch.stack(list(parts.values())).sum(), **parts}

    def normalisers(self, batch: DialogueBatch) -> dict[str, Tensor]:
        """Return how much the batch's turns count: by their classes' weights, and each as one."""
        turns = (batch.labels != UNLABELLED).sum().float()
        return {"weights": self.turn.total(batch.labels, self.classes).float(), "turns": turns}


def split_dialogues(batch: DialogueBatch, rank: int, processes: int) -> tuple[DialogueBatch, float]:
    """Return every `processes`-th dialogue from `rank` on, and which fraction of them it is.

    A process without one gets the first, of which no turn counts, so that it can take part.
    """
    rows = torch.arange(rank, len(batch.labels), processes)
    if len(rows):
        return map_batch(batch, lambda t: t[rows]), len(rows) / len(batch.labels)
    idle = map_batch(batch, lambda t: t[:1])
    return replace(idle, labels=torch.full_like(idle.labels, UNLABELLED)), 0.0


def place_dialogues(batch: DialogueBatch, device: torch.device) -> DialogueBatch:
    """Return the batch on a device."""
    return map_batch(batch, lambda t: t.to(device))
