"""Weights of a model of any kind, to and from a safetensors file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from core.errors import CheckpointError, EmoscopeError
from core.models.encoders.initialisation import weights_follow

T = TypeVar("T", bound=nn.Module)

_NAMED = 8
"""So many weights that do not fit are named, the others counted."""


def write_weights(model: nn.Module, path: Path, *, half: bool) -> None:
    """Write the weights of a model; `half`: in fp16, at half the size.

    Raises:
        CheckpointError: a weight is not finite, or too large for fp16.
    """
    state = model.state_dict()
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


def build(make: Callable[[], T], problems: list[str]) -> T | None:
    """Return the untrained model that `make` builds, or None and one more phrase in `problems`."""
    try:
        with weights_follow():
            return make()
    except EmoscopeError as error:
        problems.append(error.problem.rstrip("."))
    except (TypeError, ValueError, KeyError, AttributeError, RuntimeError) as error:
        problems.append(f"its model configuration makes no sense ({error})")
    return None


def load_weights(model: nn.Module, path: Path) -> list[str]:
    """Copy weights into `model` if all is well; return a phrase for everything that is not."""
    try:
        stored = load_file(path)
    except (OSError, SafetensorError, ValueError) as error:
        return [f"{path.name} can't be read ({error})"]
    expected = model.state_dict()
    problems = _mismatches(expected, stored)
    if not problems:
        for name, tensor in expected.items():  # each in place: the largest heads fill a gigabyte
            tensor.copy_(stored.pop(name))
    return problems


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
    return _shortened([*problems, *(f"weight {n} is not finite" for n in _not_finite(stored))])


def _shortened(problems: list[str]) -> list[str]:
    """Name a handful: weights of another model would fill pages."""
    beyond = len(problems) - _NAMED
    return [*problems[:_NAMED], f"{beyond} more weights do not fit"] if beyond > 1 else problems
