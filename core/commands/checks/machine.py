"""Versions, memory and disk space."""

from __future__ import annotations

import platform
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import platformdirs
import psutil

from core import __version__
from core.commands.checks import Finding, Status

PACKAGES = (
    "torch",
    "transformers",
    "faster-whisper",
    "ctranslate2",
    "onnxruntime",
    "numpy",
    "PySide6-Essentials",
    "pyqtgraph",
    "sounddevice",
    "av",
    "soxr",
)
GIGABYTE = 1e9
LITTLE_MEMORY = 1.5 * GIGABYTE
LITTLE_DISK = 2 * GIGABYTE
"""A recording takes 115 MB an hour, a Whisper model up to 1.6 GB."""


def check_version(name: str) -> Finding:
    """Name the versions of Emoscope, Python and the system."""
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    return Finding(
        name, Status.OK, f"Emoscope {__version__}, Python {sys.version.split()[0]}, {system}"
    )


def check_packages(name: str) -> Finding:
    """Name the versions of the packages that matter; fail when one is missing or known broken."""
    found: dict[str, str] = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            return Finding(name, Status.FAIL, f"{package} is missing.", "Start ./run again.")
    detail = ", ".join(f"{package} {found[package]}" for package in PACKAGES)
    if found["PySide6-Essentials"].startswith("6.12.0") and sys.version_info < (3, 12):
        # Every signal loses a reference to True; a live window aborts within a minute.
        remedy = "Install a version of the 6.10 series: pip install 'PySide6-Essentials<6.11'"
        return Finding(
            name, Status.FAIL, f"PySide6 6.12.0 crashes on Python 3.11; {detail}", remedy
        )
    return Finding(name, Status.OK, detail)


def check_memory(name: str) -> Finding:
    """Warn when there is too little free memory for the models."""
    memory = psutil.virtual_memory()
    detail = f"{memory.available / GIGABYTE:.1f} of {memory.total / GIGABYTE:.1f} GB are free."
    if memory.available < LITTLE_MEMORY:
        return Finding(name, Status.WARN, detail, "Close other programs before you record.")
    return Finding(name, Status.OK, detail)


def check_disk(name: str) -> Finding:
    """Warn when sessions or models may not fit where they are kept."""
    folder = Path(platformdirs.user_data_dir("emoscope", appauthor=False))
    existing = next(parent for parent in (folder, *folder.parents) if parent.is_dir())
    free = shutil.disk_usage(existing).free
    detail = f"{free / GIGABYTE:.1f} GB are free at {folder}"
    if free < LITTLE_DISK:
        return Finding(name, Status.WARN, detail, "Make room: an hour of recording takes 115 MB.")
    return Finding(name, Status.OK, detail)
