"""A corpus ready for training on several tasks: rows, parts, names of classes, and targets.

corpus = load_examples(config.corpus, root, (Modality.SPEECH,), reporter)
data = prepare_tasks(corpus, config)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor

from core.errors import ConfigError
from core.models.specification import Problem
from core.models.two_stage_config import GENDER, RECOGNITION, STYLE
from training.data.batch import Targets
from training.data.example import Example
from training.data.example_splits import Parts
from training.data.loading import AudioLoader
from training.data.split_config import Rows
from training.data.splits import normalise_script
from training.multitask.config import MultiTaskConfig
from training.multitask.targets import UNKNOWN, TaskTargets
from training.multitask.vocabulary import Vocabulary
from training.system_config import SpeechEncoderChoice
from training.system_data import LoadedCorpus, SystemData, prepare

_REMARK = re.compile(r"\[[A-Z][A-Z _-]+\]|\+{1,2}[A-Z]+\+{1,2}")
_STYLES: Mapping[str, Callable[[Example], str]] = {
    "style": lambda example: example.style,
    "corpus": lambda example: example.corpus,
    "language": lambda example: example.language,
    "session": lambda example: example.session,
}
"""One of `training.multitask.config.STYLES` -> that of an example, empty if unknown."""


@dataclass(frozen=True)
class TaskData:
    """A corpus, split and checked, with what every row should give on each task.

    Attributes:
        system: rows, parts and emotions, as any system of one label has them; `classes` are the
            emotions that occur.
        gender, style: names of the classes in the training part; empty: not asked for.
        vocabulary: of the training part's texts; None: recognition is not asked for.
        targets: of all examples, in their order.
        spoken: what is heard of each example: its text, without remarks; None where that is not
            known, or the encoder is given its beginning only.
    """

    system: SystemData
    gender: tuple[str, ...]
    style: tuple[str, ...]
    vocabulary: Vocabulary | None
    targets: TaskTargets
    spoken: tuple[str | None, ...]

    @property
    def examples(self) -> tuple[Example, ...]:
        """All rows; `parts` are indices into them."""
        return self.system.examples

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the emotions, in the order of the logits."""
        return self.system.classes

    @property
    def parts(self) -> Parts:
        """Rows of training, validation and test."""
        return self.system.parts

    @property
    def symbols(self) -> tuple[str, ...]:
        """What recognition writes."""
        return () if self.vocabulary is None else self.vocabulary.symbols

    def texts(self, rows: Sequence[int] | Rows) -> list[str | None]:
        """Return what is heard in rows; None where that is not known."""
        return [self.spoken[int(row)] for row in rows]

    def unseen_scripts(self, rows: Sequence[int] | Rows) -> list[bool]:
        """Tell of each row whether nobody says its text in the training part."""
        said = {self._script(row) for row in self.parts.train.tolist()}
        return [self._script(int(row)) not in said for row in rows]

    def _script(self, row: int) -> str:
        return normalise_script(self.examples[row].text or "")


def prepare_tasks(corpus: LoadedCorpus, config: MultiTaskConfig) -> TaskData:
    """Split a corpus, refuse a split that leaks, and make the targets of all tasks.

    Raises:
        CorpusError: the split can't be made, or something is in two parts.
        ConfigError: a stage learns gender, style or recognition, and the training part does not
            have it.
    """
    transform = config.corpus.label_transform
    prepared = prepare(corpus, config.split, Problem.SINGLE_LABEL, transform)
    return with_tasks(prepared, config, corpus.loader)


def with_tasks(prepared: SystemData, config: MultiTaskConfig, loader: AudioLoader) -> TaskData:
    """Return data that is split already, with the targets of all tasks. Raises ConfigError."""
    system = _occurring(prepared)
    train = [system.examples[row] for row in system.parts.train.tolist()]
    asked = {task for stage in config.stages for task in stage.losses}
    gender = _names(train, lambda e: e.gender) if GENDER in asked else ()
    style_of = _style_of(config)
    style = _names(train, style_of) if STYLE in asked else ()
    for task, names in ((GENDER, gender), (STYLE, style)):
        if task in asked and len(names) < 2:
            raise _too_few(task, names)
    vocabulary, spoken = None, tuple(example.text for example in system.examples)
    if RECOGNITION in asked:
        spoken = _heard_texts(system.examples, config.encoder, loader)
        texts = [spoken[row] for row in system.parts.train.tolist()]
        vocabulary = Vocabulary.build(texts, config.vocabulary.units)
    targets = _targets(system, gender, style, style_of, vocabulary, spoken)
    return TaskData(system, gender, style, vocabulary, targets, spoken)


