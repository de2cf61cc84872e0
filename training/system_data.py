"""The rows of a corpus that a system can be trained on, split, checked, and with their targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import CorpusError
from core.labels import EMOTIONS
from core.models.specification import Problem
from core.types import Modality
from training.data.audio_identity import AudioDigests, drop_identical
from training.data.batch import Targets
from training.data.corpora.registry import read_corpus
from training.data.example import Example, RowProblem
from training.data.example_splits import Parts, SplitConfig, check, describe, split, split_digest
from training.data.label_transform import label_transform
from training.data.loading import AudioLoader, usable
from training.data.splits import normalise_script
from training.data.targets import targets_of
from training.progress import Reporter
from training.system_config import CorpusConfig


@dataclass(frozen=True)
class LoadedCorpus:
    """Examples that have what a system takes, names of the labels, and rows that can't be used.

    Attributes:
        digests: of the audio; None where only text is looked at, so that no recording is opened.
    """

    examples: tuple[Example, ...]
    classes: tuple[str, ...]
    problems: tuple[RowProblem, ...]
    loader: AudioLoader
    digests: AudioDigests | None


@dataclass(frozen=True)
class SystemData:
    """A corpus ready for training.

    Attributes:
        examples: all that are usable; `parts` are indices into them.
        described: per part rows, speakers, sessions, genders and rows per class.
        digest: of the split.
        added: training rows that label transform gave, by class.
    """

    examples: tuple[Example, ...]
    classes: tuple[str, ...]
    problem: Problem
    targets: Targets
    parts: Parts
    described: Mapping[str, Mapping[str, Any]]
    digest: str
    added: Mapping[str, int]

    @property
    def corpora(self) -> tuple[str, ...]:
        """Name of each example's corpus."""
        return tuple(example.corpus for example in self.examples)


def texts_met(data: SystemData) -> tuple[int, int]:
    """Return how many test rows have a text, and how many of these texts were trained on.

    Case, spaces and punctuation do not count. Where actors say one another's sentences, a system
    that reads does not have to listen.
    """
    trained = {_script(data.examples[row]) for row in data.parts.train}
    tested = [script for row in data.parts.test if (script := _script(data.examples[row]))]
    return len(tested), sum(script in trained for script in tested)


def _script(example: Example) -> str:
    return normalise_script(example.text or "")


def load_examples(
    config: CorpusConfig,
    root: Path,
    modalities: Sequence[Modality],
    reporter: Reporter,
    loader: AudioLoader | None = None,
) -> LoadedCorpus:
    """Read a corpus and keep what has all the modalities; problems are counted and told.

    With `duplicates: drop` later rows of the same audio are left out too, even if `strict`.

    Raises:
        CorpusError: the folder is not that corpus, nothing in it can be used, or `strict` and a
            bad row.
    """
    folder = root / config.path if config.path else root
    if not folder.exists():
        raise CorpusError(f"The folder {folder} does not exist.", "Name it with --data DIR.")
    reading = read_corpus(config.name, folder, strict=config.strict, **config.options)
    loader = loader or AudioLoader()
    heard = Modality.SPEECH in modalities
    found = usable(
        reading.examples,
        loader if heard else None,
        text=Modality.TEXT in modalities,
        strict=config.strict,
        reporter=reporter,
    )
    examples, problems = found.examples, (*reading.problems, *found.problems)
    digests = AudioDigests(loader) if heard else None
    if digests is not None and config.duplicates == "drop":
        examples, copies = drop_identical(examples, digests)
        problems = (*problems, *copies)
    reporter.say(f"{config.name}: {len(examples):,} rows, {len(problems):,} can't be used")
    return LoadedCorpus(examples, reading.classes or EMOTIONS, problems, loader, digests)


def prepare(
    corpus: LoadedCorpus, config: SplitConfig, problem: Problem, transform: bool = False
) -> SystemData:
    """Split a corpus, refuse a split that leaks, apply label transform, and make targets.

    Raises:
        CorpusError: the split can't be made, or something is in two parts.
    """
    parts = split(corpus.examples, config)
    check(
        corpus.examples, parts,
        speakers=config.speaker_independent,
        audio=corpus.digests is not None, audio_digests=corpus.digests,
    )  # fmt: skip
    examples, added = corpus.examples, {}
    if transform:
        transformed = label_transform(examples, parts)
        examples, parts, added = transformed.examples, transformed.parts, transformed.added
    return SystemData(
        examples=examples,
        classes=corpus.classes,
        problem=problem,
        targets=_targets(examples, corpus.classes, problem, parts),
        parts=parts,
        described=describe(parts, examples),
        digest=split_digest(examples, parts),
        added=added,
    )


def _targets(
    examples: Sequence[Example], classes: Sequence[str], problem: Problem, parts: Parts
) -> Targets:
    """Return targets of all examples; rows that are in no part have none."""
    chosen = np.zeros(len(examples), dtype=bool)
    for _, rows in parts.items():
        chosen[rows] = True
    kept = [e if chosen[row] else replace(e, labels=()) for row, e in enumerate(examples)]
    return targets_of(kept, classes, problem)
