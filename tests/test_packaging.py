from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from core import __version__

pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory, project: Path) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = (sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", folder, project)
    result = run(*command, cwd=folder)
    assert result.returncode == 0, result.stdout + result.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """A folder that holds the installed wheel and nothing of the checkout."""
    folder = tmp_path_factory.mktemp("elsewhere")
    command = (sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index")
    result = run(*command, "--target", folder / "packages", wheel, cwd=folder)
    assert result.returncode == 0, result.stderr
    return folder


def test_the_wheel_carries_checkpoint_samples_and_translations(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    carried = {name.removeprefix("emoscope_assets/") for name in names}
    assert "checkpoints/embedded/model.safetensors" in carried
    assert "checkpoints/embedded/config.json" in carried
    assert {"samples/dialogue.flac", "samples/dialogue.srt"} <= carried
    assert any(name.startswith("translations/") and name.endswith(".qm") for name in carried)
    assert not any(name.startswith(("tests/", ".venv", "assets/")) for name in names)


def test_an_installed_wheel_knows_its_version(elsewhere: Path) -> None:
    packages = elsewhere / "packages"
    program = packages / "bin" / "emoscope"
    result = run(sys.executable, program, "--version", cwd=elsewhere, PYTHONPATH=str(packages))
    assert result.stdout == f"emoscope {__version__}\n", result.stderr


def test_an_installed_wheel_finds_its_assets_and_analyses_with_them(elsewhere: Path) -> None:
    packages = elsewhere / "packages"
    sample = packages / "emoscope_assets" / "samples" / "dialogue.flac"
    out = elsewhere / "out"
    program = packages / "bin" / "emoscope"
    command = (sys.executable, program, "analyze", sample, "--out", out, "--formats", "jsonl")
    result = run(*command, cwd=elsewhere, PYTHONPATH=str(packages))
    assert result.returncode == 0, result.stdout + result.stderr
    lines = (out / "dialogue.jsonl").read_text(encoding="utf-8").splitlines()
    turns = [json.loads(line) for line in lines]
    assert len(turns) == 16
    assert {turn["speaker"] for turn in turns} == {"Mina", "Jun"}
