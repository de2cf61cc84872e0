"""What computes models here: threads, runtimes of encoders, and the verdicts on lossy ones."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType

from core.commands.checks import Finding, Status
from core.models.runtimes.base import MODES, RUNTIMES, Mode, missing
from core.quality.records import QualityRecord
from core.quality.rule import RULE
from core.quality.store import all_records

_PACKAGES: Mapping[str, str] = MappingProxyType(
    {"torch": "torch", "packed": "torch", "onnxruntime": "onnxruntime", "openvino": "openvino"}
)
"""Runtime -> the package that computes it."""

INSTALL = 'Install what is missing: pip install "emoscope[runtimes]"'
CHECK_AGAIN = "Check again: emoscope quality --model CHECKPOINT --data FOLDER_OF_RECORDINGS"

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OMP_WAIT_POLICY", "KMP_BLOCKTIME")
_BUSY: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"OMP_WAIT_POLICY": ("active",), "KMP_BLOCKTIME": ("infinite",)}
)
"""Settings with which waiting threads keep a core busy."""


def check_threads(name: str) -> Finding:
    """Say how many cores there are, and warn of settings that let threads get in each other's way.

    Two threads of a model that wait for each other on busy cores take 2.4 to 4.7 times as long as
    one; so sessions give it few, and let them sleep while they wait.
    """
    from core.cores import cores

    available = cores()
    given = {variable: os.environ[variable] for variable in _THREADS if os.environ.get(variable)}
    said = ", ".join(f"{variable}={value}" for variable, value in given.items())
    detail = f"{available} of {os.cpu_count() or available} core(s)" + (f"; {said}" if said else "")
    wrong = [variable for variable, value in given.items() if _harms(variable, value, available)]
    if wrong:
        remedy = f"Take {' and '.join(wrong)} out of the environment: Emoscope chooses itself."
        return Finding(name, Status.WARN, f"{detail}. That makes models wait.", remedy)
    return Finding(name, Status.OK, detail)


def _harms(variable: str, value: str, available: int) -> bool:
    if variable in _BUSY:
        return value.casefold() in _BUSY[variable]
    return value.isdigit() and int(value) > available


def check_runtimes(name: str) -> Finding:
    """Say by what pretrained encoders can be computed on the processor, and what is missing."""
    states = {runtime: _state(runtime) for runtime in RUNTIMES}
    found = [f"{_named(runtime)}" for runtime, problem in states.items() if not problem]
    lacking = [f"{runtime} ({problem})" for runtime, problem in states.items() if problem]
    detail = f"Pretrained encoders: {', '.join(found)}."
    if lacking:
        lost = " Without the rest they are slower on a CPU; a GPU and compact encoders don't mind."
        return Finding(
            name, Status.WARN, f"{detail} Not usable: {', '.join(lacking)}.{lost}", INSTALL
        )
    return Finding(name, Status.OK, detail)


def _state(runtime: str) -> str:
    """Return why a runtime can't be used; empty: it can."""
    lacking = missing(Mode(runtime))
    if lacking:
        return f"needs {' and '.join(lacking)}"
    try:
        import_module(RUNTIMES[runtime].partition(":")[0])
        import_module(_PACKAGES[runtime])
    except Exception as error:  # a library that is installed may be broken in many ways
        return f"{type(error).__name__}: {error}"
    return ""


def _named(runtime: str) -> str:
    """Return a runtime with its version, and its precisions beside fp32."""
    try:
        known = version(_PACKAGES[runtime])
    except PackageNotFoundError:
        known = ""
    lossy = [str(m.precision) for m in MODES if m.runtime == runtime and m.lossy]
    also = f" (also {', '.join(lossy)})" if lossy else ""
    return f"{runtime} {known}{also}".strip()


def check_quality(name: str) -> Finding:
    """Say which lossy modes passed a check, and which verdicts are too old to count."""
    records = all_records()
    if not records:
        return Finding(
            name,
            Status.OK,
            "No lossy mode was checked, so none is taken unless it is asked for by its name "
            "(to check: emoscope quality --data FOLDER_OF_RECORDINGS).",
        )
    old = [record for record in records if record.outdated(RULE)]
    fresh = [record for record in records if record not in old]
    passing = [_mode(record) for record in fresh if record.passed]
    refused = [_mode(record) for record in fresh if not record.passed]
    parts = (("passed", passing), ("not passed", refused), ("outdated", list(map(_changed, old))))
    detail = "; ".join(f"{what}: {', '.join(modes)}" for what, modes in parts if modes)
    if old:
        return Finding(name, Status.WARN, f"{detail}.", CHECK_AGAIN)
    return Finding(name, Status.OK, f"{detail}.")


def _mode(record: QualityRecord) -> str:
    return f"{record.modality} {record.mode} of {record.digest[:8]}…"


def _changed(record: QualityRecord) -> str:
    return f"{_mode(record)} ({', '.join(record.outdated(RULE))} changed)"
