"""The same features without any context: what a dialogue model has to be better than."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from core.models.context.base import DialogueModel
from core.models.context.inputs import DialogueInputs, DialogueOutput
from core.models.context.joined import JoinedFeatures
from core.models.context.specification import DialogueSpecification


class UtteranceOnly(DialogueModel):
    """A perceptron over each utterance alone: nothing of any other turn, nor of who speaks.

    Args:
        hidden: width of its hidden layers. layers: how many there are, 0: a linear classifier.
        dropout: chance that a unit is dropped in training, of the features and of every layer.
    """

    def __init__(
        self,
        specification: DialogueSpecification,
        *,
        hidden: int = 128,
        layers: int = 1,
        dropout: float = 0.3,
    ) -> None:
        super().__init__(specification)
        self._config = {"hidden": hidden, "layers": layers, "dropout": dropout}
        self.features = JoinedFeatures(specification.features)
        width = self.features.width
        steps: list[nn.Module] = [nn.Dropout(dropout)]
        for _ in range(layers):
            steps += [nn.Linear(width, hidden), nn.GELU(), nn.Dropout(dropout)]
            width = hidden
        self.hidden = nn.Sequential(*steps)
        self.classifier = nn.Linear(width, len(specification.labels))

    def config(self) -> dict[str, Any]:
        """Return the values with which `from_config` builds the same architecture."""
        return dict(self._config)

    def forward(self, inputs: DialogueInputs, *, attention: bool = False) -> DialogueOutput:
        """Judge every utterance; it draws on itself alone."""
        found = self.hidden(self.features(inputs))  # (B, T, hidden)
        weights = None
        if attention:
            weights = torch.diag_embed(inputs.mask.to(found.dtype))  # (B, T, T)
        return DialogueOutput(self.classifier(found), found, attention=weights)
