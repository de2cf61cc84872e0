"""A real capture device without a sound card: a private PulseAudio daemon with a null sink.

What is played into the sink comes out of its monitor, which PortAudio sees as a microphone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from core.audio import portaudio
from core.errors import DeviceError
from core.types import SAMPLE_RATE, FloatArray

PROGRAMS = ("pulseaudio", "pactl", "paplay")
SOURCE = "vmic"
START_SECONDS = 10.0

# Without norewinds=1 the sink rewrites up to 1.5 s of what was played.
_SCRIPT = """
load-module module-native-protocol-unix auth-anonymous=1 socket={folder}/native
load-module module-null-sink sink_name=vspk rate=48000 channels=1 norewinds=1
load-module module-remap-source master=vspk.monitor source_name=vmic
set-default-sink vspk
set-default-source vmic
"""


class VirtualMicrophone:
    """The running daemon; `play` speaks into its microphone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def play(self, samples: FloatArray) -> subprocess.Popen[bytes]:
        """Start playing samples, shape (n,) at 16 kHz; the process ends when they were heard."""
        path = self._folder / f"{time.monotonic_ns()}.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE)
            file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
        return subprocess.Popen(["paplay", "--latency-msec=50", str(path)])


@contextmanager
def virtual_microphone() -> Iterator[VirtualMicrophone]:
    """Run the daemon, and make it the sound server of this process while the block runs.

    Raises DeviceError when PulseAudio is not installed or does not start.
    """
    if missing := [program for program in PROGRAMS if shutil.which(program) is None]:
        raise DeviceError(
            f"A virtual microphone needs PulseAudio: {', '.join(missing)} not found.",
            "Install it: sudo apt-get install pulseaudio pulseaudio-utils libasound2-plugins",
        )
    with tempfile.TemporaryDirectory(prefix="emoscope-sound-") as name:
        folder = Path(name)
        daemon = _start(folder)
        try:
            with _as_server(folder):
                _wait_until_ready(daemon)
                portaudio.reinitialise()
                yield VirtualMicrophone(folder)
        finally:
            daemon.terminate()
            daemon.wait(timeout=10)


def _start(folder: Path) -> subprocess.Popen[bytes]:
    script = folder / "default.pa"
    script.write_text(_SCRIPT.format(folder=folder), encoding="utf-8")
    command = ["pulseaudio", "-n", "-F", str(script), "--daemonize=no", "--use-pid-file=no"]
    command += ["--exit-idle-time=-1", "--realtime=no", "--high-priority=no", "--log-target=stderr"]
    environment = os.environ | _variables(folder)
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, env=environment, stdin=quiet, stdout=quiet, stderr=quiet)


def _variables(folder: Path) -> dict[str, str]:
    return {
        "PULSE_RUNTIME_PATH": str(folder),
        "PULSE_STATE_PATH": str(folder),
        "PULSE_SERVER": f"unix:{folder}/native",
        "PULSE_COOKIE": f"{folder}/cookie",
    }


@contextmanager
def _as_server(folder: Path) -> Iterator[None]:
    variables = _variables(folder)
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _wait_until_ready(daemon: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and daemon.poll() is None:
        answer = subprocess.run(["pactl", "get-default-source"], capture_output=True, text=True)
        if answer.stdout.strip() == SOURCE:
            return
        time.sleep(0.1)
    raise DeviceError("PulseAudio did not start.", "Run pulseaudio by hand to see why.")
