"""What training data is altered by; every group can be left out, and nothing is by default.

Where each kind applies:

    waveform            samples, before the encoder     end to end, or as cached `copies`
    recognition_errors  text, before the encoder        end to end, or as cached `copies`
    masks               the encoders' features          cached features, frames end to end
    modality_dropout    features or inputs              anywhere
"""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import ConfigError
from core.types import Modality


@dataclass(frozen=True, slots=True)
class SpeedConfig:
    """Playing faster or slower, which also shifts pitch and formants (Ko et al. 2015)."""

    chance: float = 0.5
    slowest: float = 0.9
    fastest: float = 1.1

    def __post_init__(self) -> None:
        _check_chance(self.chance)
        if not 0.25 <= self.slowest <= self.fastest <= 4:
            raise ValueError("speeds must lie between 0.25 and 4, the slowest first")


@dataclass(frozen=True, slots=True)
class ReverbConfig:
    """A room: an exponentially decaying impulse response of random length (RT60, in s)."""

    chance: float = 0.3
    shortest: float = 0.1
    longest: float = 0.6
    wet: float = 0.5
    """Largest share of the energy that comes from the room."""

    def __post_init__(self) -> None:
        _check_chance(self.chance)
        if not 0 < self.shortest <= self.longest <= 10 or not 0 < self.wet < 1:
            raise ValueError("reverb must take 0 to 10 s, the shortest first, and wet be in (0, 1)")


@dataclass(frozen=True, slots=True)
class NoiseConfig:
    """Noise at a signal-to-noise ratio (dB) drawn between the two limits."""

    chance: float = 0.5
    lowest: float = 5.0
    highest: float = 30.0
    exponent: float = 1.0
    """The spectrum falls with 1 / f^exponent: 0 white, 1 pink, 2 brown."""

    def __post_init__(self) -> None:
        _check_chance(self.chance)
        if self.lowest > self.highest or not 0 <= self.exponent <= 3:
            raise ValueError("noise needs lowest <= highest, and an exponent between 0 and 3")


@dataclass(frozen=True, slots=True)
class GainConfig:
    """Louder or softer, in dB; what would clip is made as loud as can be without."""

    chance: float = 0.5
    lowest: float = -12.0
    highest: float = 6.0

    def __post_init__(self) -> None:
        _check_chance(self.chance)
        if self.lowest > self.highest:
            raise ValueError("gain needs lowest <= highest")


@dataclass(frozen=True, slots=True)
class WaveformConfig:
    """Applied in this order, as they happen: the speaker, the room, the surroundings, the level."""

    speed: SpeedConfig | None = None
    reverb: ReverbConfig | None = None
    noise: NoiseConfig | None = None
    gain: GainConfig | None = None


@dataclass(frozen=True, slots=True)
class MaskConfig:
    """Stretches of time and of features set to zero (Park et al. 2019, SpecAugment, section 2).

    Widths are drawn up to the given share of an utterance's length, or of the features.
    """

    time_masks: int = 2
    time_share: float = 0.15
    feature_masks: int = 2
    feature_share: float = 0.1

    def __post_init__(self) -> None:
        if min(self.time_masks, self.feature_masks) < 0:
            raise ValueError("the number of masks can't be negative")
        if not (0 <= self.time_share < 0.5 and 0 <= self.feature_share < 0.5):
            raise ValueError("shares of masks must be in [0, 0.5)")


@dataclass(frozen=True, slots=True)
class ModalityDropoutConfig:
    """Chance that a row loses speech, or text, never both (ModDrop, Neverova et al. 2016)."""

    speech: float = 0.1
    text: float = 0.1

    def __post_init__(self) -> None:
        if self.speech < 0 or self.text < 0 or self.speech + self.text > 1:
            raise ValueError("chances must not be negative nor exceed 1 together")


