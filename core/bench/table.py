"""A report as a table in the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from core.bench.report import Measurement, Report, describe_machine

_WORDS = {True: "[green]yes[/]", False: "[bold red]no[/]", None: ""}


def print_report(report: Report, console: Console | None = None) -> None:
    """Print every figure with its quartiles, its target and whether it was met."""
    table = Table(title=f"bench {report.topic}", caption=describe_machine(), title_justify="left")
    table.add_column("what", overflow="fold")
    for heading in ("median", "quartiles", "target"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("met")
    table.add_column("how", overflow="fold", style="dim")
    for measurement in report.measurements:
        table.add_row(*_cells(measurement))
    console = console or Console(highlight=False)
    console.print(table)
    for note in report.notes:
        console.print(note, markup=False)


def _cells(measurement: Measurement) -> tuple[str, ...]:
    target = ""
    if measurement.target is not None:
        target = f"{'≥' if measurement.at_least else '≤'} {_figure(measurement.target)}"
    spread = ""
    if measurement.low is not None and measurement.high is not None:
        spread = f"{_figure(measurement.low)}-{_figure(measurement.high)}"
    value = f"{_figure(measurement.value)} {measurement.unit}".strip()
    return measurement.name, value, spread, target, _WORDS[measurement.met], measurement.note


def _figure(value: float) -> str:
    return f"{value:.4g}"
