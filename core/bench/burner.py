"""A process that keeps a core busy, started and stopped in the middle of interleaved rounds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

_PERIOD = 0.02
"""Seconds in which it works for its share and sleeps for the rest."""
_SETTLING = 0.1


class Burner:
    """Burns nothing until told to."""

    def __init__(self, share: float) -> None:
        code = "import sys; from core.bench.burner import burn; burn(float(sys.argv[1]))"
        self._process = subprocess.Popen(
            [sys.executable, "-c", code, str(share)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()  # it is up
        self.pause()

    def burn(self) -> None:
        """Begin or go on."""
        self._process.send_signal(signal.SIGCONT)
        time.sleep(_SETTLING)

    def pause(self) -> None:
        """Stand still."""
        self._process.send_signal(signal.SIGSTOP)

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


@contextmanager
def burner(share: float = 1.0) -> Iterator[Burner]:
    """Give a burner that takes this share of one core when it burns."""
    made = Burner(share)
    try:
        yield made
    finally:
        made.close()


def burn(share: float) -> None:
    """Keep a core busy for this share of the time, for ever; first say so on standard output."""
    sys.stdout.write("up\n")
    sys.stdout.flush()
    while True:
        began = time.monotonic()
        while time.monotonic() - began < share * _PERIOD:
            pass
        time.sleep(max(0.0, (1 - share) * _PERIOD))
