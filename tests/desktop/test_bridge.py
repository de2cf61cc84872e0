from __future__ import annotations

import gc
import sys
import threading

import numpy as np
import pytest
import shiboken6
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication

from core.pipeline.events import (
    AudioHeard,
    Notice,
    Progress,
    SessionState,
    StateChanged,
    TurnUpdated,
)
from core.types import WINDOW, AudioBlock, Message, Turn, TurnStatus
from desktop.bridge import EventBridge
from desktop.plots.waveform import WaveformPlot
from tests.desktop.conftest import WaitFor


def heard(number: int) -> AudioHeard:
    block = AudioBlock(np.zeros((1, WINDOW), np.float32), number * WINDOW)
    return AudioHeard(block, (0.0,), (-60.0,), (0.0,))


def turn(index: int, status: TurnStatus, end: int = 16_000) -> TurnUpdated:
    return TurnUpdated(Turn(index, 0, end, None, status))


class Record(QObject):
    """What a bridge delivered, in order, and in which thread."""

    def __init__(self, bridge: EventBridge) -> None:
        super().__init__()
        self.events: list[object] = []
        self.threads: set[threading.Thread] = set()
        for signal in (
            bridge.state_changed,
            bridge.audio_heard,
            bridge.turn_updated,
            bridge.notice,
            bridge.progressed,
            bridge.saved,
        ):
            signal.connect(self.take)

    def take(self, event: object) -> None:
        self.events.append(event)
        self.threads.add(threading.current_thread())

    def of(self, kind: type) -> list[object]:
        return [event for event in self.events if isinstance(event, kind)]


def test_events_of_other_threads_arrive_in_the_gui_thread_and_none_is_lost(
    qt: QApplication, wait_for: WaitFor
) -> None:
    bridge = EventBridge()
    record = Record(bridge)

    def talk(first: int) -> None:
        for number in range(first, first + 200):
            bridge.publish(heard(number))

    threads = [threading.Thread(target=talk, args=(n * 200,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_for(lambda: sum(len(e) for e in record.of(tuple)) == 800)  # type: ignore[arg-type, misc]
    assert record.threads == {threading.main_thread()}


def test_a_superseded_turn_is_dropped_and_the_newest_is_delivered(qt: QApplication) -> None:
    bridge = EventBridge()
    record = Record(bridge)
    for end in range(1, 50):
        bridge.publish(turn(3, TurnStatus.PARTIAL, end * 1000))
    bridge.publish(turn(4, TurnStatus.FINAL))
    bridge.deliver()
    turns = [event.turn for event in record.of(TurnUpdated)]  # type: ignore[attr-defined]
    assert [(t.index, t.end) for t in turns] == [(3, 49_000), (4, 16_000)]


def test_notices_and_states_keep_their_order_and_are_never_dropped(qt: QApplication) -> None:
    bridge = EventBridge()
    record = Record(bridge)
    sent = [
        StateChanged(SessionState.LOADING),
        Notice(Message("device_lost")),
        Notice(Message("device_lost"), active=False),
        StateChanged(SessionState.RUNNING),
    ]
    for event in sent:
        bridge.publish(event)
    bridge.deliver()
    assert record.events == sent


def test_the_end_is_told_after_everything_that_came_before_it(qt: QApplication) -> None:
    bridge = EventBridge()
    record = Record(bridge)
    bridge.publish(heard(0))
    bridge.publish(turn(0, TurnStatus.FINAL))
    bridge.publish(Progress(5, 10, 2.0))
    bridge.publish(StateChanged(SessionState.IDLE))
    bridge.deliver()
    assert record.events[-1] == StateChanged(SessionState.IDLE)
    assert len(record.events) == 4


def test_work_on_another_thread_returns_its_result_or_its_error(
    qt: QApplication, wait_for: WaitFor
) -> None:
    bridge = EventBridge()
    results: list[object] = []

    def fail() -> None:
        raise ValueError("no")

    bridge.run("good", lambda: threading.current_thread().name, results.append, pytest.fail)
    wait_for(lambda: len(results) == 1)
    bridge.run("bad", fail, pytest.fail, results.append)
    wait_for(lambda: len(results) == 2)
    assert results[0] == "emoscope-good"
    assert isinstance(results[1], ValueError)
    assert bridge.join(1.0)


class Emitter(QObject):
    said = Signal(bool)


def test_signals_and_frames_do_not_wear_out_true_and_none(qt: QApplication) -> None:
    """PySide6 6.12.0 on CPython 3.11 loses a reference a time, and the process aborts."""
    emitter = Emitter()
    heard_values: list[bool] = []
    emitter.said.connect(lambda value: heard_values.append(value) if not heard_values else None)
    plot = WaveformPlot()
    plot.resize(200, 80)
    plot.show()
    envelope = np.zeros((100, 2), np.float32)
    speech = np.zeros(100, np.uint8)
    gc.collect()
    before = sys.getrefcount(True), sys.getrefcount(None)
    for _ in range(100_000):
        emitter.said.emit(True)
    for _ in range(1_000):
        plot.set_sound(0.0, 1.0, envelope, speech, relative=False)
        plot.repaint()
    gc.collect()
    after = sys.getrefcount(True), sys.getrefcount(None)
    assert heard_values == [True]
    assert abs(after[0] - before[0]) < 50
    assert abs(after[1] - before[1]) < 50
    plot.close()


def test_work_that_outlives_its_window_ends_in_silence(
    qt: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    uncaught: list[object] = []
    monkeypatch.setattr(threading, "excepthook", uncaught.append)
    go, told = threading.Event(), []
    bridge = EventBridge()
    bridge.run("late", lambda: go.wait(10), told.append, told.append)
    (worker,) = bridge._workers
    assert not bridge.close(0.01)
    shiboken6.delete(bridge)
    go.set()
    worker.join(10)
    bridge.publish(StateChanged(SessionState.RUNNING))
    qt.processEvents()
    assert not worker.is_alive()
    assert not uncaught
    assert not told
