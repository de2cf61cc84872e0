"""Probabilities by nested size, kept small: every turn of a long session has some."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from core.types import FloatArray


class NestedProbabilities(Mapping[int, tuple[float, ...]]):
    """A mapping nested size -> probabilities over one array; tuples are made when asked for.

    Args:
        sizes: nested sizes, shared by all results of a model.
        values: (sizes, C), kept as it is.
    """

    __slots__ = ("_sizes", "_values")

    def __init__(self, sizes: tuple[int, ...], values: FloatArray) -> None:
        self._sizes = sizes
        self._values = values

    def __getitem__(self, size: int) -> tuple[float, ...]:
        if size not in self._sizes:
            raise KeyError(size)
        return tuple(self._values[self._sizes.index(size)].tolist())

    def __iter__(self) -> Iterator[int]:
        return iter(self._sizes)

    def __len__(self) -> int:
        return len(self._sizes)

    def __repr__(self) -> str:
        return repr(dict(self))
