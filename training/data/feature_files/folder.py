"""Dialogues as features in a folder of safetensors and JSON: published ones converted, or your own.

dialogues.json
    format    "emoscope dialogue features"
    version   1
    corpus    its name
    classes   names of the classes; labels are among them
    speakers  how many different speakers are told apart (2 in IEMOCAP, 9 in MELD)
    origin    sha256 of the model that made the features; empty if nobody knows
    dialogues a list, in order, of
        id          unique
        part        "train", "dev" or "test"; without any "dev", some of "train" are held out
        labels      per utterance the name of its class, null where there is none
        speakers    per utterance the index of who speaks, null where nobody knows; may be left
                    out where there are names: then they are numbered by their first utterance
        names       per utterance the name of who speaks; may be left out
        utterances  per utterance its id; may be left out
        sentences   per utterance what was said; may be left out
features.safetensors
    <modality>          (N, D), or (N, L, D) for L layers: float32 or float16; the N rows are the
                        utterances of all dialogues one after the other; a modality is "speech",
                        "text" or "vision", at least one of them
    present.<modality>  (N,) uint8, one where the utterance has the modality; without it, all do
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from core.errors import CorpusError
from core.models.context.inputs import UNKNOWN_SPEAKER
from core.models.context.speakers import by_appearance
from core.models.context.specification import FeatureSize
from core.types import FloatArray
from training.data.atomic import replace_file, replace_text
from training.data.dialogues import UNLABELLED, Dialogue, DialogueSet
from training.data.feature_files.hold_out import with_dev_part

DIALOGUES, FEATURES = "dialogues.json", "features.safetensors"
FORMAT, VERSION = "emoscope dialogue features", 1
MODALITIES = ("speech", "text", "vision")
PARTS = ("train", "dev", "test")
DEV_SHARE = 0.1
_REMEDY = "See emoscope convert-features --help for the layout."


def write_features(
    folder: Path, found: DialogueSet, corpus: str, sentences: Mapping[str, Sequence[str]]
) -> None:
    """Write dialogues as a folder that `read_features` reads.

    Args:
        sentences: dialogue id -> what was said.

    Raises:
        CorpusError: it can't be written.
    """
    about = {
        "format": FORMAT,
        "version": VERSION,
        "corpus": corpus,
        "classes": list(found.classes),
        "speakers": found.speakers,
        "origin": found.origin,
        "dialogues": [_entry(each, found.classes, sentences) for each in found.dialogues],
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tensors = _tensors(found)
        replace_file(folder / FEATURES, lambda part: save_file(tensors, part))
        replace_text(folder / DIALOGUES, json.dumps(about, ensure_ascii=False, indent=1) + "\n")
    except OSError as error:
        raise CorpusError(f"{folder} can't be written ({error}).", "Choose another.") from error


def _entry(
    dialogue: Dialogue, classes: Sequence[str], sentences: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "id": dialogue.id,
        "part": dialogue.part,
        "labels": [None if n == UNLABELLED else classes[n] for n in dialogue.labels],
        "speakers": [None if n == UNKNOWN_SPEAKER else int(n) for n in dialogue.speakers],
    }
    optional = {
        "names": dialogue.names if any(dialogue.names) else (),
        "utterances": dialogue.utterances,
        "sentences": sentences.get(dialogue.id, ()),
    }
    return entry | {name: list(values) for name, values in optional.items() if values}


def _tensors(found: DialogueSet) -> dict[str, NDArray[Any]]:
    tensors: dict[str, NDArray[Any]] = {}
    for name in found.sizes:
        tensors[name] = np.concatenate([d.features[name] for d in found.dialogues])
        present = np.concatenate([d.present[name] for d in found.dialogues])
        tensors[f"present.{name}"] = present.astype(np.uint8)
    return tensors


def holds_features(folder: Path) -> bool:
    """Return whether a folder has the layout, by its files' names."""
    return (folder / DIALOGUES).is_file() and (folder / FEATURES).is_file()


def read_features(folder: Path, *, dev_share: float = DEV_SHARE, seed: int = 0) -> DialogueSet:
    """Read a converted folder, or one with features of your own.

    Where no dialogue is of the part "dev", `dev_share` of the dialogues of "train" become it, drawn
    by `seed`; those of "test" never do.

    Raises:
        CorpusError: a file is missing, damaged, or does not have the layout above.
    """
    about = _about(folder)
    try:
        tensors, present = _features(folder)
        rows = next(iter(tensors.values())).shape[0]
        classes = tuple(str(name) for name in about["classes"])
        if len(set(classes)) != len(classes) or not classes or int(about["speakers"]) < 1:
            raise ValueError("there are no classes, one twice, or no speakers")
        dialogues = list(_dialogues(about, classes, tensors, present, rows))
        sizes = {name: FeatureSize(v.shape[-1], v.shape[1] if v.ndim == 3 else 1)
                 for name, v in tensors.items()}  # fmt: skip
        found = DialogueSet(
            tuple(dialogues), classes, sizes, int(about["speakers"]), str(about.get("origin", ""))
        )
        return with_dev_part(found, dev_share, seed)
    except (ValueError, KeyError, TypeError, SafetensorError, OSError) as error:
        said = f"{error!r}" if isinstance(error, KeyError) else f"{error}"
        raise CorpusError(f"{folder} has not the layout of features: {said}.", _REMEDY) from error


