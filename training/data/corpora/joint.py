"""Several corpora as one: examples one corpus after the other, and classes that all agree on.

Speakers, sessions and dialogues carry the name of their corpus, so no person of one is taken for a
person of another; `Example.corpus` stays, so that whoever trains on them together can tell which
classes a row could have had.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.errors import CorpusError
from core.labels import EMOTIONS
from training.data.corpora.registry import read_corpus
from training.data.corpora.rows import require_folder
from training.data.example import Reading

JOINT = "joint"
KEMDY = ("kemdy19", "kemdy20")
"""Acted and spontaneous Korean: together they know what style is."""
_PATH = "path"


def read(
    root: Path,
    *,
    strict: bool = False,
    corpora: Sequence[str] | Mapping[str, Mapping[str, Any] | None] = (),
) -> Reading:
    """Read corpora from one folder, or from folders below it.

    Args:
        root: where relative paths start.
        corpora: names of the registry; or name -> options of that reader, and `path`, its folder
            from `root` (without it `root` itself, as for cut corpora that share a manifest).

    Raises:
        CorpusError: none is named, one is unknown, not there, or empty; `strict` and a bad row.
    """
    require_folder(root, "the folders of several corpora")
    named = corpora if isinstance(corpora, Mapping) else dict.fromkeys(corpora)
    if not named or JOINT in named:
        raise CorpusError(
            f"{JOINT} reads several corpora, but is told of {'itself' if named else 'none'}.",
            "Name them with the option corpora, for one corpora=[kemdy19, kemdy20].",
        )
    readings = [_read_one(name, root, strict, options) for name, options in named.items()]
    return Reading(
        tuple(example for reading in readings for example in reading.examples),
        tuple(problem for reading in readings for problem in reading.problems),
        _agreed([reading.classes for reading in readings]),
    )


def read_kemdy(
    root: Path, *, strict: bool = False, pairs_only: bool = True, clean: bool = True
) -> Reading:
    """Read KEMDy19 and KEMDy20 together; style tells acted from spontaneous.

    Args:
        root: folder that holds a folder `KEMDy19...` and a folder `KEMDy20...`.
        pairs_only, clean: see `kemdy20.read`.

    Raises:
        CorpusError: one of the two is not there, not in its layout, or `strict` and a bad row.
    """
    require_folder(root, "one with the folders KEMDy19 and KEMDy20")
    options: Mapping[str, Any] = {"pairs_only": pairs_only, "clean": clean}
    folders = {name: _below(root, name) for name in KEMDY}
    return read(root, strict=strict, corpora={n: {_PATH: p, **options} for n, p in folders.items()})


def _below(root: Path, name: str) -> str:
    found = sorted(p.name for p in root.glob("*") if p.is_dir() and p.name.lower().startswith(name))
    if not found:
        raise CorpusError(
            f"{root} holds no folder of {name}.",
            "Put KEMDy19 and KEMDy20 beside each other, and give the folder that holds both.",
        )
    return found[0]


def _read_one(name: str, root: Path, strict: bool, options: Mapping[str, Any] | None) -> Reading:
    rest = dict(options or {})
    folder = root / str(rest.pop(_PATH, ""))
    return read_corpus(name, folder, strict=strict, **rest)


def _agreed(classes: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return the classes of all; empty if they are just ours, as readers do.

    The order of a corpus is kept where all have the same; otherwise ours come first.
    """
    named = {tuple(each) or EMOTIONS for each in classes}
    together = {name for each in named for name in each}
    mixed = (*(n for n in EMOTIONS if n in together), *sorted(together.difference(EMOTIONS)))
    agreed = named.pop() if len(named) == 1 else mixed
    return () if agreed == EMOTIONS else agreed
