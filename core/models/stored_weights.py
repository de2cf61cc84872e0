"""Weights of a model of any kind, to and from a safetensors file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from core.errors import CheckpointError, EmoscopeError
from core.models.encoders.initialisation import weights_follow

T = TypeVar("T", bound=nn.Module)

_NAMED = 8
"""So many weights that do not fit are named, the others counted."""

_TYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
"""Types as a safetensors file names them."""

_UNREADABLE = (OSError, SafetensorError, ValueError)
_SENSELESS = (
    TypeError, ValueError, KeyError, AttributeError, RuntimeError, OverflowError, MemoryError,
)  # fmt: skip


def write_weights(model: nn.Module, path: Path, *, half: bool) -> None:
    """Write the weights of a model; `half`: in fp16, at half the size.

    Raises:
        CheckpointError: a weight is not finite, or too large for fp16.
    """
    write_state(model.state_dict(), path, half=half)


def write_state(state: Mapping[str, Tensor], path: Path, *, half: bool) -> None:
    """Write weights by name; see `write_weights`."""
    stored = {name: _stored(tensor, half=half) for name, tensor in state.items()}
    if wrong := _not_finite(stored):
        reason = "not finite, or too large for fp16" if half else "not finite"
        raise CheckpointError(f"The model can't be saved: {', '.join(wrong)}: {reason}.")
    save_file(stored, path)


def is_half(path: Path) -> bool:
    """Tell whether a safetensors file holds weights in fp16."""
    with safe_open(path, framework="pt") as file:
        return any(file.get_slice(name).get_dtype() == "F16" for name in file.keys())  # noqa: SIM118


def _stored(tensor: Tensor, *, half: bool) -> Tensor:
    """Return an own, contiguous copy on the CPU (tied weights share memory, which is refused)."""
    copy = tensor.detach().to("cpu", copy=True).contiguous()
    return copy.half() if half and copy.is_floating_point() else copy


def _not_finite(state: Mapping[str, Tensor]) -> list[str]:
    return [n for n, t in state.items() if t.is_floating_point() and not t.isfinite().all()]


def build(make: Callable[[], T], problems: list[str], weights: Path | None = None) -> T | None:
    """Return the untrained model that `make` builds, or None and more phrases in `problems`.

    Args:
        make: builds it on torch's device.
        problems: what is wrong so far.
        weights: the file they will come from. Where it does not fit, which is told by a model
            without memory, none is built: a number in a configuration may ask for any size.
    """
    try:
        with weights_follow():
            if weights is not None and (misfits := _misfits(make, weights)):
                problems.extend(misfits)
                return None
            return make()
    except EmoscopeError as error:
        problems.append(error.problem.rstrip("."))
    except _SENSELESS as error:
        problems.append(f"its model configuration makes no sense ({error})")
    return None


def _misfits(make: Callable[[], nn.Module], path: Path) -> list[str]:
    """Return a phrase for every weight of a file that the model to be built could not take."""
    with torch.device("meta"):
        expected = make().state_dict()
    try:
        fits = not _mismatches(expected, _outlines(path))
        return [] if fits else _problems(expected, load_file(path))
    except _UNREADABLE as error:
        return [_unreadable(path, error)]


def _outlines(path: Path) -> dict[str, Tensor]:
    """Return weights without their values: what the head of a file says of them."""
    with safe_open(path, framework="pt") as file:
        slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
        return {
            name: torch.empty(
                each.get_shape(), dtype=_TYPES.get(each.get_dtype(), torch.uint8), device="meta"
            )
            for name, each in slices.items()
        }


def load_weights(model: nn.Module, path: Path) -> list[str]:
    """Copy weights into `model` if all is well; return a phrase for everything that is not."""
    try:
        stored = load_file(path)
    except _UNREADABLE as error:
        return [_unreadable(path, error)]
    expected = model.state_dict()
    problems = _problems(expected, stored)
    if not problems:
        for name, tensor in expected.items():  # each in place: the largest heads fill a gigabyte
            tensor.copy_(stored.pop(name))
    return problems


def misfits(expected: Mapping[str, Tensor], stored: Mapping[str, Tensor]) -> list[str]:
    """Return a phrase for every weight that is missing, unexpected, misshapen or not finite.

    Args:
        expected: by name; their shapes and kinds of number count, so they may be without memory.
    """
    return _problems(expected, stored)


def read_state(
    path: Path, problems: list[str], wanted: Callable[[str], bool] = bool
) -> dict[str, Tensor]:
    """Return the weights of a file by name, in fp32; none, and a phrase in `problems`, if it fails.

    wanted: whether a weight of a name is read; every one, unless given.
    """
    try:
        with safe_open(path, framework="pt") as file:
            names = [name for name in file.keys() if wanted(name)]  # noqa: SIM118
            found = {name: file.get_tensor(name) for name in names}
    except _UNREADABLE as error:
        problems.append(_unreadable(path, error))
        return {}
    # copies: the file is mapped, so its tensors would hold it open, at any alignment
    return {n: t.to(_in_memory(t.dtype), copy=True) for n, t in found.items()}


def _in_memory(stored: torch.dtype) -> torch.dtype:
    return torch.float32 if stored.is_floating_point else stored


def _unreadable(path: Path, error: Exception) -> str:
    return f"{path.name} can't be read ({error})"


def _problems(expected: Mapping[str, Tensor], stored: Mapping[str, Tensor]) -> list[str]:
    not_finite = [f"weight {name} is not finite" for name in _not_finite(stored)]
    return _shortened([*_mismatches(expected, stored), *not_finite])


def _mismatches(expected: Mapping[str, Tensor], stored: Mapping[str, Tensor]) -> list[str]:
    problems = [f"weight {n} is missing" for n in sorted(expected.keys() - stored.keys())]
    problems += [f"weight {n} is unexpected" for n in sorted(stored.keys() - expected.keys())]
    for name in sorted(expected.keys() & stored.keys()):
        wanted, found = expected[name], stored[name]
        if wanted.shape != found.shape:
            shapes = f"{tuple(found.shape)} instead of {tuple(wanted.shape)}"
            problems.append(f"weight {name} has shape {shapes}")
        elif wanted.is_floating_point() != found.is_floating_point():
            problems.append(f"weight {name} has type {found.dtype} instead of {wanted.dtype}")
    return problems


def _shortened(problems: list[str]) -> list[str]:
    """Name a handful: weights of another model would fill pages."""
    beyond = len(problems) - _NAMED
    return [*problems[:_NAMED], f"{beyond} more weights do not fit"] if beyond > 1 else problems
