"""The protocol of the RSA-CFN paper on KEMDy20: tables 1, 3 and 4, and the attention figure."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from core.errors import ConfigError
from core.labels import EMOTIONS
from core.models.systems.head import Variant
from training.batch_objective import run_batch
from training.data.batches import ScoringBatches
from training.report.run import kemdy20_majority_sentence
from training.reproduce import adaptation, published
from training.reproduce.adaptation import FrozenTraining
from training.reproduce.corpora import (
    EncoderNames,
    encoder_names,
    find_corpus,
    generated_sentences,
)
from training.reproduce.figure import ProfileBuilder, save_profile
from training.reproduce.kemdy_lab import KemdyLab, RowRun
from training.reproduce.options import ReproduceOptions
from training.reproduce.rows import (
    Column,
    CountTable,
    Reproduction,
    Row,
    RowResult,
    TableReport,
)
from training.system_config import SystemConfig

TITLE = "RSA-CFN on KEMDy20"
SECOND_TEXT = "xlm-roberta-base"
_COLUMNS = (
    Column("f1_weighted", "weighted F1", published=True),
    Column("f1_macro", "macro F1"),
    Column("uar", "UAR"),
)
_QUICK = FrozenTraining(epochs=20, learning_rate=1e-2, batch=16, patience=0)
_GENERATED_EPOCHS = 3
_FIGURE_ROWS = 8
"""In a batch: a map of 1,792 x 1,792 takes 13 MB."""
_EVERY = {row.name: row for row in (*published.RSA_CFN_ROWS, *published.TEXT_BACKBONE_ROWS[:1],
                                    published.LOW_RANK_ROW)}  # fmt: skip


@dataclass(frozen=True)
class _Found:
    """Results by the name of the row, and the RSA model for the figure."""

    results: Mapping[str, RowResult]
    rsa: RowRun | None


def run(options: ReproduceOptions) -> Reproduction:
    """Run the rows that were asked for.

    Raises:
        ConfigError: there is no such row. CorpusError: the corpus is not there or can't be used.
    """
    started = time.monotonic()
    rows = chosen_rows(options)
    names = encoder_names(options)
    configs = {row.name: row_config(row, options, names) for row in rows}
    some = configs[rows[0].name]
    lab = KemdyLab(some.corpus, find_corpus("kemdy20", options), options)
    folds = range(min(options.folds or 1, lab.folds(some.split)))
    found = _run_rows(rows, configs, lab, list(folds), options)
    images = _figure(found, options)
    return Reproduction(
        name="rsa-cfn",
        title=_title(options),
        source=published.RSA_CFN_SOURCE,
        tables=_tables(found.results),
        counts=(_count_table(lab, some),),
        differences=_differences(options, some, lab, list(folds)),
        images=images,
        seconds=time.monotonic() - started,
    )


def _title(options: ReproduceOptions) -> str:
    how = "generated data" if options.generated else str(options.data)
    quick = ", quick" if options.quick else ""
    return f"{TITLE}: published figures beside those of {how} ({options.protocol} protocol{quick})"


def chosen_rows(options: ReproduceOptions) -> list[Row]:
    """Return the rows asked for, in the order of the table. Raises ConfigError."""
    wanted = options.rows or tuple(n for n in _EVERY if n != published.LOW_RANK_ROW.name)
    unknown = [name for name in wanted if name not in _EVERY]
    if unknown:
        raise ConfigError(f"There is no row {', '.join(unknown)}.", f"Rows: {', '.join(_EVERY)}.")
    rows = [row for name, row in _EVERY.items() if name in wanted]
    if options.figure and "rsa" not in {row.system for row in rows}:
        rows.append(_EVERY["8"])
    return rows


def row_config(row: Row, options: ReproduceOptions, names: EncoderNames) -> SystemConfig:
    """Return the configuration of a row: the paper's, changed as was asked for."""
    config = adaptation.base_config("rsa_cfn", row.system)
    text = names.text
    if row.text == "xlm":
        text = names.second_text or SECOND_TEXT
    config = adaptation.on_encoders(config, names.speech, text)
    corpus = replace(config.corpus, label_transform=row.label_transform, path="")
    config = replace(config, corpus=corpus)
    if options.variant is Variant.PAPER:
        config = adaptation.as_published(config)
    if options.protocol == "paper":
        config = adaptation.with_published_split(config)
    if options.quick:
        config = adaptation.quick(config)
    if options.quick or options.frozen:
        return adaptation.frozen(config, _QUICK if options.quick else FrozenTraining())
    if options.generated:
        return adaptation.fine_tuned_quickly(config, _GENERATED_EPOCHS)
    return adaptation.on_this_machine(config)


