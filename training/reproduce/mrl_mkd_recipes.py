"""How the systems of the MRL/MKD paper are trained: as training/configs/dialogue says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from core.errors import ConfigError
from training import config as configuration
from training.context.answers import READINGS
from training.context.config import ModelChoice
from training.context.stage_config import DialogueConfig
from training.context.teachers import OF_STUDENTS, TeacherChoice
from training.data.buckets import BucketConfig
from training.reproduce.adaptation import CONFIGS
from training.reproduce.mrl_mkd_systems import SYSTEMS, DialogueRecipe, as_system

READING = "full"
"""The whole dialogue in view, as the paper judges."""
UTTERANCE, BILSTM = "utterance", "bilstm"
TITLES: Mapping[str, str] = {
    UTTERANCE: "the utterance alone",
    BILSTM: "bidirectional LSTM",
    "mglra": "MGLRA",
    "mrl": "MRL",
    "mrl-e": "MRL-E",
    "mkd": "MKD",
    "mrl+mkd": "MRL + MKD",
    "mrl-e+mkd": "MRL-E + MKD",
}
"""Rows of a comparison on words alone by name, in the order of the table."""
QUICK_EPOCHS = 2


def read_config(name: str) -> DialogueConfig:
    """Read a configuration of training/configs/dialogue. Raises ConfigError."""
    path = CONFIGS / "dialogue" / f"{name}.yaml"
    mapping = configuration.read_yaml(path)
    mapping.pop("stage", None)
    return configuration.from_mapping(DialogueConfig, mapping, path)


def published_recipe(corpus: str, variant: str) -> DialogueRecipe:
    """Return the published hyper-parameters, with the epoch chosen on a validation part.

    Adam 1e-4, weight decay 3e-5, batches of 16 whole dialogues, 60 epochs; class weights on
    IEMOCAP, the released focal loss on MELD; D_g 512 and 1024.
    """
    config = read_config(f"{corpus}_features")
    training = replace(config.training, readings=(READING,))
    options = {**config.model.options, "variant": variant}
    return DialogueRecipe(training, replace(config.model, options=options))


def quick_recipe(corpus: str, variant: str) -> DialogueRecipe:
    """Return a shrunken recipe: narrow, a few epochs of larger steps."""
    recipe = published_recipe(corpus, variant)
    trainer = replace(recipe.training.trainer, epochs=8, learning_rate=3e-3)
    return DialogueRecipe(
        replace(recipe.training, trainer=trainer, batches=BucketConfig(size=8, pool=1)),
        replace(recipe.model, options={**recipe.model.options, "dim": 32, "node": 24}),
    )


@dataclass(frozen=True, slots=True)
class TextRecipe:
    """How models of words alone are trained on a corpus; all of a table alike.

    Attributes:
        config: whose model is MGLRA and whose baselines are the utterance alone, which is also the
            teacher, and an LSTM.
    """

    config: DialogueConfig

    def of(self, system: str, variant: str, *, quick: bool = False) -> DialogueRecipe:
        """Return how a row of `TITLES` is trained.

        Args:
            variant: of MGLRA.
            quick: for seconds, to see that everything works.

        Raises:
            ConfigError: the configuration lacks a baseline.
        """
        if system not in SYSTEMS:
            return self._baseline(system, quick)
        given = self.config.model.options
        options = {k: v for k, v in given.items() if k not in OF_STUDENTS} | {"variant": variant}
        mglra = self._recipe(replace(self.config.model, options=options), quick)
        return as_system(system, mglra, teachers=self._baseline(UTTERANCE, quick))

    def _baseline(self, name: str, quick: bool) -> DialogueRecipe:
        if name not in self.config.baselines:
            raise ConfigError(f"{self.config.name} has no baseline {name!r}.", "Add it there.")
        options: Mapping[str, Any] = self.config.baselines[name]
        return self._recipe(replace(self.config.model, architecture=name, options=options), quick)

    def _recipe(self, model: ModelChoice, quick: bool) -> DialogueRecipe:
        training = replace(
            self.config.training, matryoshka=None, distillation=None, teachers=TeacherChoice(),
            readings=READINGS,
        )  # fmt: skip
        if quick:
            trainer = replace(training.trainer, epochs=QUICK_EPOCHS)
            training = replace(training, trainer=trainer)
        return DialogueRecipe(training, model)


def text_recipe(corpus: str) -> TextRecipe:
    """Return the recipe of a corpus of words. Raises ConfigError."""
    return TextRecipe(read_config(f"{corpus}_text"))
