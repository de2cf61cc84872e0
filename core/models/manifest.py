"""What lies in a checkpoint directory, read and verified without importing torch.

A checkpoint is a directory:
    config.json        format version, kind, name, architecture, model config, specification,
                       calibration, limits of doubt, and the sha256 of every other file
    model.safetensors  the weights
    processor/         tokenizer, feature config and feature statistics
    training.yaml      the resolved configuration, and which speakers and texts were trained on
    metrics.json       what was measured
    README.md          the model card
An adapter of another checkpoint has `adapter.safetensors` instead of the weights, says in
config.json which one (`base`), and has a processor only where it is not that of its base. Nothing
in any of them is ever unpickled. So are models of single utterances (their `kind` may be missing);
other kinds have no processor, and other facts in config.json beside its version, kind, name,
architecture and files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

from core.errors import CheckpointError
from core.models.adapters.reference import BaseReference
from core.models.calibration import Calibration, DoubtLimits
from core.models.specification import Specification

FORMAT_VERSION = 1
CONFIG, WEIGHTS, PROCESSOR = "config.json", "model.safetensors", "processor"
ADAPTER = "adapter.safetensors"
TRAINING, METRICS, CARD = "training.yaml", "metrics.json", "README.md"
REQUIRED = (TRAINING, METRICS, CARD)
"""Files beside the weights that every checkpoint has."""
PICKLES = frozenset({".pkl", ".pickle", ".pt", ".pth", ".bin", ".ckpt", ".joblib", ".npy"})

UTTERANCES, DIALOGUES, VOICES, ADAPTERS = "utterances", "dialogue", "voices", "adapter"
KINDS: Mapping[str, str] = MappingProxyType(
    {
        UTTERANCES: "a model of single utterances",
        DIALOGUES: "a dialogue model, which judges turns in their context",
        VOICES: "a voice network, which tells speakers apart",
        ADAPTERS: "an adapter of a model of single utterances",
    }
)
"""Value of `kind` in config.json -> what such a checkpoint holds."""

_REMEDY = "Copy the checkpoint again, or train it again."


class Manifest(Protocol):
    """What the manifests of every kind of checkpoint have: where it is, and its files' sha256."""

    @property
    def path(self) -> Path:
        """Its directory."""

    @property
    def files(self) -> Mapping[str, str]:
        """POSIX path below the directory -> sha256 in hex."""

    def to_dict(self) -> dict[str, Any]:
        """Return the content of config.json."""


T = TypeVar("T")
M = TypeVar("M", bound=Manifest)


