"""Any published system of speech and text: an encoder per modality and the system's head.

Beside the head there is one small linear probe per modality on the detached pooled vector, so that
a model of two modalities can also answer from one alone, while the text is still to come. Probes
change nothing in the published computation: they take no part in the fusion, and no gradient of
theirs reaches an encoder (Alain & Bengio 2016, Understanding intermediate layers using linear
classifier probes, arXiv 1610.01644).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

from torch import Tensor, nn
from torch.nn import functional as F

from core.errors import ConfigError
from core.models.base import EmotionModel
from core.models.outputs import EmotionOutput, Encoded, Features, ModelInputs
from core.models.specification import Problem, Specification
from core.models.systems.build import build_head
from core.models.systems.head import HeadSizes, Variant
from core.models.systems.readout import Readout
from core.models.systems.registry import system
from core.types import Modality

ARCHITECTURE = "speech_text"
"""Name of this architecture in the registry."""

_ORDER = (Modality.SPEECH, Modality.TEXT)


@dataclass(frozen=True, slots=True)
class SpeechTextConfig:
    """A system, and how its head is made.

    system: name in `systems.registry.SYSTEMS`.
    affect: whether there are outputs for arousal and valence.
    head: options of the system's head that differ from the published values.
    """

    system: str
    variant: Variant = Variant.CORRECTED
    affect: bool = False
    head: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote. Raises ConfigError for an unknown key or value."""
        if unknown := sorted(set(values) - {f.name for f in fields(cls)}):
            raise ConfigError(f"A speech-text model has no {', '.join(unknown)}.")
        try:
            return cls(
                system=str(values["system"]),
                variant=Variant(values.get("variant", Variant.CORRECTED)),
                affect=bool(values.get("affect", False)),
                head=dict(values.get("head") or {}),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError(f"A speech-text model can't be made of this ({error}).") from error

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "system": self.system,
            "variant": self.variant.value,
            "affect": self.affect,
            "head": dict(self.head),
        }


def make_specification(
    config: SpeechTextConfig,
    labels: tuple[str, ...],
    *,
    problem: Problem = Problem.SINGLE_LABEL,
    languages: tuple[str, ...] = (),
) -> Specification:
    """Return what a model of this system says about itself.

    A system of one modality can't do without it; one of both can do without either.
    """
    modalities = system(config.system).modalities
    return Specification(
        labels=labels,
        modalities=modalities,
        languages=languages,
        problem=problem,
        required=modalities if len(modalities) == 1 else (),
        affect=config.affect,
    )


class Probe(nn.Module):
    """What one modality says alone: LN and a linear layer on its pooled vector, detached."""

    def __init__(self, width: int, sizes: HeadSizes) -> None:
        super().__init__()
        self.width = width
        self.out = Readout(width, sizes)

    def forward(self, encoded: Encoded) -> EmotionOutput:
        """Read out pooled (B, D); the gradient ends here."""
        pooled = encoded.pooled.detach()
        output: EmotionOutput = self.out(F.layer_norm(pooled, (self.width,)))
        return output


