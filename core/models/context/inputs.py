"""Tensors that go into a dialogue model and come out of it; they never leave its thread.

B dialogues (or windows of them) of at most T utterances, filled up at their end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

UNKNOWN_SPEAKER = -1


@dataclass(frozen=True, slots=True)
class DialogueInputs:
    """A batch of dialogues as features of their utterances.

    Attributes:
        features: modality name ("speech", "text", "vision") -> (B, T, D), or (B, T, L, D) where an
            encoder gives L layers. A modality of the model that is not here is missing everywhere.
        present: modality name -> (B, T), true where that utterance has the modality.
        speakers: (B, T) who speaks, as an index; of live dialogues and of text corpora by the order
            of their first utterance in the window, of published feature files as they say;
            `UNKNOWN_SPEAKER` where nobody knows.
        mask: (B, T), true where there is an utterance.
    """

    features: Mapping[str, Tensor]
    present: Mapping[str, Tensor]
    speakers: Tensor
    mask: Tensor


@dataclass(frozen=True, slots=True)
class DialogueOutput:
    """What a dialogue model says about every utterance.

    Attributes:
        logits: (B, T, C) from the whole representation.
        representation: (B, T, R) what the classifier takes; nested sizes are parts of it.
        slices: modality name -> (B, T, R / modalities), its part of the representation.
        nested: nested size -> (B, T, C); empty unless the model has a Matryoshka head.
        students: modality name -> (B, T, C) of heads that only distillation in training looks at.
        attention: (B, T, T) how much each utterance drew on each other one and on itself; rows of
            valid utterances sum to one, and nothing lies on filled-up ones. None: not asked for.
        auxiliary: named scalar losses a model brings along, such as reconstruction of masked nodes.
    """

    logits: Tensor
    representation: Tensor
    slices: Mapping[str, Tensor] = field(default_factory=dict)
    nested: Mapping[int, Tensor] = field(default_factory=dict)
    students: Mapping[str, Tensor] = field(default_factory=dict)
    attention: Tensor | None = None
    auxiliary: Mapping[str, Tensor] = field(default_factory=dict)
