"""Who gets which recording, and what becomes of it when a worker dies."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

import pytest

from core.batch.errors import WorkerError
from core.batch.foreman import Foreman, Lost, News, Ready, Refused
from core.batch.values import Analysed, Began, Options, Retried, Task, WorkerEvent
from core.errors import CheckpointError
from tests.batch.corpus import task


class FakePool:
    """Workers that do what they are told to at once, one after the other.

    Args:
        work: says what a worker does with a task; by default it analyses it.
        start: says what comes of starting a worker.
    """

    def __init__(
        self,
        work: Callable[[int, Task], News] = lambda worker, task: Analysed(task.number),
        start: Callable[[int], News] = lambda worker: Ready(),
    ) -> None:
        self._work = work
        self._start = start
        self._news: deque[tuple[int, News]] = deque()
        self.given: list[tuple[int, int]] = []
        self.hired = 0
        self.closed = False

    def hire(self, options: Options) -> int:
        self._news.append((self.hired, self._start(self.hired)))
        self.hired += 1
        return self.hired - 1

    def give(self, worker: int, task: Task) -> None:
        self.given.append((worker, task.number))
        self._news.append((worker, Began(task.number)))
        self._news.append((worker, self._work(worker, task)))

    def hear(self) -> Iterable[tuple[int, News]]:
        assert self._news, "the foreman waits for somebody who has nothing to do"
        return [self._news.popleft()]

    def close(self) -> None:
        self.closed = True


def run(pool: FakePool, tasks: list[Task], count: int = 2) -> list[WorkerEvent]:
    told: list[WorkerEvent] = []
    Foreman(pool, count).run(tasks, Options(), told.append)
    assert pool.closed
    return told


def results(told: list[WorkerEvent]) -> dict[int, Analysed]:
    analysed = [event for event in told if isinstance(event, Analysed)]
    assert len({event.number for event in analysed}) == len(analysed)
    return {event.number: event for event in analysed}


def test_the_longest_recordings_are_handed_out_first_and_each_once() -> None:
    pool = FakePool()
    tasks = [task(n, seconds) for n, seconds in enumerate([10.0, 40.0, 20.0, 30.0])]
    assert set(results(run(pool, tasks))) == {0, 1, 2, 3}
    assert [number for _, number in pool.given] == [1, 3, 2, 0]
    assert {worker for worker, _ in pool.given} == {0, 1}


def test_no_more_workers_are_hired_than_there_are_recordings() -> None:
    pool = FakePool()
    run(pool, [task(0)], count=8)
    assert pool.hired == 1


def test_a_worker_that_dies_costs_one_recording_which_another_one_gets_last() -> None:
    died: list[int] = []

    def work(worker: int, given: Task) -> News:
        if given.number == 2 and not died:
            died.append(worker)
            return Lost("signal 9")
        return Analysed(given.number)

    pool = FakePool(work)
    told = run(pool, [task(n, 10.0 * n) for n in range(4)])
    assert all(not result.problem for result in results(told).values())
    assert [event for event in told if isinstance(event, Retried)] == [Retried(2, "signal 9")]
    assert pool.given[-1][1] == 2
    assert pool.given[-1][0] != died[0]


def test_a_recording_that_kills_twice_is_reported_with_a_remedy_and_the_rest_goes_on() -> None:
    def work(worker: int, given: Task) -> News:
        return Lost("signal 9") if given.number == 1 else Analysed(given.number)

    found = results(run(FakePool(work), [task(n) for n in range(5)]))
    assert [number for number, result in found.items() if result.problem] == [1]
    assert "died 2 times (signal 9)" in found[1].problem
    assert "--workers 1" in found[1].problem
    assert "talk1.wav" in found[1].problem


def test_an_idle_worker_takes_what_a_dead_one_left() -> None:
    deaths: list[int] = []

    def work(worker: int, given: Task) -> News:
        if given.number == 0 and not deaths:
            deaths.append(worker)
            return Lost("gone")
        return Analysed(given.number)

    pool = FakePool(work)
    # the short one is done when the other worker dies over the long one
    told = run(pool, [task(0, 5.0), task(1, 50.0)])
    assert not any(result.problem for result in results(told).values())
    assert pool.hired == 2


def test_workers_that_never_get_ready_end_the_batch() -> None:
    pool = FakePool(start=lambda worker: Lost("exit status 1"))
    with pytest.raises(WorkerError, match="die while they start"):
        run(pool, [task(n) for n in range(5)])
    assert pool.closed
    assert pool.hired <= 4


def test_one_that_dies_at_the_start_is_replaced() -> None:
    pool = FakePool(start=lambda worker: Lost("gone") if worker == 0 else Ready())
    assert len(results(run(pool, [task(n) for n in range(3)]))) == 3


def test_models_that_cannot_be_loaded_end_the_batch_with_their_error() -> None:
    refused = Refused(CheckpointError("It is damaged.", "Copy it again."))
    pool = FakePool(start=lambda worker: refused)
    with pytest.raises(CheckpointError, match="damaged"):
        run(pool, [task(0)])
    assert pool.closed
