"""One labelled utterance of any corpus, and what a reader returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Example:
    """An utterance with whatever its corpus knows about it.

    Attributes:
        corpus: name of the reader; id: unique within the corpus.
        audio: the recording, None without one; `start` and `end` (s) cut it, None: to its ends.
            `channel`: 0 or 1 of a two-channel recording, None: all channels mixed.
        text: None where there is none.
        speaker, session, dialogue: `corpus/name`, so that equal names of two corpora differ; empty
            if unknown. `turn` orders the utterances of a dialogue.
        gender: "F", "M" or empty. style: how it is spoken, in the corpus's own words (improvised,
            scripted; acted, spontaneous; normal, strong); empty if unknown.
        labels: names of `core.labels.EMOTIONS` (or of the corpus's own classes, where these are
            kept): one, or several where annotators tied or a row has several; empty without label.
        arousal, valence: in [-1, 1], None if unknown.
        part: of the corpus's published split ("train", "dev", "test"), else empty.
        source: "file:line" it was read from, for messages.
    """

    corpus: str
    id: str
    audio: Path | None = None
    start: float | None = None
    end: float | None = None
    channel: int | None = None
    text: str | None = None
    speaker: str = ""
    session: str = ""
    dialogue: str = ""
    turn: int = 0
    gender: str = ""
    style: str = ""
    language: str = ""
    labels: tuple[str, ...] = ()
    arousal: float | None = None
    valence: float | None = None
    part: str = ""
    source: str = ""

    @property
    def label(self) -> str | None:
        """The only label; None if there is none or there are several."""
        return self.labels[0] if len(self.labels) == 1 else None


@dataclass(frozen=True, slots=True)
class RowProblem:
    """A row that can't be used: "file:line" and why."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader found: usable examples in a stable order, and the rows it had to skip."""

    examples: tuple[Example, ...]
    problems: tuple[RowProblem, ...] = ()
    classes: tuple[str, ...] = field(default=())
    """Names the labels come from, in order; empty: `core.labels.EMOTIONS`."""
