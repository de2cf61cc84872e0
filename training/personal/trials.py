"""One person corrects some turns: what an adapter then does to the rest of what they say."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.models.manifest import CheckpointInfo
from core.personal.adapter import PersonalAdapter
from core.personal.adapting import fitted_adapter, lessons_of
from core.personal.corrections import CorrectionStore
from core.personal.evidence import ClipEvidence, Spoken, Witness
from core.personal.lessons import Lessons
from core.personal.trial import Trial, try_out
from core.personal.types import Correction, Gain, PersonalAdapterInfo
from training.evaluation.clips import Clip, read_samples
from training.personal.material import Person

if TYPE_CHECKING:
    from training.personal.folds import Heard

TRUE, SHUFFLED, CARELESS = "true", "shuffled", "careless"
"""Labels as they are, in a random order, or three in ten of them at random."""
CARELESS_SHARE = 0.3
WAYS = (TRUE, SHUFFLED, CARELESS)

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one draw of corrections.

    Attributes:
        labels: `TRUE`, `SHUFFLED` or `CARELESS`.
        kept: whether the rule kept the adapter; `told` is the gain that the user would be told.
        before, after: accuracy on the rest; uar_before, uar_after: mean recall of its labels.
    """

    corpus: str
    speaker: str
    flag: str
    corrections: int
    draw: int
    labels: str
    kept: bool
    told: Gain
    before: float
    after: float
    uar_before: float
    uar_after: float


@dataclass(frozen=True, slots=True)
class Settings:
    """`rest`: at most so many other clips are judged. `text`: whether texts are given."""

    rest: int = 200
    text: bool = False


def outcomes_of(
    witness: Witness, person: Person, corrections: int, draw: int, settings: Settings
) -> list[Outcome]:
    """Let a person correct random clips of theirs, in each way of labelling.

    Corrections go through a store on the disk, as in the app.
    """
    random = np.random.default_rng([draw, corrections, *person.speaker.encode()])
    order = random.permutation(len(person.clips))
    chosen = [person.clips[i] for i in order[:corrections]]
    rest = [person.clips[i] for i in order[corrections : corrections + settings.rest]]
    with tempfile.TemporaryDirectory() as folder:
        store = CorrectionStore(Path(folder))
        given = _corrected(store, person, chosen, settings)
        witness.hear([clip for _, clip in given])
        judged = list(witness.judge([clip for _, clip in given]))
    pairs = [(c, e) for (c, _), e in zip(given, judged, strict=True) if e is not None]
    others = [_spoken(clip, settings) for clip in rest]
    scored = [
        (e, clip) for clip, e in zip(rest, witness.judge(others), strict=True) if e is not None
    ]
    info, evidence = witness.info, [e for e, _ in scored]
    truth = np.array([info.specification.labels.index(clip.label or "") for _, clip in scored])
    return [
        _outcome(
            person,
            lessons_of(info, _labelled(pairs, labels, info, random)),
            evidence,
            truth,
            labels,
            draw,
        )
        for labels in WAYS
    ]


def fold_outcomes(heard: Heard, corrections: int, draw: int, settings: Settings) -> list[Outcome]:
    """Do the same with clips that a model of a fold has judged (see `training.personal.folds`)."""
    lessons = heard.lessons
    random = np.random.default_rng([draw, corrections, *heard.speaker.encode()])
    order = random.permutation(len(lessons.given))
    chosen = [lessons.given[i] for i in order[:corrections]]
    rest = [lessons.given[i] for i in order[corrections : corrections + settings.rest]]
    evidence, truth = [one.evidence for one in rest], np.array([one.truth for one in rest])
    person = Person(heard.corpus, heard.speaker, ())
    found = []
    for labels in WAYS:
        names = _changed(np.array([c.truth for c in chosen]), labels, len(lessons.labels), random)
        given = tuple(replace(c, truth=int(n)) for c, n in zip(chosen, names, strict=True))
        learned = replace(lessons, given=given)
        found.append(_outcome(person, learned, evidence, truth, labels, draw))
    return found


def _corrected(
    store: CorrectionStore, person: Person, clips: Sequence[Clip], settings: Settings
) -> list[tuple[Correction, Spoken]]:
    given = []
    for clip in clips:
        spoken = _spoken(clip, settings)
        correction = store.add(
            spoken.samples,
            person=person.speaker,
            label=clip.label or "",
            text=clip.text,
            source=clip.name,
            end=spoken.samples.size / 16_000,
        )
        given.append((correction, replace(spoken, samples=store.clip(correction.id))))
    return given


def _spoken(clip: Clip, settings: Settings) -> Spoken:
    text = clip.text if settings.text else None
    return Spoken(read_samples(clip.path), text or None, clip.language or None)


def _labelled(
    pairs: Sequence[tuple[Correction, ClipEvidence]],
    labels: str,
    info: CheckpointInfo,
    random: np.random.Generator,
) -> list[tuple[Correction, ClipEvidence]]:
    """Return corrections as somebody would make them who labels in this way."""
    known = info.specification.labels
    truth = np.array([known.index(c.label) for c, _ in pairs])
    found = _changed(truth, labels, len(known), random)
    return [(replace(c, label=known[n]), e) for (c, e), n in zip(pairs, found, strict=True)]


def _changed(truth: Indices, labels: str, classes: int, random: np.random.Generator) -> Indices:
    """Return labels (n,) as somebody would give them who labels in this way."""
    if labels == SHUFFLED:
        return random.permutation(truth)
    if labels == CARELESS:
        wrong = random.random(len(truth)) < CARELESS_SHARE
        return np.where(wrong, random.integers(0, classes, len(truth)), truth)
    return truth


def _outcome(
    person: Person,
    lessons: Lessons,
    evidence: Sequence[ClipEvidence],
    truth: Indices,
    labels: str,
    draw: int,
) -> Outcome:
    trial = try_out(lessons)
    adapter = fitted_adapter(lessons, _info(person, trial), None)
    before, after = _chosen(lessons, adapter, evidence)
    return Outcome(
        person.corpus,
        person.speaker,
        person.flag,
        len(lessons.given),
        draw,
        labels,
        trial.helps,
        trial.gain,
        float((before == truth).mean()),
        float((after == truth).mean()),
        _uar(before, truth),
        _uar(after, truth),
    )


def _chosen(
    lessons: Lessons, adapter: PersonalAdapter, evidence: Sequence[ClipEvidence]
) -> tuple[Indices, Indices]:
    """Return the labels (n,) without and with an adapter, as they are shown in a session."""
    calibration, problem = lessons.calibration, lessons.problem
    found = []
    for look in (one.final for one in evidence):
        vector = look.vectors[adapter.modality]
        corrected = adapter.corrected(look.logits, vector, look.path, calibration)
        for logits in (look.logits, corrected):
            found.append(calibration.probabilities(logits, look.path, problem, look.seconds))
    chosen = np.array(found).argmax(axis=1)
    return chosen[::2], chosen[1::2]


def _uar(chosen: Indices, truth: Indices) -> float:
    return float(np.mean([(chosen[truth == c] == c).mean() for c in np.unique(truth)]))


def _info(person: Person, trial: Trial) -> PersonalAdapterInfo:
    name, gain = person.speaker, trial.gain
    return PersonalAdapterInfo(Path(), name, name, "", "", gain.judged, gain, "")
