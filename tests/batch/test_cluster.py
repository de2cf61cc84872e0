"""Ray, where it is installed: a local cluster of two workers says what one process does."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from core.batch.engines import Workers, make_engine
from core.batch.errors import WorkerError
from tests.batch.corpus import comparable, write_talks
from tests.conftest import PROJECT


def test_without_ray_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(WorkerError, match=r"emoscope\[cluster\]"):
        make_engine(Workers("ray"))


@pytest.mark.slow
@pytest.mark.skipif(find_spec("ray") is None, reason="Ray (emoscope[cluster]) is not installed")
def test_a_local_cluster_equals_one_process(tmp_path: Path) -> None:
    write_talks(tmp_path / "in", 4)
    (tmp_path / "in" / "broken.wav").write_bytes(b"RIFF nothing")
    environment = {k: v for k, v in os.environ.items() if k != "RAY_ADDRESS"}
    environment["TMPDIR"] = "/tmp"  # paths of sockets must be short
    for workers in ("1", "ray"):
        given = (tmp_path / "in", "--out", tmp_path / workers, "--whisper", "none")
        done = subprocess.run(
            [sys.executable, "-m", "core.cli", "analyze", *map(str, given), "--workers", workers],
            capture_output=True,
            text=True,
            cwd=PROJECT,
            env=environment,
            timeout=200,
        )
        assert done.returncode == 1, done.stderr
        assert [line for line in done.stderr.splitlines() if "broken.wav" in line]
        assert "4 of 5 recordings" in done.stdout.splitlines()[-1]
    assert comparable(tmp_path / "ray") == comparable(tmp_path / "1")
    assert len(comparable(tmp_path / "ray")) == 8
