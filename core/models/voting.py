"""Soft voting of four trained checkpoints: the hybrid of the RSA-CFN paper, "3+4+7+10".

The rows late, early, residual and RSA-CFN were each trained for themselves, encoders included, and
their probabilities are averaged. `soft_voting` makes one model of four: of four heads on the same
encoders where these were frozen, else of four whole models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import torch
from torch import nn

from core.errors import CheckpointError, ConfigError
from core.models.base import EmotionModel
from core.models.outputs import EmotionOutput, Encoded, Features, ModelInputs
from core.models.specification import Problem, Specification
from core.models.speech_text import SpeechTextConfig, SpeechTextModel
from core.models.systems.hybrid import VOTERS, HybridHead
from core.models.systems.readout import mean_affect, vote_softly
from core.types import Modality


class VotingModel(EmotionModel):
    """Four whole models, each with its own encoders, whose probabilities are averaged.

    Pooled vectors of all members lie side by side in `Encoded.pooled`; `sequence` and `mask` are
    the first member's, since none of these systems looks at them.

    Args:
        specification: that of every member.
        members: by the names of their systems, all of `VOTERS`.

    Raises:
        CheckpointError: a system is missing, is another one than its name says, or says
            something else than the others.
    """

    def __init__(
        self, specification: Specification, members: Mapping[str, SpeechTextModel]
    ) -> None:
        super().__init__(specification)
        _check(members)
        self.members = nn.ModuleDict({name: members[name] for name in VOTERS})

    @classmethod
    def from_config(cls, specification: Specification, config: Mapping[str, Any]) -> Self:
        """Build untrained members from a checkpoint's `model` section: {"members": {name: ...}}.

        Raises:
            ConfigError: it makes no sense.
        """
        members = config.get("members")
        if set(config) != {"members"} or not isinstance(members, Mapping):
            raise ConfigError("A voting model is made of its members, and of nothing else.")
        built = {n: SpeechTextModel.from_config(specification, m) for n, m in members.items()}
        return cls(specification, built)

    def config(self) -> dict[str, Any]:
        """Return the plain values with which `from_config` builds the same architecture."""
        return {"members": {m.architecture.system: m.config() for m in self._models()}}

    def _models(self) -> list[SpeechTextModel]:
        return [m for m in self.members.values() if isinstance(m, SpeechTextModel)]

    def encode(self, inputs: ModelInputs) -> Features:
        """Let every member encode what is there. Raises ValueError when nothing is."""
        encoded = [member.encode(inputs) for member in self._models()]
        return Features(
            self._joined([features.speech for features in encoded]),
            self._joined([features.text for features in encoded]),
        )

    def _joined(self, encoded: Sequence[Encoded | None]) -> Encoded | None:
        there = [one for one in encoded if one is not None]
        if not there:
            return None
        logits = torch.stack([one.logits for one in there], dim=1)
        return replace(
            there[0],
            pooled=torch.cat([one.pooled for one in there], dim=1),
            logits=vote_softly(logits, exclusive=self._exclusive),
        )

    @property
    def _exclusive(self) -> bool:
        return self.specification.problem is Problem.SINGLE_LABEL

    def forward(self, features: Features, context: Any | None = None) -> EmotionOutput:
        """Return the vote. Raises ValueError when nothing was encoded."""
        speech = self._split(features.speech, Modality.SPEECH)
        text = self._split(features.text, Modality.TEXT)
        outputs: list[EmotionOutput] = [
            member(Features(heard, read))
            for member, heard, read in zip(self._models(), speech, text, strict=True)
        ]
        stacked = torch.stack([output.logits for output in outputs], dim=1)  # (B, 4, C)
        arousal, valence = mean_affect(outputs)
        maps = {name: weight for o in outputs for name, weight in o.attentions.items()}
        logits = vote_softly(stacked, exclusive=self._exclusive)
        return EmotionOutput(logits, arousal, valence, maps, {"voters": stacked})

    def _split(self, encoded: Encoded | None, modality: Modality) -> list[Encoded | None]:
        if encoded is None:
            return [None] * len(self.members)
        widths = [int(m.encoder(modality).dim) for m in self._models()]  # type: ignore[union-attr,arg-type]
        return [
            replace(encoded, pooled=part) for part in torch.split(encoded.pooled, widths, dim=1)
        ]


def soft_voting(models: Mapping[str, SpeechTextModel]) -> SpeechTextModel | VotingModel:
    """Return a model that averages the probabilities of four trained ones.

    Args:
        models: of the systems in `VOTERS`, by name.

    Returns:
        a hybrid on the shared encoders if those of all models are the same, weights included, with
        probes whose logits are the mean of theirs; else a `VotingModel`.

    Raises:
        CheckpointError: a system is missing, or they differ in what they say.
    """
    _check(models)
    chosen = [models[name] for name in VOTERS]
    first = chosen[0]
    if not all(_same_encoders(first, other) for other in chosen[1:]):
        return VotingModel(first.specification, models).eval()
    options = {name: dict(models[name].architecture.head) for name in VOTERS}
    config = SpeechTextConfig(
        "hybrid",
        first.architecture.variant,
        first.architecture.affect,
        {"voting": "probabilities", "voters": options},
    )
    hybrid = SpeechTextModel(first.specification, config, speech=first.speech, text=first.text)
    heads = {name: models[name].head for name in VOTERS}
    hybrid.head.load_state_dict(HybridHead.of_heads(heads, options).state_dict())
    hybrid.probes.load_state_dict(_mean_state([model.probes for model in chosen]))
    return hybrid.eval()


def _check(models: Mapping[str, SpeechTextModel]) -> None:
    if missing := sorted(set(VOTERS) - set(models)):
        raise CheckpointError(f"A vote also needs {', '.join(missing)}.")
    if unknown := sorted(set(models) - set(VOTERS)):
        raise CheckpointError(f"{', '.join(unknown)} has no vote: only {', '.join(VOTERS)} have.")
    wrong = [n for n, m in models.items() if m.architecture.system != n]
    if wrong:
        raise CheckpointError(f"What votes as {', '.join(wrong)} is another system.")
    specifications = [m.specification for m in models.values()]
    said = {(s.labels, s.problem, s.affect) for s in specifications}
    if len(said) > 1:
        raise CheckpointError("The models that are to vote differ in what they say.")


def _same_encoders(one: SpeechTextModel, other: SpeechTextModel) -> bool:
    for modality in (Modality.SPEECH, Modality.TEXT):
        first, second = one.encoder(modality), other.encoder(modality)
        if first is None or second is None:
            return False
        if first is not second and not _same_weights(first, second):
            return False
    return True


def _same_weights(one: nn.Module, other: nn.Module) -> bool:
    if one.config() != other.config():  # type: ignore[operator]
        return False
    first, second = one.state_dict(), other.state_dict()
    return first.keys() == second.keys() and all(
        torch.equal(tensor, second[name]) for name, tensor in first.items()
    )


def _mean_state(modules: Sequence[nn.Module]) -> dict[str, torch.Tensor]:
    """Return the mean of weights: of linear layers, what gives the mean of their outputs."""
    states = [module.state_dict() for module in modules]
    return {name: torch.stack([s[name] for s in states]).mean(dim=0) for name in states[0]}