def _about(folder: Path) -> dict[str, Any]:
    path = folder / DIALOGUES
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CorpusError(f"{path} can't be read ({error}).", _REMEDY) from error
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise CorpusError(f"{path} is no list of dialogues of {FORMAT!r}.", _REMEDY)
    if about.get("version") != VERSION:
        raise CorpusError(
            f"{path} has the format version {about.get('version')!r}; not {VERSION}.",
            "Convert the features again.",
        )
    return about


def _features(folder: Path) -> tuple[dict[str, FloatArray], dict[str, NDArray[np.bool_]]]:
    """Return modality -> (N, ...), and modality -> (N,) where it is there."""
    with safe_open(folder / FEATURES, framework="numpy") as file:
        loaded = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    features = {name: loaded[name].astype(np.float32) for name in MODALITIES if name in loaded}
    unknown = set(loaded) - set(features) - {f"present.{name}" for name in features}
    if unknown or not features:
        raise ValueError(f"{FEATURES} holds {', '.join(sorted(unknown)) or 'nothing'}")
    rows = {len(values) for values in features.values()}
    if len(rows) > 1 or any(values.ndim not in (2, 3) for values in features.values()):
        raise ValueError(f"{FEATURES}: modalities have different numbers of rows, or other axes")
    present = {}
    for name, values in features.items():
        there = loaded.get(f"present.{name}", np.ones(len(values), dtype=np.uint8)).astype(bool)
        if there.shape != (len(values),):
            raise ValueError(f"{FEATURES}: present.{name} has the shape {there.shape}")
        if not np.isfinite(values[there]).all():
            raise ValueError(f"{FEATURES}: {name} holds NaN or infinity")
        values[~there] = 0
        present[name] = there
    return features, present


def _dialogues(
    about: Mapping[str, Any],
    classes: tuple[str, ...],
    tensors: Mapping[str, FloatArray],
    present: Mapping[str, NDArray[np.bool_]],
    rows: int,
) -> Iterable[Dialogue]:
    start, seen = 0, set()
    for entry in about["dialogues"]:
        name = str(entry["id"])
        length = len(entry["labels"])
        if name in seen or entry["part"] not in PARTS or not length:
            raise ValueError(f"dialogue {name!r} occurs twice, is empty, or is of no known part")
        seen.add(name)
        end = start + length
        if end > rows:
            raise ValueError(f"dialogue {name!r} ends at row {end}, and there are {rows}")
        names = _per_utterance(entry, "names", length) or ("",) * length
        yield Dialogue(
            name, str(about["corpus"]), entry["part"],
            {m: values[start:end] for m, values in tensors.items()},
            {m: there[start:end] for m, there in present.items()},
            _speakers(entry, names, int(about["speakers"])),
            _labels(entry, classes),
            _per_utterance(entry, "utterances", length)
            or tuple(f"{name}_{turn}" for turn in range(length)),
            names,
        )  # fmt: skip
        start = end
    if start != rows:
        raise ValueError(f"the dialogues have {start} utterances, the features {rows} rows")


def _per_utterance(entry: Mapping[str, Any], key: str, length: int) -> tuple[str, ...]:
    values = entry.get(key) or ()
    if values and len(values) != length:
        raise ValueError(f"dialogue {entry['id']!r} has {len(values)} {key} for {length} labels")
    return tuple(str(value or "") for value in values)


def _labels(entry: Mapping[str, Any], classes: tuple[str, ...]) -> NDArray[np.int64]:
    index = {name: place for place, name in enumerate(classes)} | {None: UNLABELLED}
    unknown = [name for name in entry["labels"] if name not in index]
    if unknown:
        raise ValueError(f"dialogue {entry['id']!r} has the label {unknown[0]!r}")
    return np.array([index[name] for name in entry["labels"]], dtype=np.int64)


def _speakers(entry: Mapping[str, Any], names: tuple[str, ...], most: int) -> NDArray[np.int64]:
    given = entry.get("speakers")
    if given is None:
        return by_appearance(names, most)
    if len(given) != len(names):
        raise ValueError(f"dialogue {entry['id']!r} has {len(given)} speakers")
    found = np.array([UNKNOWN_SPEAKER if n is None else int(n) for n in given], dtype=np.int64)
    if found.min() < UNKNOWN_SPEAKER or found.max() >= most:
        raise ValueError(f"dialogue {entry['id']!r} has a speaker beyond {most}")
    return found
