"""What `emoscope doctor` looks at: one function per check, found by name and imported when run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from types import MappingProxyType


class Status(StrEnum):
    """OK: works. WARN: something is done without. FAIL: Emoscope does not work."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: `detail` in words, `remedy` what to do about it (empty when ok)."""

    name: str
    status: Status
    detail: str
    remedy: str = ""


CHECKS: Mapping[str, str] = MappingProxyType(
    {
        "version": "core.commands.checks.machine:check_version",
        "packages": "core.commands.checks.machine:check_packages",
        "memory": "core.commands.checks.machine:check_memory",
        "disk": "core.commands.checks.machine:check_disk",
        "window": "core.commands.checks.window:check_window",
        "fonts": "core.commands.checks.window:check_fonts",
        "microphone": "core.commands.checks.sound:check_microphone",
        "decoding": "core.commands.checks.sound:check_decoding",
        "processor": "core.commands.checks.models:check_processor",
        "threads": "core.commands.checks.engine:check_threads",
        "runtimes": "core.commands.checks.engine:check_runtimes",
        "quality": "core.commands.checks.engine:check_quality",
        "emotion": "core.commands.checks.models:check_emotion_model",
        "context": "core.commands.checks.models:check_dialogue_model",
        "recognition": "core.commands.checks.models:check_recognition_model",
    }
)


def examine(names: Sequence[str] = tuple(CHECKS)) -> list[Finding]:
    """Run the named checks in order; one that breaks is itself a finding. Raises KeyError."""
    return [_examine(name, CHECKS[name]) for name in names]


def _examine(name: str, place: str) -> Finding:
    module, function = place.split(":")
    try:
        check: Callable[[str], Finding] = getattr(import_module(module), function)
        return check(name)
    except Exception as error:  # a machine can be broken in ways nobody thought of
        problem = f"{type(error).__name__}: {error}"
        return Finding(name, Status.FAIL, problem, "Delete .venv and start ./run again.")
