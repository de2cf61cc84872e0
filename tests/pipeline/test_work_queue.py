from __future__ import annotations

import threading

from core.pipeline.work_queue import WorkQueue


def drain(queue: WorkQueue[str]) -> list[str]:
    queue.close()
    items = []
    while (item := queue.get()) is not None:
        items.append(item)
    return items


def test_only_the_newest_partial_of_a_key_waits() -> None:
    queue: WorkQueue[str] = WorkQueue()
    for revision in range(5):
        queue.put_partial("a", f"a{revision}")
    queue.put_partial("b", "b0")
    assert queue.stale == 4
    assert drain(queue) == ["a4", "b0"]


def test_finals_are_never_dropped_and_keep_their_order() -> None:
    queue: WorkQueue[str] = WorkQueue()
    for number in range(1000):
        queue.put(str(number))
        queue.put_partial("p", "partial")
    assert drain(queue) == [*map(str, range(1000)), "partial"]


def test_a_final_drops_the_partials_it_supersedes_and_no_others() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.put_partial(("sound", 1), "old")
    queue.put_partial(("text", 1), "old text")
    queue.put_partial(("sound", 2), "other")
    queue.put("final", [("sound", 1), ("text", 1)])
    assert drain(queue) == ["final", "other"]


def test_a_partial_that_is_renewed_all_the_time_still_gets_its_turn() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.put_partial("a", "a0")
    queue.put_partial("b", "b0")
    queue.put_partial("a", "a1")
    assert queue.get() == "a1"


def test_a_full_queue_makes_the_writer_wait() -> None:
    queue: WorkQueue[str] = WorkQueue(capacity=1)
    queue.put("first")
    written = threading.Event()

    def write() -> None:
        queue.put("second")
        written.set()

    writer = threading.Thread(target=write)
    writer.start()
    assert not written.wait(0.1)
    assert queue.get() == "first"
    assert written.wait(5)
    writer.join()
    assert queue.get() == "second"


def test_abandoning_frees_a_waiting_writer_and_returns_what_waited() -> None:
    queue: WorkQueue[str] = WorkQueue(capacity=1)
    queue.put("first")
    results: list[bool] = []
    writer = threading.Thread(target=lambda: results.append(queue.put("second")))
    writer.start()
    assert queue.abandon() == ("first",)
    writer.join(5)
    assert results == [False]
    assert queue.get() is None


def test_a_closed_queue_hands_out_what_waits_and_takes_no_more() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.put("kept")
    queue.put_partial("p", "partial")
    queue.close()
    assert queue.put("late") is False
    queue.put_partial("q", "late")
    assert [queue.get(), queue.get(), queue.get()] == ["kept", "partial", None]


def test_a_reader_that_waits_is_woken_by_the_end() -> None:
    queue: WorkQueue[str] = WorkQueue()
    results: list[str | None] = []
    reader = threading.Thread(target=lambda: results.append(queue.get()))
    reader.start()
    queue.close()
    reader.join(5)
    assert results == [None]


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_spare_items_leave_when_it_has_been_quiet_for_a_while() -> None:
    clock = Clock()
    queue: WorkQueue[str] = WorkQueue(rest=10.0, clock=clock)
    queue.put_spare("spare")
    queue.put("final")
    queue.put_partial("p", "partial")
    assert [queue.get(), queue.get()] == ["final", "partial"]
    clock.now = 9.9
    queue.put_partial("p", "newer partial")
    assert queue.get() == "newer partial"
    clock.now = 20.0
    assert queue.get() == "spare"


def test_a_reader_that_waits_for_quiet_is_woken_by_news() -> None:
    queue: WorkQueue[str] = WorkQueue(rest=60.0)
    queue.put_spare("spare")
    results: list[str | None] = []
    reader = threading.Thread(target=lambda: results.append(queue.get()))
    reader.start()
    queue.put("final")
    reader.join(5)
    assert results == ["final"]


def test_a_reader_that_waits_for_quiet_gets_the_spare_item_by_itself() -> None:
    queue: WorkQueue[str] = WorkQueue(rest=0.05)
    queue.put_partial("p", "partial")
    queue.put_spare("spare")
    assert [queue.get(), queue.get()] == ["partial", "spare"]


def test_of_spare_items_the_newest_few_are_kept_and_none_beyond_the_end() -> None:
    queue: WorkQueue[str] = WorkQueue(rest=0.0, spare=2)
    for name in "abc":
        queue.put_spare(name)
    assert [queue.get(), queue.get()] == ["c", "b"]
    queue.put_spare("d")
    queue.close()
    queue.put_spare("e")
    assert queue.get() is None
    assert queue.abandon() == ()


def test_dropped_partials_are_not_handed_out_and_not_stale() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.put_partial("a", "a")
    queue.put_partial("b", "b")
    queue.drop(["a", "never there"])
    assert (queue.offered, queue.stale) == (2, 0)
    assert drain(queue) == ["b"]
