"""A head by the name of its system, with options as a configuration gives them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from core.errors import ConfigError
from core.models.systems.head import HeadSizes, SystemHead, Variant
from core.models.systems.registry import head_class, system
from core.types import Modality


def build_head(
    name: str,
    sizes: HeadSizes,
    variant: Variant = Variant.CORRECTED,
    options: Mapping[str, Any] | None = None,
) -> SystemHead:
    """Return an untrained head.

    Args:
        name: of a system in `registry.SYSTEMS`.
        options: of this system's head; what is not given has its published value.

    Raises:
        ConfigError: there is no such system, it has no such option, an option's value makes no
            sense, or a modality that it needs has no width.
    """
    _check_widths(name, sizes)
    given = dict(options or {})
    if unknown := sorted(set(given) - set(head_options(name))):
        known = ", ".join(head_options(name)) or "none"
        raise ConfigError(
            f"The head of {name!r} has no option {', '.join(unknown)}.", f"Its options: {known}."
        )
    try:
        return head_class(name)(sizes, variant, **given)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ConfigError(f"The head of {name!r} can't be made of {given} ({error}).") from error


def head_options(name: str) -> dict[str, Any]:
    """Return the options of a system's head with their published values."""
    parameters = inspect.signature(head_class(name)).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}


def _check_widths(name: str, sizes: HeadSizes) -> None:
    width = {Modality.SPEECH: sizes.speech, Modality.TEXT: sizes.text}
    missing = [m.value for m in system(name).modalities if width[m] <= 0]
    if missing:
        raise ConfigError(
            f"The system {name!r} needs {' and '.join(missing)}, of which there is no encoder.",
            "Give an encoder, or choose another system.",
        )
    if sizes.classes <= 0:
        raise ConfigError(f"The system {name!r} needs at least one class.")
