from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")

TOOL = """#!/usr/bin/env bash
name=$(basename "$0")
echo "$name $*" >>"$LOG"
echo "last line of $name"
[[ " ${FAILING:-} " != *" $name "* ]]
"""
TOOLS = ("ruff", "mypy", "lint-imports", "python")


class Checkout:
    """The script in a folder of its own, with tools that only write down how they were called."""

    def __init__(self, root: Path, project: Path) -> None:
        self.root = root
        self.log = root / "log"
        tools = root / ".venv" / "bin"
        tools.mkdir(parents=True)
        (root / ".ci").mkdir()
        for name in ("test", ".ci/run"):
            shutil.copy(project / name, root / name)
        for path in (*(tools / name for name in TOOLS), root / "run"):
            path.write_text(TOOL)
            path.chmod(0o755)

    def start(self, *command: str, failing: str = "") -> subprocess.CompletedProcess[str]:
        self.log.write_text("")
        environment = os.environ | {"LOG": str(self.log), "FAILING": failing, "DISPLAY": ":0"}
        return subprocess.run(
            command,
            cwd=self.root.parent,
            env=environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    def calls(self) -> list[str]:
        return self.log.read_text().splitlines()


@pytest.fixture
def checkout(tmp_path: Path, project: Path) -> Checkout:
    root = tmp_path / "a checkout"
    root.mkdir()
    return Checkout(root, project)


def test_every_check_runs_after_setting_up(checkout: Checkout) -> None:
    result = checkout.start(str(checkout.root / "test"))
    assert result.returncode == 0, result.stderr
    assert checkout.calls() == [
        "run --setup test",
        "ruff check .",
        "ruff format --check .",
        "mypy ",
        "lint-imports ",
        "python -m pytest",
    ]
    assert "last line of python" in result.stdout
    assert result.stdout.splitlines()[-1] == "All checks passed."


def test_arguments_go_to_pytest(checkout: Checkout) -> None:
    checkout.start(str(checkout.root / "test"), "tests/audio", "-k", "vad")
    assert checkout.calls()[-1] == "python -m pytest tests/audio -k vad"


def test_a_failing_check_is_named_and_the_others_still_run(checkout: Checkout) -> None:
    result = checkout.start(str(checkout.root / "test"), failing="mypy python")
    assert result.returncode == 1
    assert len(checkout.calls()) == 6
    assert result.stdout.splitlines()[-1] == "FAILED: mypy pytest"


def test_nothing_is_checked_when_setting_up_fails(checkout: Checkout) -> None:
    result = checkout.start(str(checkout.root / "test"), failing="run")
    assert result.returncode != 0
    assert checkout.calls() == ["run --setup test"]


def test_continuous_integration_runs_the_same(checkout: Checkout) -> None:
    result = checkout.start("bash", str(checkout.root / ".ci" / "run"), "-x")
    assert result.returncode == 0, result.stderr
    assert checkout.calls()[-1] == "python -m pytest -x"
