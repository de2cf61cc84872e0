from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGES = ("core", "desktop", "training")
LONGEST_FILE = 420
LONGEST_FUNCTION = 70


def sources(project: Path, *folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((project / folder).rglob("*.py"))


def tracked_text_files(project: Path) -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=project, capture_output=True, text=True, check=False
    )
    if listing.returncode:
        pytest.skip("not a git checkout")
    suffixes = {".py", ".md", ".toml", ".yaml", ".txt", ".json", ".ts", ".html", ""}
    names = [name for name in listing.stdout.split("\0") if name]
    return [p for name in names if (p := project / name).suffix in suffixes and p.is_file()]


def test_imports_point_down(project: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"],
        cwd=project,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("desktop.app", ("torch", "transformers", "sounddevice", "faster_whisper", "onnxruntime")),
        ("core.cli", ("numpy", "torch", "PySide6")),
        ("core.pipeline.session", ("torch", "PySide6", "sounddevice", "faster_whisper")),
        ("core.models.registry", ("torch",)),
    ],
)
def test_importing_stays_light(module: str, absent: tuple[str, ...]) -> None:
    code = (
        f"import sys, {module}; heavy = set({absent!r}) & set(sys.modules);"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, f"import {module} loads {result.stderr}"


def test_no_file_names_a_path_of_one_machine(project: Path) -> None:
    pattern = re.compile(r"(?<![\w.])/(?:work|home/\w+|Users/\w+|root)/\w")
    found = [
        f"{path.relative_to(project)}:{number}: {line.strip()}"
        for path in tracked_text_files(project)
        if path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found, "\n".join(found)


def test_files_stay_short(project: Path) -> None:
    long = {
        str(path.relative_to(project)): lines
        for path in sources(project, *PACKAGES)
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_FILE
    }
    assert not long, f"more than {LONGEST_FILE} lines: {long}"


def test_functions_stay_short(project: Path) -> None:
    long = {
        f"{path.relative_to(project)}:{node.name}": length
        for path in sources(project, *PACKAGES)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > LONGEST_FUNCTION
    }
    assert not long, f"more than {LONGEST_FUNCTION} lines: {long}"


def test_there_is_no_module_for_everything(project: Path) -> None:
    names = {path.name for path in sources(project, *PACKAGES, "tests")}
    assert not names & {"utils.py", "util.py", "helpers.py", "common.py", "misc.py"}


def test_library_code_does_not_print(project: Path) -> None:
    terminal = ("core/cli.py", "core/commands/", "core/bench/", "desktop/bench/", "__main__.py")
    terminal += ("training/evaluate", "training/evaluation/", "training/train_command.py")
    found = [
        f"{name}:{node.lineno}"
        for path in sources(project, *PACKAGES)
        if not any(part in (name := path.relative_to(project).as_posix()) for part in terminal)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"
    ]
    assert not found, found
