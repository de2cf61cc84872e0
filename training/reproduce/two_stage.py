"""The protocol of the two-stage paper: tables 1 to 4 and sweeps, on IEMOCAP and on both KEMDy."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from core.errors import ConfigError, CorpusError
from training.multitask.config import MultiTaskConfig
from training.reproduce import two_stage_published as published
from training.reproduce.mrl_mkd import check_options
from training.reproduce.options import ReproduceOptions
from training.reproduce.rows import Column, Reproduction, Row, RowResult, TableReport
from training.reproduce.two_stage_configs import differences_of, row_config
from training.reproduce.two_stage_data import (
    IEMOCAP,
    encoder_name,
    find_corpora,
    generated_sentences,
    make_corpus,
)
from training.reproduce.two_stage_lab import TwoStageLab, row_result
from training.reproduce.two_stage_published import PrintedTable, of_corpus
from training.reproduce.two_stage_rows import sweeps

TITLE = "Two-stage fine-tuning with adapters"
MEANINGLESS = (
    *("variant", "mglra", "protocol", "figure", "text", "second_text", "frozen", "task"),
)
"""Options that say nothing of these trainings."""
COLUMNS = (
    Column("uar", "UA", published=True, scale=100),
    Column("wa", "WA", published=True, scale=100),
    Column("wer", "WER", published=True, scale=100),
    Column("cer", "CER", scale=100),
    Column("gender", "gender", published=True, scale=100),
    Column("style", "style", published=True, scale=100),
    Column("trained", "trained", whole=True),
    Column("stored", "bytes", whole=True),
)
INTERVALS = (
    "Intervals: 95 %, 1000 bootstrap resamples of the test rows; rows of one speaker are alike, so"
    " with few speakers the truth may lie outside. Trained: parameters that the last stage trains;"
    " bytes: what it leaves beside what it starts from, adapters and heads where the rest is"
    " frozen, else all weights."
)
_NAMES = {"iemocap": "IEMOCAP", "kemdy": "KEMDy19 and KEMDy20"}
_QUICK_FOLDS = 1


def run(options: ReproduceOptions) -> Reproduction:
    """Run the rows that were asked for, corpus by corpus.

    Raises:
        ConfigError: there is no such row, or an option means nothing here.
        CorpusError: no corpus is there, or one can't be used.
    """
    started = time.monotonic()
    check_options(options, MEANINGLESS)
    printed = all_tables(options)
    check_rows(options, printed)
    folders = find_corpora(options)
    encoder = encoder_name(options)
    tables: list[TableReport] = []
    differences: dict[str, None] = {}
    for corpus, folder in folders.items():
        wanted = [_wanted(table, corpus, options) for table in printed]
        rows = list({row.name: row for each in wanted for row in each}.values())
        if rows:
            make_corpus(corpus, folder, options)
            configs = {row.name: row_config(row.system, corpus, encoder, options) for row in rows}
            lab = TwoStageLab(configs[rows[0].name], folder, options)
            differences |= dict.fromkeys(differences_of(options, corpus, _folds(lab, options)))
            results = _results(lab, rows, configs, options)
            tables += _tables(corpus, printed, results, lab.classes)
    if not tables:
        missing = ", ".join(options.rows)
        raise CorpusError(f"No corpus is there for {missing}.", "Check --data and --rows.")
    return Reproduction(
        name="two-stage",
        intervals=INTERVALS,
        title=_title(options),
        source=published.SOURCE,
        tables=tuple(tables),
        differences=(*generated_sentences(options), *differences),
        seconds=time.monotonic() - started,
    )


def _title(options: ReproduceOptions) -> str:
    how = "generated data" if options.generated else str(options.data)
    quick = " (quick)" if options.quick else ""
    return f"{TITLE}: published figures beside those of {how}{quick}"


def _folds(lab: TwoStageLab, options: ReproduceOptions) -> int:
    wanted = options.folds or (_QUICK_FOLDS if options.quick else lab.folds)
    return min(wanted, lab.folds)


def _results(
    lab: TwoStageLab,
    rows: Sequence[Row],
    configs: Mapping[str, MultiTaskConfig],
    options: ReproduceOptions,
) -> dict[str, RowResult]:
    found = lab.run(configs, range(_folds(lab, options)), options.seeds)
    return {row.name: row_result(row, found[row.name]) for row in rows}


def all_tables(options: ReproduceOptions) -> tuple[PrintedTable, ...]:
    """Return the tables with rows that are run: printed ones, single tasks, and the sweeps."""
    return (*published.PRINTED, *sweeps(options))


def check_rows(options: ReproduceOptions, printed: Sequence[PrintedTable]) -> None:
    """Refuse names of rows that there are not. Raises ConfigError."""
    plain = dict.fromkeys(row.name for table in printed for row in table.rows)
    whole = [*(table.name for table in printed), published.TABLE_4.name]
    known = {*plain, *whole, *_NAMES}
    known |= {f"{corpus}-{name}" for corpus in _NAMES for name in (*plain, *whole)}
    if unknown := [name for name in options.rows if name not in known]:
        raise ConfigError(
            f"There is no row {', '.join(unknown)}.",
            f"Rows: {', '.join(plain)}; all of {', '.join(whole)}; of one corpus: {IEMOCAP}, or"
            f" with its name before it, {IEMOCAP}-{published.BEST}.",
        )


def _wanted(table: PrintedTable, corpus: str, options: ReproduceOptions) -> tuple[Row, ...]:
    """Return a table's rows that were asked for, under the names of a corpus."""
    rows = of_corpus(table.rows, corpus, published=corpus == IEMOCAP)
    asked = set(options.rows)
    if not asked or asked & {corpus, table.name, f"{corpus}-{table.name}"}:
        return rows
    fourth = published.TABLE_4.name
    if asked & {fourth, f"{corpus}-{fourth}"}:  # its only row that is run stands in the third
        asked.add(published.BEST)
    return tuple(row for row in rows if asked & {row.name, row.system})


def _tables(
    corpus: str,
    printed: Sequence[PrintedTable],
    results: Mapping[str, RowResult],
    classes: tuple[str, ...],
) -> list[TableReport]:
    """Return the tables of a corpus of which a row was run, the fourth after the third."""
    reports = []
    best = f"{corpus}-{published.BEST}"
    for table in printed:
        reports.append(_report(corpus, table, results, COLUMNS, classes))
        if table is published.TABLE_3 and corpus == IEMOCAP and best in results:
            quoted = of_corpus(published.OTHERS, corpus, published=True)
            ours = {row.name: RowResult(row.name, row.system, {}) for row in quoted}
            ours[best] = results[best]
            reports.append(_report(corpus, published.TABLE_4, ours, COLUMNS[:2], classes))
    return [report for report in reports if report.shown]


def _report(
    corpus: str,
    table: PrintedTable,
    results: Mapping[str, RowResult],
    columns: tuple[Column, ...],
    classes: tuple[str, ...],
) -> TableReport:
    """Return a table with those columns that there is something in."""
    rows = of_corpus(table.rows, corpus, published=corpus == IEMOCAP)
    told = {name for row in rows if row.name in results for name in results[row.name].figures}
    shown = tuple(
        replace(column, published=any(column.figure in row.figures for row in rows))
        for column in columns
        if column.figure in told
    )
    title = f"{_NAMES[corpus]}. {table.title}"
    return TableReport(title, shown, classes, rows, results, table.notes)
