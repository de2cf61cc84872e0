"""What a benchmark found, as values: beside each figure its target, and whether it was met."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from core import __version__


@dataclass(frozen=True, slots=True)
class Measurement:
    """One figure.

    value: in `unit`; the median when it was measured several times.
    target: where it should lie at most (at least, with `at_least`); None where there is no target.
    low, high: quartiles of the runs, None for a single one.
    note: how it was measured, in a few words.
    """

    name: str
    value: float
    unit: str
    target: float | None = None
    at_least: bool = False
    low: float | None = None
    high: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target was met; None without a target."""
        if self.target is None:
            return None
        return self.value >= self.target if self.at_least else self.value <= self.target

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "target": self.target,
            "at_least": self.at_least,
            "met": self.met,
            "low": self.low,
            "high": self.high,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Part:
    """What one part of a topic measured: see `Report`."""

    measurements: tuple[Measurement, ...] = ()
    notes: tuple[str, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """Everything one topic measured.

    notes: sentences on how it was done. figures: plain values that stand by name at the top of the
    JSON, for programs.
    """

    topic: str
    measurements: tuple[Measurement, ...]
    notes: tuple[str, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, with the machine they were measured on."""
        return {
            "topic": self.topic,
            "version": __version__,
            "machine": describe_machine(),
            **self.figures,
            "measurements": [measurement.to_dict() for measurement in self.measurements],
            "notes": list(self.notes),
        }


def joined(topic: str, parts: Sequence[Part]) -> Report:
    """Return the parts of a topic as its report, in their order."""
    figures = {name: value for part in parts for name, value in part.figures.items()}
    return Report(
        topic,
        tuple(measurement for part in parts for measurement in part.measurements),
        tuple(note for part in parts for note in part.notes),
        figures,
    )


def describe_machine() -> str:
    """Return processor, cores and how busy the machine is, in one line."""
    cores = psutil.cpu_count() or 1
    load = psutil.getloadavg()[0]
    return f"{_processor()}, {cores} cores, load {load:.1f}, Python {platform.python_version()}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