@dataclass(frozen=True, slots=True)
class RecognitionErrorsConfig:
    """Text as a speech recogniser would have it.

    rate: expected errors per character (syllable, in Korean). substitute, delete, insert: their
    shares. drop_word: chance of each word to be missing altogether (at least one stays).
    """

    chance: float = 0.5
    """Of a text to be altered at all."""
    rate: float = 0.08
    substitute: float = 0.6
    delete: float = 0.25
    insert: float = 0.15
    drop_word: float = 0.03

    def __post_init__(self) -> None:
        _check_chance(self.chance)
        shares = (self.substitute, self.delete, self.insert)
        if not 0 <= self.rate < 1 or not 0 <= self.drop_word < 1:
            raise ValueError("rate and drop_word must be in [0, 1)")
        if min(shares) < 0 or abs(sum(shares) - 1) > 1e-6:
            raise ValueError("substitute, delete and insert must be shares that sum to 1")


@dataclass(frozen=True, slots=True)
class AugmentConfig:
    """Groups to apply in training, never in validation or test."""

    waveform: WaveformConfig | None = None
    recognition_errors: RecognitionErrorsConfig | None = None
    masks: MaskConfig | None = None
    modality_dropout: ModalityDropoutConfig | None = None
    copies: int = 0
    """Altered copies of every training example that are encoded and cached beside the original;
    each epoch draws one of them. Only for frozen encoders."""

    def __post_init__(self) -> None:
        if not 0 <= self.copies <= 100:
            raise ValueError("copies must be between 0 and 100")

    def altering(self, modality: Modality) -> WaveformConfig | RecognitionErrorsConfig | None:
        """Return what changes a modality before its encoder."""
        return self.waveform if modality is Modality.SPEECH else self.recognition_errors

    def check(
        self,
        modalities: tuple[Modality, ...],
        *,
        cached: tuple[Modality, ...],
        sequence: bool = True,
        frames: bool = False,
    ) -> None:
        """Refuse what can't have an effect, before anything is loaded.

        Args:
            modalities: the system takes.
            cached: those whose encoder is frozen and whose features are cached.
            sequence: cached features keep sequences, not just pooled vectors.
            frames: the speech encoder takes frames (end to end, masks can then be laid on them).

        Raises:
            ConfigError: naming the key under `augment` and what to do.
        """
        self._check_before_encoders(modalities, cached)
        both = (Modality.SPEECH, Modality.TEXT)
        maskable = (bool(cached) and sequence) or (frames and Modality.SPEECH in modalities)
        problems = (
            (
                self.masks is not None and not maskable,
                "augment.masks needs features to be laid on",
                "Cache features with their sequences, or leave the masks out.",
            ),
            (
                self.modality_dropout is not None and set(modalities) != set(both),
                "augment.modality_dropout makes no sense with a single modality",
                "Leave it out.",
            ),
        )
        _refuse(problems)

    def _check_before_encoders(
        self, modalities: tuple[Modality, ...], cached: tuple[Modality, ...]
    ) -> None:
        names = {Modality.SPEECH: "waveform", Modality.TEXT: "recognition_errors"}
        problems = []
        for modality, name in names.items():
            wanted = self.altering(modality) is not None
            problems += [
                (
                    wanted and modality not in modalities,
                    f"augment.{name} alters {modality.value}, which the system does not take",
                    "Leave it out.",
                ),
                (
                    wanted and modality in cached and self.copies == 0,
                    f"augment.{name} can't alter features that are cached already",
                    "Set augment.copies to the number of altered copies to cache, or fine-tune "
                    "the encoder.",
                ),
            ]
        altered = [m for m in cached if self.altering(m) is not None]
        problems.append(
            (
                self.copies > 0 and not altered,
                "augment.copies are of cached features that waveform or recognition_errors alter",
                "Set copies to 0, or say what the copies shall be altered by.",
            )
        )
        _refuse(problems)


def _refuse(problems: list[tuple[bool, str, str]] | tuple[tuple[bool, str, str], ...]) -> None:
    for is_wrong, problem, remedy in problems:
        if is_wrong:
            raise ConfigError(f"{problem}.", remedy)


def _check_chance(chance: float) -> None:
    if not 0 <= chance <= 1:
        raise ValueError("chance must be between 0 and 1")
