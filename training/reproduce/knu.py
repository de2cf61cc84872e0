"""The protocol of the KNU paper: four systems on KEMDy19 and on KEMDy20, labels and affect."""

from __future__ import annotations

import time
from dataclasses import replace

from core.errors import ConfigError, CorpusError
from core.labels import EMOTIONS
from core.models.systems.head import Variant
from training.reproduce import adaptation, published
from training.reproduce.adaptation import FrozenTraining
from training.reproduce.corpora import (
    EncoderNames,
    encoder_names,
    find_corpus,
    generated_sentences,
)
from training.reproduce.kemdy_lab import KemdyLab
from training.reproduce.options import ReproduceOptions
from training.reproduce.rows import Column, Reproduction, Row, RowResult, TableReport
from training.system_config import SystemConfig

TITLE = "KNU on KEMDy19 and KEMDy20"
_COLUMNS = (
    Column("f1_micro", "micro F", published=True, scale=100),
    Column("ccc_arousal", "CCC arousal", published=True, scale=100),
    Column("ccc_valence", "CCC valence", published=True, scale=100),
    Column("ccc_mean", "CCC mean", published=True, scale=100),
    Column("f1_macro", "macro F", scale=100),
)
_QUICK = FrozenTraining(epochs=15, learning_rate=1e-2, batch=16, patience=0)
_GENERATED_EPOCHS = 3
_QUICK_FOLDS = 2
_NAMES = {row.name: row for row in published.KNU_ROWS}


def run(options: ReproduceOptions) -> Reproduction:
    """Run the rows that were asked for, corpus by corpus.

    Raises:
        ConfigError: there is no such row. CorpusError: no corpus is there, or one can't be used.
    """
    started = time.monotonic()
    rows = chosen_rows(options)
    names = encoder_names(options)
    results: dict[str, RowResult] = {}
    notes: list[str] = []
    differences: tuple[str, ...] = ()
    for corpus in dict.fromkeys(row.corpus for row in rows):
        mine = [row for row in rows if row.corpus == corpus]
        try:
            found, differences = _run_corpus(corpus, mine, options, names)
        except CorpusError as error:
            if options.generated or options.rows:
                raise
            notes.append(f"{corpus} was left out: {error}")
            continue
        results |= found
    if not results:
        raise CorpusError(notes[0] if notes else "There is nothing to run.", "Check --data.")
    return Reproduction(
        name="knu",
        title=_title(options),
        source=published.KNU_SOURCE,
        tables=(_table(results, notes, options),),
        differences=(*generated_sentences(options), *differences),
        seconds=time.monotonic() - started,
    )


def _title(options: ReproduceOptions) -> str:
    how = "generated data" if options.generated else str(options.data)
    quick = ", quick" if options.quick else ""
    return f"{TITLE}: published figures beside those of {how} ({options.protocol} protocol{quick})"


def chosen_rows(options: ReproduceOptions) -> list[Row]:
    """Return the rows asked for, in the order of the table. Raises ConfigError."""
    unknown = [name for name in options.rows if name not in _NAMES]
    if unknown:
        raise ConfigError(f"There is no row {', '.join(unknown)}.", f"Rows: {', '.join(_NAMES)}.")
    if options.figure:
        raise ConfigError("KNU's systems have no attention map.", "Use --figure with rsa-cfn.")
    return [row for name, row in _NAMES.items() if not options.rows or name in options.rows]


def _run_corpus(
    corpus: str, rows: list[Row], options: ReproduceOptions, names: EncoderNames
) -> tuple[dict[str, RowResult], tuple[str, ...]]:
    configs = {row.name: row_config(row, options, names) for row in rows}
    some = configs[rows[0].name]
    lab = KemdyLab(some.corpus, find_corpus(corpus, options), options)
    everything = lab.folds(some.split)
    wanted = options.folds or (_QUICK_FOLDS if options.quick else everything)
    folds = list(range(min(wanted, everything)))
    results = {}
    for row in rows:
        results[row.name] = lab.run_row(row, configs[row.name], folds, options.seeds).result
    return results, adaptation.differences_of(options, some, len(folds), everything)


def row_config(row: Row, options: ReproduceOptions, names: EncoderNames) -> SystemConfig:
    """Return the configuration of a row: the paper's, changed as was asked for."""
    config = adaptation.base_config("knu", f"{row.corpus}_{row.title}")
    config = adaptation.on_encoders(config, names.speech, names.text)
    config = replace(config, corpus=replace(config.corpus, path=""))
    config = adaptation.for_task(config, options.task)
    if options.variant is Variant.PAPER:
        config = adaptation.as_published(config)
    if options.protocol == "paper":
        config = adaptation.with_published_split(config)
    if options.quick or options.frozen:
        return adaptation.frozen(config, _QUICK if options.quick else FrozenTraining())
    if options.generated:
        return adaptation.fine_tuned_quickly(config, _GENERATED_EPOCHS)
    return adaptation.on_this_machine(config)


def _table(
    results: dict[str, RowResult], notes: list[str], options: ReproduceOptions
) -> TableReport:
    told = (
        "Micro F over seven label columns; concordance (CCC) of arousal and valence; means over"
        " folds. In per cent.",
        "F 85.18 in every published KEMDy20 row is what a predictor reaches that never says more"
        " than one label: softmax above one half, as in the published code.",
        f"Task: {options.task}.",
        *notes,
    )
    return TableReport("Table 1", _COLUMNS, EMOTIONS, published.KNU_ROWS, results, told)
