"""The six rows of the MRL/MKD paper: what each adds to MGLRA."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from training.context.config import ContextTraining, ModelChoice
from training.losses.distillation import DistillationConfig
from training.losses.matryoshka import MatryoshkaConfig


@dataclass(frozen=True, slots=True)
class DialogueSystem:
    """What is learnt beside the labels.

    Attributes:
        nested: "" for no nested sizes, "own" for a classifier per size (MRL), "shared" for one
            (MRL-E).
        distilled: whether students of each modality learn from teachers (MKD).
    """

    nested: str = ""
    distilled: bool = False


SYSTEMS: Mapping[str, DialogueSystem] = MappingProxyType(
    {
        "mglra": DialogueSystem(),
        "mrl": DialogueSystem("own"),
        "mrl-e": DialogueSystem("shared"),
        "mkd": DialogueSystem(distilled=True),
        "mrl+mkd": DialogueSystem("own", distilled=True),
        "mrl-e+mkd": DialogueSystem("shared", distilled=True),
    }
)


@dataclass(frozen=True, slots=True)
class DialogueRecipe:
    """A model and how it is trained."""

    training: ContextTraining
    model: ModelChoice

    def with_seed(self, seed: int) -> DialogueRecipe:
        """Return the same with everything random drawn from another seed."""
        trainer = replace(self.training.trainer, seed=seed)
        return replace(self, training=replace(self.training, trainer=trainer))


def as_system(
    name: str, recipe: DialogueRecipe, teachers: DialogueRecipe | None = None
) -> DialogueRecipe:
    """Return a recipe of MGLRA with what a row adds to it: published losses, all weights 1.

    Args:
        name: in `SYSTEMS`.
        teachers: what the teachers are and how they are trained; None: as the students.
    """
    system = SYSTEMS[name]
    options, training = dict(recipe.model.options), recipe.training
    if system.nested:
        options["nested"] = {"shared": system.nested == "shared"}
        training = replace(training, matryoshka=MatryoshkaConfig())
    if system.distilled:
        options["students"] = True
        training = replace(training, distillation=DistillationConfig())
        if teachers is not None:
            choice = replace(
                training.teachers, architecture=teachers.model.architecture,
                options=teachers.model.options, trainer=teachers.training.trainer,
            )  # fmt: skip
            training = replace(training, teachers=choice)
    return DialogueRecipe(training, replace(recipe.model, options=options))
