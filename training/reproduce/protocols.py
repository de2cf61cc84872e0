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
IEMOCAP = "iemocap"
FEATURES = "features"
"""Published feature files of IEMOCAP and MELD, or folders they were converted into."""
TEXTS = "texts"
"""`text/meld/` or `text/emorynlp/`: dialogues of which only the words are there."""

PAPERS: Mapping[str, str] = MappingProxyType(
    {
        "rsa-cfn": "RSA-CFN on KEMDy20: tables 1, 3 and 4",
        "knu": "KNU on KEMDy19 and KEMDy20",
        "mrl-mkd": "Matryoshka representations and distillation on MGLRA, IEMOCAP and MELD",
        "two-stage": "Two-stage fine-tuning with adapters on IEMOCAP, and on KEMDy19 with KEMDy20",
    }
)
SEEDS: Mapping[str, int] = MappingProxyType({"mrl-mkd": 3})
"""Paper -> trainings of a row that no one asked for more or fewer of; one where it isn't named."""

PROTOCOLS: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("rsa-cfn", KEMDY): "training.reproduce.rsa_cfn:run",
        ("knu", KEMDY): "training.reproduce.knu:run",
        ("rsa-cfn", REAL): "training.reproduce.real:run",
        ("knu", REAL): "training.reproduce.real:run",
        ("two-stage", KEMDY): "training.reproduce.two_stage:run",
        ("two-stage", IEMOCAP): "training.reproduce.two_stage:run",
        ("two-stage", REAL): "training.reproduce.two_stage_real:run",
        ("mrl-mkd", FEATURES): "training.reproduce.mrl_mkd:run",
        ("mrl-mkd", TEXTS): "training.reproduce.mrl_mkd_text:run",
    }
)
"""Paper and layout of the data -> "module:function"."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """A kind of data folder: what tells it, and what to say if nothing does."""

    name: str
    mark: Callable[[Path], bool]
    missing: str


def _holds_kemdy(folder: Path) -> bool:
    places = [folder, *(child for child in folder.glob("*") if child.is_dir())]
    return any((p / "annotation").is_dir() and (p / "wav").is_dir() for p in places)


def _holds_iemocap(folder: Path) -> bool:
    places = [folder, *(child for child in folder.glob("*") if child.is_dir())]
    return any((p / "Session1" / "dialog" / "EmoEvaluation").is_dir() for p in places)


def _holds_features(folder: Path) -> bool:
    from training.reproduce.mrl_mkd_data import sources

    return bool(sources(folder))


def _holds_dialogues(folder: Path) -> bool:
    return any((folder / "text" / name).is_dir() for name in ("meld", "emorynlp"))


_LAYOUTS: tuple[_Layout, ...] = (
    _Layout(
        KEMDY, _holds_kemdy,
        "neither KEMDy19 nor KEMDy20 (annotation/SessNN_....csv and wav/SessionNN/)",
    ),
    _Layout(IEMOCAP, _holds_iemocap, "nor IEMOCAP (Session1/dialog/EmoEvaluation/)"),
    _Layout(
        REAL, lambda folder: (folder / "speech" / "manifest.csv").is_file(),
        "nor speech/manifest.csv",
    ),
    _Layout(
        FEATURES, _holds_features,
        "neither a feature file of IEMOCAP or MELD (iemocap_multimodal_features.pkl) nor a folder"
        " that one was converted into",
    ),
    _Layout(TEXTS, _holds_dialogues, "nor text/meld or text/emorynlp"),
)  # fmt: skip


def layout_of(folder: Path, paper: str = "rsa-cfn") -> str:
    """Return what a data folder holds for a paper. Raises CorpusError if that is nothing of use."""
    if not folder.is_dir():
        raise CorpusError(f"The data folder {folder} does not exist.", "Name it with --data DIR.")
    suitable = [layout for layout in _LAYOUTS if (paper, layout.name) in PROTOCOLS]
    for layout in suitable:
        if layout.mark(folder):
            return layout.name
    raise CorpusError(
        f"{folder} holds {' '.join(layout.missing for layout in suitable)}.",
        "Name another folder with --data, or use --generated.",
    )


_GENERATED: Mapping[str, str] = MappingProxyType({"mrl-mkd": FEATURES, "two-stage": IEMOCAP})
"""Paper -> layout of what is generated; KEMDy where it isn't named."""


def protocol(options: ReproduceOptions) -> Protocol:
    """Import and return what runs. Raises ConfigError or CorpusError."""
    made = _GENERATED.get(options.paper, KEMDY)
    layout = made if options.generated else layout_of(_data(options), options.paper)
    module, _, name = PROTOCOLS[options.paper, layout].partition(":")
    found: Protocol = getattr(importlib.import_module(module), name)
    return found


def _data(options: ReproduceOptions) -> Path:
    if options.data is None:
        raise ConfigError("There is neither --data nor --generated.", "Give one of them.")
    return options.data
