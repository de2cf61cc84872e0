from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from core.bench import waits
from core.bench.waits import Setup, WaitWatch, conversation
from core.errors import EmoscopeError
from core.pipeline.events import AudioHeard, TurnUpdated
from core.types import SAMPLE_RATE, WINDOW, AudioBlock, Turn, TurnStatus
from tests.fakes import FakeAnalyzer, FakeTranscriber


def heard(number: int) -> AudioHeard:
    block = AudioBlock(np.zeros((1, WINDOW), np.float32), number * WINDOW)
    return AudioHeard(block, (0.0,), (-60.0,), (0.0,))


def final(index: int, end: int) -> TurnUpdated:
    return TurnUpdated(Turn(index, 0, end, None, TurnStatus.FINAL))


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    moment = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: moment[0])
    return moment


def test_a_wait_runs_from_the_end_of_the_hangover_to_the_first_final(
    now: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = WaitWatch(hangover=0.5)
    last = -(-round((0.5 - 0.1) * SAMPLE_RATE) // WINDOW) - 1
    for number in range(last + 1):
        now[0] = float(number)
        watch(heard(number))
    now[0] = last + 0.25
    watch(final(0, end=0))
    now[0] = last + 9.0
    watch(final(0, end=0))  # a better text
    assert watch.waits(()) == {}
    monkeypatch.setattr(waits, "_length_at", lambda end, lengths: 2.0)
    assert watch.waits((2.0,)) == {2.0: 0.25}


def test_partial_turns_and_turns_that_no_hangover_ended_are_not_counted(now: list[float]) -> None:
    watch = WaitWatch()
    watch(heard(0))
    event = final(0, end=WINDOW)
    watch(TurnUpdated(replace(event.turn, status=TurnStatus.SPEECH)))
    watch(event)
    assert watch.waits((WINDOW / SAMPLE_RATE - waits.PAUSE,)) == {}


def test_turns_belong_to_the_utterance_they_end_with() -> None:
    ends = {3.5: 2.0, 10.1: 5.0, 19.4: 8.0, 15.0: None, 30.0: None}
    found = {at: waits._length_at(round(at * SAMPLE_RATE), (2.0, 5.0, 8.0)) for at in ends}
    assert found == ends


def test_a_miss_at_one_length_leaves_the_others() -> None:
    rows = waits._rows("x", {2.0: 0.01, 5.0: 0.02, 8.0: 0.2}, has_target=True)
    assert [row.name for row in rows] == [f"visible wait: x, {n} s" for n in (2, 5, 8)]
    assert [row.met for row in rows] == [True, True, False]
    assert waits._unanswered("x", {2.0: 1.0}, (2.0, 5.0)) == ("x: no answer timed at 5 s.",)
    with pytest.raises(EmoscopeError, match="No utterance ended"):
        waits._rows("x", {})


def test_a_conversation_has_its_lengths_and_its_pauses() -> None:
    said = conversation((1.0, 2.0))
    pause = round(waits.PAUSE * SAMPLE_RATE)
    assert len(said) == 3 * pause + 3 * SAMPLE_RATE
    assert np.abs(said[:pause]).max() == np.abs(said[-pause:]).max() == 0
    assert waits.PAUSE > 2 * waits.HANGOVER


def test_every_setup_is_measured_with_one_core_and_those_with_a_target_idle_too() -> None:
    setups = [Setup("model", FakeAnalyzer), Setup("both", FakeAnalyzer, FakeTranscriber, False)]
    part = waits.measure(setups, (1.5,))
    assert {n: list(w) for n, w in part.figures["visible_wait_ms"].items()} == {
        "model": ["1.5 s"],
        "both": ["1.5 s"],
    }
    assert set(part.figures["visible_wait_ms_idle"]) == {"model"}
    assert [m.target for m in part.measurements] == [50.0, None, None]
    assert all(m.value >= 0 for m in part.measurements)
