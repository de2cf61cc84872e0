"""`emoscope bench`: speed and memory, measured through the classes the program itself uses.

A topic is one module with a function `measure`, named in `TOPICS` as a string, so that nothing is
imported before it is asked for, and the topics of the window and of training may live with the
window and with training.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from core.errors import EmoscopeError

if TYPE_CHECKING:
    from core.bench.options import Options
    from core.bench.report import Report


@dataclass(frozen=True, slots=True)
class Topic:
    """Something to measure.

    where: "module:function", a function of all options, or of `quick` alone, that returns a Report.
    options: whether it takes all options.
    quality: whether it also measures the quality of trained models.
    """

    where: str
    options: bool = False
    quality: bool = False

    @property
    def function(self) -> Any:
        """The function; its module is imported now."""
        module, name = self.where.split(":")
        return getattr(import_module(module), name)

    def measure(self, options: Options) -> Report:
        """Measure it."""
        report: Report = self.function(options if self.options else options.quick)
        return report


TOPICS: Mapping[str, Topic] = MappingProxyType(
    {
        "model": Topic("core.bench.model:measure"),
        "live": Topic("desktop.bench.live:measure", options=True, quality=True),
        "encoders": Topic("core.bench.encoders:measure", options=True, quality=True),
        "window": Topic("desktop.bench.window:measure"),
        "contention": Topic("core.bench.contention:measure", options=True),
        "files": Topic("core.bench.files:measure", options=True),
        "soak": Topic("core.bench.soak:measure"),
        "rsa_cfn": Topic("training.bench.rsa_cfn:measure"),
        "extraction": Topic("training.bench.extraction:measure"),
        "training": Topic("training.bench.training_step:measure"),
        "dialogue": Topic("training.bench.dialogue:measure"),
        "adapters": Topic("training.bench.adapters:measure"),
    }
)


def main(argv: Sequence[str]) -> int:
    """Measure the named topics (all without a name) and print a table for each.

    Returns 0, or 1 with `--strict` when a target was missed. When a topic lacks something it needs,
    such as a sound server, the others are still measured; then its EmoscopeError is raised.
    """
    given = _arguments(argv)
    reports: list[Report] = []
    errors: list[EmoscopeError] = []
    options = _options(given)
    for topic in given.topics or TOPICS:
        try:
            reports.append(measure(topic, options))
        except EmoscopeError as error:
            errors.append(error)
    if given.json and reports:
        write_json(given.json, reports)
    if errors:
        raise errors[0]
    return int(given.strict and any(_misses(report) for report in reports))


def _misses(report: Report) -> bool:
    return any(measurement.met is False for measurement in report.measurements)


def measure(topic: str, options: Options) -> Report:
    """Measure one topic and print its table. Raises KeyError for an unknown topic."""
    from core.bench.table import print_report

    report = TOPICS[topic].measure(options)
    print_report(report)
    return report


def write_json(path: Path, reports: Sequence[Report]) -> None:
    """Write one report as an object, several as a list."""
    values = [report.to_dict() for report in reports]
    text = json.dumps(values[0] if len(values) == 1 else values, ensure_ascii=False, indent=2)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8")


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="emoscope bench", description="Measure speed and memory.")
    parser.add_argument("topics", nargs="*", metavar="TOPIC", type=_topic, help=", ".join(TOPICS))
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures as JSON")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter runs")
    parser.add_argument("--strict", action="store_true", help="end with 1 if a target was missed")
    trained = parser.add_argument_group(f"quality of trained models ({', '.join(_with_quality())})")
    trained.add_argument(
        "--data", type=Path, metavar="DIR", help="labelled recordings to measure it on"
    )
    trained.add_argument(
        "--checkpoint", type=Path, metavar="DIR", help="the model; without it the one that ships"
    )
    given = parser.parse_args(argv)
    if given.checkpoint and not given.data:
        parser.error("--checkpoint needs --data: quality is measured on labelled recordings")
    if given.data and not set(given.topics or TOPICS) & set(_with_quality()):
        parser.error(f"quality is measured by {' and '.join(_with_quality())} only")
    return given


def _with_quality() -> list[str]:
    return [name for name, topic in TOPICS.items() if topic.quality]


def _options(given: argparse.Namespace) -> Options:
    from core.bench.options import Options

    return Options(given.quick, given.checkpoint, given.data)


def _topic(name: str) -> str:
    if name not in TOPICS:
        raise argparse.ArgumentTypeError(f"no topic {name!r}; there are {', '.join(TOPICS)}")
    return name
