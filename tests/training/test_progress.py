"""What a run says, and what it leaves for TensorBoard."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from rich.console import Console

from tests.training.tiny_training import STEPS, train
from training.progress import Reporter, RunClock
from training.tensorboard_log import TensorBoardLog


class Time:
    """Seconds that pass when a test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr("training.progress.time.monotonic", lambda: self.now)


def reporter(*, terminal: bool = False, silent: bool = False) -> tuple[Reporter, io.StringIO]:
    stream = io.StringIO()
    console = Console(file=stream, width=120, force_terminal=terminal, quiet=silent)
    return Reporter(console), stream


def test_the_clock_counts_the_whole_run(monkeypatch: pytest.MonkeyPatch) -> None:
    time = Time(monkeypatch)
    clock = RunClock(steps=100, done=40)  # a run that goes on
    assert (clock.left, str(clock)) == (None, "")
    for _ in range(10):
        time.now += 6.0
        clock.tick()
    time.now += 40.0  # validation counts too: 100 s for ten steps
    assert clock.left == pytest.approx(500.0)
    assert str(clock) == "0:08:20 left"


def test_plain_lines_tell_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    time = Time(monkeypatch)
    clock = RunClock(steps=10)
    report, stream = reporter()
    for item in report.track(range(3), 5, "epoch 1/2", done=2, clock=clock):
        assert item in (0, 1, 2)
        time.now += 61.0
        clock.tick()
    assert stream.getvalue().splitlines() == [
        "epoch 1/2: step 3 of 5, 0:09:09 left",
        "epoch 1/2: step 4 of 5, 0:08:08 left",
    ]


def test_a_terminal_shows_the_time_left_of_the_whole_run(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = RunClock(steps=4)
    report, stream = reporter(terminal=True)
    seen = []
    for item in report.track(range(2), 2, "epoch 1/2", clock=clock):
        clock.tick()
        seen.append(item)
    assert seen == [0, 1]
    assert "run: 0:00:00 left" in stream.getvalue()


def test_a_silent_reporter_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    silent = Reporter(silent=True)
    silent.say("something")
    assert list(silent.track(range(3), 3, "epoch 1/2")) == [0, 1, 2]
    assert capsys.readouterr() == ("", "")


def events(folder: Path) -> dict[str, list[tuple[int, float]]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder))
    found.Reload()
    return {
        tag: [(event.step, event.value) for event in found.Scalars(tag)]
        for tag in found.Tags()["scalars"]
    }


def test_tensorboard_gets_losses_rates_and_metrics(tmp_path: Path) -> None:
    options = {"epochs": 2, "tensorboard": True, "rates": {"head": 0.1}}
    train(tmp_path, "run", options, resume=False, affect="ccc")
    found = events(tmp_path / "run" / "tensorboard")
    assert [step for step, _ in found["train/loss"]] == list(range(1, 2 * STEPS + 1))
    assert {"train/emotion", "train/arousal", "train/gradient_norm"} <= found.keys()
    assert [step for step, _ in found["epoch/accuracy"]] == [STEPS, 2 * STEPS]
    rates = zip(found["learning_rate/x1"], found["learning_rate/x0.1"], strict=True)
    assert all(low == pytest.approx(0.1 * high) for (_, high), (_, low) in rates)


def test_a_new_run_starts_a_new_log(tmp_path: Path) -> None:
    for _ in range(2):
        train(tmp_path, "run", {"epochs": 1, "tensorboard": True}, resume=False)
    assert len(events(tmp_path / "run" / "tensorboard")["train/loss"]) == STEPS


def test_training_goes_on_without_tensorboard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    report, stream = reporter()
    log = TensorBoardLog(tmp_path, 0, report, enabled=True)
    log.write("train", {"loss": 1.0}, 1)
    log.close()
    assert "TensorBoard is not installed" in stream.getvalue()
    assert not list(tmp_path.iterdir())


def test_nothing_is_written_unless_asked(tmp_path: Path) -> None:
    train(tmp_path, "run", {"epochs": 1}, resume=False)
    assert not (tmp_path / "run" / "tensorboard").exists()
