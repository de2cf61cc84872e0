"""Hands recordings to workers that may die, and gathers what they find.

What the workers are (processes of this machine, actors of a cluster) is the pool's business.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from core.batch.errors import WorkerError
from core.batch.plan import longest_first
from core.batch.values import Analysed, Options, Retried, Task, WorkerEvent
from core.errors import EmoscopeError

TRIES = 2
"""How often a recording may cost a worker its life."""
FAILED_STARTS = 3
"""How many workers may die before they were ready, one after the other."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A worker has loaded its models."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A worker died; `reason` says of what, as far as is known."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A worker can't load its models, and no other one could."""

    error: EmoscopeError


News: TypeAlias = Ready | Lost | Refused | WorkerEvent


class Pool(Protocol):
    """Workers, told apart by number."""

    def hire(self, options: Options) -> int:
        """Begin to start a worker; `Ready` or `Lost` is heard of it later. Raises WorkerError."""
        ...

    def give(self, worker: int, task: Task) -> None:
        """Let a worker that has nothing to do analyse a recording."""
        ...

    def hear(self) -> Iterable[tuple[int, News]]:
        """Wait until some worker has news, and return all there are."""
        ...

    def close(self) -> None:
        """End every worker at once, and wait until they have ended."""
        ...


class Foreman:
    """An `Engine` over the workers of a pool: the longest recordings first, all of them once.

    A worker that dies costs one recording, which is given to another worker, after all the others:
    whatever took its memory may be over by then.

    Args:
        count: how many workers there may be.
    """

    def __init__(self, pool: Pool, count: int) -> None:
        self._pool = pool
        self._count = count
        self._waiting: deque[Task] = deque()
        self._busy: dict[int, Task] = {}
        self._starting: set[int] = set()
        self._idle: set[int] = set()
        self._deaths: Counter[int] = Counter()
        self._failed_starts = 0

    def run(
        self, tasks: Sequence[Task], options: Options, tell: Callable[[WorkerEvent], None]
    ) -> None:
        """Analyse all of them. Raises EmoscopeError: see `core.batch.engines.Engine`."""
        self._waiting.extend(longest_first(tasks))
        try:
            for _ in range(min(self._count, len(tasks))):
                self._hire(options)
            while self._waiting or self._busy:
                for worker, news in self._pool.hear():
                    self._heed(worker, news, options, tell)
        finally:
            self._pool.close()

    def _hire(self, options: Options) -> None:
        self._starting.add(self._pool.hire(options))

    def _heed(
        self, worker: int, news: News, options: Options, tell: Callable[[WorkerEvent], None]
    ) -> None:
        if isinstance(news, Refused):
            raise news.error
        if isinstance(news, Lost):
            self._lost(worker, news.reason, options, tell)
            return
        if isinstance(news, Ready):
            self._starting.discard(worker)
            self._failed_starts = 0
        else:
            tell(news)
        if isinstance(news, Ready | Analysed):
            self._next(worker)

    def _next(self, worker: int) -> None:
        self._busy.pop(worker, None)
        self._idle.add(worker)
        self._share()

    def _share(self) -> None:
        while self._waiting and self._idle:
            worker, task = self._idle.pop(), self._waiting.popleft()
            self._busy[worker] = task
            self._pool.give(worker, task)

    def _lost(
        self, worker: int, reason: str, options: Options, tell: Callable[[WorkerEvent], None]
    ) -> None:
        self._idle.discard(worker)
        task = self._busy.pop(worker, None)
        if worker in self._starting:
            self._starting.discard(worker)
            self._failed_start(reason)
        if task is not None:
            self._again(task, reason, tell)
        self._share()
        if self._waiting:
            self._hire(options)

    def _failed_start(self, reason: str) -> None:
        self._failed_starts += 1
        if self._failed_starts >= FAILED_STARTS:
            raise WorkerError(
                f"Workers die while they start ({reason}).",
                "Use one process instead: --workers 1.",
            )

    def _again(self, task: Task, reason: str, tell: Callable[[WorkerEvent], None]) -> None:
        self._deaths[task.number] += 1
        if self._deaths[task.number] < TRIES:
            tell(Retried(task.number, reason))
            self._waiting.append(task)
            return
        problem = WorkerError(
            f"{task.path}: its worker died {TRIES} times ({reason}).",
            "Close other programs, or analyse it alone with --workers 1; if it dies again, the "
            "recording is to blame: convert it to WAV.",
        )
        tell(Analysed(task.number, problem=str(problem)))
