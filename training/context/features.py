"""Corpora of dialogues as features: read, encoded by an utterance checkpoint, put in order.

encoder = load_utterance_encoder("embedded", cache)
dialogues = dialogue_features([CorpusChoice("meld", path="text/meld")], data, encoder)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import ConfigError, CorpusError
from core.labels import EMOTIONS
from core.models.context.speakers import by_appearance
from core.models.context.specification import FeatureSize
from core.types import FloatArray, Modality
from training.context.utterance_features import UtteranceEncoder, Vectors, audio_loader
from training.data.corpora.registry import CORPORA, read_corpus
from training.data.dialogues import UNLABELLED, Dialogue, DialogueSet
from training.data.example import Example, RowProblem
from training.progress import Reporter

TRAIN, TEST = "train", "test"

Turns = tuple[Example, ...]
"""The utterances of one dialogue, in order."""
ExtraFeatures = Callable[[Turns], Mapping[str, Vectors]]
"""Turns of a dialogue -> modality name -> a vector (D,) per turn, None where there is none. It adds
a modality that the corpus does not have, or fills its gaps."""


@dataclass(frozen=True, slots=True)
class CorpusChoice:
    """A corpus whose utterances are turns of dialogues."""

    name: str
    """One of `training.data.corpora.registry.CORPORA`."""
    path: str = ""
    """Folder of the corpus, relative to --data; empty: --data itself."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Of the corpus's reader."""
    strict: bool = False
    """Stop at the first row that can't be used, instead of reporting and skipping it."""
    test_sessions: tuple[str, ...] = ()
    """Of a corpus without published parts: sessions, such as iemocap/Session5, that are the part
    "test"; all others are "train"."""
    monologues: int = 0
    """Of a corpus without dialogues: so many of the utterances of its training part that have
    exactly one label, each as a dialogue of one turn. A model learns what their language sounds
    like from them, and nothing of context. 0: such a corpus is refused."""
    licence: str = ""
    """Of the corpus, for the model card."""

    def __post_init__(self) -> None:
        if self.name not in CORPORA:
            raise ValueError(f"there is no corpus {self.name!r}; there are {', '.join(CORPORA)}")
        if self.monologues < 0:
            raise ValueError("monologues must not be negative")


@dataclass(frozen=True)
class DialogueCorpus:
    """Turns of several corpora by dialogue, and what could not be used.

    Attributes:
        classes: names the labels come from.
    """

    dialogues: tuple[Turns, ...]
    classes: tuple[str, ...]
    problems: tuple[RowProblem, ...] = ()

    @property
    def examples(self) -> tuple[Example, ...]:
        """All turns, dialogue after dialogue."""
        return tuple(example for turns in self.dialogues for example in turns)


def read_dialogues(
    choices: Sequence[CorpusChoice], data: Path, reporter: Reporter | None = None
) -> DialogueCorpus:
    """Read corpora whose labels are of the same classes.

    Raises:
        CorpusError: a corpus can't be read, or has no dialogues.
        ConfigError: the corpora have different classes.
    """
    found: list[Turns] = []
    classes: dict[str, tuple[str, ...]] = {}
    problems: list[RowProblem] = []
    for choice in choices:
        root = data / choice.path if choice.path else data
        reading = read_corpus(choice.name, root, strict=choice.strict, **choice.options)
        classes[choice.name] = reading.classes or EMOTIONS
        found += grouped(_monologues(reading.examples, choice), choice)
        problems += reading.problems
    if len(set(classes.values())) > 1:
        raise ConfigError(
            f"The corpora have different classes: {classes}.",
            "Read all of them with classes: emotions, or train a model for each.",
        )
    if reporter is not None:
        reporter.say(f"{len(found):,} dialogues, {sum(map(len, found)):,} turns")
    return DialogueCorpus(tuple(found), next(iter(classes.values())), tuple(problems))


def _monologues(examples: Sequence[Example], choice: CorpusChoice) -> Sequence[Example]:
    """Return the examples as they are, or so many of them as dialogues of their own."""
    if not choice.monologues:
        return examples
    training = [e for e in examples if e.label is not None and e.part in ("", TRAIN)]
    order = np.random.default_rng(0).permutation(len(training))[: choice.monologues]
    return [replace(training[row], dialogue=f"{choice.name}/{training[row].id}") for row in order]


def grouped(examples: Iterable[Example], choice: CorpusChoice | None = None) -> list[Turns]:
    """Return the utterances of each dialogue in the order of their turns, gaps left out.

    Raises:
        CorpusError: an utterance belongs to no dialogue.
    """
    found: dict[str, list[Example]] = {}
    sessions = set() if choice is None else set(choice.test_sessions)
    for example in examples:
        if not example.dialogue:
            raise CorpusError(
                f"{example.source or example.id} belongs to no dialogue.",
                "Choose a corpus of dialogues.",
            )
        part = example.part or (TEST if example.session in sessions else TRAIN)
        found.setdefault(example.dialogue, []).append(replace(example, part=part))
    ordered = [tuple(sorted(turns, key=lambda e: e.turn)) for turns in found.values()]
    _check_sessions(sessions, ordered)
    return ordered


