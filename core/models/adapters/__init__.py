"""Adapters of speech encoders: small trained parts beside weights that stay as they are.

What needs torch is imported when it is asked for: `config` alone costs nothing.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.models.adapters.injection import (
        adapter_names,
        adapter_state,
        attach,
        config_of,
        detach,
        load_adapter_state,
        train_adapters_only,
    )
    from core.models.adapters.merging import as_merged, merge
    from core.models.adapters.switching import switch

__all__ = [
    "adapter_names",
    "adapter_state",
    "as_merged",
    "attach",
    "config_of",
    "detach",
    "load_adapter_state",
    "merge",
    "switch",
    "train_adapters_only",
]

_HERE = "core.models.adapters"
_WHERE: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(__all__, f"{_HERE}.injection"),
        **dict.fromkeys(("as_merged", "merge"), f"{_HERE}.merging"),
        "switch": f"{_HERE}.switching",
    }
)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {_HERE!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_WHERE[name]), name)
