"""Which parameters of a two-stage model train in a stage; all others are frozen.

A module none of whose weights trains is in evaluation mode in training too: what it yields is what
it yields live. A layer that holds an adapter counts as trained, so its own dropouts are on, as in
any training with LoRA.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from torch import nn

from core.errors import ConfigError
from core.models.adapters import adapter_names
from core.models.two_stage import HEAD_PREFIXES, TwoStageModel
from training.multitask.config import ADAPTERS, EVERYTHING, HEADS

TASK_ADAPTERS = "task_adapters."
ENCODER = "speech."


def choose_trained(model: TwoStageModel, trains: Sequence[str]) -> None:
    """Let what `trains` names learn, and freeze everything else.

    Args:
        model: with the heads and adapters of the stage.
        trains: see `TrainingStage.trains`. Adapters after pooling are both adapters and heads.

    Raises:
        ConfigError: nothing is of that name; the sentence says what there is.
    """
    names = [name for name, _ in model.named_parameters()]
    chosen = {name for what in trains for name in _meant(what, model, names)}
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name in chosen)
    model.train(model.training)


def encoder_is_frozen(model: TwoStageModel) -> bool:
    """Tell whether none of the encoder's own weights trains, so that adapters are all it learns."""
    own = _own_of_encoder(model)
    return not any(p.requires_grad for name, p in model.named_parameters() if name in own)


def trained_count(model: nn.Module) -> int:
    """Return how many numbers train."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def _own_of_encoder(model: TwoStageModel) -> set[str]:
    added = adapter_names(model)
    names = (name for name, _ in model.named_parameters())
    return {name for name in names if name.startswith(ENCODER) and name not in added}


def _meant(what: str, model: TwoStageModel, names: Sequence[str]) -> list[str]:
    found = _GROUPS[what](model, names) if what in _GROUPS else _starting(what, names)
    if found:
        return found
    parts = dict.fromkeys(".".join(name.split(".")[:3]) for name in names)
    raise ConfigError(
        f"trains: the model has nothing called {what!r}.",
        f"It has: {', '.join([*_GROUPS, *parts])}.",
    )


def _adapters(model: TwoStageModel, names: Sequence[str]) -> list[str]:
    added = adapter_names(model)
    return [name for name in names if name in added or name.startswith(TASK_ADAPTERS)]


def _starting(what: str, names: Sequence[str]) -> list[str]:
    return [name for name in names if name.startswith(what)]


_GROUPS: Mapping[str, Callable[[TwoStageModel, Sequence[str]], list[str]]] = {
    EVERYTHING: lambda _, names: list(names),
    ADAPTERS: _adapters,
    HEADS: lambda _, names: [name for name in names if name.startswith(HEAD_PREFIXES)],
}
