"""The one interface of every dialogue model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from torch import nn

from core.models.context.inputs import DialogueInputs, DialogueOutput
from core.models.context.specification import DialogueSpecification


class DialogueModel(nn.Module):
    """Features of a dialogue's utterances -> logits for each of them, seen in their context.

    What an utterance gets depends on the utterances of its own dialogue (or window) alone: neither
    on how far the batch is filled up nor on who else is in it. A model holds no activation on its
    logits, no loss but what it names in `DialogueOutput.auxiliary`, no choice of device and no I/O.
    """

    def __init__(self, specification: DialogueSpecification) -> None:
        super().__init__()
        self.specification = specification

    @classmethod
    def from_config(cls, specification: DialogueSpecification, config: Mapping[str, Any]) -> Self:
        """Build an untrained model from what a checkpoint's `model` section holds.

        Raises:
            ConfigError or TypeError: a key is unknown or a value makes no sense.
        """
        return cls(specification, **config)

    def config(self) -> dict[str, Any]:
        """Return the plain JSON values with which `from_config` builds the same architecture."""
        raise NotImplementedError

    def forward(self, inputs: DialogueInputs, *, attention: bool = False) -> DialogueOutput:
        """Judge every utterance; `attention` also returns what each drew on."""
        raise NotImplementedError
