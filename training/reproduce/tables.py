"""A reproduction as tables in a terminal, as Markdown, and as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from core.errors import CorpusError
from training.evaluation.metrics import Estimate
from training.reproduce.rows import Column, CountTable, Reproduction, Row, RowResult, TableReport

MAJORITY = "always the commonest class"
INTERVALS = (
    "Intervals: 95 %, 1000 bootstrap resamples of the test rows; rows of one speaker are alike, so"
    " with few speakers the truth may lie outside."
)
Cells = list[str]


def print_reproduction(found: Reproduction, console: Console) -> None:
    """Print every table, and under them what differs from the paper."""
    console.print(found.title, style="bold", markup=False)
    console.print(found.source, markup=False)
    for table in found.tables:
        console.print()
        console.print(_rich(table.title, heading(table), body(table)))
        for note in table.notes:
            console.print(f"  {note}", markup=False)
    for counted in found.counts:
        console.print()
        console.print(_rich(counted.title, count_heading(counted), count_body(counted)))
        for note in counted.notes:
            console.print(f"  {note}", markup=False)
    console.print()
    console.print("What differs from the paper", style="bold")
    for line in found.differences:
        console.print(f"- {line}", markup=False)
    console.print(f"\n{found.intervals or INTERVALS}\nTook {found.seconds:.0f} s.", markup=False)


def _rich(title: str, heads: Sequence[str], rows: Iterable[Cells]) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for index, head in enumerate(heads):
        table.add_column(head, justify="left" if index < 2 else "right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    return table


def heading(table: TableReport) -> Cells:
    """Return the headings of a table: row, model, figures, counts and sizes."""
    return ["row", "model", *figure_heading(table), *size_heading(table)]


def figure_heading(table: TableReport) -> Cells:
    """Return the headings of the figures, the paper's before ours."""
    heads = []
    for column in table.columns:
        heads += ["paper", column.title] if column.published else [column.title]
    return heads


def size_heading(table: TableReport) -> Cells:
    """Return the headings of counts of predictions, parameters and seconds."""
    counts = ["counts"] if _has_counts(table) else []
    if counts and _has_published_counts(table):
        counts = ["counts: paper", "counts"]
    return [*counts, "head parameters", "s"]


def body(table: TableReport) -> list[Cells]:
    """Return the rows of a table, the majority class last."""
    rows = [
        [row.name, row.title, *figure_cells(table, row, result), *size_cells(table, row, result)]
        for row, result in table.shown
    ]
    empty = [""] * len(size_heading(table))
    return rows + [["", title, *cells, *empty] for title, cells in majority_cells(table)]


def figure_cells(table: TableReport, row: Row, result: RowResult) -> Cells:
    """Return the figures of a row."""
    cells = []
    for column in table.columns:
        if column.published:
            cells.append(_plain(row.figures.get(column.figure), column))
        cells.append(cell(result.figures.get(column.figure), column))
    return cells


def size_cells(table: TableReport, row: Row, result: RowResult) -> Cells:
    """Return counts, parameters and seconds of a row; blanks where nothing was run."""
    if not result.rows:
        return [""] * len(size_heading(table))
    cells = []
    if _has_counts(table):
        if _has_published_counts(table):
            cells.append(" ".join(str(n) for n in row.counts))
        cells.append(_counts(result.counts))
    return [*cells, f"{result.head_parameters:,}", f"{result.seconds:.1f}"]


def majority_cells(table: TableReport) -> list[tuple[str, Cells]]:
    """Return (title, figures) of the commonest class, per corpus where a table spans several."""
    lines = []
    seen: set[str] = set()
    for row, result in table.shown:
        if row.corpus in seen or not result.majority:
            continue
        seen.add(row.corpus)
        cells = []
        for column in table.columns:
            cells += [""] if column.published else []
            cells.append(cell(result.majority.get(column.figure), column))
        lines.append((f"{MAJORITY} ({row.corpus})" if row.corpus else MAJORITY, cells))
    return lines


def _has_counts(table: TableReport) -> bool:
    return any(result.counts for _, result in table.shown)


def _has_published_counts(table: TableReport) -> bool:
    return any(row.counts for row, _ in table.shown)


