"""The published feature files of IEMOCAP and MELD, as dialogues.

`iemocap_multimodal_features.pkl` and `meld_multimodal_features.pkl` came with MMGCN, COSMIC, SDT
and M3NET and are what MGLRA (https://github.com/yuntaoshou/MGLRA) and the work on Matryoshka
representations and distillation (https://github.com/seongq/emotionmglramodifed) read. Each is a
tuple, pickled by Python 2 or 3, whose fields are dicts by dialogue but for the last ones:

    utterance ids, speakers, labels, four layers of RoBERTa-large (T x 1024 each), audio (openSMILE,
    T x 1582 in IEMOCAP, T x 300 in MELD), visual (DenseFace, T x 342), sentences,
    train dialogues, test dialogues                                       (12 fields: IEMOCAP)
    ... and a 13th, in MELD the sentiment labels, which are not used; if it lists dialogues, they
    are the validation part.

Files of 11 fields, without the ids or without the sentences, are read as well. Speakers are 'M' and
'F' in IEMOCAP, one-hot vectors of nine in MELD.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from core.errors import CorpusError
from core.models.context.specification import FeatureSize
from core.types import FloatArray
from training.data.dialogues import UNLABELLED, Dialogue, DialogueSet
from training.data.feature_files.pickled_arrays import COPIES, items, plain, text_of
from training.data.feature_files.restricted_pickle import load_pickle
from training.data.feature_files.values import matrix, numbers

TEXT_LAYERS = 4
LONGEST = 2000
"""Utterances of a dialogue; the longest published one has 110."""
_FEW = 2**22
_LAYOUT = (
    "The fields expected are listed in training/data/feature_files/published.py; emoscope"
    " convert-features --nan-is-missing takes utterances with NaN as ones without that modality."
)


@dataclass(frozen=True, slots=True)
class PublishedCorpus:
    """What a published file does not say: names of the classes, and how speakers are written."""

    classes: tuple[str, ...]
    speakers: int
    genders: bool


CORPORA: Mapping[str, PublishedCorpus] = MappingProxyType(
    {
        "iemocap": PublishedCorpus(
            ("happy", "sad", "neutral", "angry", "excited", "frustrated"), 2, True
        ),
        "meld": PublishedCorpus(
            ("neutral", "surprise", "fear", "sadness", "joy", "disgust", "anger"), 9, False
        ),
    }
)
_GENDERS = ("M", "F")
"""In the order of the published one-hot vectors."""


@dataclass(frozen=True)
class PublishedFeatures:
    """A published file.

    Attributes:
        corpus: a name in `CORPORA`.
        sentences: dialogue id -> what was said, empty where the file has none.
    """

    corpus: str
    dialogues: DialogueSet
    sentences: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class _Fields:
    """The fields of a file by name."""

    ids: Mapping[object, object]
    speakers: Mapping[object, object]
    labels: Mapping[object, object]
    text: tuple[Mapping[object, object], ...]
    audio: Mapping[object, object]
    visual: Mapping[object, object]
    sentences: Mapping[object, object]
    parts: Mapping[str, tuple[object, ...]]


def read_published(
    path: Path, corpus: str | None = None, *, nan_is_missing: bool = False
) -> PublishedFeatures:
    """Read a published pickle; nothing in it is run.

    Args:
        corpus: "iemocap" or "meld"; None: told by how the speakers are written.
        nan_is_missing: take an utterance with NaN or infinity in a modality as one without it,
            instead of refusing the file.

    Raises:
        CorpusError: there is no such corpus, the file can't be read, names code, or has not the
            layout it should have: what is wrong, and in which dialogue.
    """
    if corpus is not None and corpus not in CORPORA:
        raise CorpusError(f"There is no corpus {corpus!r}.", f"There are: {', '.join(CORPORA)}.")
    try:
        fields = _fields(load_pickle(path))
        name = corpus or _corpus(fields)
        most = COPIES * path.stat().st_size + _FEW
        built = list(_dialogues(fields, name, nan_is_missing, most))
        classes, speakers = CORPORA[name].classes, CORPORA[name].speakers
        found = DialogueSet(tuple(built), classes, _sizes(built), speakers)
        said = {str(key): _texts(fields.sentences.get(key)) for keys in fields.parts.values()
                for key in keys}  # fmt: skip
    except ValueError as error:
        raise CorpusError(f"{path}: {error}.", _LAYOUT) from error
    return PublishedFeatures(name, found, said)


def _fields(content: object) -> _Fields:
    values = list(content) if isinstance(content, list | tuple) else []
    if len(values) not in (11, 12, 13):
        raise ValueError(f"it has {len(values)} fields instead of 11, 12 or 13")
    extra = values.pop() if len(values) == 13 else None
    without_ids = len(values) == 11 and _are_speakers(values[0])
    ids = {} if without_ids else _by_dialogue(values.pop(0), "utterance ids")
    names = ("speakers", "labels", *("text",) * TEXT_LAYERS, "audio", "visual")
    found = [_by_dialogue(value, name) for name, value in zip(names, values, strict=False)]
    rest = values[len(names) :]
    sentences = _by_dialogue(rest.pop(0), "sentences") if len(rest) == 3 else {}
    text = tuple(found[2 : 2 + TEXT_LAYERS])
    return _Fields(
        ids,
        found[0],
        found[1],
        text,
        found[-2],
        found[-1],
        sentences,
        _parts(rest, extra, found[1]),
    )


def _by_dialogue(value: object, name: str) -> Mapping[object, object]:
    if not isinstance(value, dict) or not value:
        raise ValueError(f"the field of {name} is no dict by dialogue")
    return value


def _are_speakers(field: object) -> bool:
    """Tell speakers, which are letters or vectors, from utterance ids."""
    first = next(iter(field.values()), None) if isinstance(field, dict) else None
    said = items(first) or ()
    return bool(said) and (items(said[0]) is not None or plain(said[0]) in _GENDERS)


def _parts(
    lists: Sequence[object], extra: object, known: Mapping[object, object]
) -> dict[str, tuple[object, ...]]:
    train, test = (_listed(each) for each in lists)
    if train is None or test is None:
        raise ValueError("the last fields are no lists of dialogues")
    listed = () if isinstance(extra, dict) else _listed(extra) or ()
    dev = listed if set(listed) <= set(known) else ()
    parts = {"train": tuple(k for k in train if k not in set(dev)), "dev": dev, "test": test}
    together = [key for keys in parts.values() for key in keys]
    if not train or not test:
        raise ValueError("it has no dialogues to train on or none to test on")
    if len(set(together)) != len(together):
        raise ValueError("a dialogue is listed twice, or to train on as well as to test on")
    return parts


def _listed(value: object) -> tuple[object, ...] | None:
    """Return the dialogue ids of a part; sets, which have no order, are sorted."""
    if isinstance(value, set | frozenset):
        return tuple(sorted(value, key=str))
    found = items(value)
    if found is None or not all(isinstance(each, str | int | np.integer) for each in found):
        return None
    return tuple(int(k) if isinstance(k, np.integer) else k for k in found)


def _corpus(fields: _Fields) -> str:
    """Return the corpus whose speakers are written like these."""
    first = (items(next(iter(fields.speakers.values()))) or [None])[0]
    genders = plain(first) in _GENDERS if items(first) is None else False
    return next(name for name, corpus in CORPORA.items() if corpus.genders is genders)


def _dialogues(fields: _Fields, corpus: str, nan_is_missing: bool, most: int) -> Iterator[Dialogue]:
    """Yield every dialogue. Raises ValueError beyond `most` numbers: the file has not so many."""
    for part, keys in fields.parts.items():
        for key in keys:
            dialogue = _dialogue(fields, key, part, corpus, nan_is_missing)
            most -= sum(values.size for values in dialogue.features.values())
            if most < 0:
                raise ValueError("it holds the same features over and over")
            yield dialogue


def _dialogue(
    fields: _Fields, key: object, part: str, corpus: str, nan_is_missing: bool
) -> Dialogue:
    """Return a dialogue. Raises ValueError naming it."""
    try:
        known = CORPORA[corpus]
        labels = _labels(_of(fields.labels, key, "labels"), len(known.classes))
        length = len(labels)
        features = _features(fields, key, length, nan_is_missing)
        present = {name: _measured(values) for name, values in features.items()}
        for name, values in features.items():
            values[~present[name]] = 0
        speakers = _speakers(_of(fields.speakers, key, "speakers"), length, known)
        ids = _ids(fields, key, length)
        return Dialogue(
            str(key), corpus, part, features, present, speakers, labels, ids, ("",) * length
        )
    except ValueError as error:
        raise ValueError(f"dialogue {key!r}: {error}") from error


def _measured(values: FloatArray) -> NDArray[np.bool_]:
    """Return (T,), true where no value of an utterance is NaN or infinite."""
    finite: NDArray[np.bool_] = np.isfinite(values.reshape(len(values), -1))
    return np.logical_and.reduce(finite, axis=1)


def _features(fields: _Fields, key: object, length: int, may_miss: bool) -> dict[str, FloatArray]:
    """Return modality name -> (T, D), of the text (T, 4, D)."""
    text = [
        matrix(_of(layer, key, "text"), length, "text", may_miss=may_miss) for layer in fields.text
    ]
    if len({layer.shape for layer in text}) > 1:
        raise ValueError("its layers of text have different widths")
    return {
        "speech": matrix(_of(fields.audio, key, "audio"), length, "audio", may_miss=may_miss),
        "text": np.stack(text, axis=1),
        "vision": matrix(_of(fields.visual, key, "visual"), length, "visual", may_miss=may_miss),
    }


def _of(field: Mapping[object, object], key: object, name: str) -> object:
    if key not in field:
        raise ValueError(f"it has no {name}")
    return field[key]


def _labels(value: object, classes: int) -> NDArray[np.int64]:
    found = numbers(value, "labels")
    if not len(found) or len(found) > LONGEST:
        raise ValueError(f"it has {len(found)} utterances")
    if np.any(found != np.round(found)) or found.min() < UNLABELLED or found.max() >= classes:
        raise ValueError(f"a label is none of {classes} classes")
    return found.astype(np.int64)


def _speakers(value: object, length: int, corpus: PublishedCorpus) -> NDArray[np.int64]:
    found = items(value)
    if found is None or len(found) != length:
        count = "no list of" if found is None else f"{len(found)}"
        raise ValueError(f"it has {count} speakers for {length} utterances")
    if corpus.genders:
        if any(not isinstance(one, str) or one not in _GENDERS for one in found):
            raise ValueError("a speaker is neither 'M' nor 'F'")
        return np.array([_GENDERS.index(str(one)) for one in found], dtype=np.int64)
    return _hot(matrix(value, length, "speakers"), corpus.speakers)


def _hot(vectors: FloatArray, speakers: int) -> NDArray[np.int64]:
    """Return the index that each one-hot vector marks."""
    if vectors.shape[1] != speakers:
        raise ValueError(f"speakers are vectors of {vectors.shape[1]} instead of {speakers}")
    if not np.all((vectors == 0) | (vectors == 1)) or np.any(vectors.sum(axis=1) != 1):
        raise ValueError("a speaker's vector does not mark exactly one")
    return vectors.argmax(axis=1).astype(np.int64)


def _ids(fields: _Fields, key: object, length: int) -> tuple[str, ...]:
    found = items(fields.ids.get(key)) if fields.ids else None
    if found is not None and len(found) != length:
        raise ValueError(f"it has {len(found)} utterance ids for {length} utterances")
    names = tuple(text_of(one, "utterance ids") for one in found or ())
    return tuple(f"{key}_{name}" if name.isdecimal() else name for name in names) or tuple(
        f"{key}_{turn}" for turn in range(length)
    )


def _texts(value: object) -> tuple[str, ...]:
    return tuple(text_of(one, "sentences") for one in items(value) or ())


def _sizes(dialogues: Sequence[Dialogue]) -> dict[str, FeatureSize]:
    """Return the width of each modality. Raises ValueError where a dialogue has another."""
    sizes = {}
    for name, first in dialogues[0].features.items():
        for dialogue in dialogues:
            if dialogue.features[name].shape[1:] != first.shape[1:]:
                raise ValueError(
                    f"dialogue {dialogue.id!r}: its {name} features have another width"
                )
        sizes[name] = FeatureSize(first.shape[-1], first.shape[1] if first.ndim == 3 else 1)
    return sizes
