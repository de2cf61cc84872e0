"""The choice for one encoder: what is asked for, else the fastest of what may be taken."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import torch

from core.models.runtimes.base import Mode, Preference, UnfitError, Workplace, available
from core.models.runtimes.choosing import PLAIN, Candidate, best_of, candidate, plain, reference_of
from core.models.runtimes.exports import ExportCache
from core.models.runtimes.measured import Measure, Memory, Times, this_machine
from core.models.runtimes.subjects import Stages, Subject, weights_hash
from core.models.size import number_of_parameters
from core.types import Modality, RuntimeInfo

_logger = logging.getLogger(__name__)

SMALL = 5_000_000
"""Parameters below which an encoder is left to torch unless something is asked for by name."""
LARGEST_EXPORT = 200_000_000
"""Parameters beyond which nothing is exported for equal outputs unless asked by name: it takes a
minute and several GB, and "packed" is as fast for large encoders (2.23 and 2.24 times torch)."""

WITHOUT_EXPORT = (Mode("packed"), PLAIN)
"""What is fallen back to, in this order."""


@dataclass(frozen=True, slots=True)
class Fitting:
    """How to choose for the encoders of one checkpoint; see `equip.equip` for the fields."""

    wanted: Preference
    digest: str
    threads: int
    exports: ExportCache
    memory: Memory
    store: Path | None
    measure: Measure

    def fit(self, subject: Subject) -> RuntimeInfo:
        """Choose for one encoder, and let it be computed so."""
        with torch.inference_mode():
            stages = self._chosen(subject)
        info = stages.info
        subject.fit(None if info.name == PLAIN.runtime else stages)
        _logger.info("%s by %s, %s. %s", info.modality, info.name, info.reason, info.detail)
        return info

    def _chosen(self, subject: Subject) -> Stages:
        if not subject.can_change:
            return plain(subject).chosen("only", "no_stages")
        size = number_of_parameters(subject.encoder)
        if self.wanted.mode is None and size < SMALL:
            return plain(subject).chosen("only", "small")
        weights = weights_hash(subject.encoder, self.digest, subject.modality)
        place = Workplace(self.exports, weights, self.threads)
        if self.wanted.mode is not None:
            return self._asked_for(subject, self.wanted.mode, place)
        return self._fastest(subject, self._allowed(subject.modality, size), place)

    def _asked_for(self, subject: Subject, mode: Mode, place: Workplace) -> Stages:
        """Return the stages of a mode, or of what is left with the reason."""
        reference, problem = reference_of(subject), ""
        for tried in (mode, *WITHOUT_EXPORT):
            try:
                found = candidate(subject, tried, place, reference)
            except UnfitError as failure:
                problem = problem or f"{tried}: {failure}"
                continue
            return found.chosen("fallback" if problem else "chosen", problem)
        raise AssertionError("torch always works")

    def _fastest(self, subject: Subject, modes: tuple[Mode, ...], place: Workplace) -> Stages:
        names = " ".join(map(str, modes))
        key = {**this_machine(self.threads), "encoder": place.weights, "modes": names}
        known = self.memory.recall(key)
        if known is not None and (found := self._again(subject, modes, place, known)) is not None:
            return found
        outcome = best_of(subject, modes, place, self.measure)
        if outcome.lasting:
            self.memory.keep(key, outcome.times)
        return _explained(outcome.best, outcome.times)

    def _again(
        self, subject: Subject, modes: tuple[Mode, ...], place: Workplace, known: Times
    ) -> Stages | None:
        """Return what was the fastest before, None if it does not work any more."""
        mode = next((mode for mode in modes if str(mode) == known.best), PLAIN)
        try:
            found = candidate(subject, mode, place, reference_of(subject))
        except UnfitError as failure:
            _logger.info("%s does not work any more: %s", mode, failure)
            return None
        return _explained(found, known)

    def _allowed(self, modality: Modality, size: int) -> tuple[Mode, ...]:
        """Return what may be chosen unasked."""
        return tuple(
            mode
            for mode in available()
            if (
                self.wanted.lossy and self._passed(modality, mode)
                if mode.lossy
                else mode.runtime in _NAMES_WITHOUT_EXPORT or size <= LARGEST_EXPORT
            )
        )

    def _passed(self, modality: Modality, mode: Mode) -> bool:
        """Return whether this checkpoint is as good with a lossy mode as without."""
        try:
            from core.quality import passed
        except ImportError:
            return False
        return passed(self.digest, modality, mode, self.store) is not None


_NAMES_WITHOUT_EXPORT = frozenset(mode.runtime for mode in WITHOUT_EXPORT)


def _explained(best: Candidate, times: Times) -> Stages:
    """Return the stages of the fastest, and how it came to be."""
    failures = "; ".join(f"{mode}: {why}" for mode, why in times.failures.items())
    speedup = times.speedups.get(str(best.mode))
    if failures and best.mode in WITHOUT_EXPORT:
        return best.chosen("fallback", failures, speedup)
    return best.chosen("measured" if len(times.speedups) > 1 else "only", "", speedup)