class SpeechTextModel(EmotionModel):
    """Encoders, probes and a published head.

    Attention maps are the head's, and `modality` (B, 2): the head's, or one and zero where only
    one modality was there.

    Args:
        specification: fits the system (see `make_specification`).
        config: which system.
        speech: encoder with `dim`, `config()` and `forward(ModelInputs) -> Encoded`, or None.
        text: the same for text.

    Raises:
        ConfigError: encoders, specification and system do not fit one another.
    """

    def __init__(
        self,
        specification: Specification,
        config: SpeechTextConfig,
        *,
        speech: nn.Module | None = None,
        text: nn.Module | None = None,
    ) -> None:
        super().__init__(specification)
        self.architecture = config
        given = {Modality.SPEECH: speech, Modality.TEXT: text}
        _check(specification, config, given)
        sizes = HeadSizes(
            speech=_width(speech),
            text=_width(text),
            classes=len(specification.labels),
            affect=config.affect,
            exclusive=specification.problem is Problem.SINGLE_LABEL,
        )
        self.speech, self.text = speech, text
        self.head = build_head(config.system, sizes, config.variant, config.head)
        probed = [m for m in system(config.system).modalities if not self.is_unimodal]
        self.probes = nn.ModuleDict({m.value: Probe(_width(given[m]), sizes) for m in probed})

    @classmethod
    def from_config(cls, specification: Specification, config: Mapping[str, Any]) -> Self:
        """Build an untrained model, encoders included, from a checkpoint's `model` section.

        Raises:
            ConfigError: a key is unknown, or parts do not fit one another.
        """
        from core.models.encoders.build import build_speech_encoder, build_text_encoder

        given = dict(config)
        speech, text = given.pop("speech", None), given.pop("text", None)
        return cls(
            specification,
            SpeechTextConfig.from_dict(given),
            speech=None if speech is None else build_speech_encoder(speech),
            text=None if text is None else build_text_encoder(text),
        )

    def config(self) -> dict[str, Any]:
        """Return the plain values with which `from_config` builds the same architecture."""
        encoders = {m.value: self.encoder(m) for m in _ORDER}
        described = {n: None if e is None else _described(e) for n, e in encoders.items()}
        return {**self.architecture.to_dict(), **described}

    @property
    def is_unimodal(self) -> bool:
        """Whether the system takes one modality only."""
        return len(system(self.architecture.system).modalities) == 1

    @property
    def feature_sizes(self) -> tuple[int, int] | None:
        """How many rows of the map `feature` are dimensions of the speech and of the text."""
        return self.head.feature_sizes

    def encoder(self, modality: Modality) -> nn.Module | None:
        """Return the encoder of a modality, or None."""
        return self.speech if modality is Modality.SPEECH else self.text

    def encoder_parameters(self, modality: Modality | None = None) -> list[nn.Parameter]:
        """Return what is trained in the encoders, or in that of one modality."""
        chosen = _ORDER if modality is None else (modality,)
        encoders = [e for m in chosen if (e := self.encoder(m)) is not None]
        return [p for encoder in encoders for p in encoder.parameters() if p.requires_grad]

    def head_parameters(self) -> list[nn.Parameter]:
        """Return what is trained in the head and in the probes."""
        parts = (*self.head.parameters(), *self.probes.parameters())
        return [p for p in parts if p.requires_grad]

    def encode(self, inputs: ModelInputs) -> Features:
        """Encode each modality that is there, and fill in what it says alone.

        Raises:
            ValueError: there is nothing that this system takes.
        """
        speech = text = None
        if self.speech is not None and _has_speech(inputs):
            speech = self._answered(self.speech(inputs), Modality.SPEECH)
        if self.text is not None and inputs.tokens is not None:
            text = self._answered(self.text(inputs), Modality.TEXT)
        if speech is None and text is None:
            raise ValueError("nothing was given that this system takes")
        return Features(speech, text)

    def _answered(self, encoded: Encoded, modality: Modality) -> Encoded:
        return replace(encoded, logits=self._alone(encoded, modality).logits)

    def _alone(self, encoded: Encoded, modality: Modality) -> EmotionOutput:
        """Return what one modality says: its probe, or the head of a system without probes."""
        if modality.value in self.probes:
            return self.probes[modality.value](encoded)
        if modality is Modality.SPEECH:
            return self.head(encoded, None)
        return self.head(None, encoded)

    def forward(self, features: Features, context: Any | None = None) -> EmotionOutput:
        """Return the head's output, or what the only modality there is says alone.

        Of a system of both modalities `auxiliary` also holds "speech_alone" and "text_alone"
        (B, C), with affect "speech_alone_arousal" (B,) and so on: what trains the probes.

        Raises:
            ValueError: there is nothing that this system takes.
        """
        encoded = {Modality.SPEECH: features.speech, Modality.TEXT: features.text}
        taken = system(self.architecture.system).modalities
        there = {m: e for m in taken if (e := encoded[m]) is not None}
        if not there:
            raise ValueError("nothing was encoded that this system takes")
        alone = {m: self._alone(e, m) for m, e in there.items()}
        if len(there) == 1:
            return _with_probes(_sole(*next(iter(alone.items()))), alone if self.probes else {})
        output: EmotionOutput = self.head(features.speech, features.text)
        return _with_probes(output, alone)


def _described(encoder: nn.Module) -> dict[str, Any]:
    described: dict[str, Any] = encoder.config()  # type: ignore[operator]
    return described


def _width(encoder: nn.Module | None) -> int:
    return 0 if encoder is None else int(encoder.dim)  # type: ignore[arg-type]


def _has_speech(inputs: ModelInputs) -> bool:
    return inputs.waveform is not None or inputs.speech is not None


def _check(
    specification: Specification,
    config: SpeechTextConfig,
    encoders: Mapping[Modality, nn.Module | None],
) -> None:
    """Raise ConfigError unless the parts fit one another."""
    taken = system(config.system).modalities
    for modality, encoder in encoders.items():
        if modality in taken and encoder is None:
            raise ConfigError(
                f"The system {config.system!r} needs {modality.value}, but there is no"
                f" {modality.value} encoder.",
                "Name one in the configuration, or choose another system.",
            )
        if modality not in taken and encoder is not None:
            raise ConfigError(
                f"The system {config.system!r} takes no {modality.value}, but a"
                f" {modality.value} encoder was given.",
                "Leave it out, or choose another system.",
            )
    if set(specification.modalities) != set(taken):
        stated = " and ".join(m.value for m in specification.modalities)
        raise ConfigError(f"The system {config.system!r} does not take just {stated}.")
    if specification.affect != config.affect:
        has = "has" if config.affect else "has no"
        raise ConfigError(f"The model {has} arousal and valence; its specification differs.")


def _sole(modality: Modality, output: EmotionOutput) -> EmotionOutput:
    """Say that one modality decided alone."""
    share = output.logits.new_zeros(len(output.logits), 2)
    share[:, _ORDER.index(modality)] = 1.0
    return replace(output, attentions={**output.attentions, "modality": share})


def _with_probes(output: EmotionOutput, alone: Mapping[Modality, EmotionOutput]) -> EmotionOutput:
    probes: dict[str, Tensor] = {}
    for modality, said in alone.items():
        name = f"{modality.value}_alone"
        probes[name] = said.logits
        if said.arousal is not None and said.valence is not None:
            probes |= {f"{name}_arousal": said.arousal, f"{name}_valence": said.valence}
    return replace(output, auxiliary={**output.auxiliary, **probes})
