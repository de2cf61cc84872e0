"""The report of one trained system: data, training, test figures beside the majority class."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from core.models.systems.registry import system
from training.data.example_splits import PROTOCOLS
from training.evaluation.metrics import Estimate
from training.evaluation.system_scores import AFFECTS, SystemScores
from training.report import plots
from training.report.document import Block, Bullets, Document, Grid, Plot, Section, Text
from training.reproduce.published import EVALUATION_COUNTS
from training.system_facts import RunFacts, differences

_MOST_PROBLEMS = 12
PARTS = ("train", "validation", "test")


def run_document(facts: RunFacts) -> Document:
    """Return the report of a training."""
    config = facts.config
    source = system(config.system).source
    subtitle = (
        f"System {config.system} ({source}, variant {config.variant}) on {config.corpus.name};"
        f" {facts.scores.rows:,} test rows, {facts.sizes.trained:,} trained parameters."
    )
    sections = (
        Section("Test", _test(facts)),
        Section("Data", _data(facts)),
        Section("Training", _training(facts)),
        Section("What differs from the paper", (Bullets(differences(config)),)),
    )
    return Document(f"{config.name}: {config.system} on {config.corpus.name}", subtitle, sections)


def _test(facts: RunFacts) -> tuple[Block, ...]:
    scores = facts.scores
    blocks: list[Block] = [
        figures_grid(scores),
        Plot(
            "figures",
            "Figures of the test part with 95 % bootstrap intervals, beside always saying the"
            " commonest class of the training part.",
            partial(plots.figures_beside_majority, scores.figures, scores.majority),
        ),
        *(Text(sentence) for sentence in majority_sentences(facts)),
    ]
    if scores.matrix is not None:
        drawn = partial(plots.confusion_matrix, scores.matrix, facts.classes)
        caption = "Confusion matrix: rows are the truth, shading is the share of the row."
        blocks.append(Plot("confusion", caption, drawn))
    if scores.figures.keys() & {"f1_macro"}:
        blocks.append(_predicted(facts))
    if scores.reliability is not None:
        caption = "Reliability: how often a prediction comes true; larger marks stand for more."
        drawn = partial(plots.reliability_diagram, scores.reliability)
        blocks.append(Plot("reliability", caption, drawn))
    return (*blocks, *_affect(facts))


def figures_grid(scores: SystemScores) -> Grid:
    """Return the figures with intervals, beside the majority class."""
    rows = [
        (plots.title_of(name), _cell(found), _cell(scores.majority.get(name)))
        for name, found in scores.figures.items()
    ]
    return Grid(("figure", "this system", "always the commonest class"), tuple(rows))


def majority_sentences(facts: RunFacts) -> list[str]:
    """Return what a reader must know before comparing weighted F1."""
    sentences = []
    weighted, macro = (facts.scores.majority.get(name) for name in ("f1_weighted", "f1_macro"))
    if weighted is not None and macro is not None:
        commonest = facts.classes[facts.judged.commonest]
        sentences.append(
            f"Always saying {commonest} reaches a weighted F1 of {weighted.value:.4f} and a macro"
            f" F1 of {macro.value:.4f} on this test part. A weighted F1 says little without them."
        )
    if facts.config.corpus.name == "kemdy20":
        sentences.append(kemdy20_majority_sentence())
    return sentences


def kemdy20_majority_sentence() -> str:
    """Return the baseline that RSA-CFN's tables do not print, from its evaluation counts."""
    counts = np.asarray(EVALUATION_COUNTS, dtype=np.float64)
    accuracy = counts[0] / counts.sum()
    f1 = 2 * accuracy / (1 + accuracy)
    return (
        f"On the evaluation part of the RSA-CFN paper always neutral has accuracy"
        f" {100 * accuracy:.2f} %, weighted F1 {accuracy * f1:.4f} and macro F1"
        f" {f1 / len(counts):.4f}; all published systems lie between 0.8755 and 0.8925."
    )


