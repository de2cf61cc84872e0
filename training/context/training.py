"""Training a dialogue model on features of utterances, by the trainer of everything else.

trained = train_dialogue(config, model, train, validation)
answers(trained.model, dev, "causal").probabilities(trained.temperature)
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
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
        score: sets that the kept model judges at the end, in every reading.
        run_dir: for the state of the training, so that a killed one goes on; None: not kept.
        reporter: None: silent.
        fingerprint: of what is trained on; a state of another is not gone on with.

    Raises:
        ConfigError: a set is empty or of another kind than the model.
        TrainingError: a loss or gradient is not finite.
    """
    _check(model, {"train": train, "validation": validation, **(score or {})})
    started = time.monotonic()
    most = model.specification.speakers
    packed, judged = (pack(part, most, config.speakers) for part in (train, validation))
    turn = make_turn_loss(config.loss, packed.labels, len(train.classes))
    objective = dialogue_objective(config, model, packed, turn, validation, judged)
    trainer = Trainer(config.trainer, objective, run_dir, reporter or Reporter(silent=True),
                      fingerprint)  # fmt: skip
    outcome = trainer.fit(resume)
    model.eval()

    def read(part: DialogueSet) -> dict[str, Answers]:
        return {r: answers(model, part, r, numbering=config.speakers) for r in config.readings}

    found = read(validation)
    temperature = found[config.readings[0]].temperature()
    told = {name: read(part) for name, part in (score or {}).items()}
    return TrainedDialogue(model, outcome, found, temperature, time.monotonic() - started, told)


def dialogue_objective(
    config: ContextTraining,
    model: DialogueModel,
    packed: PackedDialogues,
    turn: TurnLoss,
    validation: DialogueSet,
    judged: PackedDialogues,
) -> Objective:
    """Return what the trainer trains.

    Args:
        packed: the training part. judged: `validation`, packed.
    """
    criterion = DialogueCriterion(turn, len(validation.classes), config.auxiliary)
    batches = DialogueBatches(packed, config.windows, config.batches, config.hiding)

    def validate(network: nn.Module) -> dict[str, float]:
        assert isinstance(network, DialogueModel)
        return validation_metrics(network, validation, judged, config.readings, turn)

    return Objective(
        model, batches, batches.steps, criterion, validate,
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
