from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from core.audio.channels import ChannelMode
from core.audio.io import read_audio
from core.bench import contention, files
from core.bench.burner import Burner, burner
from core.bench.files import Run, two_channels, write_dialogue
from core.bench.memory_watch import watched_memory
from core.bench.options import Options
from core.bench.subjects import Subjects
from core.errors import EmoscopeError


def spent(process: psutil.Process) -> float:
    return float(process.cpu_times().user)


def until(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def test_a_burner_burns_when_told_to_and_ends_with_its_block() -> None:
    with burner() as made:
        process = psutil.Process(made._process.pid)
        assert until(lambda: process.status() == psutil.STATUS_STOPPED)
        before = spent(process)
        made.burn()
        assert until(lambda: spent(process) > before + 0.1)
        made.pause()
        assert until(lambda: process.status() == psutil.STATUS_STOPPED)
        settled = spent(process)
        time.sleep(0.2)
        assert spent(process) == settled
    assert not process.is_running()


def test_answers_are_asked_for_idle_and_busy_in_turns() -> None:
    told: list[str] = []

    class Noted(Burner):
        def __init__(self) -> None:
            pass

        def burn(self) -> None:
            told.append("B")

        def pause(self) -> None:
            told.append("-")

    idle, busy = contention._interleaved(lambda: told.append("a"), Noted(), rounds=2)
    assert len(idle) == len(busy) == 2 * contention.PER_ROUND
    answers = "a" * contention.PER_ROUND
    assert "".join(told) == f"-{answers}B{answers}B{answers}-{answers}-"


def test_the_tenth_worst_of_a_hundred() -> None:
    assert contention.tenth_worst([float(n) for n in range(101)]) == pytest.approx(90.0)


def test_every_kind_of_answer_is_measured(
    subjects: Subjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contention, "PER_ROUND", 2)
    options = Options(quick=True, cache=subjects.root)
    report = contention.measure(options, subjects.architectures)
    with_target = [m for m in report.measurements if m.target is not None]
    assert len(with_target) == 4
    assert {m.target for m in with_target} == {1.3}


def test_memory_that_came_and_went_is_seen() -> None:
    with watched_memory(0.001) as watch:
        held = bytearray(b"x" * 50_000_000)
        assert until(lambda: watch.growth > 40)
        del held
    assert watch.growth > 40


def test_each_speaker_has_a_channel() -> None:
    left, right = two_channels()
    both = (abs(left) > 0) & (abs(right) > 0)
    assert abs(left).max() > 0.1
    assert abs(right).max() > 0.1
    assert both.mean() < 0.01


def test_a_recording_has_the_length_it_is_asked_for(tmp_path: Path) -> None:
    path = write_dialogue(tmp_path / "a.wav", 75.0)
    assert read_audio(path, ChannelMode.BOTH).shape == (2, 75 * 16_000)


def test_speed_and_growth_come_from_both_runs() -> None:
    report = files.report(Run(120.0, 8.0, 400.0), Run(3600.0, 60.0, 450.0))
    found = {m.name: m for m in report.measurements}
    speed = found["60 minutes, two speakers: times real time"]
    assert (speed.value, speed.met) == (60.0, True)
    assert found["memory growth with the length"].value == 50.0
    assert report.figures == {"times_real_time": 60.0, "memory_growth_mb": 50.0}


def test_the_command_is_run_on_a_recording(tmp_path: Path) -> None:
    run = files.analyze(write_dialogue(tmp_path / "a.wav", 6.0), tmp_path)
    assert run.duration == pytest.approx(6.0, abs=0.01)
    assert run.seconds > 0
    assert run.megabytes > 50
    assert list((tmp_path / "a").glob("*.jsonl"))


def test_a_command_that_fails_says_why(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"no sound")
    with pytest.raises(EmoscopeError, match="emoscope analyze failed"):
        files.analyze(tmp_path / "a.wav", tmp_path)
