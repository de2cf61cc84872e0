"""The model that an adapter goes with: referred to, found again, opened and checked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn

from core.errors import CheckpointError, ConfigError
from core.models.adapters.injection import detach
from core.models.adapters.reference import CHECKPOINT, PRETRAINED, BaseReference
from core.models.encoders.compact import CompactSpeechEncoder
from core.models.encoders.pretrained_speech import PretrainedSpeechEncoder
from core.models.encoders.speech import SpeechEncoder
from core.models.manifest import WEIGHTS, CheckpointInfo, read_info, sha256
from core.resources import embedded_checkpoint

if TYPE_CHECKING:
    from core.models.processor_loading import AnyProcessor

_REMEDY = "Give the folder of the very model that it was trained on."


@dataclass(frozen=True, slots=True)
class OpenBase:
    """A speech encoder with the base's weights, and the processor that goes with it, if any."""

    encoder: nn.Module
    processor: AnyProcessor | None


def refer(base: Path | str, adapter: Path | str) -> BaseReference:
    """Refer to a base from the folder an adapter will lie in.

    Args:
        base: folder of a checkpoint, of an adapter (which stands for its base), or of a pretrained
            model as the hub has it.
        adapter: folder; need not be there.

    Raises:
        CheckpointError: there is no such model, or an adapter's base is not to be found.
    """
    folder, here = Path(base), Path(adapter)
    if _is_pretrained(folder):
        digest = pretrained_digest(folder)
        return BaseReference.at(folder, here, name=folder.name, digest=digest, kind=PRETRAINED)
    info = read_info(folder)
    if info.base is not None:
        found, kind = find_base(info), info.base.kind
        name, digest = info.base.name, info.base.digest
        return BaseReference.at(found, here, name=name, digest=digest, kind=kind)
    return BaseReference.at(folder, here, name=info.name, digest=info.digest, kind=CHECKPOINT)


def find_base(info: CheckpointInfo, given: Path | str | None = None) -> Path:
    """Return the folder of an adapter's base: as given, where it was, or one nearby.

    Only what folders say about themselves is looked at; see `open_base`.

    Raises:
        CheckpointError: none of them is the base.
    """
    base = _base_of(info)
    if given is not None:
        _check_digest(info, base, Path(given))
        return Path(given)
    refused: CheckpointError | None = None
    for folder in _candidates(info, base):
        try:
            _check_digest(info, base, folder)
        except CheckpointError as error:
            refused = refused or error
        else:
            return folder
    if refused is not None:
        raise refused
    raise CheckpointError(
        f"The adapter {info.path} needs the model {base.name} (sha256 {base.digest[:12]}), which is"
        f" neither at {base.absolute} nor beside the adapter.",
        _REMEDY,
    )


def open_base(info: CheckpointInfo, folder: Path) -> OpenBase:
    """Verify and load the base of an adapter; its encoder is as the adapter's config has it.

    Bottlenecks that the base has of its own are taken out: the adapter's stand in their place.

    Raises:
        CheckpointError: the base is damaged, or has another encoder.
    """
    values = info.model_config.get("speech")
    if not isinstance(values, Mapping):
        raise CheckpointError(f"{info.path} does not describe its speech encoder.", _REMEDY)
    if _base_of(info).kind == PRETRAINED:
        return OpenBase(_as_described(_pretrained(folder, values), values, folder), None)
    from core.models.checkpoint import load_checkpoint

    loaded = load_checkpoint(folder)
    encoder = speech_encoder_of(loaded.model, folder)
    detach(encoder)
    return OpenBase(_as_described(encoder, values, folder), loaded.processor)


def speech_encoder_of(model: nn.Module, folder: Path) -> nn.Module:
    """Return the speech encoder of a model, behind the interface of encoders that take adapters.

    Raises:
        CheckpointError: the model has none; `folder` says which model.
    """
    found = getattr(model, "speech", None)
    if isinstance(found, SpeechEncoder):
        return CompactSpeechEncoder(found)
    if isinstance(found, (PretrainedSpeechEncoder, CompactSpeechEncoder)):
        return found
    raise CheckpointError(
        f"The checkpoint {folder} has no speech encoder that takes adapters.",
        "Choose another base.",
    )


