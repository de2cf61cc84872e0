"""The trainings of the real comparison, each run once however many rows need it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from training.data.speech_batches import SpeechSource, global_statistics
from training.multitask.vocabulary import Vocabulary
from training.progress import Reporter
from training.reproduce.two_stage_real_batches import TaskSource, gender_of, style_of
from training.reproduce.two_stage_real_kept import KeptTrainings, key_of
from training.reproduce.two_stage_real_parts import FOLDS, Fold
from training.reproduce.two_stage_real_plan import chain, training
from training.reproduce.two_stage_real_training import (
    Lesson,
    RealRecipe,
    Said,
    Start,
    train_and_judge,
)
from training.speech import SpeechCorpus

UNITS = "jamo"
"""Of Korean; other languages are spelled in characters."""


class Runs:
    """Trains what is asked for, and what that starts from; keeps it in memory and on disk.

    Args:
        lessons: one per fold. seed: from 0; no two trainings of a stage have the same randomness.
    """

    def __init__(
        self, lessons: Sequence[Lesson], seed: int, kept: KeptTrainings, reporter: Reporter
    ) -> None:
        self._lessons = [replace(x, seed=x.seed + FOLDS * seed) for x in lessons]
        self._kept = kept
        self._reporter = reporter
        self._done: dict[str, tuple[Start, Said]] = {}

    def said(self, name: str) -> list[Said]:
        """Return what a training says of the clips of each fold."""
        return [self._said(name, lesson) for lesson in self._lessons]

    @property
    def seconds(self) -> float:
        """Of all trainings so far, those that were kept from before included."""
        return sum(said.seconds for _, said in self._done.values())

    def _said(self, name: str, lesson: Lesson) -> Said:
        start: Start | None = None
        for stage in chain(name):
            start, said = self._trained(stage.name, lesson, start)
        return said

    def _trained(self, name: str, lesson: Lesson, start: Start | None) -> tuple[Start, Said]:
        key = key_of(name, lesson)
        if key not in self._done:
            self._done[key] = self._kept.find(key) or self._train(name, lesson, start, key)
        return self._done[key]

    def _train(
        self, name: str, lesson: Lesson, start: Start | None, key: str
    ) -> tuple[Start, Said]:
        fold, seed = lesson.seed % FOLDS + 1, lesson.seed // FOLDS + 1
        self._reporter.say(f"two-stage: {name}, fold {fold}, seed {seed}")
        found = train_and_judge(training(name), lesson, start, self._reporter)
        self._kept.keep(key, *found)
        return found


def lesson_of(corpus: SpeechCorpus, fold: Fold, recipe: RealRecipe) -> Lesson:
    """Return what is trained on and judged in a fold; words and statistics of the training part."""
    clips = corpus.clips
    vocabulary = Vocabulary.build([clips[row].text for row in fold.train.tolist()], UNITS)
    statistics = global_statistics(clips, corpus.banks[0], fold.train)
    source = TaskSource(
        SpeechSource(clips, corpus.banks, statistics, corpus.extractor),
        np.array([gender_of(clip) for clip in clips]),
        np.array([style_of(clip) for clip in clips]),
        [vocabulary.encode(clip.text) for clip in clips],
    )
    return Lesson(source, fold.train, fold.test, vocabulary, recipe, fold.number)
