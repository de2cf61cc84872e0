"""Figures of the real comparison with intervals: speakers are resampled, and seeds.

Every figure is a vector (1 + R,): its value, and its values on R resamples. Resamples are the same
for all rows, so the difference of two figures is paired, speaker by speaker and seed by seed: rows
of one seed have seen the same clips in the same order, and may share a first stage.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.labels import EMOTIONS
from core.models.two_stage_config import EMOTION, GENDER, STYLE
from core.quality.error_rates import ErrorCounts, character_errors, word_errors
from training.data.corpora.speech import Clip
from training.evaluation.metrics import RESAMPLES, Estimate, bootstrap_weights, uar_of, wa_of
from training.multitask.targets import UNKNOWN
from training.reproduce.two_stage_real_batches import gender_of, style_of
from training.reproduce.two_stage_real_parts import Fold
from training.reproduce.two_stage_real_training import Said

UA, WA, CER, WER = "ua", "wa", "cer", "wer"

Vector = NDArray[np.float64]
Cells = NDArray[np.float64]


def of(figure: str, corpus: str) -> str:
    """Return the name of a figure of one corpus; without a corpus it is the mean of all."""
    return f"{figure}:{corpus}"


@dataclass(frozen=True)
class Judged:
    """Which clips are judged, and by whom they are spoken.

    Attributes:
        clips: of all corpora. test: (n,) rows that are judged, fold after fold.
        honest, unsaid: (n,) see `two_stage_real_parts.Fold`.
        weights: corpus -> (1 + R, S) how often each speaker counts, the first row all ones.
        people: corpus -> its S speakers. parts: corpus -> (S,) in which fold each is judged.
        allowed: corpus -> (C,) the emotions that occur in it.
    """

    clips: Sequence[Clip]
    test: NDArray[np.int64]
    honest: NDArray[np.bool_]
    unsaid: NDArray[np.bool_]
    weights: Mapping[str, Cells]
    people: Mapping[str, tuple[str, ...]]
    parts: Mapping[str, NDArray[np.int64]]
    allowed: Mapping[str, NDArray[np.bool_]]

    @property
    def spoken(self) -> list[Clip]:
        """The clips that are judged."""
        return [self.clips[row] for row in self.test.tolist()]


def judged_clips(clips: Sequence[Clip], folds: Sequence[Fold]) -> Judged:
    """Return what the folds judge, with resamples of its speakers."""
    test = np.concatenate([fold.test for fold in folds])
    spoken = [clips[row] for row in test.tolist()]
    corpora = sorted({clip.corpus for clip in spoken})
    people = {c: tuple(sorted({x.speaker for x in spoken if x.corpus == c})) for c in corpora}
    weights = {
        corpus: np.concatenate([np.ones((1, len(who))), bootstrap_weights(len(who), seed=number)])
        for number, (corpus, who) in enumerate(people.items())
    }
    allowed = {
        c: np.isin(EMOTIONS, sorted({x.emotion for x in clips if x.corpus == c})) for c in corpora
    }
    fold_of = {clips[row].speaker: at for at, f in enumerate(folds) for row in f.test.tolist()}
    parts = {corpus: np.array([fold_of[name] for name in who]) for corpus, who in people.items()}
    return Judged(
        clips, test, np.concatenate([fold.honest for fold in folds]),
        np.concatenate([fold.unsaid for fold in folds]), weights, people, parts, allowed,
    )  # fmt: skip


def figures_of(
    judged: Judged, seeds: Sequence[Sequence[Said]], *, recognises: bool
) -> dict[str, Vector]:
    """Return every figure of a row, the mean over its seeds.

    Args:
        seeds: what the trainings of each seed said, fold after fold.
        recognises: the row has a head that writes.
    """
    heard = [_Heard(judged, said, recognises) for said in seeds]
    found: dict[str, Vector] = {}
    for corpus in judged.people:
        counts = [one.counts(corpus) for one in heard]
        shares = _shares(judged, corpus, len(seeds))
        for kind, how in _FIGURES.items():
            if kind in counts[0]:
                cells = np.stack([one[kind] for one in counts])
                summed = np.einsum("rsk,ksc->rc", shares, cells)
                found |= {of(name, corpus): vector for name, vector in how(kind, summed).items()}
    return found | _means(found)


def _shares(judged: Judged, corpus: str, seeds: int) -> Cells:
    """Return (1 + R, S, seeds) how much each speaker, as judged by each seed, counts."""
    resamples, folds = RESAMPLES, 1 + max(int(x.max()) for x in judged.parts.values())
    generator = np.random.default_rng(seeds)
    drawn = generator.multinomial(seeds, np.full(seeds, 1 / seeds), (resamples, folds)) / seeds
    every = np.concatenate([np.full((1, folds, seeds), 1 / seeds), drawn])
    return np.asarray(judged.weights[corpus][:, :, None] * every[:, judged.parts[corpus]])


def estimate_of(vector: Vector) -> Estimate:
    """Return a figure with its 95 % interval."""
    low, high = np.nanpercentile(vector[1:], [2.5, 97.5])
    return Estimate(float(vector[0]), float(low), float(high))


def _means(found: Mapping[str, Vector]) -> dict[str, Vector]:
    """Return the mean over corpora of each figure; of recognition there is none."""
    groups: dict[str, list[Vector]] = {}
    for name, vector in found.items():
        groups.setdefault(name.partition(":")[0], []).append(vector)
    return {n: np.mean(v, axis=0) for n, v in groups.items() if n not in (CER, WER)}


class _Heard:
    """What the trainings of one seed said, fold after fold, counted by speaker."""

    def __init__(self, judged: Judged, said: Sequence[Said], recognises: bool) -> None:
        names = said[0].logits
        self._judged = judged
        self._logits = {name: np.concatenate([x.logits[name] for x in said]) for name in names}
        self._texts = [text for x in said for text in x.texts] if recognises else []

    def counts(self, corpus: str) -> dict[str, Cells]:
        """Return (S, cells) by kind: confusions, wrong and right, or errors and length."""
        found = {EMOTION: self._emotion(corpus)}
        for task, truth in ((GENDER, gender_of), (STYLE, style_of)):
            found |= self._right(corpus, task, truth)
        return found | self._errors(corpus)

    def _emotion(self, corpus: str) -> Cells:
        judged, size = self._judged, len(EMOTIONS)
        logits = np.where(judged.allowed[corpus], self._logits[EMOTION], -np.inf)
        pairs = [
            (clip.speaker, (clip.label or 0) * size + int(answer))
            for clip, answer, counts in zip(
                judged.spoken, logits.argmax(axis=1), judged.honest, strict=True
            )
            if counts and clip.corpus == corpus
        ]
        return _by_speaker(judged.people[corpus], pairs, size * size)

    def _right(self, corpus: str, task: str, truth: Callable[[Clip], int]) -> dict[str, Cells]:
        if task not in self._logits:
            return {}
        answers = self._logits[task].argmax(axis=1).tolist()
        pairs = [
            (clip.speaker, int(answer == truth(clip)))
            for clip, answer in zip(self._judged.spoken, answers, strict=True)
            if clip.corpus == corpus and truth(clip) != UNKNOWN
        ]
        return {task: _by_speaker(self._judged.people[corpus], pairs, 2)} if pairs else {}

    def _errors(self, corpus: str) -> dict[str, Cells]:
        """Count errors on scripts that nobody in the training part has said."""
        unsaid = self._judged.unsaid
        told: dict[str, list[tuple[str, str]]] = {name: [] for name in self._judged.people[corpus]}
        for clip, text, counts in zip(self._judged.spoken, self._texts, unsaid, strict=False):
            if counts and clip.corpus == corpus:
                told[clip.speaker].append((clip.text, text))
        if not any(told.values()):
            return {}
        return {name: _counted(told.values(), how) for name, how in _ERRORS.items()}


_ERRORS = {CER: character_errors, WER: word_errors}


def _counted(
    told: Iterable[Sequence[tuple[str, str]]],
    how: Callable[[Sequence[str], Sequence[str]], ErrorCounts],
) -> Cells:
    """Return (S, 2) errors and length of what each speaker said."""
    found = [how([said for said, _ in mine], [heard for _, heard in mine]) for mine in told]
    return np.array([[one.errors, one.length] for one in found], dtype=np.float64)


def _recalls(_: str, summed: Cells) -> dict[str, Vector]:
    matrix = summed.reshape(-1, len(EMOTIONS), len(EMOTIONS))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a resample may lack an emotion
        return {UA: uar_of(matrix), WA: wa_of(matrix)}


def _rate(kind: str, summed: Cells) -> dict[str, Vector]:
    return {kind: summed[:, 1] / summed.sum(axis=1)}


def _errors(kind: str, summed: Cells) -> dict[str, Vector]:
    return {kind: summed[:, 0] / np.maximum(summed[:, 1], 1)}


_FIGURES: Mapping[str, Callable[[str, Cells], dict[str, Vector]]] = {
    EMOTION: _recalls, GENDER: _rate, STYLE: _rate, CER: _errors, WER: _errors,
}  # fmt: skip
"""Kind of counts -> figures of their sums (1 + R, cells)."""


def _by_speaker(people: Sequence[str], pairs: Sequence[tuple[str, int]], cells: int) -> Cells:
    """Return how often each speaker (S, cells) falls into each cell."""
    counts = np.zeros((len(people), cells))
    place = {name: at for at, name in enumerate(people)}
    for name, cell in pairs:
        counts[place[name], cell] += 1
    return counts


RESAMPLED = f"95 %, {RESAMPLES} resamples of the speakers of each corpus"
SEEDS_TOO = ", and of the seeds of each fold"
