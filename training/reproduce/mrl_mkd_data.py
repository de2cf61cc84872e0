"""Features for the MRL/MKD paper: from published files, folders of converted ones, or made up."""

from __future__ import annotations

import json
from pathlib import Path

from core.errors import CorpusError
from training.data.dialogues import DialogueSet
from training.data.feature_files.folder import (
    DEV_SHARE,
    DIALOGUES,
    holds_features,
    read_features,
    write_features,
)
from training.data.feature_files.published import CORPORA, read_published
from training.generated.dialogue_features import FILES, GeneratedDialogues, write_feature_file
from training.reproduce.options import ReproduceOptions

GENERATED = GeneratedDialogues(train=120, test=40)
QUICK = GeneratedDialogues(train=40, test=16)
_CONVERTED = "features"


def sources(folder: Path) -> dict[str, Path]:
    """Return corpus -> its pickle, or the folder it was converted into, in or below a folder."""
    places = [folder, *sorted(child for child in folder.glob("*") if child.is_dir())]
    found: dict[str, Path] = {}
    for place in places:
        if holds_features(place):
            corpus = _converted_corpus(place)
            if corpus in CORPORA:
                found.setdefault(corpus, place)
    for place in places:
        for corpus, name in FILES.items():
            if (place / name).is_file():
                found.setdefault(corpus, place / name)
    return found


def _converted_corpus(folder: Path) -> str:
    try:
        about = json.loads((folder / DIALOGUES).read_text(encoding="utf-8"))
        return str(about.get("corpus", "")) if isinstance(about, dict) else ""
    except (OSError, ValueError):
        return ""


def features_of(corpus: str, options: ReproduceOptions) -> DialogueSet:
    """Return a corpus with the parts "train", "dev" and "test".

    A pickle is converted first, into `options.out`; where it has no validation part, a tenth of the
    dialogues to train on are held out, the same in every run.

    Raises:
        CorpusError: it is not there, is refused, or has not its layout.
    """
    if options.generated:
        path = _generated(corpus, options)
    else:
        assert options.data is not None
        found = sources(options.data)
        if corpus not in found:
            raise CorpusError(
                f"{options.data} holds no {FILES[corpus]}.", "Add it, or choose other --rows."
            )
        path = found[corpus]
    if path.is_dir():
        return read_features(path, dev_share=DEV_SHARE)
    options.say(f"converting {path}")
    published = read_published(path, corpus)
    folder = options.out / _CONVERTED / corpus
    write_features(folder, published.dialogues, corpus, published.sentences)
    return read_features(folder, dev_share=DEV_SHARE)


def shape_of(options: ReproduceOptions) -> GeneratedDialogues:
    """Return what is generated."""
    return QUICK if options.quick else GENERATED


def _generated(corpus: str, options: ReproduceOptions) -> Path:
    path = options.out / "corpora" / FILES[corpus]
    shape = shape_of(options)
    options.say(f"generating {shape.train + shape.test} dialogues in the layout of {path.name}")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_feature_file(path, corpus, shape)
    return path
