"""Topic `window`: what the window costs with everything moving, and how fast it is up.

Each figure comes from processes of their own, fed with a made-up conversation. "Early" and "late"
processes (a minute of data, and an hour) are measured in turns, as are the two starts.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from core.bench.report import Measurement, Report
from core.bench.timing import summarise

CPU_TARGET = 25.0
GROWTH_TARGET = 1.1
START_TARGET = 1.5
FRAME_RATE = 30.0
EARLY, LATE, QUICK_LATE = 60.0, 3600.0, 600.0
"""Seconds of conversation the window has seen before it is measured."""

_ROUND = 5.0
_PATIENCE = 600.0


class MeasuredWindow:
    """A window in a process of its own, filled with data, measured on request."""

    def __init__(self, seconds: float, display: str | None) -> None:
        command = [sys.executable, "-m", "desktop.bench.fed_window", str(seconds)]
        self._process = subprocess.Popen(
            command,
            env=environment(display),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ready(self) -> None:
        """Wait until the data is in."""
        self._answer()

    def measure(self, seconds: float) -> tuple[float, float]:
        """Return the share of one core (%) and the frames a second over so many seconds."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{seconds}\n")
        self._process.stdin.flush()
        share, frames = self._answer().split()
        return float(share), float(frames)

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(30)

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the window under measurement ended early")
        return line.strip()


def measure(quick: bool = False) -> Report:
    """Measure processor time early and late, and the start beside a bare window's."""
    rounds = 2 if quick else 8
    late_seconds = QUICK_LATE if quick else LATE
    with virtual_display() as display:
        early, late, frames = _run(display, late_seconds, rounds)
        ours, bare = start_times(display, 3 if quick else 9)
        platform = "xcb on a virtual screen" if display else "offscreen"
    growth = [b / max(a, 1e-9) for a, b in zip(early, late, strict=True)]
    starts = [a / b for a, b in zip(ours, bare, strict=True)]
    hour = f"after {late_seconds / 60:.0f} minutes"
    measurements: tuple[Measurement, ...] = (
        summarise("one core, after one minute", early, "%", target=CPU_TARGET),
        summarise(f"one core, {hour}", late, "%", target=CPU_TARGET),
        summarise(f"{hour} against after one", growth, "x", target=GROWTH_TARGET),
        summarise("frames drawn", frames, "/s", target=0.9 * FRAME_RATE, at_least=True),
        summarise("window up", ours, "s"),
        summarise("bare PySide6 + pyqtgraph window up", bare, "s"),
        summarise("window up against a bare one", starts, "x", target=START_TARGET),
    )
    return Report("window", measurements, (f"Qt platform: {platform}; 1440 x 900.",))


def _run(
    display: str | None, late_seconds: float, rounds: int
) -> tuple[list[float], list[float], list[float]]:
    windows = (MeasuredWindow(EARLY, display), MeasuredWindow(late_seconds, display))
    shares: tuple[list[float], list[float]] = ([], [])
    frames: list[float] = []
    try:
        for window in windows:
            window.ready()
        for number in range(rounds):
            order = (0, 1) if number % 2 == 0 else (1, 0)
            for which in order:
                share, rate = windows[which].measure(_ROUND)
                shares[which].append(share)
                frames.append(rate)
    finally:
        for window in windows:
            window.close()
    return shares[0], shares[1], frames


def start_times(display: str | None, rounds: int) -> tuple[list[float], list[float]]:
    """Return seconds from the start of a process to its first picture: ours, and a bare window's.

    One round first, uncounted, so that both find their files in the cache.
    """
    ours: list[float] = []
    bare: list[float] = []
    for number in range(rounds + 1):
        pair = [("desktop.bench.start_window", ours), ("desktop.bench.bare_window", bare)]
        for module, times in pair if number % 2 == 0 else pair[::-1]:
            seconds = _time_start(module, display)
            if number > 0:
                times.append(seconds)
    return ours, bare


def _time_start(module: str, display: str | None) -> float:
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", module, folder],
            env=environment(display),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        line = process.stdout.readline()
        seconds = time.perf_counter() - began
        process.stdout.close()
        process.wait(30)
    if line.strip() != "up":
        raise RuntimeError(f"{module} did not open its window")
    return seconds


@contextlib.contextmanager
def virtual_display() -> Iterator[str | None]:
    """Give a virtual X screen; None where there is no Xvfb, then Qt draws without a screen."""
    if shutil.which("Xvfb") is None:
        yield None
        return
    reader, writer = os.pipe()
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1600x1000x24"]
    server = subprocess.Popen(
        command, pass_fds=[writer], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    os.close(writer)
    try:
        with os.fdopen(reader) as pipe:
            number = pipe.readline().strip()
        yield f":{number}" if number else None
    finally:
        server.terminate()
        server.wait(_PATIENCE)


def environment(display: str | None) -> dict[str, str]:
    """Return the variables of a process that draws on `display`."""
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(_paths())}
    variables.pop("QT_QPA_PLATFORM", None)
    if display is None:
        variables["QT_QPA_PLATFORM"] = "offscreen"
    else:
        variables["DISPLAY"] = display
        variables["QT_QPA_PLATFORM"] = "xcb"
    return variables


def _paths() -> Sequence[str]:
    return (str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH", ""))
