"""Frozen values that cross boundaries between threads and packages.

Time is an integer sample index at 16 kHz from the start of the session; audio is float32 in
[-1, 1].
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
"""Hz, everywhere behind an audio source."""

WINDOW = 512
"""Samples in one block: the frame of the voice activity detector (32 ms)."""

FloatArray: TypeAlias = NDArray[np.float32]


def seconds(samples: int) -> float:
    """Return a sample count or index as seconds."""
    return samples / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class AudioBlock:
    """A piece of a source. `samples` has shape (channels, n); `start` is its sample index."""

    samples: FloatArray
    start: int


@dataclass(frozen=True, slots=True)
class Utterance:
    """A stretch of speech by one speaker, growing (`is_final` false) or complete.

    `samples` has shape (n,), with end - start == n. Partials of one utterance share `index`;
    `revision` counts them. `channel` is the source channel it was heard on. `paused` marks a
    partial whose speaker has stopped: if nothing more is said, the final covers just its samples,
    so whatever is found out about it now need not be found out again.
    """

    index: int
    start: int
    end: int
    samples: FloatArray
    speaker: str | None = None
    channel: int = 0
    is_final: bool = True
    revision: int = 0
    paused: bool = False

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return seconds(self.end - self.start)


@dataclass(frozen=True, slots=True)
class Word:
    """A recognised word; times in seconds from the start of the session."""

    text: str
    start: float
    end: float
    confidence: float


class TranscriptSource(StrEnum):
    """Where a text came from."""

    RECOGNITION = "recognition"
    ANNOTATION = "annotation"


@dataclass(frozen=True, slots=True)
class Transcript:
    """The text of an utterance.

    Of a partial text `stable` is the prefix that later passes keep and `tentative` the rest; of a
    final text `tentative` is empty. `rejection` names the gate that refused the text (it is then
    empty and no model may see it).
    """

    stable: str
    tentative: str = ""
    language: str | None = None
    words: tuple[Word, ...] = ()
    confidence: float = 1.0
    is_final: bool = True
    source: TranscriptSource = TranscriptSource.RECOGNITION
    rejection: str | None = None

    @property
    def text(self) -> str:
        """Stable and tentative text together."""
        return f"{self.stable} {self.tentative}".strip() if self.tentative else self.stable


class AttentionKind(StrEnum):
    """What an attention map relates; the window picks the picture from this."""

    TOKEN = "token"
    FRAME = "frame"
    FEATURE = "feature"
    MODALITY = "modality"
    SPATIAL = "spatial"
    TURN = "turn"


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of an attention map: a name per position, and its time span (s) where it has one.

    Times are seconds from the start of the utterance.
    """

    name: str
    labels: tuple[str, ...] = ()
    spans: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class AttentionMap:
    """Attention weights of shape (queries, keys), at most 256 x 256, rows summing to one."""

    name: str
    kind: AttentionKind
    weights: FloatArray
    query_axis: Axis
    key_axis: Axis


class Modality(StrEnum):
    """What a model can listen to or look at."""

    SPEECH = "speech"
    TEXT = "text"
    VISION = "vision"


