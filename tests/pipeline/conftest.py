"""What the tests of the pipeline share: a recorder of events, and an eye on leaked threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from core.pipeline.events import AudioHeard, Event, Notice, StateChanged, TurnUpdated
from core.types import Turn, TurnStatus


@pytest.fixture(autouse=True)
def no_leaked_threads() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    until = time.monotonic() + 5.0
    while leaked := [t for t in set(threading.enumerate()) - before if t.is_alive()]:
        assert time.monotonic() < until, f"threads left behind: {[t.name for t in leaked]}"
        time.sleep(0.01)


class Events:
    """A listener that keeps every event."""

    def __init__(self) -> None:
        self.all: list[Event] = []
        self._changed = threading.Condition()

    def __call__(self, event: Event) -> None:
        with self._changed:
            self.all.append(event)
            self._changed.notify_all()

    def states(self) -> list[str]:
        return [e.state.value for e in self.of(StateChanged)]

    def of(self, kind: type) -> list:
        with self._changed:
            return [e for e in self.all if isinstance(e, kind)]

    def turns(self, status: TurnStatus | None = None) -> list[Turn]:
        turns = [e.turn for e in self.of(TurnUpdated)]
        return [t for t in turns if status is None or t.status is status]

    def finals(self) -> list[Turn]:
        return self.turns(TurnStatus.FINAL)

    def heard(self) -> list[AudioHeard]:
        return self.of(AudioHeard)

    def notices(self) -> list[str]:
        return [e.message.code for e in self.of(Notice)]

    def wait_for(self, condition: Callable[[Events], bool], timeout: float = 20.0) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self), timeout), "it never happened"


@pytest.fixture
def events() -> Events:
    return Events()
