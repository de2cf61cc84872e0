"""Trains the rows of a comparison of dialogue models, each once, and keeps what they said."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from core.models.context.base import DialogueModel
from training import config as configuration
from training.context.answers import Answers
from training.context.parts import DialogueParts, parts_digest
from training.context.teachers import TeacherChoice
from training.context.training import build_model, teacher_model, train_dialogue, train_teachers
from training.distributed import current
from training.reproduce.mrl_mkd_systems import DialogueRecipe
from training.reproduce.options import ReproduceOptions
from training.reproduce.real_kept import KeptHeads, Trained

VERSION = 1
"""Raised whenever the way from features to answers changes in this program's code."""


@dataclass(frozen=True)
class Run:
    """What one training came to: reading -> answers on the test part; weights; seconds."""

    answers: Mapping[str, Answers]
    parameters: int
    seconds: float


class DialogueLab:
    """Trainings on one corpus.

    Args:
        parts: of the corpus.
        options: of the command: what is kept goes into `options.out`; with `resume` a finished
            training is not done again, and one that was killed goes on.
    """

    def __init__(self, parts: DialogueParts, options: ReproduceOptions) -> None:
        self.parts = parts
        self._options = options
        self._kept = KeptHeads(options.out / "trainings", resume=options.resume)
        self._states = options.out / "states"
        self._teachers: dict[str, dict[str, DialogueModel]] = {}

    def run(self, title: str, recipe: DialogueRecipe, seed: int) -> Run:
        """Train a recipe, or take what it said before."""
        seeded = recipe.with_seed(seed)
        key = self._key(seeded)
        kept = self._kept.find(key)
        if kept is not None:
            self._options.say(f"{title}, seed {seed}: finished before")
        else:
            self._options.say(f"{title}, seed {seed}")
            kept = self._train(seeded, key)
            if current().is_main:
                self._kept.keep(key, kept)
                shutil.rmtree(self._states / key, ignore_errors=True)
        told = zip(recipe.training.readings, kept.logits, strict=True)
        return Run({r: self._answers(x) for r, x in told}, kept.parameters, kept.seconds)

    def forget_teachers(self) -> None:
        """Drop the teachers of rows that are finished."""
        for key in self._teachers:
            shutil.rmtree(self._states / key, ignore_errors=True)
        self._teachers.clear()

    def _train(self, recipe: DialogueRecipe, key: str) -> Trained:
        started = time.monotonic()
        config, parts, quick = recipe.training, self.parts, self._options.quick
        model = build_model(recipe.model, parts.train, config.trainer.seed)
        trained = train_dialogue(
            config, model, parts.train, parts.validation,
            teachers=self._taught(recipe), score={"test": parts.test},
            run_dir=None if quick else self._states / key,
            reporter=None if quick else self._options.reporter,
            resume=self._options.resume, fingerprint=self._fingerprint,
        )  # fmt: skip
        logits = np.stack([trained.scored["test"][r].logits for r in config.readings])
        parameters = sum(p.numel() for p in model.parameters())
        return Trained(logits, parameters, time.monotonic() - started)

    def _taught(self, recipe: DialogueRecipe) -> dict[str, DialogueModel]:
        """Return the teachers of a recipe; rows with the same ones share them."""
        config = recipe.training
        if config.distillation is None:
            return {}
        plain = replace(config, matryoshka=None, distillation=None, teachers=TeacherChoice())
        choice = teacher_model(recipe.model, config.teachers)
        trainer = config.teachers.trainer
        if trainer is not None:  # teachers are drawn anew with the student, not once for all
            trainer = replace(trainer, seed=config.trainer.seed)
            config = replace(config, teachers=replace(config.teachers, trainer=trainer))
        key = self._key(DialogueRecipe(plain, choice), config.teachers)
        if key not in self._teachers:
            quick = self._options.quick
            self._teachers[key] = train_teachers(
                config, recipe.model, self.parts.train, self.parts.validation,
                run_dir=None if quick else self._states / key,
                reporter=None if quick else self._options.reporter,
                resume=self._options.resume, fingerprint=self._fingerprint,
            )  # fmt: skip
        return self._teachers[key]

    def _key(self, recipe: DialogueRecipe, *more: object) -> str:
        return configuration.digest([VERSION, recipe, self._fingerprint, *more])[:32]

    @cached_property
    def _fingerprint(self) -> str:
        return parts_digest(self.parts)

    def _answers(self, logits: np.ndarray) -> Answers:
        test = self.parts.test
        return Answers(
            test.classes,
            logits,
            np.concatenate([d.labels for d in test.dialogues]),
            np.repeat(np.arange(len(test.dialogues)), [len(d) for d in test.dialogues]),
            tuple(d.corpus for d in test.dialogues),
            tuple(u for d in test.dialogues for u in (d.utterances or ("",) * len(d))),
        )


def clear_states(folder: Path) -> None:
    """Remove what interrupted trainings left, once everything is finished."""
    shutil.rmtree(folder / "states", ignore_errors=True)
