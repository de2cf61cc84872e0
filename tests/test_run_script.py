from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")

FAKE_PYTHON = """#!/usr/bin/env bash
echo "python $*" >>"$LOG"
case "$*" in
    *version_info*) exit "${TOO_OLD:-0}" ;;
    "-m venv --clear "*) mkdir -p "$4/bin"; cp "$0" "$4/bin/python" ;;
    "-m pip --version") exit 0 ;;
    "-m pip index versions torch")
        echo "Available versions: 2.99, $(sed -n s/^torch==//p "$ROOT/constraints.txt")+cpu" ;;
    "-m pip freeze") exit 0 ;;
    "-m pip install "*)
        [[ -e "$ROOT/no-network" ]] && exit 1
        printf '#!/usr/bin/env bash\\necho "emoscope $*" >>"$LOG"\\n' >"$ROOT/.venv/bin/emoscope"
        chmod +x "$ROOT/.venv/bin/emoscope" ;;
esac
"""

FAKE_DPKG_QUERY = """#!/usr/bin/env bash
echo "dpkg-query" >>"$LOG"
for package in "$@"; do
    [[ $package == -* || $package == *t64 || " $ABSENT " == *" $package "* ]] && continue
    echo "installed $package"
done
exit 1
"""

FAKE_APT_GET = """#!/usr/bin/env bash
echo "apt-get $*" >>"$LOG"
exit "${APT_STATUS:-0}"
"""


