"""From a person's corrections to an adapter: judge, try out, and keep it only if it helps."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.errors import MediaError
from core.models.manifest import CheckpointInfo, read_info
from core.personal.adapter import PersonalAdapter
from core.personal.adapter_files import save_adapter
from core.personal.catalog import adapter_folder
from core.personal.correcting import learn
from core.personal.corrections import CorrectionStore
from core.personal.folders import person_name
from core.personal.lessons import Lesson, Lessons
from core.personal.locking import writing
from core.personal.trial import FOLDS, REPEATS, Trial, try_out
from core.personal.types import AdaptationReport, Correction, PersonalAdapterInfo
from core.types import Modality

if TYPE_CHECKING:
    from core.models.baseline import SpeakerMoments
    from core.personal.evidence import ClipEvidence, Spoken, Witness
    from core.pipeline.fitted_model import Wishes

LEAST_CORRECTIONS = 10
"""Fewer are too few to learn from and to judge by."""
LEAST_RIGHT = 0.2
"""Share of the corrections that must have been right: see `core.personal.lessons`."""

KEPT, NO_GAIN, TOO_FEW, ONE_LABEL = "kept", "no_gain", "too_few", "one_label"
ONLY_WRONG, CANCELLED = "only_wrong", "cancelled"


class _Cancelled(Exception):  # noqa: N818 (nothing went wrong)
    """Somebody called it off."""


@dataclass(slots=True)
class _Progress:
    """Counts steps and looks after each whether to go on."""

    tell: Callable[[int, int], None]
    cancelled: Callable[[], bool]
    total: int = 1
    done: int = 0

    def step(self) -> None:
        """One more step is done. Raises _Cancelled."""
        self.done = min(self.done + 1, self.total)
        self.tell(self.done, self.total)
        self.check()

    def check(self) -> None:
        """Raise _Cancelled if it was called off."""
        if self.cancelled():
            raise _Cancelled


def adapt(
    store: CorrectionStore,
    person: str,
    checkpoint: Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
    *,
    wishes: Wishes | None = None,
) -> AdaptationReport:
    """Learn from what a person said about their turns; blocks for seconds.

    The adapter is written into the store's folder if it is kept, in place of an older one of the
    person for this checkpoint; else the older one stays. The checkpoint is only read.

    Args:
        store: of corrections.
        person: whose.
        checkpoint: folder of the checkpoint to adapt; the corrections may be of another one.
        progress: called with steps done and their total.
        cancelled: asked after each step; true ends it without a trace.
        wishes: where the checkpoint is to run; None: as is best.

    Raises:
        CheckpointError: the checkpoint can't be used.
        JournalError: the corrections can't be read, or the adapter can't be written.
    """
    began = time.monotonic()
    steps = _Progress(progress, cancelled)
    adaptation = _Adaptation(store, person_name(person), read_info(checkpoint), steps, wishes)
    try:
        return adaptation.run(began)
    except _Cancelled:
        return AdaptationReport(CANCELLED, None, adaptation.used, time.monotonic() - began)


@dataclass(slots=True)
class _Adaptation:
    store: CorrectionStore
    person: str
    info: CheckpointInfo
    steps: _Progress
    wishes: Wishes | None
    used: int = 0
    skipped: int = 0
    voice: SpeakerMoments | None = None
    learned: frozenset[str] = frozenset()
    """Ids of the corrections that there is something to judge by."""

    def run(self, began: float) -> AdaptationReport:
        corrections = self._usable(self.store.all(self.person))
        self.used = len(corrections)
        reason = why_not([c.label for c in corrections])
        if reason is None:
            lessons = self._lessons(corrections)
            self.used = len(lessons.given)
            reason = why_not([lessons.labels[one.truth] for one in lessons.given])
            if reason is None and (1.0 - lessons.wrong().mean()) < LEAST_RIGHT:
                reason = ONLY_WRONG
        if reason is not None:
            return self._report(reason, began, None, None)
        trial = try_out(lessons, self.steps.step)
        adapter = self._kept(lessons, trial) if trial.helps else None
        self.steps.step()
        return self._report(KEPT if adapter else NO_GAIN, began, trial, adapter)

    def _report(
        self,
        reason: str,
        began: float,
        trial: Trial | None,
        adapter: PersonalAdapterInfo | None,
    ) -> AdaptationReport:
        gain = None if trial is None else trial.gain
        took = time.monotonic() - began
        return AdaptationReport(reason, gain, self.used, took, adapter, self.skipped)

    def _usable(self, corrections: Sequence[Correction]) -> list[Correction]:
        known = set(self.info.specification.labels)
        usable = [c for c in corrections if c.label in known]
        self.skipped = len(corrections) - len(usable)
        return usable

    def _lessons(self, corrections: Sequence[Correction]) -> Lessons:
        from core.personal.evidence import Witness

        self.steps.total = 2 * len(corrections) + FOLDS * REPEATS + 1
        heard = [(c, clip) for c in corrections if (clip := self._clip(c)) is not None]
        self.steps.check()
        witness = Witness(self.info, self.wishes)
        self.steps.check()
        given = self._given(witness, heard)
        self.skipped += len(corrections) - len(given)
        self.voice = witness.voice
        self.learned = frozenset(c.id for c, _ in given)
        return lessons_of(self.info, given)

    def _given(
        self, witness: Witness, heard: Sequence[tuple[Correction, Spoken]]
    ) -> list[tuple[Correction, ClipEvidence]]:
        clips = [clip for _, clip in heard]
        witness.hear(clips, self.steps.step)
        judged = witness.judge(clips, self.steps.step)
        pairs = zip((c for c, _ in heard), judged, strict=True)
        return [(c, evidence) for c, evidence in pairs if evidence is not None]

    def _clip(self, correction: Correction) -> Spoken | None:
        from core.personal.evidence import Spoken

        self.steps.check()
        try:
            samples = self.store.clip(correction.id)
        except MediaError:
            return None
        return Spoken(samples, correction.text, correction.language)

    def _kept(self, lessons: Lessons, trial: Trial) -> PersonalAdapterInfo:
        adapter = fitted_adapter(
            lessons,
            PersonalAdapterInfo(
                path=adapter_folder(self.store.folder, self.person, self.info.digest),
                name=self.person,
                person=self.person,
                base_name=self.info.name,
                base_digest=self.info.digest,
                corrections=len(lessons.given),
                gain=trial.gain,
                made=datetime.now(UTC).isoformat(timespec="seconds"),
            ),
            self.voice,
        )
        self.steps.check()
        with writing(self.store.folder):
            self._check_wanted()
            return save_adapter(adapter)

    def _check_wanted(self) -> None:
        """Raise _Cancelled if everything that was learned from was forgotten meanwhile."""
        if self.learned.isdisjoint(c.id for c in self.store.all(self.person)):
            raise _Cancelled


def why_not(labels: Sequence[str]) -> str | None:
    """Return the code of why labels are nothing to learn from, None if they are."""
    if len(labels) < LEAST_CORRECTIONS:
        return TOO_FEW
    return ONE_LABEL if len(set(labels)) < 2 else None


def lessons_of(info: CheckpointInfo, given: Sequence[tuple[Correction, ClipEvidence]]) -> Lessons:
    """Return corrections and what the checkpoint said of them as rows to learn from."""
    specification = info.specification
    hears = Modality.SPEECH in specification.modalities
    modality = Modality.SPEECH if hears else Modality.TEXT
    return Lessons(
        tuple(
            Lesson(evidence, specification.labels.index(c.label), _group(c), c.weight)
            for c, evidence in given
            if modality in evidence.final.vectors
        ),
        modality,
        specification.problem,
        info.calibration,
        specification.labels,
    )


def fitted_adapter(
    lessons: Lessons, info: PersonalAdapterInfo, voice: SpeakerMoments | None
) -> PersonalAdapter:
    """Return an adapter that learned from everything."""
    rows = lessons.rows(np.arange(len(lessons.given)), lessons.weights())
    correcting = learn(rows, lessons.problem)
    return PersonalAdapter(
        info, lessons.labels, lessons.modality, lessons.problem, correcting, voice
    )


def _group(correction: Correction) -> str:
    """Return what names a sentence, however it is written; a clip without text stands alone."""
    words = "".join(filter(str.isalnum, (correction.text or "").casefold()))
    return words or correction.id