def _run_rows(
    rows: list[Row],
    configs: Mapping[str, SystemConfig],
    lab: KemdyLab,
    folds: list[int],
    options: ReproduceOptions,
) -> _Found:
    results: dict[str, RowResult] = {}
    rsa = None
    for row in rows:
        draws = options.figure and row.system == "rsa"
        found = lab.run_row(row, configs[row.name], folds, options.seeds, model_needed=draws)
        results[row.name] = found.result
        if row.system == "rsa":
            rsa = found
    return _Found(results, rsa)


def _tables(results: Mapping[str, RowResult]) -> tuple[TableReport, ...]:
    main = TableReport(
        "Table 4: systems", _COLUMNS, EMOTIONS,
        (*published.RSA_CFN_ROWS, published.LOW_RANK_ROW), results,
        (
            f"Counts: {', '.join(EMOTIONS)}. Published counts add to"
            f" {published.COUNTED_ROWS:,} of {sum(published.EVALUATION_COUNTS):,} rows.",
            kemdy20_majority_sentence(),
        ),
    )  # fmt: skip
    backbones = TableReport(
        "Table 3: text backbones", _COLUMNS, EMOTIONS, published.TEXT_BACKBONE_ROWS, results,
        ("XLM-RoBERTa's published figure equals row 9's: possibly a slip of the paper.",),
    )  # fmt: skip
    return tuple(table for table in (main, backbones) if table.shown)


def _count_table(lab: KemdyLab, config: SystemConfig) -> CountTable:
    """Return the rows per class before and after label transform (table 1)."""
    corpus = replace(config.corpus, label_transform=False)
    before = lab.data(replace(config, corpus=corpus))
    after = lab.data(replace(config, corpus=replace(corpus, label_transform=True)))

    def counts(described: Mapping[str, int]) -> tuple[int, ...]:
        return tuple(int(described.get(name, 0)) for name in EMOTIONS)

    return CountTable(
        "Table 1: label transform, training rows per class",
        EMOTIONS,
        (
            (
                "before",
                published.LABEL_TRANSFORM_BEFORE,
                counts(before.described["train"]["classes"]),
            ),
            ("after", published.LABEL_TRANSFORM_AFTER, counts(after.described["train"]["classes"])),
            (
                "evaluation",
                published.EVALUATION_COUNTS,
                counts(before.described["test"]["classes"]),
            ),
        ),
        ("Rows labelled neutral;X are added to training as X; nothing else changes.",),
    )


def _differences(
    options: ReproduceOptions, config: SystemConfig, lab: KemdyLab, folds: list[int]
) -> tuple[str, ...]:
    return (
        *generated_sentences(options),
        *adaptation.differences_of(options, config, len(folds), lab.folds(config.split)),
    )


def _figure(found: _Found, options: ReproduceOptions) -> tuple[Path, ...]:
    """Draw the median attention per dimension from the RSA model on the test part."""
    if not options.figure or found.rsa is None or found.rsa.last is None:
        return ()
    model, data = found.rsa.last.model, found.rsa.last.data
    sizes = model.feature_sizes
    assert sizes is not None
    builder = ProfileBuilder(sizes[0])
    few = replace(adaptation.base_config("rsa_cfn", "rsa").batches, size=_FIGURE_ROWS)
    neutral = data.targets.labels[:, EMOTIONS.index("neutral")].numpy() > 0
    with torch.no_grad():
        for batch in ScoringBatches(found.rsa.last.source, data.targets, data.parts.test, few):
            maps = run_batch(model, batch).attentions["feature"]
            builder.add(np.asarray(maps.float().cpu().numpy()), neutral[batch.rows.numpy()])
    options.out.mkdir(parents=True, exist_ok=True)
    return save_profile(builder.profile(), options.out, "RSA: attention per feature dimension")
