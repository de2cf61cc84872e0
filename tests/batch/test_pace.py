"""How far, how fast, how long: in figures and in words."""

from __future__ import annotations

import io

import pytest

from core.batch.pace import BatchPace
from core.batch.values import Advanced, Analysed, Began, Kept, Written
from core.commands.analyze_screen import BatchScreen
from core.commands.progress import Bar, display, standing_text
from core.pipeline.events import Progress
from core.types import SAMPLE_RATE
from tests.batch.corpus import task


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def advanced(number: int, seconds: float) -> Advanced:
    done = round(seconds * SAMPLE_RATE)
    return Advanced(number, Progress(done, None, 1.0))


def written(number: int, seconds: float) -> Written:
    return Written(Analysed(number, turns=1, seconds=seconds, took=1.0))


def test_speed_and_time_left_come_from_what_all_workers_did() -> None:
    clock = Clock()
    pace = BatchPace([task(0, 100.0), task(1, 100.0), task(2, 200.0)], clock)
    assert pace.standing().left is None
    pace.note(Began(0))
    clock.now += 2.0
    pace.note(advanced(0, 60.0))
    pace.note(advanced(1, 40.0))
    standing = pace.standing()
    assert (standing.done, standing.total, standing.speed) == (100.0, 400.0, 50.0)
    assert standing.left == pytest.approx(6.0)
    pace.note(written(0, 100.0))
    assert pace.standing().finished == 1
    assert standing_text(standing) == (
        "0 of 3 recordings, 1:40 of 6:40 (25 %), 50.0 times real time, 0:06 left"
    )


def test_what_was_done_before_counts_as_done_but_not_as_speed() -> None:
    clock = Clock()
    pace = BatchPace([task(0, 300.0), task(1, 100.0)], clock)
    pace.note(Kept(0, 300.0))
    pace.note(Began(1))
    clock.now += 1.0
    pace.note(advanced(1, 50.0))
    standing = pace.standing()
    assert (standing.finished, standing.speed, standing.left) == (1, 50.0, 1.0)
    assert standing.share == pytest.approx(350 / 400)


def test_a_recording_that_fails_leaves_nothing_to_wait_for() -> None:
    clock = Clock()
    pace = BatchPace([task(0, 100.0), task(1, 100.0)], clock)
    pace.note(Began(0))
    pace.note(advanced(0, 10.0))
    clock.now += 1.0
    pace.note(written(0, 0.0))
    pace.note(advanced(1, 50.0))
    assert pace.standing().total == 100.0
    assert pace.standing().left == pytest.approx(1.0)


def test_lengths_that_nobody_states_are_learnt_on_the_way() -> None:
    pace = BatchPace([task(0, None)], Clock())
    pace.note(advanced(0, 30.0))
    assert (pace.standing().total, pace.standing().share) == (30.0, 1.0)


class Screen:
    """A display that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.bars: list[Bar] = []

    def begin(self, name: str) -> None:
        self.lines.append(f"begin {name}")

    def update(self, bar: Bar) -> None:
        self.bars.append(bar)

    def line(self, text: str, *, error: bool = False) -> None:
        self.lines.append(text)


def test_one_recording_shows_its_own_progress_and_time_left() -> None:
    screen = Screen()
    shown = BatchScreen([task(0, 240.0)], screen)  # type: ignore[arg-type]
    shown(Advanced(0, Progress(90 * SAMPLE_RATE, 240 * SAMPLE_RATE, 21.0)))
    bar = screen.bars[-1]
    assert bar.name == "talk0.wav"
    assert bar.text.startswith("1:30 of 4:00 (38 %), 21.0 times real time")
    assert (bar.done, bar.total) == (90.0, 240.0)


def test_a_terminal_that_is_none_gets_few_lines(capsys: pytest.CaptureFixture[str]) -> None:
    plain = display(io.StringIO())
    with plain:
        for _ in range(100):
            plain.update(Bar("a.wav", "somewhere", 1.0, 2.0))
    assert capsys.readouterr().out == ""
    plain.interval = 0.0  # type: ignore[attr-defined]
    plain.update(Bar("a.wav", "somewhere", 1.0, 2.0))
    assert capsys.readouterr().out == "a.wav: somewhere\n"
