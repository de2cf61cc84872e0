"""The two-minute session with big models, made short: the same way with tiny ones."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.types import SAMPLE_RATE
from tests import pulse
from tests.desktop.live_big_models import LATENCY_MS, speech
from tests.desktop.live_watch import covered, growth
from tests.desktop.screen import ROOT
from tests.desktop.test_item_models import result, turn


def test_a_line_arrived_if_turns_with_a_result_cover_it() -> None:
    lines = [(1.0, 3.0), (5.0, 6.0), (8.0, 10.0)]
    judged = [turn(0, 0.9, 2.0, emotion=result()), turn(1, 2.2, 3.2, emotion=result())]
    assert covered(lines, judged) == 1
    assert covered(lines, [*judged, turn(2, 5.0, 6.0)]) == 1  # a turn nobody judged
    assert covered(lines, [*judged, turn(2, 7.0, 11.0, emotion=result())]) == 2


def test_growth_is_that_of_the_later_half() -> None:
    steady = [(float(second), 500.0 + 100.0 * (second < 30)) for second in range(60)]
    assert growth(steady) == (pytest.approx(0.0), pytest.approx(0.0))
    leaking = [(float(second), 500.0 + second) for second in range(60)]
    assert growth(leaking)[0] == pytest.approx(60.0, rel=0.05)


def test_lines_are_spoken_where_they_are_said_to_be() -> None:
    sound, lines = speech(20.0)
    assert len(sound) >= 20 * SAMPLE_RATE
    for start, end in lines:
        inside = sound[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)]
        assert abs(inside).max() > 0.02
    assert all(after[0] > before[1] for before, after in itertools.pairwise(lines))
    assert LATENCY_MS > 0


@pytest.mark.microphone
@pytest.mark.window
@pytest.mark.slow
def test_a_short_session_with_tiny_models_loses_nothing(tmp_path: Path) -> None:
    if lacking := pulse.missing_tool():
        pytest.skip(f"{lacking} is not installed")
    found = tmp_path / "seen.json"
    command = [sys.executable, "-m", "tests.desktop.live_big_models", "--size", "tiny"]
    command += ["--whisper", "tiny", "--seconds", "8", "--json", str(found)]
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "OMP_NUM_THREADS": "1"}
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        environment.pop(name, None)
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    seen = json.loads(found.read_text(encoding="utf-8"))
    assert seen["lines_arrived"] == seen["lines"] >= 2
    assert seen["texts"] >= 1
    assert seen["frames"] > 8 * 5
    assert any(text.endswith("s behind") for text in seen["delays_shown"])
    assert {runtime.split(":")[0] for runtime in seen["runtimes"]} == {"speech", "text"}
    assert "Traceback" not in done.stderr
