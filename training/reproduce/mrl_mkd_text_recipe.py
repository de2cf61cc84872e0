"""How dialogue models of words alone are trained on MELD and EmoryNLP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from training.context.config import ContextTraining, ModelChoice
from training.context.stage_config import PartsConfig
from training.context.utterance_features import EMBEDDED
from training.context.windows import HidingConfig, WindowConfig
from training.data.buckets import BucketConfig
from training.reproduce.mrl_mkd_systems import SYSTEMS, DialogueRecipe, as_system
from training.trainer_config import TrainerConfig

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
"""Rows by name, in the order of the table."""
READINGS = ("causal", "full")


def _training() -> ContextTraining:
    return ContextTraining(
        windows=WindowConfig(length=16, cut="random", draws=2, whole=0.25),
        hiding=HidingConfig(speakers=0.1),
        batches=BucketConfig(size=16),
        readings=READINGS,
        trainer=TrainerConfig(
            epochs=30, learning_rate=1e-3, weight_decay=0.01, ema_decay=0.99, patience=8,
            metric="causal_f1_weighted",
        ),
    )  # fmt: skip


def _mglra() -> Mapping[str, Any]:
    return {"dim": 128, "node": 64, "iterations": 1, "layers": 2}


def _alone() -> Mapping[str, Any]:
    return {"hidden": 128, "dropout": 0.3}


@dataclass(frozen=True, slots=True)
class TextRecipe:
    """Everything about the comparison that is not the corpus; the same for both corpora."""

    encoder: str = EMBEDDED
    """Utterance checkpoint whose text features are taken: a folder, or `embedded`."""
    window: int = 16
    """Turns that a model looks at, the current one included."""
    speakers: int = 9
    """Speakers told apart."""
    mglra: Mapping[str, Any] = field(default_factory=_mglra)
    """Options of MGLRA."""
    bilstm: Mapping[str, Any] = field(default_factory=_alone)
    """Options of the LSTM."""
    utterance: Mapping[str, Any] = field(default_factory=_alone)
    """Options of the model of single utterances, which is also the teacher."""
    training: ContextTraining = field(default_factory=_training)
    """Of all of them alike."""
    parts: PartsConfig = field(default_factory=lambda: PartsConfig(test_parts=("dev",)))
    """The published dev part is judged; the epoch is chosen on dialogues held out of train."""

    def quick(self) -> TextRecipe:
        """Return the same for seconds, to see that everything works."""
        trainer = replace(self.training.trainer, epochs=2)
        return replace(self, training=replace(self.training, trainer=trainer))

    def of(self, system: str, variant: str) -> DialogueRecipe:
        """Return how a row of `TITLES` is trained.

        Args:
            variant: of MGLRA.
        """
        alone = self._with(UTTERANCE, self.utterance)
        if system in SYSTEMS:
            mglra = self._with("mglra", {"variant": variant, **self.mglra})
            return as_system(system, mglra, teachers=alone)
        return {UTTERANCE: alone, BILSTM: self._with(BILSTM, self.bilstm)}[system]

    def _with(self, architecture: str, options: Mapping[str, Any]) -> DialogueRecipe:
        model = ModelChoice(architecture, options, self.window, self.speakers)
        return DialogueRecipe(self.training, model)
