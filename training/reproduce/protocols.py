"""Which protocol a paper and a data folder call for; imported on use."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from core.errors import ConfigError, CorpusError

if TYPE_CHECKING:
    from training.reproduce.options import ReproduceOptions
    from training.reproduce.rows import Reproduction

Protocol = Callable[["ReproduceOptions"], "Reproduction"]

REAL = "real"
"""The layout of a folder with `speech/manifest.csv`: real clips, but not the papers' corpora."""
KEMDY = "kemdy"

PAPERS: Mapping[str, str] = MappingProxyType(
    {"rsa-cfn": "RSA-CFN on KEMDy20: tables 1, 3 and 4", "knu": "KNU on KEMDy19 and KEMDy20"}
)

PROTOCOLS: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("rsa-cfn", KEMDY): "training.reproduce.rsa_cfn:run",
        ("knu", KEMDY): "training.reproduce.knu:run",
        ("rsa-cfn", REAL): "training.reproduce.real:run",
        ("knu", REAL): "training.reproduce.real:run",
    }
)
"""Paper and layout of the data -> "module:function"."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """A kind of data folder: what tells it."""

    name: str
    mark: Callable[[Path], bool]


def _holds_kemdy(folder: Path) -> bool:
    places = [folder, *(child for child in folder.glob("*") if child.is_dir())]
    return any((p / "annotation").is_dir() and (p / "wav").is_dir() for p in places)


_LAYOUTS: tuple[_Layout, ...] = (
    _Layout(KEMDY, _holds_kemdy),
    _Layout(REAL, lambda folder: (folder / "speech" / "manifest.csv").is_file()),
)


def layout_of(folder: Path) -> str:
    """Return what a data folder holds. Raises CorpusError when that is nothing of use."""
    if not folder.is_dir():
        raise CorpusError(f"The data folder {folder} does not exist.", "Name it with --data DIR.")
    for layout in _LAYOUTS:
        if layout.mark(folder):
            return layout.name
    raise CorpusError(
        f"{folder} holds neither KEMDy19 nor KEMDy20 (annotation/SessNN_....csv and"
        " wav/SessionNN/) nor speech/manifest.csv.",
        "Name another folder with --data, or use --generated.",
    )


def protocol(options: ReproduceOptions) -> Protocol:
    """Import and return what runs. Raises ConfigError or CorpusError."""
    layout = KEMDY if options.generated else layout_of(_data(options))
    module, _, name = PROTOCOLS[options.paper, layout].partition(":")
    found: Protocol = getattr(importlib.import_module(module), name)
    return found


def _data(options: ReproduceOptions) -> Path:
    if options.data is None:
        raise ConfigError("There is neither --data nor --generated.", "Give one of them.")
    return options.data
