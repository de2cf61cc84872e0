"""A personal adapter's folder: written whole or not at all, and read strictly."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import CheckpointError, JournalError
from core.models.baseline import SpeakerMoments
from core.models.checkpoint_folder import replacing
from core.models.specification import Problem
from core.personal.adapter import PersonalAdapter
from core.personal.card import card_of
from core.personal.correcting import Correcting
from core.personal.types import Gain, PersonalAdapterInfo
from core.types import Modality

FORMAT_VERSION = 1
KIND = "personal"
WEIGHTS, CONFIG, CARD = "adapter.safetensors", "config.json", "README.md"

_REMEDY = "Remove it and adapt again."
_ARRAYS = ("bias", "matrix", "mean")
_VOICE = ("voice.frames", "voice.functionals")
"""Moments (3, F) and (3, S), where the checkpoint has personal baselines."""


def save_adapter(adapter: PersonalAdapter) -> PersonalAdapterInfo:
    """Write an adapter to `adapter.info.path`, in place of what was there, and return its info.

    Raises:
        JournalError: the folder can't be written.
    """
    from safetensors.numpy import save

    target = adapter.info.path
    weights = save(_to_arrays(adapter))
    config = _config(adapter, hashlib.sha256(weights).hexdigest())
    try:
        with replacing(target) as folder:
            (folder / WEIGHTS).write_bytes(weights)
            text = json.dumps(config, indent=2, ensure_ascii=False, allow_nan=False)
            (folder / CONFIG).write_text(text + "\n", encoding="utf-8", newline="\n")
            (folder / CARD).write_text(card_of(adapter.info), encoding="utf-8", newline="\n")
    except OSError as error:
        raise JournalError(
            f"The personal adapter {target} can't be written ({error.strerror or error}).",
            "Make room on the disk, or check who may write there.",
        ) from error
    return adapter.info


def read_adapter_info(folder: Path | str) -> PersonalAdapterInfo:
    """Read what an adapter says of itself; its weights are not looked at.

    Raises:
        CheckpointError: in one sentence that names the file.
    """
    path = Path(folder)
    return _parsed(path, _info, _read_config(path))


def load_adapter(folder: Path | str) -> PersonalAdapter:
    """Read and verify an adapter: about a millisecond, without torch.

    Raises:
        CheckpointError: it is no adapter, incomplete, changed, or makes no sense.
    """
    path = Path(folder)
    config = _read_config(path)
    arrays = _read_arrays(path, config)
    return _parsed(path, lambda p, c: _adapter(p, c, arrays), config)


def _to_arrays(adapter: PersonalAdapter) -> dict[str, NDArray[Any]]:
    """Return arrays as safetensors takes them: of any other order it writes the wrong values."""
    found = {name: getattr(adapter.correcting, name) for name in _ARRAYS}
    if adapter.voice is not None:
        moments = (adapter.voice.frames, adapter.voice.functionals)
        found |= dict(zip(_VOICE, moments, strict=True))
    return {name: np.ascontiguousarray(array) for name, array in found.items()}


def _config(adapter: PersonalAdapter, digest: str) -> dict[str, Any]:
    info = adapter.info
    return {
        "format_version": FORMAT_VERSION,
        "kind": KIND,
        "name": info.name,
        "person": info.person,
        "base": {"name": info.base_name, "sha256": info.base_digest},
        "labels": list(adapter.labels),
        "problem": adapter.problem.value,
        "modality": adapter.modality.value,
        "sharpness": adapter.correcting.sharpness,
        "scale": adapter.correcting.scale,
        "corrections": info.corrections,
        "gain": asdict(info.gain),
        "made": info.made,
        "files": {WEIGHTS: digest},
    }


def _read_config(path: Path) -> Mapping[str, Any]:
    try:
        config = json.loads((path / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(
            f"{path / CONFIG} can't be read ({getattr(error, 'strerror', None) or error}).", _REMEDY
        ) from error
    if not isinstance(config, dict) or config.get("kind") != KIND:
        raise CheckpointError(
            f"{path} holds no personal adapter.", "Choose the folder of a personal adapter."
        )
    if config.get("format_version") != FORMAT_VERSION:
        raise CheckpointError(
            f"The personal adapter {path} has format version {config.get('format_version')!r}; "
            f"this version of Emoscope reads version {FORMAT_VERSION}.",
            "Use a matching version of Emoscope.",
        )
    return config


def _read_arrays(path: Path, config: Mapping[str, Any]) -> Mapping[str, NDArray[Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    file = path / WEIGHTS
    try:
        content = file.read_bytes()
        if hashlib.sha256(content).hexdigest() != config["files"][WEIGHTS]:
            raise CheckpointError(
                f"{file} is damaged or was changed (its sha256 differs).", _REMEDY
            )
        return load(content)
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{file} can't be read ({error}).", _REMEDY) from error


def _parsed(path: Path, parse: Any, config: Mapping[str, Any]) -> Any:
    try:
        return parse(path, config)
    except KeyError as error:
        raise CheckpointError(f"{path / CONFIG} lacks {error}.", _REMEDY) from error
    except (TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{path / CONFIG} makes no sense ({error}).", _REMEDY) from error


def _info(path: Path, config: Mapping[str, Any]) -> PersonalAdapterInfo:
    given = config["gain"]
    before, after, low, high = (float(given[n]) for n in ("before", "after", "low", "high"))
    if not all(map(math.isfinite, (before, after, low, high))):
        raise ValueError("its gain is no number")
    return PersonalAdapterInfo(
        path=path,
        name=_text(config["name"]),
        person=_text(config["person"]),
        base_name=_text(config["base"]["name"]),
        base_digest=_text(config["base"]["sha256"]),
        corrections=int(config["corrections"]),
        gain=Gain(
            before, after, low, high, int(given["judged"]), weighed=given.get("weighed") is True
        ),
        made=_text(config["made"]),
    )


def _adapter(
    path: Path, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> PersonalAdapter:
    labels = tuple(_text(label) for label in config["labels"])
    sharpness, scale = float(config["sharpness"]), float(config["scale"])
    if not (math.isfinite(sharpness) and 0 < scale < math.inf):
        raise ValueError(f"its sharpness is {sharpness}, its scale {scale}")
    _check_arrays(arrays, len(labels))
    moments = [arrays[name] for name in _VOICE if name in arrays]
    return PersonalAdapter(
        _info(path, config),
        labels,
        Modality(config["modality"]),
        Problem(config["problem"]),
        Correcting(sharpness, arrays["bias"], arrays["matrix"], arrays["mean"], scale),
        SpeakerMoments(*moments) if moments else None,
    )


def _check_arrays(arrays: Mapping[str, NDArray[Any]], classes: int) -> None:
    if set(arrays) not in (set(_ARRAYS), {*_ARRAYS, *_VOICE}):
        raise ValueError(f"{WEIGHTS} holds {', '.join(sorted(arrays)) or 'nothing'}")
    size = arrays["mean"].shape[-1] if arrays["mean"].ndim == 1 else 0
    shapes = {"bias": (classes,), "matrix": (classes, size), "mean": (size,)}
    for name, array in arrays.items():
        moments = name in _VOICE
        fits = array.ndim == 2 and len(array) == 3 if moments else array.shape == shapes[name]
        if not fits or array.dtype != (np.float64 if moments else np.float32):
            raise ValueError(f"{name} in {WEIGHTS} is {array.dtype} {array.shape}")
        if not np.isfinite(array).all():
            raise ValueError(f"{name} in {WEIGHTS} is not finite")


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError(f"{value!r} is no text")
    return value