@dataclass(frozen=True, slots=True)
class CheckpointInfo:
    """What a checkpoint says about itself.

    base: the model that it is an adapter of; None: it has all weights itself.
    """

    path: Path
    name: str
    version: str
    architecture: str
    specification: Specification
    model_config: Mapping[str, Any]
    calibration: Calibration
    limits: DoubtLimits
    files: Mapping[str, str]
    base: BaseReference | None = None

    @property
    def weights(self) -> str:
        """Name the file with its own weights."""
        return WEIGHTS if self.base is None else ADAPTER

    @property
    def digest(self) -> str:
        """Identify all weights: the sha256 (hex) of their file; of an adapter with its base's."""
        own = self.files[self.weights]
        if self.base is None:
            return own
        return hashlib.sha256(f"{own} on {self.base.digest}".encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Return the content of config.json."""
        is_adapter = {} if self.base is None else {"kind": ADAPTERS, "base": self.base.to_dict()}
        return {
            "format_version": FORMAT_VERSION,
            **is_adapter,
            "name": self.name,
            "version": self.version,
            "architecture": self.architecture,
            "model": dict(self.model_config),
            "specification": self.specification.to_dict(),
            "calibration": self.calibration.to_dict(),
            "limits": self.limits.to_dict(),
            "files": dict(self.files),
        }


def read_info(directory: Path | str) -> CheckpointInfo:
    """Read config.json, fast enough to list checkpoints in a window; no file is verified.

    Raises:
        CheckpointError: there is no config, it can't be read, its format is unknown, or it is one
            of another kind.
    """
    return read_manifest(directory, UTTERANCES, _parse, also=ADAPTERS)


def read_manifest(
    directory: Path | str,
    kind: str,
    parse: Callable[[Path, Mapping[str, Any]], T],
    also: str | None = None,
) -> T:
    """Read the config.json of a kind of checkpoint; no file is verified.

    Args:
        directory: of the checkpoint.
        kind: one of `KINDS`.
        parse: (directory, content) -> manifest; may raise KeyError, TypeError, ValueError and
            CheckpointError for what makes no sense.
        also: another kind that will do.

    Raises:
        CheckpointError: in one sentence that names the file.
    """
    path = Path(directory)
    config = _read_config(path)
    if (found := config.get("kind", UTTERANCES)) != also:
        _check_kind(path, found, kind)
    version = config.get("format_version")
    if version != FORMAT_VERSION:
        raise CheckpointError(
            f"The checkpoint {path} has format version {version!r};"
            f" this version of Emoscope reads version {FORMAT_VERSION}.",
            "Use a matching version of Emoscope.",
        )
    try:
        return parse(path, config)
    except KeyError as error:
        raise CheckpointError(f"{path / CONFIG} lacks {error}.", _REMEDY) from error
    except (TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{path / CONFIG} can't be read ({error}).", _REMEDY) from error
    except CheckpointError as error:
        raise CheckpointError(f"{path / CONFIG}: {error.problem}", _REMEDY) from error


def _check_kind(path: Path, found: object, wanted: str) -> None:
    if found != wanted:
        held = KINDS.get(str(found), f"a model of the kind {found!r}, which is unknown here")
        raise CheckpointError(
            f"The checkpoint {path} holds {held}; needed is {KINDS[wanted]}.",
            "Choose a checkpoint of the right kind.",
        )


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads((path / CONFIG).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(
            f"{path} is not a checkpoint: it has no {CONFIG}.", "Choose a checkpoint directory."
        ) from error
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path / CONFIG} can't be read ({error}).", _REMEDY) from error
    if not isinstance(config, dict):
        raise CheckpointError(f"{path / CONFIG} is not a JSON object.", _REMEDY)
    return config


def _parse(path: Path, config: Mapping[str, Any]) -> CheckpointInfo:
    base = None
    if config.get("kind") == ADAPTERS:
        base = BaseReference.from_dict(config["base"])
    return CheckpointInfo(
        path=path,
        name=str(config["name"]),
        version=str(config["version"]),
        architecture=str(config["architecture"]),
        specification=Specification.from_dict(config["specification"]),
        model_config=MappingProxyType(dict(config["model"])),
        calibration=Calibration.from_dict(config.get("calibration", {})),
        limits=DoubtLimits.from_dict(config.get("limits", {})),
        files=listed_files(config, WEIGHTS if base is None else ADAPTER),
        base=base,
    )


def check_same_base(now: CheckpointInfo, wanted: CheckpointInfo) -> None:
    """Raise CheckpointError unless one is an adapter of the other, or both are of the same base."""
    ours, theirs = (
        (info.digest, info.name) if info.base is None else (info.base.digest, info.base.name)
        for info in (now, wanted)
    )
    if ours[0] != theirs[0]:
        raise CheckpointError(
            f"{wanted.path} goes with {theirs[1]} (sha256 {theirs[0][:12]}), while {ours[1]}"
            f" ({ours[0][:12]}) is loaded.",
            "Open it anew.",
        )


def listed_files(config: Mapping[str, Any], weights: str = WEIGHTS) -> Mapping[str, str]:
    """Return the files that a config.json lists. Raises CheckpointError without weights."""
    files = {str(name): str(digest) for name, digest in config["files"].items()}
    if weights not in files:
        raise CheckpointError(f"it lists no {weights}.")
    return MappingProxyType(files)


def sha256(path: Path) -> str:
    """Return the sha256 of a file in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_files(directory: Path) -> dict[str, str]:
    """Return the sha256 of every file under `directory` but config.json, by POSIX path."""
    found = sorted(p for p in directory.rglob("*") if p.is_file() and p != directory / CONFIG)
    return {p.relative_to(directory).as_posix(): sha256(p) for p in found}


def file_problems(info: Manifest) -> list[str]:
    """Return a phrase for every file that is missing, changed, outside, or a pickle."""
    problems = [f"{name} is not listed" for name in REQUIRED if name not in info.files]
    for name, expected in info.files.items():
        path = info.path / name
        if not path.resolve().is_relative_to(info.path.resolve()):
            problems.append(f"{name} lies outside the checkpoint")
        elif not path.is_file():
            problems.append(f"{name} is missing")
        elif sha256(path) != expected:
            problems.append(f"{name} is damaged or was changed (its sha256 differs)")
    return problems + _pickles(info.path)


def _pickles(directory: Path) -> list[str]:
    found = (p for p in directory.rglob("*") if p.suffix.lower() in PICKLES and p.is_file())
    return [
        f"{p.relative_to(directory).as_posix()} may be a pickle, which could run code"
        for p in sorted(found)
    ]


def write_config(info: Manifest) -> None:
    """Write config.json for the files as they are listed in `info`."""
    text = json.dumps(info.to_dict(), indent=2, ensure_ascii=False)
    (info.path / CONFIG).write_text(text + "\n", encoding="utf-8", newline="\n")


def seal(directory: Path | str) -> CheckpointInfo:
    """List the files of a checkpoint anew, after one of them was rightly changed."""
    return sealed(read_info(directory))


def sealed(info: M) -> M:
    """List the files of a checkpoint of any kind anew, and return its new manifest."""
    files = MappingProxyType(hash_files(info.path))
    changed: M = replace(info, files=files)  # type: ignore[type-var]
    write_config(changed)
    return changed


def error_of(path: Path, problems: Sequence[str]) -> CheckpointError:
    """Return the one error that names every problem of a checkpoint."""
    return CheckpointError(f"The checkpoint {path} can't be used: {'; '.join(problems)}.", _REMEDY)
