"""Does less when a live session falls behind, one step at a time, and more again when it keeps up.

It falls behind when a finished utterance waits for a worker, or when most looks at growing ones
are overtaken by newer ones before anybody came to them.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from core.pipeline.effort import LADDER, Effort
from core.pipeline.events import EffortChanged, Notice, Severity
from core.pipeline.settings import SessionSettings
from core.types import Message

_MANY_STALE = 0.5
_FEW_STALE = 0.125
_SLOWEST = 8.0
"""Times the usual patience: the longest it takes to do more again after it was tried in vain."""
_SILENT = 0.25
"""A quiet second shows little: so much of it counts towards doing more again."""


@dataclass(frozen=True, slots=True)
class Load:
    """What the queues look like.

    waited: seconds that the oldest finished utterance has waited for a worker.
    offered, stale: partials queued so far, and those of them that newer ones overtook.
    """

    waited: float
    offered: int
    stale: int


class Governor:
    """Steps through a ladder of effort; `check` belongs to one thread, `effort` may be read by any.

    With `after` of the settings (5 s unless told otherwise): one step down once finished
    utterances waited more than a fifth of it (1 s), or half of the partials were stale, for two
    fifths of it (2 s). One step up once less than a twentieth (0.25 s) and an eighth of the
    partials were for twice as long as `after` (10 s). In between nothing changes. Each step up that
    was in vain makes the next one take twice as long, up to eight times.
    """

    def __init__(
        self,
        settings: SessionSettings,
        ladder: Sequence[Effort] = LADDER,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._steps = tuple(_allowed(step, settings) for step in ladder)
        self._after = settings.behind_after
        self._clock = clock
        self._seen: deque[tuple[float, Load]] = deque()
        self._behind_since: float | None = None
        self._calm = 0.0
        self._patience = 1.0
        self._rose_at = float("-inf")
        self.level = 0

    @property
    def levels(self) -> int:
        """How many steps there are."""
        return len(self._steps)

    @property
    def effort(self) -> Effort:
        """What is to be done now."""
        return self._steps[self.level]

    def check(self, load: Load) -> bool:
        """Take note of the load, about once a second; return whether the effort changed."""
        now = self._clock()
        passed = now - self._seen[-1][0] if self._seen else 0.0
        offered, stale = self._recent(now, load)
        share = stale / offered if offered else 0.0
        # One partial that was overtaken, of one or two, is chance.
        if load.waited > self._after / 5 or (stale > 1 and share > _MANY_STALE):
            self._calm = 0.0
            return self._fell_behind(now)
        self._behind_since = None
        calm = load.waited < self._after / 20 and share < _FEW_STALE
        self._calm = self._calm + passed * (1.0 if offered else _SILENT) if calm else 0.0
        return self._keeps_up(now)

    def _recent(self, now: float, load: Load) -> tuple[int, int]:
        """Return how many partials were offered and stale since the last step, at most `after`."""
        self._seen.append((now, load))
        while len(self._seen) > 2 and now - self._seen[1][0] >= self._after:
            self._seen.popleft()
        before = self._seen[0][1]
        return load.offered - before.offered, load.stale - before.stale

    def _fell_behind(self, now: float) -> bool:
        if self._behind_since is None:
            self._behind_since = now
        if now - self._behind_since < self._after * 2 / 5 or self.level + 1 == self.levels:
            return False
        in_vain = now - self._rose_at < 4 * self._after
        self._patience = min(_SLOWEST, 2 * self._patience) if in_vain else self._patience
        self._step(self.level + 1)
        return True

    def _keeps_up(self, now: float) -> bool:
        if self.level == 0 or self._calm < 2 * self._after * self._patience:
            return False
        if now - self._rose_at > _SLOWEST * 4 * self._after:
            self._patience = 1.0
        self._rose_at = now
        self._step(self.level - 1)
        return True

    def _step(self, level: int) -> None:
        self.level = level
        self._behind_since = None
        self._calm = 0.0
        # What was stale before the step says nothing about the effort from now on.
        while len(self._seen) > 1:
            self._seen.popleft()


def _allowed(step: Effort, settings: SessionSettings) -> Effort:
    """Return a step without what the settings rule out; a recording waits for everything."""
    return replace(
        step,
        ahead=step.ahead and settings.ahead and settings.live,
        better_text=step.better_text and settings.better_text and settings.live,
    )


class Recognizer(Protocol):
    """What is recognised with, as far as it matters to a machine that can't keep up."""

    @property
    def name(self) -> str:
        """Name of the model, for people."""
        ...

    @property
    def smaller(self) -> str | None:
        """Name of a model that takes less time, or None."""
        ...


class EffortTeller:
    """Tells of steps: the level, and at the last one that a smaller recognition model would do.

    That advice is withdrawn once everything is done again.
    """

    def __init__(self, governor: Governor, recognizer: Callable[[], Recognizer | None]) -> None:
        self._governor = governor
        self._recognizer = recognizer
        self._advice: Message | None = None

    def events(self, lag: float) -> tuple[EffortChanged | Notice, ...]:
        """Return what to tell of a step that was just taken; `lag` (s): how late results are."""
        governor = self._governor
        changed = EffortChanged(governor.level, governor.levels, lag)
        advice, active = self._advice, governor.effort.smaller_model
        if active and advice is None:
            self._advice = advice = self._new_advice()
        elif governor.level == 0:
            self._advice = None
        else:
            return (changed,)
        if advice is None:
            return (changed,)
        return changed, Notice(advice, Severity.WARNING, active)

    def _new_advice(self) -> Message | None:
        recognizer = self._recognizer()
        smaller = None if recognizer is None else recognizer.smaller
        if recognizer is None or smaller is None:
            return None
        return Message("smaller_whisper", {"model": recognizer.name, "smaller": smaller})