def take_tasks(targets: TaskTargets, rows: Rows | Tensor) -> TaskTargets:
    """Return the targets of some rows; symbols are as long as the longest text of these."""
    index = torch.as_tensor(rows, dtype=torch.long)
    found = TaskTargets(*(getattr(targets, field.name)[index] for field in fields(targets)))
    longest = max(1, int(found.symbol_counts.max())) if len(index) else 1
    return replace(found, symbols=found.symbols[:, :longest])


def _heard_texts(
    examples: Sequence[Example], encoder: SpeechEncoderChoice, loader: AudioLoader
) -> tuple[str | None, ...]:
    """Return texts, but of rows whose end is cut off: nobody could tell what is said there."""
    said = [None if e.text is None else _without_remarks(e.text) for e in examples]
    if encoder.kind != "pretrained":
        return tuple(said)
    most = encoder.longest_seconds
    pairs = zip(said, examples, strict=True)
    return tuple(text if text and loader.seconds(e) <= most else None for text, e in pairs)


def _without_remarks(text: str) -> str:
    """Return a text without what nobody says: [LAUGHTER] and ++GARBAGE++, as in IEMOCAP."""
    return " ".join(_REMARK.sub(" ", text).split())


def _occurring(data: SystemData) -> SystemData:
    """Return data with those emotions only that occur in a part."""
    rows = np.concatenate([rows for _, rows in data.parts.items()])
    there = data.targets.labels[torch.from_numpy(rows)].sum(dim=0) > 0
    names = tuple(name for name, found in zip(data.classes, there.tolist(), strict=True) if found)
    targets: Targets = replace(data.targets, labels=data.targets.labels[:, there])
    return replace(data, classes=names, targets=targets)


def _style_of(config: MultiTaskConfig) -> Callable[[Example], str]:
    return _STYLES[config.style]


def _names(examples: Sequence[Example], of: Callable[[Example], str]) -> tuple[str, ...]:
    return tuple(sorted({of(example) for example in examples} - {""}))


def _too_few(task: str, names: Sequence[str]) -> ConfigError:
    found = f"only {names[0]!r}" if names else "none at all"
    return ConfigError(
        f"The rows that are trained on have no two classes of {task} ({found}).",
        f"Leave the loss of {task} out, or use a corpus that says it.",
    )


def _targets(
    system: SystemData,
    gender: Sequence[str],
    style: Sequence[str],
    style_of: Callable[[Example], str],
    vocabulary: Vocabulary | None,
    spoken: Sequence[str | None],
) -> TaskTargets:
    labels, examples = system.targets.labels, system.examples
    known = labels.sum(dim=1) == 1
    symbols = torch.zeros(len(examples), 1, dtype=torch.int64)
    counts = torch.zeros(len(examples), dtype=torch.int64)
    if vocabulary is not None:
        spelled = vocabulary.spell(spoken)
        symbols, counts = spelled.symbols, spelled.counts
    return TaskTargets(
        emotion=labels.argmax(dim=1).where(known, torch.tensor(UNKNOWN)),
        gender=_numbers([e.gender for e in examples], gender),
        style=_numbers([style_of(e) for e in examples], style),
        allowed=_allowed(system),
        symbols=symbols,
        symbol_counts=counts,
        weights=system.targets.weights,
    )


def _numbers(names: Sequence[str], classes: Sequence[str]) -> Tensor:
    number = {name: index for index, name in enumerate(classes)}
    return torch.tensor([number.get(name, UNKNOWN) for name in names], dtype=torch.int64)


def _allowed(system: SystemData) -> Tensor:
    """Return (N, C) which emotions occur in the corpus that each row is of."""
    names, which = np.unique(np.asarray(system.corpora), return_inverse=True)
    used = np.zeros(len(system.examples), dtype=bool)
    for _, rows in system.parts.items():
        used[rows] = True
    occurs = torch.zeros(len(names), len(system.classes), dtype=torch.bool)
    for corpus in range(len(names)):
        own = torch.from_numpy((which == corpus) & used)
        occurs[corpus] = system.targets.labels[own].sum(dim=0) > 0
    return occurs[torch.from_numpy(which)]
