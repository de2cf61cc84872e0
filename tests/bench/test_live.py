from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.audio.segmenter import SegmenterSettings
from core.bench import engine
from core.bench.options import Options
from core.bench.report import Part
from core.bench.subjects import Subjects
from core.errors import DeviceError, EmoscopeError
from core.pipeline.events import AudioHeard, TurnUpdated
from core.types import SAMPLE_RATE, WINDOW, AudioBlock, Turn, TurnStatus, Utterance
from desktop.bench import live
from tests.fakes import FakeAnalyzer


class Clock:
    """Stands in for the time module: `monotonic` says what a test set."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(live, "time", made)
    return made


def heard(number: int) -> AudioHeard:
    block = AudioBlock(np.zeros((1, WINDOW), np.float32), number * WINDOW)
    return AudioHeard(block, (0.0,), (-60.0,), (0.0,))


def final_turn(end: int, compute_seconds: float) -> Turn:
    utterance = Utterance(0, 0, end, np.zeros(end, np.float32))
    emotion = replace(FakeAnalyzer().final(utterance, None), compute_seconds=compute_seconds)
    return Turn(0, 0, end, None, TurnStatus.FINAL, None, emotion)


def test_the_clock_of_an_utterance_starts_with_the_block_that_ends_the_hangover(
    clock: Clock,
) -> None:
    settings = SegmenterSettings()
    stopwatch = live.Stopwatch()
    end = 10 * WINDOW
    silence = (settings.hangover - settings.padding) * SAMPLE_RATE
    last_block = int(np.ceil((end + silence) / WINDOW)) - 1
    for number in range(last_block + 1):
        clock.now = number * WINDOW / SAMPLE_RATE
        stopwatch.note(heard(number))
    began = clock.now
    clock.now = began + 0.030
    stopwatch.note(TurnUpdated(final_turn(end, compute_seconds=0.020)))
    stopwatch.painted[0] = began + 0.045
    (delay,) = stopwatch.delays()
    assert delay.whole == pytest.approx(0.045)
    assert delay.model == pytest.approx(0.020)
    assert delay.window == pytest.approx(0.015)


def test_an_utterance_that_no_hangover_ended_is_not_timed(clock: Clock) -> None:
    stopwatch = live.Stopwatch()
    stopwatch.note(heard(0))
    clock.now = 0.1
    stopwatch.note(TurnUpdated(final_turn(WINDOW, compute_seconds=0.02)))
    stopwatch.painted[0] = 0.2
    assert stopwatch.delays() == []


def test_partial_results_are_not_timed(clock: Clock) -> None:
    stopwatch = live.Stopwatch()
    turn = replace(final_turn(WINDOW, 0.02), status=TurnStatus.PARTIAL)
    stopwatch.note(TurnUpdated(turn))
    assert stopwatch.told == {}


def test_every_line_is_followed_by_a_pause_longer_than_the_hangover() -> None:
    speech = live.utterances(3)
    pause = round(live.PAUSE_SECONDS * SAMPLE_RATE)
    assert np.abs(speech[-pause:]).max() == 0
    assert 2 * SegmenterSettings().hangover < live.PAUSE_SECONDS
    assert len(speech) > 3 * pause


@pytest.mark.slow
def test_the_whole_topic_gives_its_figures_also_where_parts_fail(
    monkeypatch: pytest.MonkeyPatch, subjects: Subjects
) -> None:
    def silent(count: int) -> Part:
        raise DeviceError("There is no sound server.", "Start one.")

    def lost(*_: object) -> Part:
        raise EmoscopeError("The cost is not known.", "Try again.")

    every = engine.setups
    monkeypatch.setattr(live, "measure_paint", silent)
    monkeypatch.setattr(live.trained, "measure", lambda options: [])
    monkeypatch.setattr(engine.live_cost, "measure", lost)
    monkeypatch.setattr(engine, "setups", lambda *given: every(*given)[2:3])
    report = live.measure(Options(quick=True, cache=subjects.root), subjects.architectures)
    wanted = {"fused_ratio", "fused_ratio_lossy", "speech_only_ratio", "speech_only_ratio_lossy",
              "encoder_ratio", "visible_wait_ms"}  # fmt: skip
    assert wanted <= set(report.to_dict())
    assert set(report.figures["encoder_ratio"]) == {"speech", "text", "large"}
    assert set(report.figures["visible_wait_ms"]) == {"speech, lossy"}
    said = " ".join(report.notes)
    assert "no sound server" in said
    assert "cost is not known" in said
