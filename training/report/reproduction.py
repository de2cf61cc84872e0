"""The report of a reproduction: its tables, a picture of each, and what differs from the paper."""

from __future__ import annotations

from functools import partial

from matplotlib.figure import Figure

from training.evaluation.metrics import Estimate
from training.report import plots
from training.report.document import Block, Bullets, Document, Grid, Image, Plot, Section, Text
from training.reproduce import tables
from training.reproduce.rows import Column, CountTable, Reproduction, TableReport


def reproduction_document(found: Reproduction) -> Document:
    """Return the report of everything a reproduction found."""
    sections = [_table_section(table, n) for n, table in enumerate(found.tables, start=1)]
    sections += [_count_section(counted) for counted in found.counts]
    if found.images:
        pictures = [path for path in found.images if path.suffix == ".png"]
        sections.append(Section("Attention", tuple(Image(p, _ATTENTION) for p in pictures)))
    sections.append(Section("What differs from the paper", (Bullets(found.differences),)))
    sections.append(
        Section("How figures were made", (Text(found.intervals or tables.INTERVALS), Text(_HOW)))
    )
    return Document(found.title, found.source, tuple(sections))


_ATTENTION = (
    "Median attention that each feature dimension of RSA receives, neutral against the rest; speech"
    " left, text right. Dimensions are neither moments nor words."
)
_HOW = (
    "A figure is the mean over folds and seeds. The commonest class is that of the training part."
)


def _table_section(table: TableReport, number: int) -> Section:
    blocks: list[Block] = [_figures(table)]
    first = _first_column(table)
    if first is not None:
        draw = partial(_draw, table, first)
        caption = f"{first.title}: here, with its interval, and in the paper (on its own data)."
        blocks.append(Plot(f"table_{number}", caption, draw))
    sizes = tuple(
        (row.name, row.title, *tables.size_cells(table, row, result)) for row, result in table.shown
    )
    heads = ("row", "model", *tables.size_heading(table))
    blocks.append(Grid(heads, sizes, numbers_from=2))
    if table.notes:
        blocks.append(Bullets(table.notes))
    return Section(table.title, tuple(blocks))


def _figures(table: TableReport) -> Grid:
    rows = [
        (row.name, row.title, *tables.figure_cells(table, row, result))
        for row, result in table.shown
    ]
    guesses = [("", title, *cells) for title, cells in tables.majority_cells(table)]
    heads = ("row", "model", *tables.figure_heading(table))
    return Grid(heads, (*rows, *guesses), numbers_from=2, aside=len(guesses))


def _first_column(table: TableReport) -> Column | None:
    """Return the published column that a picture is drawn of, if any row has a figure there."""
    for column in table.columns:
        if any(column.figure in result.figures for _, result in table.shown):
            return column
    return None


def _draw(table: TableReport, column: Column) -> Figure:
    shown = [(row, res) for row, res in table.shown if column.figure in res.figures]
    names = [f"{row.corpus} {row.title}".strip() for row, _ in shown]
    published = [row.figures.get(column.figure) for row, _ in shown]
    ours: list[Estimate] = [result.figures[column.figure] for _, result in shown]
    corpora = {row.corpus for row, _ in shown}
    guess = shown[0][1].majority.get(column.figure) if len(corpora) == 1 else None
    majority = None if guess is None else guess.value
    return plots.published_beside_ours(names, published, ours, majority, column.title)


def _count_section(counted: CountTable) -> Section:
    heads, rows = tables.count_heading(counted), tables.count_body(counted)
    grid = Grid(tuple(heads), tuple(tuple(row) for row in rows), numbers_from=2)
    blocks: tuple[Block, ...] = (grid,)
    return Section(counted.title, (*blocks, Bullets(counted.notes)) if counted.notes else blocks)
