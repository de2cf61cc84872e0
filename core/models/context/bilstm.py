"""A bidirectional LSTM over the turns of a dialogue, the usual baseline of emotion in conversation.

Poria, Cambria, Hazarika, Majumder, Zadeh & Morency (2017), Context-dependent sentiment analysis in
user-generated videos, ACL, section 3 (there one per modality; here over all of them joined, with an
embedding of who speaks).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from core.errors import ConfigError
from core.models.context.base import DialogueModel
from core.models.context.inputs import DialogueInputs, DialogueOutput
from core.models.context.joined import JoinedFeatures, SpeakerEmbedding
from core.models.context.specification import DialogueSpecification

DIRECTIONS = ("both", "past")


class BiLSTM(DialogueModel):
    """Features and speaker -> LSTM over turns -> classifier.

    Args:
        hidden: width of its output: of both directions together.
        layers: of the LSTM. dropout: of the features, between layers, and before the classifier.
        speaker: width of the embedding of who speaks; 0: it is not told.
        direction: `both`, or `past`: a turn sees only what came before it, whatever follows.
        residual: the classifier sees the utterance itself as well, not only the LSTM's state.
    """

    def __init__(
        self,
        specification: DialogueSpecification,
        *,
        hidden: int = 128,
        layers: int = 1,
        dropout: float = 0.3,
        speaker: int = 16,
        direction: str = "both",
        residual: bool = True,
    ) -> None:
        super().__init__(specification)
        _check(hidden, layers, direction)
        self._config = {
            "hidden": hidden, "layers": layers, "dropout": dropout, "speaker": speaker,
            "direction": direction, "residual": residual,
        }  # fmt: skip
        self.features = JoinedFeatures(specification.features)
        self.speakers = SpeakerEmbedding(specification, speaker) if speaker else None
        self.dropout = nn.Dropout(dropout)
        width, both = self.features.width + speaker, direction == "both"
        self.lstm = nn.LSTM(
            width, hidden // 2 if both else hidden, layers, batch_first=True, bidirectional=both,
            dropout=dropout if layers > 1 else 0.0,
        )  # fmt: skip
        self.own = nn.Linear(width, hidden) if residual else None
        self.classifier = nn.Linear(hidden, len(specification.labels))

    def config(self) -> dict[str, Any]:
        """Return the values with which `from_config` builds the same architecture."""
        return dict(self._config)

    def forward(self, inputs: DialogueInputs, *, attention: bool = False) -> DialogueOutput:
        """Judge every utterance; an LSTM can't say what it drew on, so `attention` gives None."""
        parts = [self.features(inputs)]
        if self.speakers is not None:
            parts.append(self.speakers(inputs))
        joined = self.dropout(torch.cat(parts, dim=-1))  # (B, T, width)
        found = self._over_turns(joined, inputs.mask)  # (B, T, hidden)
        if self.own is not None:
            found = found + nn.functional.gelu(self.own(joined))
        found = self.dropout(found)
        return DialogueOutput(self.classifier(found), found)

    def _over_turns(self, joined: Tensor, mask: Tensor) -> Tensor:
        """Run over the turns there are: the backward direction begins at a dialogue's own end."""
        lengths = mask.sum(dim=1).clamp(min=1).cpu()
        packed = pack_padded_sequence(joined, lengths, batch_first=True, enforce_sorted=False)
        found, _ = pad_packed_sequence(
            self.lstm(packed)[0], batch_first=True, total_length=mask.shape[1]
        )
        return found


def _check(hidden: int, layers: int, direction: str) -> None:
    if direction not in DIRECTIONS:
        raise ConfigError(f"direction must be {' or '.join(DIRECTIONS)}, not {direction!r}.")
    if hidden < 2 or hidden % 2 or layers < 1:
        raise ConfigError("hidden must be even and layers at least 1.")
