"""Arrays of numbers out of what a pickle holds; every fault becomes a ValueError that says it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.types import FloatArray
from training.data.feature_files.pickled_arrays import items, plain

WIDEST = 65_536
"""Numbers of an utterance and modality; the widest published one has 1,582."""


def matrix(value: object, length: int, name: str, *, may_miss: bool = False) -> FloatArray:
    """Return (length, D) float32 values of an array, or of a list of vectors.

    Args:
        may_miss: let NaN and infinity pass, as what marks a row that was not measured.

    Raises:
        ValueError: there are more or fewer rows, rows of different widths, no numbers, or NaN.
    """
    found = plain(value)
    if isinstance(found, np.ndarray) and found.ndim == 2 and found.dtype != object:
        rows = _checked(found, name, may_miss)
    else:
        rows = _stacked(value, name, may_miss)
    if len(rows) != length:
        raise ValueError(f"it has {len(rows)} rows of {name} for {length} utterances")
    if not 0 < rows.shape[1] <= WIDEST:
        raise ValueError(f"its {name} features have {rows.shape[1]} numbers an utterance")
    return rows


def numbers(value: object, name: str, *, may_miss: bool = False) -> FloatArray:
    """Return (n,) float32 numbers of an array or a list. Raises ValueError."""
    found = plain(value)
    if not isinstance(found, np.ndarray) or found.dtype == object:
        found = _parsed(found, name)
    if found.ndim == 2 and 1 in found.shape:  # (1, D), as some extractors write a vector
        found = found.reshape(-1)
    if found.ndim != 1:
        raise ValueError(f"its {name} have {found.ndim} dimensions")
    return _checked(found, name, may_miss)


def _stacked(value: object, name: str, may_miss: bool) -> FloatArray:
    listed = items(value)
    if not listed:
        raise ValueError(f"it has no {name}")
    rows = [numbers(each, name, may_miss=may_miss) for each in listed]
    if len({len(row) for row in rows}) > 1:
        raise ValueError(f"its {name} features have rows of different widths")
    return np.stack(rows)


def _parsed(value: object, name: str) -> NDArray[np.float64]:
    listed = items(value)
    if listed is None:
        raise ValueError(f"its {name} are no list of numbers")
    if len(listed) > WIDEST:
        raise ValueError(f"its {name} have {len(listed)} numbers an utterance")
    plain_numbers = [plain(each) for each in listed]
    if not all(_is_number(each) for each in plain_numbers):
        raise ValueError(f"its {name} are not all numbers")
    return np.array([float(each) for each in plain_numbers], dtype=np.float64)  # type: ignore[arg-type]


def _is_number(value: object) -> bool:
    if isinstance(value, np.ndarray):
        return value.ndim == 0 and value.dtype.kind in "biuf"
    known = isinstance(value, int | float | np.integer | np.floating)
    return known and not (isinstance(value, int) and abs(value) > 2**53)


def _checked(values: NDArray[np.generic], name: str, may_miss: bool) -> FloatArray:
    if values.dtype.kind not in "biuf":
        raise ValueError(f"its {name} are no numbers but {values.dtype}")
    with np.errstate(over="ignore"):
        narrow = values.astype(np.float32)
    wrong = ~np.isfinite(narrow)
    if wrong.any() and not may_miss:
        rows = np.unique(np.argwhere(wrong)[:, 0])[:5]
        raise ValueError(
            f"its {name} hold NaN, infinity or more than float32 can"
            f" (at {', '.join(map(str, rows))} and {int(wrong.sum()):,} values in all)"
        )
    return narrow
