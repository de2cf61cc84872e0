"""A microphone without a sound card: a private PulseAudio daemon with a virtual source.

What is played into its sink is heard by every process that has `environment` set, at whatever rate
it asks for. Several may run at the same time.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

SOURCE = "vmic"
"""Name of the virtual microphone inside PulseAudio; PortAudio calls it `pulse` or `default`."""

SETUP = """\
load-module module-native-protocol-unix auth-anonymous=1 socket={socket}
load-module module-null-sink sink_name=vspk rate=48000 channels={channels} norewinds=1
load-module module-remap-source master=vspk.monitor source_name=vmic
set-default-sink vspk
set-default-source vmic
"""


def missing_tool() -> str | None:
    """Return the name of a program this needs and the machine lacks, or None."""
    return next(
        (name for name in ("pulseaudio", "pactl", "paplay") if not shutil.which(name)), None
    )


class VirtualMicrophone:
    """A private PulseAudio daemon; use as a context manager.

    Args:
        channels: of the virtual microphone, 1 or 2.

    Attributes:
        environment: the variables that make a process use this microphone and no other; pass them
            to child processes (`env={**os.environ, **microphone.environment}`).
    """

    def __init__(self, channels: int = 1) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="pulse-"))
        self._setup = SETUP.format(socket=self._folder / "native", channels=channels)
        self._daemon: subprocess.Popen[bytes] | None = None
        self._players: list[subprocess.Popen[bytes]] = []
        self._count = 0
        self.environment = {
            "PULSE_RUNTIME_PATH": str(self._folder),
            "PULSE_STATE_PATH": str(self._folder),
            "PULSE_SERVER": f"unix:{self._folder / 'native'}",
            "PULSE_COOKIE": str(self._folder / "cookie"),
        }

    def __enter__(self) -> VirtualMicrophone:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, timeout: float = 20.0) -> None:
        """Start the daemon (again, on the same socket) and wait until the microphone is there."""
        (self._folder / "native").unlink(missing_ok=True)
        (self._folder / "default.pa").write_text(self._setup)
        command = ["pulseaudio", "-n", "-F", str(self._folder / "default.pa"), "--daemonize=no"]
        command += ["--use-pid-file=no", "--exit-idle-time=-1", "--realtime=no"]
        command += ["--high-priority=no", f"--log-target=file:{self._folder / 'log'}"]
        self._daemon = subprocess.Popen(
            command, env=self._env(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + timeout
        while self._ask("get-default-source") != SOURCE:
            if time.monotonic() > deadline or self._daemon.poll() is not None:
                log = self._folder / "log"
                raise RuntimeError(f"pulseaudio did not start: {log.read_text()[-2000:]}")
            time.sleep(0.05)

    def kill(self) -> None:
        """Kill the daemon, as when the sound server crashes or a device is pulled out."""
        if self._daemon is not None:
            self._daemon.send_signal(signal.SIGCONT)
            self._daemon.kill()
            self._daemon.wait()
            self._daemon = None

    def hang(self) -> None:
        """Stop the daemon where it is: it answers nothing and ends nothing."""
        assert self._daemon is not None
        self._daemon.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a hung daemon continue."""
        assert self._daemon is not None
        self._daemon.send_signal(signal.SIGCONT)

    def play(
        self, sound: str | Path | NDArray[np.float32], rate: int = 16_000, latency_ms: int = 200
    ) -> subprocess.Popen[bytes]:
        """Speak into the microphone: a WAV or FLAC file, or samples (n,) or (channels, n).

        Returns at once; wait for the returned process to know when it has been spoken. With a
        small `latency_ms` (50) it is heard sooner; on a busy machine there are moments of silence.
        """
        path = self._write(sound, rate) if isinstance(sound, np.ndarray) else Path(sound)
        player = subprocess.Popen(
            ["paplay", f"--latency-msec={latency_ms}", str(path)],
            env=self._env(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._players.append(player)
        return player

    def close(self) -> None:
        """End players and daemon and remove the folder."""
        for player in self._players:
            if player.poll() is None:
                player.kill()
            player.wait()
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    @contextlib.contextmanager
    def used_here(self) -> Iterator[None]:
        """Let this very process hear the microphone: for tests that run no child process."""
        previous = {name: os.environ.get(name) for name in self.environment}
        os.environ.update(self.environment)
        _reinitialise_portaudio()
        try:
            yield
        finally:
            for name, value in previous.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value

    def _env(self) -> dict[str, str]:
        return {**os.environ, **self.environment}

    def _ask(self, *arguments: str) -> str:
        try:
            answer = subprocess.run(
                ["pactl", *arguments], env=self._env(), capture_output=True, timeout=5, check=False
            )
        except subprocess.TimeoutExpired:
            return ""
        return answer.stdout.decode().strip()

    def _write(self, samples: NDArray[np.float32], rate: int) -> Path:
        self._count += 1
        path = self._folder / f"sound{self._count}.wav"
        frames = np.atleast_2d(samples).T
        with wave.open(str(path), "wb") as file:
            file.setnchannels(frames.shape[1])
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes((np.clip(frames, -1, 1) * 32767).astype("<i2").tobytes())
        return path


@pytest.fixture
def virtual_microphone() -> Iterator[VirtualMicrophone]:
    """A running virtual microphone, or a skipped test where PulseAudio is missing.

    To use it in a folder of tests, import it in its `conftest.py`.
    """
    missing = missing_tool()
    if missing:
        pytest.skip(f"{missing} is not installed (apt install pulseaudio pulseaudio-utils)")
    with VirtualMicrophone() as microphone:
        yield microphone


def _reinitialise_portaudio() -> None:
    from core.audio.portaudio import reinitialise

    reinitialise()
