"""What a person says about turns, and what comes of learning from it; plain values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person says a turn's emotion was; `label` equals `said` where the model was right.

    Attributes:
        id: unique; names the kept clip.
        person: whose voice it is, as the user calls them.
        label: what the person says it was; one of the model's labels.
        said: what the model had said; empty: it was not sure.
        text, language: of the transcript, None without one.
        source: name of the recording or session, and `start`, `end` in it (s), for people.
        made: when, ISO 8601 in UTC.
        digest: of the model that had said it.
        weight: how much it counts: 1 for what a person said, less for a turn that they saw and left
            alone.
    """

    id: str
    person: str
    label: str
    said: str
    text: str | None
    language: str | None
    source: str
    start: float
    end: float
    made: str
    digest: str
    weight: float = 1.0

    @property
    def confirms(self) -> bool:
        """Whether the model was right."""
        return self.label == self.said


@dataclass(frozen=True, slots=True)
class Gain:
    """Accuracy before and after on corrections that the adapter had not seen, with the difference.

    "Accurate" is what agrees with the person's labels. `low` and `high` bound the difference (95 %,
    resampling these corrections); `judged` is how many were judged; `weighed`: some counted for
    less than others, as turns that were wrong are corrected more often than they occur.
    """

    before: float
    after: float
    low: float
    high: float
    judged: int
    weighed: bool = False


@dataclass(frozen=True, slots=True)
class PersonalAdapterInfo:
    """A personal adapter in its folder: whose, for which checkpoint, and what it was worth."""

    path: Path
    name: str
    person: str
    base_name: str
    base_digest: str
    corrections: int
    gain: Gain
    made: str


@dataclass(frozen=True, slots=True)
class AdaptationReport:
    """What came of adapting: `adapter` is None when it was not kept, and `reason` is a code why.

    Reasons: "kept", "no_gain", "too_few", "one_label", "only_wrong" (hardly any turn that was right
    is among them, and whoever learns from mistakes alone unlearns what was right), "cancelled".
    """

    reason: str
    gain: Gain | None
    corrections: int
    seconds: float
    adapter: PersonalAdapterInfo | None = None
    skipped: int = 0
    """Corrections that could not be used: their clip is gone, or the checkpoint has no such label,
    or nothing to judge them by."""
