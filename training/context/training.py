"""Training a dialogue model on features of utterances, by the trainer of everything else.

trained = train_dialogue(config, model, train, validation)
answers(trained.model, dev, "causal").probabilities(trained.temperature)
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from core.errors import ConfigError
from core.models.context.base import DialogueModel
from core.models.context.registry import dialogue_architecture
from core.models.context.specification import DialogueSpecification
from training.context.answers import Answers, answers, answers_of
from training.context.config import ContextTraining, ModelChoice
from training.context.loss import TurnLoss, make_turn_loss
from training.context.objective import DialogueCriterion, place_dialogues, split_dialogues
from training.context.packed import PackedDialogues, pack
from training.context.scores import scored, values
from training.context.teachers import (
    OF_STUDENTS,
    TaughtOnline,
    TeacherChoice,
    frozen,
    set_of_modality,
    student_of,
)
from training.context.windows import DialogueBatches
from training.data.dialogues import DialogueSet
from training.objective import Objective, Outcome
from training.progress import Reporter
from training.trainer import Trainer


@dataclass(frozen=True)
class TrainedDialogue:
    """A trained model and what came of it.

    Attributes:
        model: in evaluation mode, with the weights that were kept.
        outcome: best validation metric, its epoch, and a row per epoch.
        validation: reading -> what the kept model says of the validation dialogues.
        temperature: fitted on them, in the first reading that was validated.
        seconds: that it took.
    """

    model: DialogueModel
    outcome: Outcome
    validation: Mapping[str, Answers]
    temperature: float
    seconds: float
    scored: Mapping[str, Mapping[str, Answers]] = field(default_factory=dict)
    """Name of a set that was to be scored -> reading -> answers."""


def build_model(
    choice: ModelChoice, dialogues: DialogueSet, seed: int = 0, **about: object
) -> DialogueModel:
    """Return an untrained model for the features and classes of a set.

    Args:
        choice: architecture, options, window and speakers.
        dialogues: of which it takes features, classes, and the digest of their utterance model.
        seed: of the first weights.
        about: more of the specification: `utterance_name`, `languages`.

    Raises:
        ConfigError: an option is unknown or makes no sense.
    """
    specification = DialogueSpecification(
        dialogues.classes,
        dialogues.sizes,
        choice.window,
        choice.speakers,
        dialogues.origin,
        **about,  # type: ignore[arg-type]
    )
    torch.manual_seed(seed)
    try:
        kind = dialogue_architecture(choice.architecture)
        return kind.from_config(specification, choice.options)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"No {choice.architecture} can be built of these options ({error}).",
            "Correct the model's options.",
        ) from error


def train_dialogue(
    config: ContextTraining,
    model: DialogueModel,
    train: DialogueSet,
    validation: DialogueSet,
    *,
    teachers: Mapping[str, DialogueModel] | None = None,
    score: Mapping[str, DialogueSet] | None = None,
    run_dir: Path | None = None,
    reporter: Reporter | None = None,
    resume: bool = False,
    fingerprint: str = "",
) -> TrainedDialogue:
    """Train `model` (in place), keep the best epoch, and fit its temperature.

    Args:
        config: how.
        model: untrained; see `build_model`.
        train, validation: of the same classes and features; the second chooses the epoch.
        teachers: modality name -> model, trained before (see `train_teachers`) or, of the online
            variant, to be trained beside it; only with distillation.
        score: sets that the kept model judges at the end, in every reading.
        run_dir: for the state of the training, so that a killed one goes on; None: not kept.
        reporter: None: silent.
        fingerprint: of what is trained on; a state of another is not gone on with.

    Raises:
        ConfigError: a set is empty or of another kind than the model, or losses and model do not
            fit one another.
        TrainingError: a loss or gradient is not finite.
    """
    _check(model, {"train": train, "validation": validation, **(score or {})})
    _check_teachers(config, teachers or {})
    started = time.monotonic()
    most = model.specification.speakers
    packed, judged = (pack(part, most, config.speakers) for part in (train, validation))
    turn = make_turn_loss(config.loss, packed.labels, len(train.classes))
    objective = dialogue_objective(config, model, teachers or {}, packed, turn, validation, judged)
    said = reporter or Reporter(silent=True)
    outcome = Trainer(config.trainer, objective, run_dir, said, fingerprint).fit(resume)
    model.eval()

    def read(part: DialogueSet) -> dict[str, Answers]:
        return {r: answers(model, part, r, numbering=config.speakers) for r in config.readings}

    found = read(validation)
    return TrainedDialogue(
        model,
        outcome,
        found,
        found[config.readings[0]].temperature(),
        time.monotonic() - started,
        {name: read(part) for name, part in (score or {}).items()},
    )


def train_teachers(
    config: ContextTraining,
    choice: ModelChoice,
    train: DialogueSet,
    validation: DialogueSet,
    *,
    run_dir: Path | None = None,
    reporter: Reporter | None = None,
    resume: bool = False,
    fingerprint: str = "",
) -> dict[str, DialogueModel]:
    """Return a teacher per modality, each trained alone on that modality and frozen.

    Of the online variant they are returned untrained, to be trained beside the student.

    Args:
        config: of the student; teachers are trained alike, but for nested sizes and students.
        choice: of the student.
        run_dir: each teacher has a folder in it.
    """
    if config.distillation is None:
        return {}
    own = replace(
        config, matryoshka=None, distillation=None, teachers=TeacherChoice(),
        trainer=config.teachers.trainer or config.trainer,
    )  # fmt: skip
    found: dict[str, DialogueModel] = {}
    for name in config.teachers.modalities or tuple(train.sizes):
        mine, others = (set_of_modality(part, name) for part in (train, validation))
        model = build_model(teacher_model(choice, config.teachers), mine, own.trainer.seed)
        found[name] = model
        if config.distillation.online:
            continue
        if reporter is not None:
            reporter.say(f"teacher of {name}")
        train_dialogue(
            own, model, mine, others, reporter=reporter, resume=resume, fingerprint=fingerprint,
            run_dir=None if run_dir is None else run_dir / f"teacher_{name}",
        )  # fmt: skip
    return found if config.distillation.online else frozen(found)


def teacher_model(student: ModelChoice, teachers: TeacherChoice) -> ModelChoice:
    """Return which model a teacher is."""
    if teachers.architecture and teachers.architecture != student.architecture:
        return replace(student, architecture=teachers.architecture, options=teachers.options)
    inherited = {k: v for k, v in student.options.items() if k not in OF_STUDENTS}
    return replace(student, options={**inherited, **teachers.options})


def dialogue_objective(
    config: ContextTraining,
    model: DialogueModel,
    teachers: Mapping[str, DialogueModel],
    packed: PackedDialogues,
    turn: TurnLoss,
    validation: DialogueSet,
    judged: PackedDialogues,
) -> Objective:
    """Return what the trainer trains.

    Args:
        packed: the training part. judged: `validation`, packed.
    """
    online = config.distillation is not None and config.distillation.online
    criterion = DialogueCriterion(
        turn, len(validation.classes), config, {} if online else frozen(teachers)
    )
    batches = DialogueBatches(packed, config.windows, config.batches, config.hiding)

    def validate(network: nn.Module) -> dict[str, float]:
        student = student_of(network)
        return validation_metrics(student, validation, judged, config.readings, turn)

    return Objective(
        TaughtOnline(model, teachers) if online else model,
        batches, batches.steps, criterion, validate,
        normalisers=criterion.normalisers,
        split=split_dialogues,
        place=place_dialogues,
    )  # fmt: skip


def validation_metrics(
    model: DialogueModel,
    validation: DialogueSet,
    judged: PackedDialogues,
    readings: tuple[str, ...],
    turn: TurnLoss,
) -> dict[str, float]:
    """Return `loss` in the first reading, and READING_f1_weighted and so on in each."""
    found: dict[str, float] = {}
    for reading in readings:
        said = answers_of(model, validation, judged, reading)
        if not found:
            logits = torch.from_numpy(said.logits)
            found["loss"] = float(turn(logits, torch.from_numpy(said.truth)))
        for name, value in values(scored(said)).items():
            found[f"{reading}_{name}"] = value
    return found


def _check(model: DialogueModel, parts: Mapping[str, DialogueSet]) -> None:
    """Raise ConfigError unless every set suits the model and has a labelled turn."""
    specification = model.specification
    for name, part in parts.items():
        if not any(np.any(d.labels >= 0) for d in part.dialogues):
            raise ConfigError(
                f"The part '{name}' has no labelled turn.", "Check the corpus and its split."
            )
        if part.classes != specification.labels or dict(part.sizes) != dict(specification.features):
            raise ConfigError(
                f"The part '{name}' has other classes or features than the model.",
                "Build the model for the set it is trained on.",
            )


def _check_teachers(config: ContextTraining, teachers: Mapping[str, DialogueModel]) -> None:
    if bool(teachers) != (config.distillation is not None):
        raise ConfigError(
            "There are teachers without distillation."
            if teachers
            else "There is distillation without teachers.",
            "Give train_dialogue what train_teachers returns for the same configuration.",
        )