@dataclass(frozen=True, slots=True)
class RuntimeInfo:
    """What computes one encoder of a model.

    name: in `core.models.runtimes.base.RUNTIMES`. precision: "fp32", "fp16", "bf16" or "int8".
    reason: code of why it was chosen: `measured` (the fastest here), `chosen` (asked for), `only`
        (nothing else applies), `fallback` (another one failed; `detail` says which and why).
    speedup: how many times as fast as plain torch on this machine, None where not measured.
    difference: largest absolute difference from plain torch in fp32 when it was checked.
    lossy: whether its outputs differ by more than rounding.
    """

    modality: Modality
    name: str
    precision: str = "fp32"
    reason: str = "only"
    detail: str = ""
    speedup: float | None = None
    difference: float | None = None
    lossy: bool = False


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What is shown and stored about a model: `digest` is the sha256 of its weights (hex).

    `runtimes` say what computes its pretrained encoders; empty for compact ones, and before the
    model is loaded.
    """

    name: str
    version: str
    digest: str
    labels: tuple[str, ...]
    modalities: tuple[Modality, ...]
    languages: tuple[str, ...] = ()
    device: str = "cpu"
    device_reason: str = ""
    runtimes: tuple[RuntimeInfo, ...] = ()
    personal: str = ""
    """Name of the personal adapter that took part; empty: none."""


class Doubt(StrEnum):
    """Why a result is "not sure"."""

    TOO_SHORT = "too_short"
    TOO_NOISY = "too_noisy"
    TOO_EVEN = "too_even"
    BORDERLINE = "borderline"
    """A label that stands for itself is just above or just below its threshold."""


@dataclass(frozen=True, slots=True)
class EmotionResult:
    """What a model says about one utterance.

    `probabilities` (one per label) come from everything available; `by_modality` holds what each
    modality alone would say. They sum to one if the labels are `exclusive`; else each stands for
    itself, and a label is given when it reaches its threshold (`thresholds`, empty if exclusive).
    `modality_share` sums to one.
    `affect_derived` is true when arousal and valence (in [-1, 1]) were computed from the
    probabilities rather than predicted. `baseline_seconds` is how much of the speaker's own
    speech the personal baseline rested on (0: none). `notes` are codes such as
    `text_language_unknown`. `compute_seconds` is the model's own time. `features` are the pooled
    vectors (D,) of each modality, for the dialogue model alone: results that leave the emotion
    thread have none.
    """

    labels: tuple[str, ...]
    probabilities: tuple[float, ...]
    arousal: float | None
    valence: float | None
    affect_derived: bool
    doubts: tuple[Doubt, ...]
    modalities: tuple[Modality, ...]
    modality_share: Mapping[Modality, float]
    by_modality: Mapping[Modality, tuple[float, ...]]
    attentions: tuple[AttentionMap, ...]
    model: ModelInfo
    baseline_seconds: float = 0.0
    notes: tuple[str, ...] = ()
    compute_seconds: float = 0.0
    exclusive: bool = True
    thresholds: tuple[float, ...] = ()
    features: Mapping[Modality, FloatArray] = field(default_factory=dict, repr=False, compare=False)

    @property
    def given(self) -> tuple[str, ...]:
        """The labels this result gives, the most probable first.

        One if they are exclusive; else those that reach their thresholds, which may be none.
        """
        return self.given_by(self.probabilities)

    def given_by(self, probabilities: tuple[float, ...]) -> tuple[str, ...]:
        """Return the labels that other probabilities of the same labels would give."""
        ranked = sorted(zip(probabilities, self.labels, strict=True), key=lambda pair: -pair[0])
        if self.exclusive:
            return (ranked[0][1],)
        least = dict(zip(self.labels, self.thresholds, strict=True))
        return tuple(label for p, label in ranked if p >= least[label])

    @property
    def label(self) -> str:
        """The most probable label of those given (also when uncertain), or of all if none is."""
        given = self.given
        return given[0] if given else self.labels[int(np.argmax(self.probabilities))]

    @property
    def uncertain(self) -> bool:
        """True when the evidence is too short, too noisy or too even."""
        return bool(self.doubts)

    @property
    def confidence(self) -> float:
        """Probability of `label`."""
        return self.probabilities[self.labels.index(self.label)]


class ContextScope(StrEnum):
    """Which turns of the dialogue a result in context rests on."""

    PAST = "past"
    """The turn itself and those before it: what could be said when it was spoken."""
    LATER = "later"
    """Also turns that came after it: a revision, never put in place of what was said first."""


@dataclass(frozen=True, slots=True)
class ContextResult:
    """What a dialogue model says about one turn among the turns of its dialogue.

    `probabilities` sum to one. `alone` is what the same computation says of the turn without any
    other turn, so the difference is what context did. `turns` are the indices (`Turn.index`) of the
    turns it looked at, by start, the turn itself among them; `attention` has one weight for each of
    them and sums to one, or is empty when the model can't say what it drew on. `nested` holds the
    probabilities by nested (Matryoshka) size, the whole size among them; empty for a model without
    nested sizes. `doubts` say why it is "not sure".
    """

    labels: tuple[str, ...]
    probabilities: tuple[float, ...]
    scope: ContextScope
    alone: tuple[float, ...]
    turns: tuple[int, ...]
    attention: tuple[float, ...]
    model: ModelInfo
    nested: Mapping[int, tuple[float, ...]] = field(default_factory=dict)
    compute_seconds: float = 0.0
    doubts: tuple[Doubt, ...] = ()

    @property
    def uncertain(self) -> bool:
        """True when the evidence is too short, too noisy or too even."""
        return bool(self.doubts)

    @property
    def label(self) -> str:
        """The most probable label."""
        return self.labels[int(np.argmax(self.probabilities))]

    @property
    def label_alone(self) -> str:
        """The most probable label without context."""
        return self.labels[int(np.argmax(self.alone))]

    @property
    def confidence(self) -> float:
        """Probability of `label`."""
        return max(self.probabilities)


@dataclass(frozen=True, slots=True)
class NestedSize:
    """A nested (Matryoshka) size of a dialogue model.

    `parameters` and `bytes` (fp32) are those of the model cut to it; `milliseconds` is what one new
    turn in a full window costs with it, measured on this machine when the model was loaded.
    """

    size: int
    parameters: int
    bytes: int
    milliseconds: float


@dataclass(frozen=True, slots=True)
class ContextInfo:
    """A dialogue model that is ready: how many turns it looks at, and its nested sizes, if any."""

    model: ModelInfo
    window: int
    sizes: tuple[NestedSize, ...] = ()


class TurnStatus(StrEnum):
    """How far a turn has come."""

    PARTIAL = "partial"
    """Still being spoken."""
    SPEECH = "speech"
    """Complete; judged by the speech alone, the text is still to come."""
    FINAL = "final"
    """Complete; will not change."""


@dataclass(frozen=True, slots=True)
class Turn:
    """An utterance with its text and emotion; `start` and `end` are sample indices.

    `context` is what the dialogue model said when the turn was the newest, and never changes;
    `hindsight` is what it says with later turns in view (a revision), replaced as these come.
    """

    index: int
    start: int
    end: int
    speaker: str | None
    status: TurnStatus
    transcript: Transcript | None = None
    emotion: EmotionResult | None = None
    channel: int = 0
    notes: tuple[str, ...] = ()
    context: ContextResult | None = None
    hindsight: ContextResult | None = None


EMPTY_MAPPING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence for the user, as a code with named values so that the window can translate it."""

    code: str
    values: Mapping[str, str] = field(default_factory=lambda: EMPTY_MAPPING)
