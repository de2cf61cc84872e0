"""Training configurations: frozen dataclasses to and from YAML.

A key that the dataclass does not have, a missing one, or a value of the wrong type is a
`ConfigError` that names the file and the key, so that a typo can't silently train something else.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import yaml

from core.errors import ConfigError

T = TypeVar("T")


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file. Raises ConfigError when there is none."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} can't be read: {error.strerror}.", "Check the path.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid YAML: {error}", "Correct the file.") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path} must hold keys and values.", "See training/configs.")
    return content


def from_mapping(kind: type[T], mapping: Mapping[str, Any], source: Path, prefix: str = "") -> T:
    """Build the dataclass `kind` from `mapping`; `source` and `prefix` name it in errors.

    Fields may be bool, int, float, str, Path, dataclasses, `X | None`, `tuple[X, ...]` and
    `Mapping[str, X]` of these. Raises ConfigError.
    """
    hints = get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for key in mapping:
        if key not in fields:
            known = ", ".join(fields)
            raise ConfigError(f"{source}: unknown key '{prefix}{key}'.", f"Known keys: {known}.")
    values = {}
    for name, field in fields.items():
        if name in mapping:
            values[name] = _convert(hints[name], mapping[name], source, prefix + name)
        elif _is_required(field):
            raise ConfigError(f"{source}: the key '{prefix}{name}' is missing.", "Add it.")
    try:
        return kind(**values)
    except ValueError as error:  # raised by __post_init__ checks
        where = f" ({prefix.rstrip('.')})" if prefix else ""
        raise ConfigError(f"{source}{where}: {error}", "Correct the value.") from error


def load(kind: type[T], path: Path) -> T:
    """Read the dataclass `kind` from a YAML file. Raises ConfigError."""
    return from_mapping(kind, read_yaml(path), path)


def to_mapping(config: Any) -> Any:
    """Return a configuration as plain values that YAML and JSON can hold."""
    if dataclasses.is_dataclass(config):
        return {f.name: to_mapping(getattr(config, f.name)) for f in dataclasses.fields(config)}
    if isinstance(config, Mapping):
        return {str(key): to_mapping(value) for key, value in config.items()}
    if isinstance(config, tuple | list):
        return [to_mapping(value) for value in config]
    return str(config) if isinstance(config, Path) else config


def dump(config: Any, path: Path) -> None:
    """Write a resolved configuration (a dataclass or plain values) as YAML."""
    text = yaml.safe_dump(to_mapping(config), sort_keys=False, allow_unicode=True)
    path.write_text(text, encoding="utf-8")


def digest(config: Any) -> str:
    """Return a sha256 (hex) that changes whenever any value of the configuration does."""
    text = json.dumps(to_mapping(config), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _is_required(field: dataclasses.Field[Any]) -> bool:
    missing = dataclasses.MISSING
    return field.default is missing and field.default_factory is missing


def _convert(hint: Any, value: Any, source: Path, key: str) -> Any:
    """Return `value` as `hint` asks, or raise ConfigError naming `key`."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _convert_optional(get_args(hint), value, source, key)
    if origin is tuple:
        return _convert_tuple(get_args(hint), value, source, key)
    if origin is not None and issubclass(origin, Mapping):
        return _convert_mapping(get_args(hint)[1], value, source, key)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        if isinstance(value, Mapping):
            return from_mapping(hint, value, source, f"{key}.")
        raise _mistyped(source, key, "a group of keys", value)
    return _convert_scalar(hint, value, source, key)


def _convert_optional(hints: tuple[Any, ...], value: Any, source: Path, key: str) -> Any:
    if value is None and type(None) in hints:
        return None
    inner = [hint for hint in hints if hint is not type(None)]
    return _convert(inner[0], value, source, key)


def _convert_tuple(hints: tuple[Any, ...], value: Any, source: Path, key: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise _mistyped(source, key, "a list", value)
    if len(hints) == 2 and hints[1] is Ellipsis:
        hints = (hints[0],) * len(value)
    if len(hints) != len(value):
        raise _mistyped(source, key, f"a list of {len(hints)}", value)
    pairs = zip(hints, value, strict=True)
    return tuple(_convert(hint, v, source, f"{key}[{i}]") for i, (hint, v) in enumerate(pairs))


def _convert_mapping(hint: Any, value: Any, source: Path, key: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise _mistyped(source, key, "a group of keys", value)
    return {str(k): _convert(hint, v, source, f"{key}.{k}") for k, v in value.items()}


def _convert_scalar(hint: Any, value: Any, source: Path, key: str) -> Any:
    if hint is Any:
        return value
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint is Path and isinstance(value, str):
        return Path(value)
    if hint is int and isinstance(value, bool):
        raise _mistyped(source, key, "int", value)
    if not isinstance(value, hint):
        raise _mistyped(source, key, hint.__name__, value)
    return value


def _mistyped(source: Path, key: str, wanted: str, value: Any) -> ConfigError:
    return ConfigError(f"{source}: '{key}' must be {wanted}, not {value!r}.", "Correct the value.")
