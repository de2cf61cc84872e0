"""`emoscope bench`: speed and memory, measured through the classes the program itself uses.

A topic is one file with `measure(quick: bool) -> Report`, named in `TOPICS` as a string, so that
nothing is imported before it is asked for, and the topics of the window and of training may live
with the window and with training.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from core.errors import EmoscopeError

if TYPE_CHECKING:
    from core.bench.report import Report

TOPICS: Mapping[str, str] = MappingProxyType(
    {
        "model": "core.bench.model:measure",
        "live": "desktop.bench.live:measure",
        "window": "desktop.bench.window:measure",
        "soak": "core.bench.soak:measure",
        "rsa_cfn": "training.bench.rsa_cfn:measure",
        "extraction": "training.bench.extraction:measure",
        "training": "training.bench.training_step:measure",
        "dialogue": "training.bench.dialogue:measure",
    }
)


def main(argv: Sequence[str]) -> int:
    """Measure the named topics (all without a name) and print a table for each.

    Returns 0, or 1 with `--strict` when a target was missed. When a topic lacks something it needs,
    such as a sound server, the others are still measured; then its EmoscopeError is raised.
    """
    options = _parser().parse_args(argv)
    reports: list[Report] = []
    errors: list[EmoscopeError] = []
    for topic in options.topics or TOPICS:
        try:
            reports.append(measure(topic, quick=options.quick))
        except EmoscopeError as error:
            errors.append(error)
    if options.json and reports:
        write_json(options.json, reports)
    if errors:
        raise errors[0]
    return int(options.strict and any(_misses(report) for report in reports))


def _misses(report: Report) -> bool:
    return any(measurement.met is False for measurement in report.measurements)


def measure(topic: str, *, quick: bool = False) -> Report:
    """Measure one topic and print its table. Raises KeyError for an unknown topic."""
    from core.bench.table import print_report

    module, function = TOPICS[topic].split(":")
    run: Callable[[bool], Report] = getattr(import_module(module), function)
    report = run(quick)
    print_report(report)
    return report


def write_json(path: Path, reports: Sequence[Report]) -> None:
    """Write one report as an object, several as a list."""
    values = [report.to_dict() for report in reports]
    text = json.dumps(values[0] if len(values) == 1 else values, ensure_ascii=False, indent=2)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="emoscope bench", description="Measure speed and memory.")
    parser.add_argument("topics", nargs="*", metavar="TOPIC", type=_topic, help=", ".join(TOPICS))
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures as JSON")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter runs")
    parser.add_argument("--strict", action="store_true", help="end with 1 if a target was missed")
    return parser


def _topic(name: str) -> str:
    if name not in TOPICS:
        raise argparse.ArgumentTypeError(f"no topic {name!r}; there are {', '.join(TOPICS)}")
    return name