def cell(figure: Estimate | None, column: Column) -> str:
    """Return a figure with its interval; empty where it makes no sense."""
    if figure is None or math.isnan(figure.value):
        return ""
    if column.whole:
        return f"{figure.value:,.0f}"
    value, low, high = (_digits(x, column) for x in (figure.value, figure.low, figure.high))
    return f"{value} [{low}, {high}]"


def _plain(value: float | None, column: Column) -> str:
    if value is None:
        return ""
    return f"{value * column.scale:.2f}" if column.scale > 1 else f"{value:.5f}"


def _digits(value: float, column: Column) -> str:
    return f"{value * column.scale:.1f}" if column.scale > 1 else f"{value:.3f}"


def _counts(counts: Sequence[float]) -> str:
    return " ".join(f"{n:.0f}" for n in counts)


def count_heading(table: CountTable) -> Cells:
    """Return the headings of a table of counts."""
    return ["", "", *table.classes, "all"]


def count_body(table: CountTable) -> list[Cells]:
    """Return a line for what was published and one for ours, where there is such."""
    lines = []
    for name, published, ours in table.rows:
        for who, counts in (("paper", published), ("here", ours)):
            if counts:
                lines.append([name, who, *(str(n) for n in counts), str(sum(counts))])
    return lines


def as_markdown(found: Reproduction, heading_level: int = 1) -> str:
    """Return the tables and the differences as Markdown."""
    mark = "#" * heading_level
    parts = [f"{mark} {found.title}\n", f"{found.source}\n"]
    for table in found.tables:
        parts += [f"{mark}# {table.title}\n", _pipes(heading(table), body(table))]
        parts += [f"- {note}" for note in table.notes] + [""]
    for counted in found.counts:
        parts += [f"{mark}# {counted.title}\n", _pipes(count_heading(counted), count_body(counted))]
        parts += [f"- {note}" for note in counted.notes] + [""]
    parts += [f"{mark}# What differs from the paper\n", *(f"- {x}" for x in found.differences)]
    return "\n".join(
        [*parts, "", f"{found.intervals or INTERVALS} Took {found.seconds:.0f} s.", ""]
    )


def _pipes(heads: Cells, rows: Iterable[Cells]) -> str:
    lines = [f"| {' | '.join(heads)} |", "|---|---|" + "---:|" * (len(heads) - 2)]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def as_json(found: Reproduction) -> dict[str, Any]:
    """Return every figure, published and ours; null where one makes no sense."""
    return {
        "name": found.name,
        "tables": [
            {
                "title": table.title,
                "classes": list(table.classes),
                "rows": [_row_json(row, result) for row, result in table.shown],
                "notes": list(table.notes),
            }
            for table in found.tables
        ],
        "counts": [
            {
                "title": table.title,
                "classes": list(table.classes),
                "rows": [
                    {"name": name, "published": list(published), "ours": list(ours)}
                    for name, published, ours in table.rows
                ],
            }
            for table in found.counts
        ],
        "differences": list(found.differences),
        "seconds": round(found.seconds, 1),
    }


def _row_json(row: Row, result: RowResult) -> dict[str, Any]:
    return {
        "name": row.name,
        "title": row.title,
        "corpus": row.corpus,
        "system": row.system,
        "published": {"figures": dict(row.figures), "counts": list(row.counts)},
        "figures": {name: _estimate_json(figure) for name, figure in result.figures.items()},
        "majority": {name: _estimate_json(figure) for name, figure in result.majority.items()},
        "counts": list(result.counts),
        "occurring": list(result.occurring),
        "rows": result.rows,
        "train_rows": result.train_rows,
        "parameters": result.parameters,
        "head_parameters": result.head_parameters,
        "seconds": round(result.seconds, 2),
        "seeds": list(result.seeds),
        "folds": result.folds,
        "notes": list(result.notes),
    }


def _estimate_json(figure: Estimate) -> dict[str, float | None]:
    values = {"value": figure.value, "low": figure.low, "high": figure.high}
    return {name: None if math.isnan(value) else value for name, value in values.items()}


def write_json(path: Path, content: object) -> None:
    """Write JSON. Raises CorpusError when the file can't be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise CorpusError(f"{path} can't be written ({error}).", "Choose another file.") from error
