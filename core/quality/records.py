"""What a quality check found, as a value and as JSON."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from core import __version__
from core.quality.rule import Rule

if TYPE_CHECKING:
    from core.quality.comparison import Comparison

_LIBRARIES: Mapping[str, str] = MappingProxyType({"packed": "torch", "cuda": "torch"})
"""Runtime -> the package that computes it, where that has another name."""

OWN, PROCESSOR = "emoscope", "processor"
"""Entries of `versions` beside packages."""


@dataclass(frozen=True, slots=True)
class QualityRecord:
    """The verdict on one lossy mode of one encoder of one checkpoint.

    digest: sha256 of the checkpoint's weights (hex). modality: "speech" or "text". mode: such as
    "openvino:bf16". clips, seconds: how much was compared. same: answers that were the same.
    misleading: those that differ while one of the two is sure. surely_right: the least share of
    all others, with the rule's confidence. largest_shift, mean_shift: of probabilities. f1_exact,
    f1_lossy, f1_loss_interval: where labels were known. objections: codes of what kept it from
    passing. speedup: of the whole model. beside: mode of the other encoder; empty: exact.
    material, material_hash: what it was checked on. versions: of packages, and the processor.
    created: ISO 8601.
    """

    digest: str
    modality: str
    mode: str
    clips: int
    seconds: float
    same: int
    misleading: int
    surely_right: float
    largest_shift: float
    mean_shift: float
    passed: bool
    objections: tuple[str, ...]
    rule: Rule
    material: str
    material_hash: str
    versions: Mapping[str, str]
    created: str
    f1_exact: float | None = None
    f1_lossy: float | None = None
    f1_loss_interval: tuple[float, float] | None = None
    speedup: float | None = None
    beside: str = ""

    @property
    def argmax_same(self) -> float:
        """The share of answers that were the same."""
        return self.same / self.clips if self.clips else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        interval = self.f1_loss_interval
        return values | {
            "objections": list(self.objections),
            "rule": self.rule.to_dict(),
            "versions": dict(self.versions),
            "f1_loss_interval": None if interval is None else list(interval),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> QualityRecord:
        """Return the record of `to_dict`. Raises TypeError, KeyError or ValueError."""
        interval = values["f1_loss_interval"]
        return cls(
            **{
                **values,
                "objections": tuple(values["objections"]),
                "rule": Rule.from_dict(values["rule"]),
                "versions": dict(values["versions"]),
                "f1_loss_interval": None if interval is None else (interval[0], interval[1]),
            }
        )

    def outdated(self, rule: Rule) -> tuple[str, ...]:
        """Return what has changed since: "rule", "processor", or a package; empty: nothing."""
        now = versions_of(self.mode)
        changed = [name for name, known in self.versions.items() if now.get(name) != known]
        return (*(["rule"] if self.rule != rule else ()), *(n for n in changed if n != OWN))


def make_record(
    digest: str,
    modality: str,
    mode: str,
    found: Comparison,
    rule: Rule,
    material: tuple[str, str],
    beside: str = "",
) -> QualityRecord:
    """Return the verdict on what a comparison found; `material` is its description and hash."""
    objections = rule.objections(found)
    f1 = found.f1
    return QualityRecord(
        digest=digest,
        modality=modality,
        mode=mode,
        clips=found.clips,
        seconds=round(found.seconds, 2),
        same=found.same,
        misleading=found.misleading,
        surely_right=rule.surely_same(found.misleading, found.clips),
        largest_shift=found.largest_shift,
        mean_shift=found.mean_shift,
        passed=not objections,
        objections=objections,
        rule=rule,
        material=material[0],
        material_hash=material[1],
        versions=versions_of(mode),
        created=datetime.now().astimezone().isoformat(timespec="seconds"),
        f1_exact=None if f1 is None else f1.exact,
        f1_lossy=None if f1 is None else f1.lossy,
        f1_loss_interval=None if f1 is None else (f1.lowest_loss, f1.highest_loss),
        speedup=found.speedup,
        beside=beside,
    )


def versions_of(mode: str) -> dict[str, str]:
    """Return what the numbers of a mode depend on: its library and the processor; and our version.

    The processor counts because the same graph rounds differently where an instruction is missing.
    """
    runtime = mode.partition(":")[0]
    library = _LIBRARIES.get(runtime, runtime)
    return {OWN: __version__, library: _version(library), PROCESSOR: processor()}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


@cache
def processor() -> str:
    """Return what the system calls this machine's processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()
