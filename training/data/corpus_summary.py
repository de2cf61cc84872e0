"""What a corpus reader found, in numbers: before training, does it look like the corpus?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from core.errors import MediaError
from core.labels import EMOTIONS
from training.data.example import Example, Reading, RowProblem

FEW = 10
"""A class with fewer examples than this is pointed at."""

_PARTICULARS = re.compile(r"'[^']*'|\"[^\"]*\"|\S*[\d/\\]\S*|(?<=recording )\S+")


@dataclass(frozen=True, slots=True)
class CorpusSummary:
    """Counts of a reading.

    Attributes:
        modalities: "speech and text", "speech only", "text only" -> examples.
        labels: class -> examples that have it, every class of the corpus, in order.
        several, none: examples with more than one label, and without any.
        affect: "arousal", "valence" -> (examples that have it, lowest, mean, highest).
        hours: of speech, None if it was not measured.
        reasons: kind of problem -> how many.
    """

    examples: int
    modalities: Mapping[str, int]
    speakers: int
    unknown_speaker: int
    sessions: int
    dialogues: int
    genders: Mapping[str, int]
    languages: Mapping[str, int]
    parts: Mapping[str, int]
    labels: Mapping[str, int]
    several: int
    none: int
    affect: Mapping[str, tuple[int, float, float, float]]
    hours: float | None
    problems: int
    reasons: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        """Return the summary as plain values."""
        return asdict(self)

    def notes(self) -> list[str]:
        """Return what may spoil training, as sentences."""
        notes = []
        if self.unknown_speaker:
            notes.append(
                f"No speaker is named in {self.unknown_speaker:,} of {self.examples:,} examples: a"
                " split by speaker can't keep them apart, and figures on them may be too good."
            )
        if len(self.labels) > 1 and max(self.labels.values()) == sum(self.labels.values()):
            notes.append("There is only one class: nothing can be learnt from it.")
        few = [f"{name} ({count})" for name, count in self.labels.items() if 0 < count < FEW]
        if few:
            notes.append(f"Classes with fewer than {FEW} examples: {', '.join(few)}.")
        absent = [name for name, count in self.labels.items() if not count]
        if absent and any(self.labels.values()):
            notes.append(f"Classes without any example: {', '.join(absent)}.")
        return notes


def summarise(reading: Reading, hours: float | None = None) -> CorpusSummary:
    """Count what is in a reading."""
    examples = reading.examples
    labels = Counter(label for example in examples for label in example.labels)
    speakers = {e.speaker: e.gender for e in examples if e.speaker}
    return CorpusSummary(
        examples=len(examples),
        modalities=dict(Counter(map(_modality, examples))),
        speakers=len(speakers),
        unknown_speaker=sum(not example.speaker for example in examples),
        sessions=_distinct(example.session for example in examples),
        dialogues=_distinct(example.dialogue for example in examples),
        genders=dict(Counter(gender or "unknown" for gender in speakers.values())),
        languages=dict(Counter(example.language or "unknown" for example in examples)),
        parts=dict(Counter(example.part for example in examples if example.part)),
        labels={name: labels[name] for name in reading.classes or EMOTIONS},
        several=sum(len(example.labels) > 1 for example in examples),
        none=sum(not example.labels for example in examples),
        affect=_affect(examples),
        hours=hours,
        problems=len(reading.problems),
        reasons=group(reading.problems),
    )


def _modality(example: Example) -> str:
    if example.audio is None:
        return "text only"
    return "speech and text" if example.text else "speech only"


def _distinct(names: Iterable[str]) -> int:
    return len({name for name in names if name})


def _affect(examples: Sequence[Example]) -> dict[str, tuple[int, float, float, float]]:
    found = {}
    for name in ("arousal", "valence"):
        values = [v for v in (getattr(e, name) for e in examples) if v is not None]
        if values:
            mean = sum(values) / len(values)
            found[name] = (len(values), min(values), mean, max(values))
    return found


def group(problems: Sequence[RowProblem]) -> dict[str, int]:
    """Return kind of problem -> how many, names and numbers left out, the most frequent first."""
    kinds = Counter(_PARTICULARS.sub("…", problem.reason) for problem in problems)
    return dict(kinds.most_common())


def speech_hours(examples: Sequence[Example]) -> float:
    """Return the hours of speech; opens every recording whose times are not known.

    One that can't be opened counts as nothing; `check_audio` of the readers reports those.
    """
    from core.audio.io import probe

    seconds = 0.0
    for example in examples:
        if example.audio is None:
            continue
        end = example.end
        if end is None:
            try:
                end = probe(example.audio).duration or 0.0
            except MediaError:
                continue
        seconds += max(end - (example.start or 0.0), 0.0)
    return seconds / 3600
