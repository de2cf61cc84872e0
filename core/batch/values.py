"""What crosses between the one who hands recordings out and those who analyse them.

Everything here is frozen and can be pickled: workers are other processes, or other machines.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from core.pipeline.events import Progress
from core.types import Message


@dataclass(frozen=True, slots=True)
class Options:
    """How every recording of a batch is analysed; see `emoscope analyze --help`.

    transcript: belongs to the only recording; None: those that lie beside, if `beside`.
    """

    model: str = "embedded"
    device: str = "auto"
    runtime: str = "auto"
    whisper: str = "none"
    language: str = "auto"
    channels: str = "mono"
    context: str = "auto"
    context_turns: int | None = None
    speakers: str = "auto"
    personal: str = ""
    transcript: Path | None = None
    beside: bool = True
    formats: tuple[str, ...] = ("jsonl", "html")


@dataclass(frozen=True, slots=True)
class Task:
    """One recording of a batch, number `number` from 0, called `label` in what is said of it.

    targets: where each format goes, in the order of `Options.formats`.
    seconds: how long its header says it is; None where it does not say, or can't be read.
    """

    number: int
    path: Path
    targets: tuple[Path, ...]
    label: str
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Began:
    """A worker took a recording."""

    number: int


@dataclass(frozen=True, slots=True)
class Advanced:
    """How far a recording is."""

    number: int
    progress: Progress


@dataclass(frozen=True, slots=True)
class Told:
    """Something to know about a recording, or (`shared`) about the whole batch.

    What is shared holds for every recording, whoever is first to find it out.
    """

    number: int
    code: str
    values: tuple[tuple[str, str], ...] = ()
    shared: bool = False

    @property
    def message(self) -> Message:
        """The message that was told."""
        return Message(self.code, dict(self.values))


@dataclass(frozen=True, slots=True)
class Output:
    """A file that is to be written: its text in this encoding."""

    path: Path
    text: str
    encoding: str


@dataclass(frozen=True, slots=True)
class Analysed:
    """What became of a recording.

    seconds: of audio; took: seconds of work.
    problem: a sentence on what went wrong; with `outputs`, what came before that is in them.
    context_lost: its results lack what a dialogue model should have said of them.
    lacking: they lack that, a text, or speakers, since a model failed: another time there may be
        more in them.
    """

    number: int
    turns: int = 0
    seconds: float = 0.0
    took: float = 0.0
    outputs: tuple[Output, ...] = ()
    problem: str = ""
    context_lost: bool = False
    lacking: bool = False


@dataclass(frozen=True, slots=True)
class Retried:
    """A worker died over a recording, which is given to another one."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A recording was done before, and its results are still there."""

    number: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Written:
    """The results of a recording are on the disk, or `problem` says why not."""

    analysed: Analysed
    paths: tuple[Path, ...] = ()
    problem: str = ""


WorkerEvent: TypeAlias = Began | Advanced | Told | Analysed | Retried
"""What an engine reports."""

BatchEvent: TypeAlias = Began | Advanced | Told | Retried | Kept | Written
"""What a batch tells whoever watches it."""
