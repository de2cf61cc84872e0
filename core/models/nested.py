"""Matryoshka representations: one vector whose leading parts are whole representations themselves.

Kusupati et al. 2022, "Matryoshka Representation Learning", NeurIPS, section 3: for every size m of
a list M a linear classifier reads the first m dimensions z_1:m, and the losses of all of them are
summed. MRL has a classifier W^(m) of its own per size; MRL-E ("efficient") takes the first m
columns of the one W of the whole vector.

Two layouts say what "the first m dimensions" of a vector z = [z_1 | ... | z_k] of k modalities are:
    leading        z_1:m, as the formula has it; with modalities side by side, small sizes then
                   know the first modality alone
    per_modality   the first m / k dimensions of each modality, as the public re-implementation for
                   emotion in conversation does it ([1536, 768, ..., 6, 3] of three times 1024)
The whole vector is always a size too; inference reads it unless asked for less.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from itertools import pairwise
from typing import Any, Self

import torch
from torch import Tensor, nn

from core.errors import ConfigError

PER_MODALITY, LEADING = "per_modality", "leading"
LAYOUTS = (PER_MODALITY, LEADING)


def published_sizes(width: int, modalities: int = 1) -> tuple[int, ...]:
    """Return the whole width and its halves down to one dimension per modality, largest first.

    (3072, 1536, 768, 384, 192, 96, 48, 24, 12, 6, 3) for a width of 3072 of three modalities. Where
    a part of a modality has an odd width, the smaller half is taken.

    Raises:
        ConfigError: there is less than one dimension per modality.
    """
    if modalities < 1 or width < modalities:
        raise ConfigError(f"A vector of {width} dimensions can't hold {modalities} modalities.")
    sizes, part = [width], width // modalities // 2
    while part >= 1:
        sizes.append(part * modalities)
        part //= 2
    return tuple(sizes)


@dataclass(frozen=True, slots=True)
class NestedConfig:
    """Which nested sizes a representation has.

    Raises:
        ConfigError: the layout is unknown, or the sizes are no list that rises or falls.
    """

    sizes: tuple[int, ...] = ()
    """In one direction; the whole width may be among them or not. Empty: `published_sizes`."""
    layout: str = PER_MODALITY
    """`per_modality`: m / k leading dimensions of each of k modalities; `leading`: z_1:m."""
    shared: bool = False
    """False: a classifier per size (MRL); true: columns of one weight, and one bias (MRL-E)."""

    def __post_init__(self) -> None:
        if self.layout not in LAYOUTS:
            raise ConfigError(
                f"There is no nested layout {self.layout!r}.",
                f"Choose one of {', '.join(LAYOUTS)}.",
            )
        if any(isinstance(s, bool) or not isinstance(s, int) or s < 1 for s in self.sizes):
            raise ConfigError(f"Nested sizes are whole numbers above zero, not {self._listed}.")
        steps = {(b > a) - (b < a) for a, b in pairwise(self.sizes)}
        if len(steps) > 1 or 0 in steps:
            raise ConfigError(
                f"The nested sizes {self._listed} neither rise nor fall throughout.",
                "Name each once, in one direction.",
            )

    @property
    def _listed(self) -> str:
        return ", ".join(map(str, self.sizes))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote. Raises ConfigError for an unknown key or a wrong value."""
        known = [field.name for field in fields(cls)]
        if unknown := sorted(set(values) - set(known)):
            raise ConfigError(
                f"Nested sizes have no option {', '.join(unknown)}.",
                f"Their options: {', '.join(known)}.",
            )
        sizes, shared = values.get("sizes") or (), values.get("shared", False)
        if not isinstance(sizes, list | tuple) or not isinstance(shared, bool):
            raise ConfigError("Nested sizes must be a list, and `shared` true or false.")
        return cls(tuple(sizes), str(values.get("layout", PER_MODALITY)), shared)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {**asdict(self), "sizes": list(self.sizes)}

    def levels(self, slices: Sequence[int]) -> tuple[int, ...]:
        """Return all sizes, the whole one among them, largest first.

        Args:
            slices: width of each modality's part of the representation.

        Raises:
            ConfigError: a size is larger than the representation, or, of `per_modality`, can't be
                shared out evenly among the modalities.
        """
        full = sum(slices)
        if not self.sizes and self.layout == PER_MODALITY:
            even = published_sizes(min(slices) * len(slices), len(slices))
            return even if even[0] == full else (full, *even)
        sizes = self.sizes or published_sizes(full)
        if max(sizes) > full:
            raise ConfigError(
                f"The nested size {max(sizes)} is larger than the representation, which has"
                f" {full} dimensions.",
                "Leave it out.",
            )
        if self.layout == PER_MODALITY:
            _check_shares([s for s in sizes if s != full], slices)
        return tuple(sorted({*sizes, full}, reverse=True))


