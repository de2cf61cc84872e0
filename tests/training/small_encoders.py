"""An encoder of sound and one of text that cost nothing, and what prepares utterances for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from core.models.outputs import Encoded, ModelInputs
from core.types import FloatArray

HOP = 320


class LetterProcessor:
    """Samples as they are, times `scale`; every letter is a token. Polish is not understood."""

    pad_id = 3

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale

    def __call__(
        self,
        samples: FloatArray | None = None,
        text: str | None = None,
        language: str | None = None,
    ) -> ModelInputs:
        waveform = tokens = None
        if samples is not None:
            waveform = torch.from_numpy(samples * self.scale)[None]
        if text is not None and language != "pl":
            tokens = torch.tensor([[ord(letter) % 64 + 4 for letter in text]])
        return ModelInputs(
            waveform=waveform,
            waveform_mask=None if waveform is None else torch.ones_like(waveform, dtype=torch.bool),
            tokens=tokens,
            token_mask=None if tokens is None else torch.ones_like(tokens, dtype=torch.bool),
        )

    def save(self, folder: Path) -> None:
        (folder / "letters.json").write_text(json.dumps({"scale": self.scale}))


class SmallEncoder(nn.Module):
    """Counts what it encodes in `rows`, and in `padding` what was computed for nothing.

    `before`, if there is one, is called with every batch; dropout is on when it trains.
    """

    def __init__(self, dim: int, seed: int) -> None:
        super().__init__()
        self.dim = dim
        self.rows = 0
        self.padding = 0
        self.before: Callable[[ModelInputs], object] | None = None
        self.dropout = nn.Dropout(0.5)
        torch.manual_seed(seed)

    def config(self) -> dict[str, Any]:
        return {"kind": "small", "dim": self.dim}

    def forward(self, inputs: ModelInputs) -> Encoded:
        if self.before is not None:
            self.before(inputs)
        x, mask = self.sequence(inputs)
        self.rows += len(x)
        self.padding += int((~mask).sum())
        x = self.dropout(x) * mask[..., None]
        pooled = x.sum(dim=1) / mask.sum(dim=1, keepdim=True)
        return Encoded(x, mask, pooled, x.new_empty(len(x), 0))

    def sequence(self, inputs: ModelInputs) -> tuple[Tensor, Tensor]:
        raise NotImplementedError


class WaveEncoder(SmallEncoder):
    """A frame per 20 ms, from that stretch alone."""

    def __init__(self, dim: int = 6, seed: int = 0) -> None:
        super().__init__(dim, seed)
        self.frame = nn.Linear(HOP, dim)

    def sequence(self, inputs: ModelInputs) -> tuple[Tensor, Tensor]:
        assert inputs.waveform is not None
        assert inputs.waveform_mask is not None
        frames = inputs.waveform.unfold(1, HOP, HOP)
        return self.frame(frames).tanh(), inputs.waveform_mask.unfold(1, HOP, HOP).all(dim=2)


class LetterEncoder(SmallEncoder):
    """An embedding per letter."""

    def __init__(self, dim: int = 4, seed: int = 0) -> None:
        super().__init__(dim, seed)
        self.letters = nn.Embedding(68, dim)

    def sequence(self, inputs: ModelInputs) -> tuple[Tensor, Tensor]:
        assert inputs.tokens is not None
        assert inputs.token_mask is not None
        return self.letters(inputs.tokens), inputs.token_mask