def _predicted(facts: RunFacts) -> Grid:
    scores = facts.scores
    rows = (
        ("predicted", *(f"{n:,.0f}" for n in scores.predicted)),
        ("true", *(f"{n:,.0f}" for n in scores.occurring)),
    )
    return Grid(("rows of the test part", *facts.classes), rows)


def _affect(facts: RunFacts) -> tuple[Block, ...]:
    figures = facts.scores.figures
    ccc = {n: figures[f"ccc_{n}"].value for n in AFFECTS if f"ccc_{n}" in figures}
    affect = {name: facts.judged.affect[name] for name in ccc}
    if not affect:
        return ()
    caption = "Arousal and valence: what annotators said against what the system says."
    return (Plot("affect", caption, partial(plots.affect_scatter, affect, ccc)),)


def _data(facts: RunFacts) -> tuple[Block, ...]:
    config = facts.config
    heads = ("part", "rows", "speakers", "sessions", *facts.classes)
    rows = tuple(
        (
            part,
            *(f"{facts.parts[part][key]:,}" for key in ("rows", "speakers", "sessions")),
            *(f"{n:,}" for n in facts.counts(part)),
        )
        for part in PARTS
    )
    counts = {part: facts.counts(part) for part in PARTS if sum(facts.counts(part))}
    kind = _sentence(PROTOCOLS[config.split.kind].description)
    blocks: list[Block] = [
        Text(
            f"Corpus {config.corpus.name}. Split: {kind}"
            f" Fold {config.split.fold}; digest {facts.digest[:12]}."
        ),
        Grid(heads, rows),
        Plot(
            "classes",
            "Rows per class and part, on a logarithmic axis.",
            partial(plots.class_counts, facts.classes, counts),
        ),
    ]
    if facts.transformed:
        blocks.append(Text(f"Label transform added {facts.transformed:,} training rows."))
    if facts.problems:
        blocks += _problems(facts)
    return tuple(blocks)


def _sentence(text: str) -> str:
    return text.rstrip(".") + "."


def _problems(facts: RunFacts) -> list[Block]:
    shown = facts.problems[:_MOST_PROBLEMS]
    items = [f"{problem.source}: {problem.reason}" for problem in shown]
    if more := len(facts.problems) - len(shown):
        items.append(f"and {more:,} more (problems.csv)")
    return [Text(f"{len(facts.problems):,} rows could not be used:"), Bullets(tuple(items))]


def _training(facts: RunFacts) -> tuple[Block, ...]:
    config = facts.config
    metric = config.trainer.metric
    temperatures = ", ".join(
        f"{path.value} {value:.2f}" for path, value in facts.calibration.temperatures.items()
    )
    rows = [
        ("encoders", _encoders(facts)),
        ("parameters", f"{facts.sizes.all:,} ({facts.sizes.head:,} in the head)"),
        ("trained parameters", f"{facts.sizes.trained:,}"),
        ("epochs", f"{len(facts.history)}, kept: {facts.best_epoch} (by {metric})"),
        ("seed", str(config.trainer.seed)),
        ("temperatures", temperatures or "none fitted"),
        ("took", f"{facts.seconds:,.0f} s"),
    ]
    if facts.calibration.thresholds:
        thresholds = zip(facts.classes, facts.calibration.thresholds, strict=True)
        rows.append(("thresholds", ", ".join(f"{n} {t:.2f}" for n, t in thresholds)))
    drawn = partial(plots.learning_curves, facts.history, metric, facts.best_epoch)
    caption = "Loss and validation metric per epoch; dotted: the epoch that was kept."
    return (Grid(("", ""), tuple(rows), numbers_from=2), Plot("curves", caption, drawn))


def _encoders(facts: RunFacts) -> str:
    config = facts.config
    choices = [choice for choice in (config.speech, config.text) if choice is not None]
    return "; ".join(f"{choice.model} (trained: {choice.trainable})" for choice in choices)


def _cell(figure: Estimate | None) -> str:
    if figure is None or math.isnan(figure.value):
        return ""
    return f"{figure.value:.4f} [{figure.low:.4f}, {figure.high:.4f}]"