def _check_shares(sizes: Sequence[int], slices: Sequence[int]) -> None:
    for size in sizes:
        if size % len(slices):
            raise ConfigError(
                f"The nested size {size} can't be divided among {len(slices)} modalities.",
                f"Choose multiples of {len(slices)}, or the layout {LEADING}.",
            )
        if size // len(slices) > min(slices):
            raise ConfigError(
                f"The nested size {size} takes {size // len(slices)} dimensions of each modality,"
                f" but one has only {min(slices)}.",
                f"Leave it out, or choose the layout {LEADING}.",
            )


@dataclass(frozen=True, slots=True)
class NestedLogits:
    """logits (..., C) of the whole representation; `nested`: size -> (..., C), the whole included.

    `nested` is empty where nothing is nested.
    """

    logits: Tensor
    nested: Mapping[int, Tensor]


class NestedHead(nn.Module):
    """A linear classifier at every nested size of a representation (..., R).

    Args:
        slices: width of each modality's part of the representation, in its order; R is their sum.
        classes: C.
        config: which sizes; None: only the whole one, and `nested` stays empty.

    Attributes:
        levels: all sizes, largest first; the first is R.

    Raises:
        ConfigError: the representation is empty, or the sizes do not suit it.
    """

    def __init__(
        self, slices: Sequence[int], classes: int, config: NestedConfig | None = None
    ) -> None:
        super().__init__()
        if not slices or min(slices) < 0 or sum(slices) < 1 or classes < 1:
            raise ConfigError(f"No head can read {classes} classes out of widths {tuple(slices)}.")
        self.slices = tuple(slices)
        self.classes = classes
        self.config = config
        self.levels = config.levels(self.slices) if config else (sum(self.slices),)
        self.shared = config is None or config.shared
        sizes = self.levels[:1] if self.shared else self.levels
        self.classifiers = nn.ModuleDict({str(s): nn.Linear(s, classes) for s in sizes})

    def forward(self, representation: Tensor) -> NestedLogits:
        """Read every size out of the representation (..., R)."""
        levels = {size: self._logits(representation, size) for size in self.levels}
        return NestedLogits(levels[self.levels[0]], levels if self.config else {})

    def widths(self, size: int) -> tuple[int, ...]:
        """Return how many leading dimensions of each slice a size keeps; 0: none of it.

        Raises:
            ConfigError: there is no such size.
        """
        self._check(size)
        if size == self.levels[0]:
            return self.slices
        if self.config is not None and self.config.layout == PER_MODALITY:
            return (size // len(self.slices),) * len(self.slices)
        starts = [sum(self.slices[:i]) for i in range(len(self.slices))]
        return tuple(
            min(max(size - start, 0), width)
            for start, width in zip(starts, self.slices, strict=True)
        )

    def kept(self, size: int) -> Tensor:
        """Return which dimensions of the representation a size reads: indices (size,), rising.

        Raises:
            ConfigError: there is no such size.
        """
        parts = torch.split(torch.arange(self.levels[0]), list(self.slices))
        pairs = zip(parts, self.widths(size), strict=True)
        return torch.cat([part[:width] for part, width in pairs])

    def cut(self, size: int) -> NestedHead:
        """Return a head over the dimensions `kept(size)` that says of them what this one does.

        It has this size as its whole one, and the smaller sizes.

        Raises:
            ConfigError: there is no such size.
        """
        slices = self.widths(size)
        config = self.config
        if config is not None:
            config = replace(config, sizes=tuple(s for s in self.levels if s <= size))
        head = NestedHead(slices, self.classes, config).to(self._any.weight)
        with torch.no_grad():
            for name, layer in head.classifiers.items():
                stored = dict(zip(("weight", "bias"), self._read(int(name)), strict=True))
                layer.load_state_dict(stored)
        return head.train(self.training)

    def _logits(self, representation: Tensor, size: int) -> Tensor:
        if size != self.levels[0]:
            parts = torch.split(representation, list(self.slices), dim=-1)
            pairs = zip(parts, self.widths(size), strict=True)
            representation = torch.cat([part[..., :width] for part, width in pairs], dim=-1)
        return nn.functional.linear(representation, *self._read(size))

    def _read(self, size: int) -> tuple[Tensor, Tensor]:
        """Return the weight (C, size) and bias (C,) with which a size is read."""
        layer = self._any if self.shared else self.classifiers[str(size)]
        weight, bias = layer.weight, layer.bias
        assert isinstance(weight, Tensor)
        assert isinstance(bias, Tensor)
        if self.shared and size != self.levels[0]:
            weight = weight[:, self.kept(size).to(weight.device)]
        return weight, bias

    @property
    def _any(self) -> nn.Linear:
        layer = self.classifiers[str(self.levels[0])]
        assert isinstance(layer, nn.Linear)
        return layer

    def _check(self, size: int) -> None:
        if size not in self.levels:
            raise ConfigError(
                f"There is no nested size {size}.",
                f"There are: {', '.join(map(str, self.levels))}.",
            )