def _check_sessions(sessions: set[str], dialogues: Sequence[Turns]) -> None:
    """Raise CorpusError unless every test session is there: a typo would leave nothing to judge."""
    there = {example.session for turns in dialogues for example in turns}
    if missing := sorted(sessions - there):
        raise CorpusError(
            f"There is no session {', '.join(missing)}.", f"There are: {', '.join(sorted(there))}."
        )


def dialogue_set(
    corpus: DialogueCorpus,
    encoder: UtteranceEncoder,
    modalities: Sequence[str] = (Modality.TEXT.value, Modality.SPEECH.value),
    *,
    speakers: int = 9,
    extra: ExtraFeatures | None = None,
) -> DialogueSet:
    """Encode every turn; turns without a label, or without any modality, stay as context.

    Args:
        modalities: that are taken where a turn has them; one that no turn has is left out.
        speakers: how many different ones an index tells apart.
        extra: adds features per dialogue, such as speech assembled by label.

    Raises:
        CorpusError: not one turn has a feature. MediaError: a recording can't be read.
    """
    vectors = {name: _ENCODED[name](encoder, corpus) for name in modalities if name in _ENCODED}
    if extra is not None:
        _add(vectors, corpus.dialogues, extra)
    sizes = {name: size for name in vectors if (size := _size(vectors[name])) is not None}
    if not sizes:
        raise CorpusError(
            f"No turn has a feature of {', '.join(modalities)} by {encoder.loaded.info.name}.",
            "Check the corpus's languages, and that it has text or audio.",
        )
    index = {name: place for place, name in enumerate(corpus.classes)}
    made = tuple(
        _dialogue(turns, {name: vectors[name][place] for name in sizes}, sizes, index, speakers)
        for place, turns in enumerate(corpus.dialogues)
    )
    return DialogueSet(made, corpus.classes, sizes, speakers, encoder.digest)


def _texts(encoder: UtteranceEncoder, corpus: DialogueCorpus) -> list[Vectors]:
    flat = encoder.texts(corpus.examples)
    ends = np.cumsum([len(turns) for turns in corpus.dialogues])
    return [flat[end - len(t) : end] for t, end in zip(corpus.dialogues, ends, strict=True)]


def _speech(encoder: UtteranceEncoder, corpus: DialogueCorpus) -> list[Vectors]:
    return encoder.speech(corpus.dialogues, audio_loader(encoder.cache))


_ENCODED: Mapping[str, Callable[[UtteranceEncoder, DialogueCorpus], list[Vectors]]] = {
    # modality -> (encoder, corpus) -> vectors of each dialogue
    Modality.TEXT.value: _texts,
    Modality.SPEECH.value: _speech,
}


def _add(
    vectors: dict[str, list[Vectors]], dialogues: Sequence[Turns], extra: ExtraFeatures
) -> None:
    """Fill gaps in place with what is added."""
    for place, turns in enumerate(dialogues):
        for name, values in extra(turns).items():
            if name not in vectors:
                vectors[name] = [[None for _ in each] for each in dialogues]
            vectors[name][place] = [
                own if own is not None else new
                for own, new in zip(vectors[name][place], values, strict=True)
            ]


def _size(dialogues: Sequence[Vectors]) -> FeatureSize | None:
    widths = {len(vector) for turns in dialogues for vector in turns if vector is not None}
    if len(widths) > 1:
        raise CorpusError(f"Features of one modality have different widths: {sorted(widths)}.")
    return FeatureSize(widths.pop()) if widths else None


def _dialogue(
    turns: Turns,
    vectors: Mapping[str, Vectors],
    sizes: Mapping[str, FeatureSize],
    index: Mapping[str, int],
    speakers: int,
) -> Dialogue:
    names = tuple(example.speaker for example in turns)
    labels = [UNLABELLED if e.label is None else index[e.label] for e in turns]
    return Dialogue(
        turns[0].dialogue,
        turns[0].corpus,
        turns[0].part,
        {name: _filled(vectors[name], size.dim) for name, size in sizes.items()},
        {name: _present(vectors[name]) for name in sizes},
        by_appearance(names, speakers),
        np.array(labels, dtype=np.int64),
        tuple(example.id for example in turns),
        names,
    )


def _filled(vectors: Vectors, width: int) -> FloatArray:
    rows = [np.zeros(width, np.float32) if vector is None else vector for vector in vectors]
    return np.stack(rows).astype(np.float32, copy=False)


def _present(vectors: Vectors) -> NDArray[np.bool_]:
    return np.array([vector is not None for vector in vectors])
