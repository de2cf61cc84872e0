"""Real workers in real processes: same results as without, and what becomes of killed ones."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from core.batch.engines import Workers, make_engine
from core.batch.inputs import find_inputs
from core.batch.plan import plan
from core.batch.processes import Processes
from core.batch.state import STATE
from core.batch.values import Analysed, Began, Options, Retried, WorkerEvent
from core.errors import CheckpointError
from tests.batch.corpus import comparable, write_talks
from tests.conftest import PROJECT

SLOW = pytest.mark.slow
OPTIONS = Options(device="cpu", whisper="none", formats=("jsonl",))


def command(folder: Path, out: Path, *more: object) -> list[str]:
    given = ["analyze", folder, "--out", out, "--whisper", "none", "--device", "cpu", *more]
    return [sys.executable, "-m", "core.cli", *map(str, given)]


def run(folder: Path, out: Path, *more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(folder, out, *more), capture_output=True, text=True, cwd=PROJECT, timeout=200
    )


def test_two_workers_say_and_write_what_one_does(tmp_path: Path) -> None:
    write_talks(tmp_path / "in", 5)
    (tmp_path / "in" / "broken.wav").write_bytes(b"RIFF nothing")
    (tmp_path / "in" / "cut.mp3").write_bytes(b"")
    done = {w: run(tmp_path / "in", tmp_path / w, "--workers", w) for w in ("1", "2")}
    assert [d.returncode for d in done.values()] == [1, 1], done["2"].stderr
    assert comparable(tmp_path / "1") == comparable(tmp_path / "2")
    assert len(comparable(tmp_path / "2")) == 10
    assert sorted(done["1"].stderr.splitlines()) == sorted(done["2"].stderr.splitlines())
    told = [
        sorted(line.split(" of audio")[0] for line in d.stdout.splitlines()) for d in done.values()
    ]
    assert [line for line in told[0] if "turns" in line] == [
        line for line in told[1] if "turns" in line
    ]


def test_models_that_cannot_be_loaded_are_one_sentence(tmp_path: Path) -> None:
    from tests.checkpoints import make_checkpoint

    write_talks(tmp_path / "in", 2)
    model = make_checkpoint(tmp_path / "model")
    weights = next(model.glob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:-4] + b"abcd")
    options = replace(OPTIONS, model=str(model), context="off")
    tasks = plan(find_inputs([tmp_path / "in"], tmp_path).recordings, tmp_path, OPTIONS.formats)
    told: list[WorkerEvent] = []
    with pytest.raises(CheckpointError, match=weights.name):
        make_engine(Workers("processes", 1)).run(tasks, options, told.append)
    assert not told
    assert not multiprocessing.active_children()


def test_a_killed_worker_costs_nothing_but_time(tmp_path: Path) -> None:
    write_talks(tmp_path / "in", 4)
    tasks = plan(find_inputs([tmp_path / "in"], tmp_path).recordings, tmp_path, OPTIONS.formats)
    told: list[WorkerEvent] = []
    killed: list[int] = []

    def tell(event: WorkerEvent) -> None:
        told.append(event)
        if isinstance(event, Began) and event.number == 1 and not killed:
            # whoever has it dies over it, as when memory runs out
            for child in multiprocessing.active_children():
                assert child.pid is not None
                killed.append(child.pid)
                os.kill(child.pid, signal.SIGKILL)

    make_engine(Workers("processes", 1)).run(tasks, OPTIONS, tell)
    results = {event.number: event for event in told if isinstance(event, Analysed)}
    assert len(killed) == 1
    assert set(results) == {0, 1, 2, 3}
    assert not any(result.problem for result in results.values())
    retried = [event for event in told if isinstance(event, Retried)]
    assert len(retried) == 1
    assert "signal 9" in retried[0].reason
    assert not multiprocessing.active_children()


def test_workers_end_with_whoever_started_them(tmp_path: Path) -> None:
    write_talks(tmp_path / "in", 2, seconds=60.0)
    parent = subprocess.Popen(
        command(tmp_path / "in", tmp_path / "out", "--workers", "2"),
        cwd=PROJECT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    workers = children_of(parent, 2)
    parent.kill()
    parent.wait()
    _, alive = psutil.wait_procs(workers, timeout=30)
    assert not alive


def test_an_interrupt_ends_all_at_once_and_leaves_whole_files(tmp_path: Path) -> None:
    write_talks(tmp_path / "in", 12)
    out = tmp_path / "out"
    process = subprocess.Popen(
        command(tmp_path / "in", out, "--workers", "2"),
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    workers = children_of(process, 2)
    wait_for_results(process, out, 1)
    process.send_signal(signal.SIGINT)
    _, complaints = process.communicate(timeout=60)
    assert process.returncode == 130 or process.returncode == 0, complaints
    assert "Traceback" not in complaints
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive
    assert not [path for path in out.rglob(".*") if path.name != STATE]
    for page in out.rglob("*.html"):
        assert page.read_text(encoding="utf-8").rstrip().endswith("</html>")


@SLOW
def test_a_killed_batch_goes_on_and_equals_one_that_was_not(tmp_path: Path) -> None:
    write_talks(tmp_path / "in", 8)
    assert run(tmp_path / "in", tmp_path / "whole").returncode == 0
    out = tmp_path / "out"
    chance = random.Random(7)
    for workers, wanted in (("1", 2), ("2", 5)):
        process = subprocess.Popen(
            command(tmp_path / "in", out, "--resume", "--workers", workers),
            cwd=PROJECT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for_results(process, out, wanted)
        time.sleep(chance.uniform(0.0, 0.3))
        process.kill()
        process.wait()
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.html")}
    last = run(tmp_path / "in", out, "--resume", "--workers", "1")
    assert last.returncode == 0, last.stderr
    assert "8 of 8 recordings" in last.stdout.splitlines()[-1]
    kept = [path for path, at in before.items() if path.stat().st_mtime_ns == at]
    assert len(kept) >= 4  # one may have been written and not yet noted in either run
    assert comparable(out) == comparable(tmp_path / "whole")
    assert not [path for path in out.rglob(".*") if path.name != STATE]


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="signals can't be held back")
def test_an_interrupt_does_not_reach_a_worker_that_starts() -> None:
    pool = Processes()
    try:
        pool.hire(OPTIONS)
        child = multiprocessing.active_children()[0]
        assert child.pid is not None
        os.kill(child.pid, signal.SIGINT)
        child.join(0.5)
        assert child.exitcode is None
        assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    finally:
        pool.close()


def test_an_end_that_is_heard_of_late_is_still_a_loss() -> None:
    pool = Processes()
    try:
        worker = pool.hire(OPTIONS)
        child = multiprocessing.active_children()[0]
        child.kill()
        child.join()
        from core.batch.foreman import Lost
        from tests.batch.corpus import task

        pool.give(worker, task(0))
        assert [news for _, news in pool.hear()] == [
            Lost("ended by signal 9, Killed, as when memory runs out")
        ]
    finally:
        pool.close()


def children_of(
    process: subprocess.Popen[str] | subprocess.Popen[bytes], count: int
) -> list[psutil.Process]:
    """Wait until a command has started so many workers, and return them."""
    parent = psutil.Process(process.pid)
    until = time.monotonic() + 120
    while time.monotonic() < until:
        workers = [
            child
            for child in parent.children()
            if any("spawn_main" in part for part in child.cmdline())
        ]
        if len(workers) >= count:
            return workers
        time.sleep(0.05)
    raise AssertionError("no workers were started")


def wait_for_results(
    process: subprocess.Popen[str] | subprocess.Popen[bytes], out: Path, count: int
) -> None:
    """Wait until a command has written so many results, or has ended."""
    until = time.monotonic() + 120
    while len(list(out.rglob("*.html"))) < count and process.poll() is None:
        assert time.monotonic() < until, "no results"
        time.sleep(0.005)