def pretrained_digest(folder: Path) -> str:
    """Return one sha256 (hex) of the weights of a pretrained model. Raises CheckpointError."""
    found = sorted(folder.glob("*.safetensors"))
    if not found:
        raise CheckpointError(f"{folder} has no weights in safetensors.", _REMEDY)
    if len(found) == 1:
        return sha256(found[0])
    listed = "".join(f"{path.name} {sha256(path)}\n" for path in found)
    return hashlib.sha256(listed.encode()).hexdigest()


def _base_of(info: CheckpointInfo) -> BaseReference:
    if info.base is None:
        raise CheckpointError(f"{info.path} is no adapter.", "Give the folder of an adapter.")
    return info.base


def _candidates(info: CheckpointInfo, base: BaseReference) -> Iterator[Path]:
    """Yield folders that may be the base and are there."""
    yield from (folder for folder in base.places(info.path) if folder.is_dir())
    here = info.path.resolve()
    around = sorted((*here.parent.glob("*/config.json"), *here.parent.parent.glob("*/config.json")))
    beside = [path.parent for path in around if path.parent != here]
    if base.kind == CHECKPOINT:
        beside.append(embedded_checkpoint())
    yield from (folder for folder in beside if _says_so(base, folder))


def _says_so(base: BaseReference, folder: Path) -> bool:
    try:
        return _digest_of(base, folder) == base.digest
    except CheckpointError:
        return False


def _check_digest(info: CheckpointInfo, base: BaseReference, folder: Path) -> None:
    found = _digest_of(base, folder)
    if found != base.digest:
        raise CheckpointError(
            f"The adapter {info.path} was trained on {base.name} with weights of sha256"
            f" {base.digest[:12]}, but those of {folder} have {found[:12]}.",
            _REMEDY,
        )


def _digest_of(base: BaseReference, folder: Path) -> str:
    if base.kind == PRETRAINED:
        return pretrained_digest(folder)
    info = read_info(folder)
    if info.base is not None:
        raise CheckpointError(f"{folder} is an adapter itself.", _REMEDY)
    return info.files[WEIGHTS]


def _is_pretrained(folder: Path) -> bool:
    """Tell the folder of a pretrained model, whose config.json has a `model_type`."""
    try:
        values = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(values, dict) and "model_type" in values


def _pretrained(folder: Path, values: Mapping[str, Any]) -> nn.Module:
    from core.models.encoders.pretrained import load_pretrained_speech

    options = {name: value for name, value in values.items() if name not in ("kind", "model")}
    return load_pretrained_speech(folder, **options).encoder


def _as_described(encoder: nn.Module, values: Mapping[str, Any], folder: Path) -> nn.Module:
    """Return the encoder, or one with its weights and other options (pooling, dropout ...)."""
    from core.models.encoders.build import build_speech_encoder

    own: dict[str, Any] = encoder.config()  # type: ignore[operator]
    if same_options(own, values):
        return encoder
    try:
        if not same_options(_architecture(own), _architecture(values)):
            raise ConfigError("it is of another architecture")
        wanted = build_speech_encoder(values)
        wanted.load_state_dict(encoder.state_dict())
    except (ConfigError, RuntimeError) as error:
        first = next(iter(str(error).splitlines()), "")
        raise CheckpointError(
            f"The encoder of {folder} is not the one that the adapter describes ({first}).", _REMEDY
        ) from error
    return wanted


def _architecture(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of an encoder's description no option changes; of compact ones weights tell."""
    return {name: values.get(name) for name in ("kind", "model")}


def same_options(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    """Tell whether two descriptions of an encoder say the same once they are in JSON."""
    first, second = (json.dumps(values, sort_keys=True) for values in (ours, theirs))
    return first == second
