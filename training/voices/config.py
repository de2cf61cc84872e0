"""What the YAML of the voice embedding may say; every key is explained in configs/voices.yaml."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.models.voices.front_end import VoiceFrontEndConfig
from core.models.voices.network import VoiceNetworkConfig
from training.data.augmentation import AugmentationConfig
from training.data.speech_bank import VirtualSpeakers
from training.trainer_config import TrainerConfig
from training.voices.warping import Warp


@dataclass(frozen=True, slots=True)
class VoiceSamplingConfig:
    """What a batch and an epoch are made of.

    voices: different voices in a batch, all of one corpus. clips: of each of them, in different
    emotions where there are any. batches: in an epoch. shortest, longest: frames of speech of a
    batch, drawn anew for each.
    """

    voices: int = 12
    clips: int = 4
    batches: int = 60
    shortest: int = 50
    longest: int = 190

    def __post_init__(self) -> None:
        if self.voices < 2 or self.clips < 2 or self.batches < 1:
            raise ValueError("a batch needs two voices and two clips of each, an epoch one batch")
        if not 1 <= self.shortest <= self.longest:
            raise ValueError("frames: shortest must be positive and not above longest")


@dataclass(frozen=True, slots=True)
class VoiceLossConfig:
    """scale, margin: of the additive-margin softmax; prototypical: weight of that loss beside it.

    Wang et al. (2018), Additive margin softmax for face verification, IEEE SPL 25(7), eq. 6;
    Chung et al. (2020), In defence of metric learning for speaker recognition, Interspeech, 3.2.
    """

    scale: float = 20.0
    margin: float = 0.2
    prototypical: float = 0.5

    def __post_init__(self) -> None:
        if self.scale <= 0 or not 0 <= self.margin < 1 or self.prototypical < 0:
            raise ValueError("scale must be positive, margin in [0, 1), prototypical not negative")


@dataclass(frozen=True)
class VoicesConfig:
    """The training of the voice embedding."""

    trainer: TrainerConfig
    front_end: VoiceFrontEndConfig = field(default_factory=VoiceFrontEndConfig)
    network: VoiceNetworkConfig = field(default_factory=VoiceNetworkConfig)
    copies: tuple[VirtualSpeakers, ...] = ()
    warps: tuple[Warp, ...] = ()
    sampling: VoiceSamplingConfig = field(default_factory=VoiceSamplingConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    loss: VoiceLossConfig = field(default_factory=VoiceLossConfig)
    folds: int = 4
