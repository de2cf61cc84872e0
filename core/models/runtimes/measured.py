"""How fast modes were on this machine, remembered so that a later start need not measure again."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core import __version__
from core.dialogue.atomic import write_atomically
from core.errors import JournalError
from core.models.runtimes.graphs import version_of

Run = Callable[[int], None]
"""Computes once; the argument counts the turns."""
Measure = Callable[[Sequence[Run]], list[float]]
"""Seconds each of several runs takes, all measured alike."""

ROUNDS = 5
BUDGET = 0.4
"""Seconds after which no further round is begun, but for the second."""


def interleaved(runs: Sequence[Run], clock: Callable[[], float] = time.perf_counter) -> list[float]:
    """Return the shortest time of each run in seconds; rounds alternate, so that load is shared."""
    began = clock()
    best = [float("inf")] * len(runs)
    for turn in range(ROUNDS):
        for index, run in enumerate(runs):
            start = clock()
            run(turn)
            best[index] = min(best[index], clock() - start)
        if turn and clock() - began > BUDGET:
            break
    return best


@dataclass(frozen=True, slots=True)
class Times:
    """What a contest showed.

    speedups: mode -> how many times as fast as torch. failures: mode -> why it does not work.
    best: the mode that was taken, which need not be the fastest by a hair.
    """

    speedups: Mapping[str, float]
    failures: Mapping[str, str]
    best: str


class Memory:
    """Times in a folder of small files.

    Args:
        folder: made when something is written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def recall(self, key: Mapping[str, str]) -> Times | None:
        """Return what was kept under a key, None if there is nothing readable."""
        try:
            values = json.loads(self._path(key).read_text(encoding="utf-8"))
            speedups = {str(mode): float(found) for mode, found in values["speedups"].items()}
            failures = {str(mode): str(why) for mode, why in values["failures"].items()}
            best = str(values["best"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        return Times(speedups, failures, best) if best in speedups else None

    def keep(self, key: Mapping[str, str], times: Times) -> None:
        """Remember; a folder that can't be written to remembers nothing."""
        content = {
            "of": dict(key),
            "speedups": dict(times.speedups),
            "failures": dict(times.failures),
            "best": times.best,
        }
        with suppress(JournalError):
            write_atomically(self._path(key), json.dumps(content, indent=2) + "\n")

    def _path(self, key: Mapping[str, str]) -> Path:
        text = json.dumps(dict(key), sort_keys=True)
        return self._folder / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.json"


def this_machine(threads: int) -> dict[str, str]:
    """Return what times depend on beside the encoder."""
    import torch

    libraries = ("torch", "transformers", "onnxruntime", "openvino")
    return {
        "processor": f"{_processor()}, {torch.backends.cpu.get_cpu_capability()}",
        "cores": str(os.cpu_count()),
        "threads": str(threads),
        "emoscope": __version__,
        **{name: version_of(name) for name in libraries},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
