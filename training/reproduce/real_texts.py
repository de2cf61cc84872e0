"""The text row on every text corpus: heads on the shipped text encoder's features."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from core.errors import CorpusError
from core.labels import EMOTIONS
from training.data.encoded_bank import EncodedBank
from training.evaluation.system_scores import score
from training.evaluation.text_parts import TextPart, read_text_parts
from training.progress import Reporter
from training.reproduce.options import ReproduceOptions
from training.reproduce.real_features import RealCorpora, TextModel
from training.reproduce.real_heads import (
    HeadData,
    HeadRecipe,
    commonest_label,
    judged,
    train_and_judge,
)
from training.reproduce.rows import Column, Row, RowResult, TableReport

COLUMNS = (
    Column("uar", "UAR"), Column("f1_weighted", "weighted F1"), Column("f1_macro", "macro F1"),
    Column("wa", "WA"),
)  # fmt: skip
MOST_TRAINED, MOST_JUDGED = 10_000, 4_000
SEEDS = 3
_SHARE = 0.8
"""Of a corpus with one part, to train on."""
_READ = ("goemotions_en", "goemotions_ko", "kote")
RECIPE = HeadRecipe(epochs=4, batch=64, learning_rate=1e-3)

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class _Corpus:
    """Texts of exactly one class; the first `cut` train, the others are judged."""

    texts: tuple[str, ...]
    labels: Rows
    cut: int


def text_table(options: ReproduceOptions, corpora: RealCorpora, reporter: Reporter) -> TableReport:
    """Train and judge a text head per corpus below `text/`. Raises CorpusError if there is none."""
    assert options.data is not None
    parts = read_text_parts(options.data, corpora.text_model.processor).parts
    rows, results = [], {}
    for name in dict.fromkeys(part.corpus for part in parts):
        corpus = _corpus([part for part in parts if part.corpus == name], options.quick)
        reporter.say(f"text alone: {name}, {corpus.cut} rows to train on")
        row = Row(name, name, "text", corpus=name)
        rows.append(row)
        results[name] = _result(row, corpus, corpora.text_model, options)
    if not rows:
        raise CorpusError(f"{options.data / 'text'} holds no corpus.", "See the guide to corpora.")
    note = (
        "Rows of exactly one of the seven classes. Trained on the corpus's training part, judged on"
        " its development part (KOTE: a fifth of its one part). The encoder itself has read the"
        f" training parts of {', '.join(_READ)}, so a head sees those clearer than what it is"
        " judged on, and part of KOTE's judged rows was read too; MELD and EmoryNLP it never saw."
    )
    return TableReport("Text alone", COLUMNS, EMOTIONS, tuple(rows), results, (note,))


def _corpus(parts: Sequence[TextPart], quick: bool) -> _Corpus:
    named = {part.part: part for part in parts}
    if "train" in named and len(named) > 1:
        trained = _single(named["train"])
        other = next(part for name, part in named.items() if name != "train")
        tested = _single(other)
    else:
        texts, labels = _single(next(iter(named.values())))
        order = np.random.default_rng(0).permutation(len(texts))
        cut = round(_SHARE * len(order))
        trained, tested = _taken(texts, labels, order[:cut]), _taken(texts, labels, order[cut:])
    divisor = 20 if quick else 1
    trained = _some(trained, MOST_TRAINED // divisor)
    tested = _some(tested, MOST_JUDGED // divisor)
    return _Corpus(
        (*trained[0], *tested[0]), np.concatenate([trained[1], tested[1]]), len(trained[0])
    )


_Labelled = tuple[tuple[str, ...], Rows]


def _single(part: TextPart) -> _Labelled:
    rows = np.flatnonzero(part.targets.sum(axis=1) == 1)
    return tuple(part.texts[row] for row in rows), part.targets[rows].argmax(axis=1)


def _taken(texts: Sequence[str], labels: Rows, rows: Rows) -> _Labelled:
    return tuple(texts[row] for row in rows), labels[rows]


def _some(labelled: _Labelled, most: int) -> _Labelled:
    order = np.random.default_rng(1).permutation(len(labelled[0]))[:most]
    return _taken(labelled[0], labelled[1], np.sort(order))


def _result(row: Row, corpus: _Corpus, model: TextModel, options: ReproduceOptions) -> RowResult:
    began = time.monotonic()
    data = HeadData(corpus.labels, text=_pooled_only(model.encode(corpus.texts)))
    rows = np.arange(len(corpus.texts))
    train, test = rows[: corpus.cut], rows[corpus.cut :]
    seeds = range(1 if options.quick else SEEDS)
    found = [train_and_judge(row.system, data, train, test, RECIPE, seed) for seed in seeds]
    commonest, truth = commonest_label(data, train), corpus.labels[test]
    said = [judged(f.logits, truth, test, commonest, s) for s, f in zip(seeds, found, strict=True)]
    scores = score(said)
    return RowResult(
        row.name, row.system, scores.figures, (), scores.majority, tuple(scores.occurring),
        scores.rows, len(train), found[0].parameters, found[0].parameters, time.monotonic() - began,
        tuple(seeds),
    )  # fmt: skip


def _pooled_only(bank: EncodedBank) -> EncodedBank:
    """Return a bank without sequences: the text head takes the pooled vector."""
    nothing = torch.empty(len(bank), 1, 0)
    return EncodedBank(tuple(nothing), bank.pooled, bank.logits)