class Machine:
    """A copy of the scripts in a folder of its own, on a machine made of fakes."""

    def __init__(self, root: Path, project: Path) -> None:
        self.root = root
        self.log = root / "log"
        self.tools = root / "tools"
        self.tools.mkdir()
        for name in ("pyproject.toml", "constraints.txt"):
            shutil.copy(project / name, root / name)
        self.driver = root / "nvidia-driver"
        self.script = (project / "run").read_text(encoding="utf-8")
        self.script = self.script.replace("/proc/driver/nvidia/version", str(self.driver))
        self.script = self.script.replace("/dev/dxg", str(root / "no-such-device"))
        self.provide("python3", FAKE_PYTHON)
        self.provide("dpkg-query", FAKE_DPKG_QUERY)
        self.provide("apt-get", FAKE_APT_GET)
        self.provide("sudo", "#!/usr/bin/env bash\nexit 1\n")
        self.provide("nvidia-smi", "#!/usr/bin/env bash\nexit 1\n")

    def become(self, *, root: bool) -> None:
        """Let the script believe that root runs it, or not."""
        self.script = self.script.replace("((EUID == 0))", "true" if root else "false")

    def provide(self, name: str, text: str) -> None:
        (self.tools / name).write_text(text)
        (self.tools / name).chmod(0o755)

    def run(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        self.log.write_text("")
        (self.root / "run").write_text(self.script, encoding="utf-8")
        environment = {
            "PATH": f"{self.tools}:{os.environ['PATH']}",
            "ROOT": str(self.root),
            "LOG": str(self.log),
            "ABSENT": "",
            "EMOSCOPE_PYTHON": str(self.tools / "python3"),
        } | settings
        return subprocess.run(
            ["bash", str(self.root / "run"), *arguments],
            env=environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    def calls(self) -> list[str]:
        return self.log.read_text().splitlines()


@pytest.fixture
def machine(tmp_path: Path, project: Path) -> Machine:
    return Machine(tmp_path, project)


@pytest.mark.parametrize("script", ["run", "test", ".ci/run"])
def test_the_scripts_are_executable_and_parse(project: Path, script: str) -> None:
    assert os.access(project / script, os.X_OK)
    subprocess.run(["bash", "-n", str(project / script)], check=True)


def test_the_first_start_installs_and_then_runs(machine: Machine) -> None:
    result = machine.run("--version")
    assert result.returncode == 0, result.stderr
    calls = machine.calls()
    assert calls[-1] == "emoscope --version"
    install = next(call for call in calls if "pip install" in call)
    assert f"-c {machine.root}/constraints.txt -e {machine.root}" in install
    assert "CPU build" in result.stderr
    assert "200 MB" in result.stderr


def test_the_first_start_speaks_of_recognition_and_downloads_nothing(machine: Machine) -> None:
    machine.run("--version")
    assert machine.calls()[-2:] == ["emoscope doctor --only recognition", "emoscope --version"]


def test_the_second_start_does_nothing_but_start(machine: Machine) -> None:
    machine.run("--version")
    assert machine.run("analyze", "a b.wav").returncode == 0
    assert machine.calls() == ["emoscope analyze a b.wav"]


def test_new_dependencies_are_installed_at_the_next_start(machine: Machine) -> None:
    machine.run("--version")
    with (machine.root / "constraints.txt").open("a") as constraints:
        constraints.write("another==1\n")
    machine.run("--version")
    assert any("pip install" in call for call in machine.calls())


def test_an_interrupted_installation_is_taken_up_again(machine: Machine) -> None:
    (machine.root / "no-network").touch()
    failed = machine.run("--version")
    assert failed.returncode != 0
    assert "start ./run again" in failed.stderr
    (machine.root / "no-network").unlink()
    assert machine.run("--version").returncode == 0
    calls = machine.calls()
    assert not any("-m venv" in call for call in calls)
    assert any("pip install" in call for call in calls)


def test_a_missing_library_without_rights_prints_one_apt_line_and_goes_on(
    machine: Machine,
) -> None:
    machine.become(root=False)
    result = machine.run("--version", ABSENT="libegl1 fonts-noto-cjk")
    assert result.returncode == 0, result.stderr
    lines = [line.strip() for line in result.stderr.splitlines() if "apt-get" in line]
    assert lines == ["sudo apt-get install libegl1 fonts-noto-cjk"]
    assert machine.calls()[-1] == "emoscope --version"


def test_a_missing_library_is_named_again_until_it_is_there(
    machine: Machine,
) -> None:
    machine.become(root=False)
    machine.run("--version", ABSENT="libegl1")
    assert "libegl1" in machine.run("--version", ABSENT="libegl1").stderr
    machine.run("--version")
    assert machine.run("--version").stderr == ""


def test_a_missing_library_is_installed_by_who_may(machine: Machine) -> None:
    machine.become(root=True)
    assert machine.run("--version", ABSENT="libegl1").returncode == 0
    installs = [call for call in machine.calls() if call.startswith("apt-get install")]
    assert len(installs) == 1
    assert installs[0].endswith(" libegl1")


def test_an_old_python_is_refused_with_a_sentence(machine: Machine) -> None:
    for name in ("python3.13", "python3.12", "python3.11"):
        machine.provide(name, FAKE_PYTHON)
    result = machine.run("--version", TOO_OLD="1")
    assert result.returncode != 0
    assert "Python 3.11 or newer" in result.stderr


def test_a_machine_with_a_driver_is_offered_the_cuda_build(machine: Machine) -> None:
    machine.driver.touch()
    result = machine.run("--version")
    assert "3 GB" in result.stderr
    assert "extra-index-url" not in " ".join(machine.calls())


def test_setting_up_for_tests_adds_what_only_tests_need(machine: Machine) -> None:
    assert machine.run("--setup", "test").returncode == 0
    calls = machine.calls()
    assert any(call.endswith(f"-e {machine.root}[test]") for call in calls)
    assert not any(call.startswith("emoscope") for call in calls)
    machine.run("--setup", "test")
    assert machine.calls() == []


def test_a_command_that_trains_adds_what_only_training_needs_once(machine: Machine) -> None:
    machine.run("--version")
    assert machine.run("train", "config.yaml").returncode == 0
    calls = machine.calls()
    assert any(call.endswith(f"-e {machine.root}[training]") for call in calls)
    assert calls[-1] == "emoscope train config.yaml"
    machine.run("train", "config.yaml")
    assert machine.calls() == ["emoscope train config.yaml"]


def test_the_choice_of_build_can_be_overruled(machine: Machine) -> None:
    machine.driver.touch()
    assert "200 MB" in machine.run("--version", EMOSCOPE_TORCH="cpu").stderr
