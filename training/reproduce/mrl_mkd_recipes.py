"""How the systems of the MRL/MKD paper are trained, by the corpus."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from training.context.config import ContextTraining, ModelChoice
from training.context.loss import TurnLossConfig
from training.context.packed import GIVEN
from training.context.windows import WindowConfig
from training.data.buckets import BucketConfig
from training.data.feature_files.published import CORPORA
from training.reproduce.mrl_mkd_systems import DialogueRecipe
from training.trainer_config import TrainerConfig

SEEDS: Mapping[str, int] = MappingProxyType({"iemocap": 1475, "meld": 67137})
"""As published; further trainings take the numbers that follow."""
WIDTHS: Mapping[str, int] = MappingProxyType({"iemocap": 512, "meld": 1024})
"""D_g of the released code."""
_NODE = 512
_IEMOCAP_SHARES = (0.086747, 0.144406, 0.227883, 0.160585, 0.127711, 0.252668)
_LOSSES: Mapping[str, TurnLossConfig] = MappingProxyType(
    {
        "iemocap": TurnLossConfig(weights=tuple(1 / share for share in _IEMOCAP_SHARES)),
        "meld": TurnLossConfig(kind="focal_published", gamma=2.5),
    }
)
READING = "full"
"""The whole dialogue in view, as the paper judges."""
_LONGEST = 110
"""Turns of the longest published dialogue: the window that a model is said to be for."""


def published_recipe(corpus: str, variant: str) -> DialogueRecipe:
    """Return the published hyper-parameters, with the epoch chosen on a validation part.

    Adam 1e-4, weight decay 3e-5, batches of 16 whole dialogues, 60 epochs; class weights on
    IEMOCAP, the released focal loss on MELD; D_g 512 and 1024.
    """
    training = ContextTraining(
        windows=WindowConfig(length=0, cut="whole"),
        batches=BucketConfig(size=16, pool=1),
        loss=_LOSSES[corpus],
        speakers=GIVEN,
        readings=(READING,),
        trainer=TrainerConfig(
            epochs=60, learning_rate=1e-4, schedule="constant", warmup=0.0, weight_decay=3e-5,
            gradient_clip=0.0, ema_decay=0.0, metric=f"{READING}_f1_weighted", seed=SEEDS[corpus],
        ),
    )  # fmt: skip
    options = {"variant": variant, "dim": WIDTHS[corpus], "node": _NODE}
    model = ModelChoice("mglra", options, _LONGEST, CORPORA[corpus].speakers)
    return DialogueRecipe(training, model)


def quick_recipe(corpus: str, variant: str) -> DialogueRecipe:
    """Return a shrunken recipe: narrow, a few epochs of larger steps."""
    recipe = published_recipe(corpus, variant)
    trainer = replace(recipe.training.trainer, epochs=8, learning_rate=3e-3)
    return DialogueRecipe(
        replace(recipe.training, trainer=trainer, batches=BucketConfig(size=8, pool=1)),
        replace(recipe.model, options={**recipe.model.options, "dim": 32, "node": 24}),
    )
