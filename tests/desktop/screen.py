"""A virtual screen with a mouse and a keyboard, and the real application on it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def missing_tool() -> str | None:
    """Return the name of a program this needs and the machine lacks, or None."""
    tools = ("Xvfb", "xdotool", "import")
    return next((name for name in tools if not shutil.which(name)), None)


class VirtualScreen:
    """An X server without a screen; use as a context manager."""

    def __init__(self, width: int = 1440, height: int = 900) -> None:
        self._size = f"{width}x{height}x24"
        self._server: subprocess.Popen[bytes] | None = None
        self.display = ""

    def __enter__(self) -> VirtualScreen:
        reader, writer = os.pipe()
        self._server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writer), "-screen", "0", self._size, "-nolisten", "tcp"],
            pass_fds=[writer],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(writer)
        with os.fdopen(reader) as pipe:
            self.display = f":{pipe.readline().strip()}"
        if self.display == ":":
            raise RuntimeError("Xvfb did not start")
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.terminate()
            self._server.wait()

    def do(self, *arguments: str) -> str:
        """Run xdotool, as `screen.do("key", "ctrl+r")`."""
        answer = subprocess.run(
            ["xdotool", *arguments], env=self._env(), capture_output=True, timeout=20, check=False
        )
        return answer.stdout.decode().strip()

    def click(self, x: int, y: int) -> None:
        """Press and release the left button."""
        self.do("mousemove", str(x), str(y), "click", "1")

    def wait_for_window(self, title: str = "Emoscope", timeout: float = 60.0) -> str:
        """Return the id of a visible window, and put the keyboard on it."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            found = self.do("search", "--onlyvisible", "--name", title).split()
            if found:
                self.do("windowfocus", found[0])
                return found[0]
            time.sleep(0.1)
        raise RuntimeError(f"no window named {title} in {timeout} s")

    def picture(self, path: Path) -> None:
        """Save what is on the screen."""
        subprocess.run(
            ["import", "-window", "root", str(path)], env=self._env(), timeout=30, check=True
        )

    def _env(self) -> dict[str, str]:
        return {**os.environ, "DISPLAY": self.display}


class RunningApp:
    """The application in a process of its own, its settings and sessions in a folder of its own."""

    def __init__(
        self,
        screen: VirtualScreen,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        command: Sequence[str] = ("-m", "desktop"),
        language: str = "en_US.UTF-8",
    ) -> None:
        self.log = folder / "output.txt"
        homes = {
            f"XDG_{name}_HOME": str(folder / name.lower())
            for name in ("CONFIG", "DATA", "STATE", "CACHE")
        }
        self.data = folder / "data" / "emoscope"
        self.settings = folder / "config" / "emoscope" / "emoscope.ini"
        env = {
            **os.environ,
            **homes,
            **(environment or {}),
            "DISPLAY": screen.display,
            "LANG": language,
            "LC_ALL": "C.UTF-8",
            "OMP_NUM_THREADS": "1",
        }
        env.pop("QT_QPA_PLATFORM", None)
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, *command], cwd=ROOT, env=env, stdout=output, stderr=output
            )

    def record(self, screen: VirtualScreen, timeout: float = 90.0) -> None:
        """Press the keys that start a recording until one has begun."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline and self.process.poll() is None:
            screen.do("key", "ctrl+r")
            for _ in range(100):
                if any((self.data / "sessions").glob("*/session.json")):
                    return
                time.sleep(0.1)
        raise RuntimeError(f"no recording began: {self.log.read_text(errors='replace')[-2000:]}")

    def turns(self) -> list[str]:
        """Return the lines of turns in the journal, of all sessions, without later hindsight."""
        lines: list[str] = []
        for path in sorted((self.data / "sessions").glob("*/turns.jsonl")):
            lines += path.read_text(encoding="utf-8").splitlines()
        return [line for line in lines if '"label"' in line.partition('"hindsight"')[0]]

    def close(self, timeout: float = 15.0) -> int:
        """End the process and return its status."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
