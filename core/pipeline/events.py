"""What a running session tells the world; the window's bridge and the terminal both listen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from core.types import AudioBlock, ContextInfo, Message, ModelInfo, Turn


class SessionState(StrEnum):
    """IDLE -> LOADING -> RUNNING -> STOPPING -> IDLE, or FAILED."""

    IDLE = "idle"
    LOADING = "loading"
    RUNNING = "running"
    STOPPING = "stopping"
    FAILED = "failed"


class Severity(StrEnum):
    """How loudly a notice is shown."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The session entered a state; `detail` is the error sentence of FAILED."""

    state: SessionState
    detail: str = ""


@dataclass(frozen=True, slots=True)
class AudioHeard:
    """A block was heard: per channel its speech probability, level (dBFS) and clipped share."""

    block: AudioBlock
    speech: tuple[float, ...]
    level_dbfs: tuple[float, ...]
    clipping: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class TurnUpdated:
    """A turn appeared or came further (`turn.status`), or was revised.

    `lag` is seconds from its last sample to now, so of a finished turn it holds the silence that it
    took to be sure of its end (the hangover, less the padding that is part of the utterance), even
    where the result was prepared in that silence and no work was left. None for a recording, and
    for a revision: hindsight, or a better text of a turn that was final already.
    """

    turn: Turn
    lag: float | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the user should know; a later notice of the same code replaces it.

    `active` false withdraws it (a device came back).
    """

    message: Message
    severity: Severity = Severity.INFO
    active: bool = True


@dataclass(frozen=True, slots=True)
class Progress:
    """How far into a recording the analysis is (samples); `speed` in seconds of audio a second."""

    done: int
    total: int | None
    speed: float


@dataclass(frozen=True, slots=True)
class Saved:
    """The journal on disk is complete up to this sample."""

    samples: int


@dataclass(frozen=True, slots=True)
class ContextReady:
    """A dialogue model is loaded: turns will come with `context`."""

    info: ContextInfo


@dataclass(frozen=True, slots=True)
class EffortChanged:
    """A live session does less to keep up, or more again (see `core.pipeline.effort`).

    `level` is 0 for everything, up to `levels` - 1; `lag` is what brought it about, in seconds.
    """

    level: int
    levels: int
    lag: float


@dataclass(frozen=True, slots=True)
class ModelReady:
    """The utterance model is loaded: on this device, by these runtimes (also when they change)."""

    info: ModelInfo


Event: TypeAlias = (
    StateChanged
    | AudioHeard
    | TurnUpdated
    | Notice
    | Progress
    | Saved
    | ContextReady
    | EffortChanged
    | ModelReady
)
