"""Which mode computes an encoder: those that agree with torch are measured, the fastest wins."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from torch import Tensor

from core.errors import JournalError
from core.models.runtimes.base import (
    RUNTIMES,
    Mode,
    PassingError,
    Runtime,
    UnfitError,
    Workplace,
    brief,
    missing,
    unfit,
)
from core.models.runtimes.measured import Measure, Times
from core.models.runtimes.subjects import Stages, Subject

_logger = logging.getLogger(__name__)

EQUAL = 1e-5
"""Largest difference from torch of equal outputs, as a share of the largest output (at least 1)."""

EDGE = 0.97
"""Share of the best time a mode must stay below to replace the best: an export has its price."""

PLAIN = Mode("torch")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A mode that works here: its stages, and how far their outputs are from torch's."""

    mode: Mode
    stages: Stages
    difference: float = 0.0

    def chosen(self, reason: str, detail: str = "", speedup: float | None = None) -> Stages:
        """Return the stages with why they were chosen."""
        info = replace(
            self.stages.info,
            reason=reason,
            detail=detail,
            speedup=speedup,
            difference=self.difference,
        )
        return replace(self.stages, info=info)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The fastest, how fast all were, and why some could not be.

    lasting: whether it would come out the same tomorrow.
    """

    best: Candidate
    times: Times
    lasting: bool = True


def plain(subject: Subject) -> Candidate:
    """Return torch as it is."""
    return Candidate(PLAIN, subject.plain())


def reference_of(subject: Subject) -> list[Tensor]:
    """Return what torch computes of the examples."""
    return subject.compared(subject.plain())


def candidate(
    subject: Subject, mode: Mode, place: Workplace, reference: Sequence[Tensor]
) -> Candidate:
    """Make the stages of a mode and compare them with torch.

    Raises:
        UnfitError: it can't compute this encoder here, or does so wrongly.
    """
    if lacking := missing(mode):
        raise UnfitError(f"{', '.join(lacking)} not installed")
    module, name = RUNTIMES[mode.runtime].split(":")
    try:
        runtime: Runtime = getattr(importlib.import_module(module), name)(mode, place)
        stages = subject.made(runtime)
        found = subject.compared(stages)
    except UnfitError:
        raise
    except JournalError as error:
        raise PassingError(brief(error)) from error
    except Exception as error:  # foreign libraries raise whatever they raise
        raise unfit(type(error).__name__, error) from error
    difference = _checked(mode, found, reference)
    for graph in stages.graphs:
        place.exports.note_difference(graph, str(mode), difference)
    return Candidate(mode, stages, difference)


def _checked(mode: Mode, found: Sequence[Tensor], reference: Sequence[Tensor]) -> float:
    """Return the largest difference. Raises UnfitError if it is too large."""
    if [f.shape for f in found] != [r.shape for r in reference]:
        raise UnfitError("its outputs have other shapes than torch's")
    if not all(bool(f.isfinite().all()) for f in found):
        raise UnfitError("its outputs are not finite")
    difference = max(float((f - r).abs().max()) for f, r in zip(found, reference, strict=True))
    scale = max(1.0, *(float(r.abs().max()) for r in reference))
    if not mode.lossy and difference > EQUAL * scale:
        raise UnfitError(f"its outputs differ from torch's by {difference:.1e}")
    return difference


@dataclass
class _Contest:
    """Each mode against the fastest so far, so that two are in memory at most, beside torch."""

    subject: Subject
    measure: Measure
    best: Candidate
    speedups: dict[str, float] = field(default_factory=lambda: {str(PLAIN): 1.0})
    failures: dict[str, str] = field(default_factory=dict)
    lasting: bool = True

    def enter(self, other: Candidate) -> None:
        """Measure a candidate against the best one, and keep the faster."""
        runs = [partial(self.subject.run, each.stages) for each in (self.best, other)]
        ours, theirs = self.measure(runs)
        self.speedups[str(other.mode)] = self.speedups[str(self.best.mode)] * ours / theirs
        if theirs < ours * EDGE:
            self.best = other

    def refuse(self, mode: Mode, failure: UnfitError) -> None:
        """Write down that a mode does not work."""
        _logger.info("%s can't compute the %s encoder: %s", mode, self.subject.modality, failure)
        self.failures[str(mode)] = str(failure)
        self.lasting = self.lasting and not isinstance(failure, PassingError)


def best_of(subject: Subject, modes: Iterable[Mode], place: Workplace, measure: Measure) -> Outcome:
    """Return the fastest of those modes that work; torch always does."""
    contest = _Contest(subject, measure, plain(subject))
    reference = reference_of(subject)
    for mode in modes:
        if mode == PLAIN:
            continue
        try:
            contest.enter(candidate(subject, mode, place, reference))
        except UnfitError as failure:
            contest.refuse(mode, failure)
    times = Times(contest.speedups, contest.failures, str(contest.best.mode))
    return Outcome(contest.best, times, contest.lasting)
