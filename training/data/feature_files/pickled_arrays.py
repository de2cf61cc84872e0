"""What stands for numpy in a pickle that is only read: values, no code, no buffers of its own.

numpy's own loaders trust the file: a crafted dtype makes them follow pointers out of it. So a
pickle gets these instead, which know plain numbers, texts and lists and nothing else.

What a file holds is named in sentences only `_shortened`: a list that holds a list ten times, which
holds another ten times, and so on, takes a few bytes in a file and all the memory written out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from reprlib import Repr
from typing import Any

import numpy as np
from numpy.typing import NDArray

_CODE = re.compile(r"\?|[bhilqBHILQefd]|[biuf](?:1|2|4|8)|[SU]\d{0,4}|O8?")
_ORDERS = ("<", ">", "=", "|")
_OBJECTS = "O"
COPIES = 8
_SMALL = 2**20
_SIZED = (str, bytes, bytearray, list, tuple, dict, set, frozenset)
_SHORT = Repr()
_SHORT.maxlevel = 2


class PickledType:
    """A numpy dtype of numbers, texts or objects. Raises ValueError on any other."""

    __slots__ = ("_code", "_order")

    def __init__(self, code: object, *_: object) -> None:
        text = code.decode("latin1") if isinstance(code, bytes) else code
        if isinstance(text, str) and text[:1] in _ORDERS:
            self._order, text = text[0], text[1:]
        else:
            self._order = "="
        if not isinstance(text, str) or not _CODE.fullmatch(text):
            raise ValueError(f"arrays of type {_shortened(code)} are not read")
        self._code = text

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) not in (8, 9) or any(state[2:5]):
            raise ValueError("an array has a compound type")
        if state[1] not in _ORDERS:
            raise ValueError(f"an array has the byte order {_shortened(state[1])}")
        self._order = state[1]

    @property
    def objects(self) -> bool:
        """Whether its items are Python objects of their own."""
        return self._code.startswith(_OBJECTS)

    def numpy(self) -> np.dtype[Any]:
        """Return the type of numbers or texts."""
        return np.dtype(f"{'=' if self._order == '|' else self._order}{self._code}")


class Allowance:
    """How much may be copied while a file is read: some times what the file holds.

    A file may refer to one of its values as often as it likes, at a few bytes each; were it copied
    every time, little files would take all the memory.
    """

    __slots__ = ("_left",)

    def __init__(self, size: int) -> None:
        self._left = COPIES * size + _SMALL

    def spend(self, *values: object) -> None:
        """Take off the lengths of what is copied. Raises ValueError where nothing is left."""
        self._left -= sum(len(each) for each in values if isinstance(each, _SIZED))
        if self._left < 0:
            raise ValueError("it holds the same values over and over")


class PickledArray:
    """A numpy array: `values` once it was filled. Raises ValueError where it makes no sense."""

    __slots__ = ("_allowance", "values")

    def __init__(self, allowance: Allowance | None = None) -> None:
        self.values: NDArray[Any] = np.empty(0)
        self._allowance = allowance

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise ValueError("an array is incomplete")
        _, shape, dtype, by_columns, raw = state
        if self._allowance is not None:
            self._allowance.spend(raw)
        self.values = _filled(raw, dtype, shape, "F" if by_columns else "C")


class Callee:
    """Something that a pickle may call; it can neither be changed nor made an instance of."""

    __slots__ = ("_allowance", "_function")
    _function: Callable[..., object]
    _allowance: Allowance

    def __init__(self, function: Callable[..., object], allowance: Allowance) -> None:
        object.__setattr__(self, "_function", function)
        object.__setattr__(self, "_allowance", allowance)

    def __call__(self, *arguments: object) -> object:
        """Call what it stands for."""
        self._allowance.spend(*arguments)
        return self._function(*arguments)

    def __setattr__(self, name: str, value: object) -> None:
        raise ValueError(f"something sets {name} of what it may only call")

    def __setstate__(self, state: object) -> None:
        raise ValueError("something changes what it may only call")


def reconstruct(allowance: Allowance, *_: object) -> PickledArray:
    """Stand for `numpy.core.multiarray._reconstruct`: an array that is filled later."""
    return PickledArray(allowance)


def from_buffer(raw: object, dtype: object, shape: object, order: object = "C") -> PickledArray:
    """Stand for `numpy.core.numeric._frombuffer`: an array of pickle protocol 5."""
    found = PickledArray()
    found.values = _filled(raw, dtype, shape, "F" if order == "F" else "C")
    return found


def scalar(dtype: object, raw: object = b"") -> object:
    """Stand for `numpy.core.multiarray.scalar`: one number or text."""
    return _filled(raw, dtype, (), "C").item()


def encode(text: object, encoding: object = "latin1") -> bytes:
    """Stand for `_codecs.encode`, by which Python 3 writes bytes into old protocols."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1", "utf-8"):
        raise ValueError(f"texts of encoding {_shortened(encoding)} are not read")
    return text.encode(str(encoding))


def _filled(raw: object, dtype: object, shape: object, order: str) -> NDArray[Any]:
    sides = _shape(shape)
    if not isinstance(dtype, PickledType):
        raise ValueError("an array has no type")
    if dtype.objects:
        flat = _objects(raw, math.prod(sides))
    else:
        flat = np.frombuffer(_bytes(raw), dtype.numpy())
    if flat.size != math.prod(sides):
        raise ValueError(f"an array of shape {sides} has {flat.size} values")
    return flat.reshape(sides, order="F" if order == "F" else "C")


def _shortened(value: object) -> str:
    return _SHORT.repr(value)


def _shape(shape: object) -> tuple[int, ...]:
    sides = (shape,) if isinstance(shape, int) else shape
    if not isinstance(sides, tuple) or len(sides) > 4:
        raise ValueError(f"an array has the shape {_shortened(shape)}")
    if not all(isinstance(side, int) and side >= 0 for side in sides):
        raise ValueError(f"an array has the shape {_shortened(shape)}")
    return sides


def _bytes(raw: object) -> bytes | bytearray:
    """Return the bytes of an array; Python 2 wrote them as text that Latin-1 turns back."""
    if isinstance(raw, str):
        return raw.encode("latin1")
    if not isinstance(raw, bytes | bytearray):
        raise ValueError("an array has no content")
    return raw


def _objects(raw: object, size: int) -> NDArray[Any]:
    if not isinstance(raw, list) or len(raw) != size:
        raise ValueError("an array of objects is incomplete")
    found = np.empty(size, dtype=object)
    for place, value in enumerate(raw):
        found[place] = value
    return found


def plain(value: object) -> object:
    """Return the array that a stand-in holds; anything else as it is."""
    return value.values if isinstance(value, PickledArray) else value


def text_of(value: object, name: str) -> str:
    """Return a text, or a number as one. Raises ValueError where it is neither."""
    found = plain(value)
    if isinstance(found, np.ndarray) and found.ndim == 0:
        found = found.item()
    if isinstance(found, bytes):
        return found.decode("utf-8", "replace")
    if not isinstance(found, str | int | float | np.generic):
        raise ValueError(f"its {name} are no texts")
    return str(found)


def items(value: object) -> Sequence[object] | None:
    """Return what a list, a tuple or an array holds, None if it is neither."""
    found = plain(value)
    if isinstance(found, np.ndarray):
        return list(found) if found.ndim else None
    return found if isinstance(found, list | tuple) else None
