"""Pickles of plain values, read without running anything that they name.

A pickle is a program: it may import and call what it likes. The published feature files exist only
as pickles, so they are read here, and nowhere else, by a reader that knows the few names that
arrays and containers need, and has stand-ins of its own for all of numpy (`pickled_arrays`).
"""

from __future__ import annotations

import os
import pickle
import pickletools
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO

from core.errors import CorpusError
from training.data.feature_files import pickled_arrays as arrays
from training.data.feature_files.nesting import Nesting

REMEDY = (
    "Do not open it with another program either. Get the file from its publisher again, or convert"
    " your features to safetensors and JSON (emoscope convert-features --help tells the layout)."
)
_DAMAGED = "Copy the file again; it should be a pickle of arrays, lists and texts."
LARGEST = 16 * 2**30
"""Bytes of a file; the published ones have less than two gigabytes."""
_SPARE_MEMO = 4096
_NUMBERED = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})
_BROKEN = (
    pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError, LookupError,
    ArithmeticError, MemoryError, RecursionError, ImportError,
)  # fmt: skip
"""What unpickling a damaged file may raise."""

_NUMPY = ("numpy.core", "numpy._core")
_BUILTINS = ("builtins", "__builtin__")
"""As Python 3 and Python 2 call them."""


def _allowed(allowance: arrays.Allowance) -> Mapping[tuple[str, str], object]:
    """Return what a pickle may name: (module, name) -> what it gets."""
    reconstruct = partial(arrays.reconstruct, allowance)
    names: dict[tuple[str, str], Callable[..., object]] = {
        ("numpy", "ndarray"): reconstruct,
        ("numpy", "dtype"): arrays.PickledType,
        ("_codecs", "encode"): arrays.encode,
        ("collections", "OrderedDict"): _mapping,
        ("collections", "defaultdict"): _mapping,
    }
    for module in _NUMPY:
        names[f"{module}.multiarray", "_reconstruct"] = reconstruct
        names[f"{module}.multiarray", "scalar"] = arrays.scalar
        names[f"{module}.numeric", "_frombuffer"] = arrays.from_buffer
    for module in _BUILTINS:
        names |= {(module, each.__name__): each for each in (list, dict, tuple, set, frozenset)}
        names[module, "bytes"] = _no_bytes
    return MappingProxyType({name: arrays.Callee(each, allowance) for name, each in names.items()})


def _no_bytes() -> bytes:
    """Stand for `bytes`, which old protocols call for empty ones; with a number it takes memory."""
    return b""


def _mapping(content: object = (), *_: object) -> dict[object, object]:
    """Stand for an OrderedDict or a defaultdict, whose factory nobody will need."""
    return dict(content) if isinstance(content, list) else {}


def load_pickle(path: Path) -> Any:
    """Return what a pickle holds: containers, texts, numbers, and `PickledArray`s.

    Raises:
        CorpusError: the file is missing, damaged or absurdly large, or names anything but the few
            things that arrays and containers are made of. Nothing that it names was imported.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > LARGEST:
                raise CorpusError(f"{path} has {size:,} bytes, too many.", _DAMAGED)
            _check_steps(_Bounded(file, size))
            file.seek(0)
            return _Reader(_Bounded(file, size), path, size).load()
    except OSError as error:
        raise CorpusError(f"{path} can't be read ({error}).", "Check the path.") from error
    except _BROKEN as error:
        raise CorpusError(
            f"{path} is no feature file or is damaged ({error}).", _DAMAGED
        ) from error


class _Reader(pickle.Unpickler):
    """An unpickler that imports nothing."""

    def __init__(self, file: Any, path: Path, size: int) -> None:
        super().__init__(file, encoding="latin1")
        self._path = path
        self._allowed = _allowed(arrays.Allowance(size))

    def find_class(self, module: str, name: str) -> Any:
        """Return a stand-in. Raises CorpusError naming what is refused."""
        found = self._allowed.get((module, name))
        if found is None:
            raise CorpusError(
                f"{self._path} was not opened: it asks for {module}.{name}, which is no part of"
                " arrays and lists and could run code. Nothing was run.",
                REMEDY,
            )
        return found

    def persistent_load(self, pid: object) -> Any:
        """Refuse values that lie elsewhere."""
        raise pickle.UnpicklingError("it refers to values outside of itself")


class _Bounded:
    """A file that refuses to read more than it has, before memory for it is asked for."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size

    def read(self, size: int = -1) -> bytes:
        """Return `size` bytes. Raises EOFError where there are fewer."""
        left = self._size - self._file.tell()
        if size > left:
            raise EOFError(f"it ends {size - left:,} bytes too early")
        return self._file.read(size)

    def readline(self, size: int | None = -1) -> bytes:
        """Return a line."""
        return self._file.readline(-1 if size is None else size)

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer. Raises EOFError where the file is too short."""
        raw = self.read(len(buffer))
        buffer[:] = raw
        return len(raw)

    def tell(self) -> int:
        """Return where the next byte is read."""
        return self._file.tell()


def _check_steps(file: _Bounded) -> None:
    """Raise ValueError where values are numbered higher than there can be any, or nested too deep.

    Python sets a table of that size aside: one such number of five bytes takes all the memory.
    What nesting does, `nesting` tells.
    """
    nesting = Nesting()
    for count, (operation, argument, _) in enumerate(pickletools.genops(file)):  # type: ignore[arg-type]
        if operation.name in _NUMBERED and int(argument or 0) > count + _SPARE_MEMO:
            raise ValueError(f"it numbers a value {argument:,} after {count:,} steps")
        nesting.follow(operation, argument)
