"""The corpora by name. A reader is imported when its corpus is read."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from core.errors import CorpusError
from training.data.example import Reading

CORPORA: Mapping[str, str] = MappingProxyType(
    {
        "kemdy20": "training.data.corpora.kemdy20:read",
        "kemdy19": "training.data.corpora.kemdy19:read",
        "kemdy": "training.data.corpora.joint:read_kemdy",
        "joint": "training.data.corpora.joint:read",
        "iemocap": "training.data.corpora.iemocap:read",
        "meld": "training.data.corpora.meld:read",
        "emorynlp": "training.data.corpora.emorynlp:read",
        "crema_d": "training.data.corpora.crema_d:read",
        "ravdess": "training.data.corpora.ravdess:read",
        "nemo": "training.data.corpora.nemo:read",
        "emotiontts_ko": "training.data.corpora.emotiontts_ko:read",
        "manifest": "training.data.corpora.manifest:read",
        "goemotions": "training.data.corpora.text_examples:read_goemotions",
        "kote": "training.data.corpora.text_examples:read_kote",
    }
)
"""Name -> "module:function"; each is `read(root, *, strict=False, **options) -> Reading`."""


def reader(name: str) -> Callable[..., Reading]:
    """Import and return a corpus's reader. Raises CorpusError naming the corpora there are."""
    if name not in CORPORA:
        raise CorpusError(f"There is no corpus {name!r}.", f"There are: {', '.join(CORPORA)}.")
    module, _, function = CORPORA[name].partition(":")
    found: Callable[..., Reading] = getattr(importlib.import_module(module), function)
    return found


def read_corpus(name: str, root: Path, *, strict: bool = False, **options: Any) -> Reading:
    """Read the corpus `name` from its folder.

    Args:
        root: the corpus as its publisher lays it out.
        strict: stop at the first row that can't be used, instead of reporting and skipping it.
        options: of this corpus's reader.

    Raises:
        CorpusError: no such corpus, option or folder, not the corpus's layout, nothing to read in
            it, or `strict` and a bad row.
    """
    read = reader(name)
    try:
        reading = read(Path(root), strict=strict, **options)
    except TypeError as error:
        if "unexpected keyword argument" not in str(error):
            raise
        raise CorpusError(f"The reader of {name} has no such option: {error}.") from error
    if not reading.examples:
        raise CorpusError(
            f"{root}: not one row of {name} can be used ({_first_problem(reading)}).",
            "Check that this is the folder of the corpus.",
        )
    return reading


def _first_problem(reading: Reading) -> str:
    if not reading.problems:
        return "there are none"
    first = reading.problems[0]
    return f"{len(reading.problems)} problems, the first at {first.source}: {first.reason}"
