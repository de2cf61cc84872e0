from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import pytest

from core import __version__, cli
from core.errors import MediaError


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module `a_command` whose `main` a test replaces, registered as the command "try"."""
    module = ModuleType("a_command")
    monkeypatch.setitem(sys.modules, "a_command", module)
    monkeypatch.setattr(cli, "COMMANDS", {**cli.COMMANDS, "try": ("a_command:main", "a test")})
    return module


def test_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"emoscope {__version__}\n"


def test_help_lists_every_command_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for name in cli.COMMANDS:
        assert sum(line.startswith(f"  {name} ") for line in lines) == 1
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize(("typed", "meant"), [("analize", "analyze"), ("Doctor", "doctor")])
def test_an_unknown_command_names_the_nearest(
    typed: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([typed]) == 2
    assert f'"{meant}"' in capsys.readouterr().err


def test_a_recording_instead_of_a_command_is_understood(
    tmp_path: object, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([str(tmp_path)]) == 2
    assert "emoscope analyze" in capsys.readouterr().err


def test_arguments_reach_the_command_and_its_status_comes_back(command: ModuleType) -> None:
    seen: list[list[str]] = []

    def run(argv: list[str]) -> int:
        seen.append(list(argv))
        return 7

    command.main = run  # type: ignore[attr-defined]
    assert cli.main(["try", "a", "--b"]) == 7
    assert seen == [["a", "--b"]]


def test_without_a_command_the_window_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[tuple[str, list[str]]] = []

    def note(name: str, arguments: list[str]) -> int:
        opened.append((name, arguments))
        return 0

    monkeypatch.setattr(cli, "_guarded", note)
    assert cli.main([]) == 0
    assert cli.main(["-platform", "offscreen"]) == 0
    assert opened == [("gui", []), ("gui", ["-platform", "offscreen"])]


def test_an_error_is_a_sentence_with_its_remedy(
    command: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(argv: list[str]) -> int:
        raise MediaError("talk.mp3 is empty.", "Choose another file.")

    command.main = fail  # type: ignore[attr-defined]
    assert cli.main(["try"]) == cli.EXIT_ERROR
    assert capsys.readouterr().err == "emoscope try: talk.mp3 is empty. Choose another file.\n"


def test_an_interrupt_gives_the_status_shells_expect(command: ModuleType) -> None:
    def interrupt(argv: list[str]) -> int:
        raise KeyboardInterrupt

    command.main = interrupt  # type: ignore[attr-defined]
    assert cli.main(["try"]) == 130


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_exists(name: str) -> None:
    module = cli.COMMANDS[name][0].split(":")[0]
    code = f"import sys; from core.cli import load_command; load_command({name!r})"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, f"{module}: {result.stderr}"


def test_the_version_costs_no_heavy_import() -> None:
    code = (
        "import sys; from core.cli import main; main(['--version']);"
        "heavy = {'numpy', 'torch', 'PySide6', 'rich', 'av', 'yaml'} & set(sys.modules);"
        "sys.exit(', '.join(heavy) or 0)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
