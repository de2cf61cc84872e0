"""`emoscope gui`: opens the window; without a display, plays the sample in the terminal."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

from core.cli import set_up_libraries

_DISPLAY_FREE = ("offscreen", "minimal", "vnc", "linuxfb", "eglfs")
"""Qt platforms that need no display server."""


def main(argv: Sequence[str]) -> int:
    """Open the window and return its exit status.

    Without a display Qt would abort the whole process, so it is not even asked.
    """
    set_up_libraries()
    arguments, qt_arguments = parser().parse_known_args(argv)
    if not has_display(sys.platform, os.environ, qt_arguments):
        demo = import_module("core.commands.demo")
        status: int = demo.main([])
        return status
    from desktop.app import run

    return run(qt_arguments, arguments.file)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command's arguments; what it does not know goes to Qt."""
    made = argparse.ArgumentParser(
        prog="emoscope gui",
        description="Opens the window. Without a display the sample is played in the terminal.",
    )
    made.add_argument("file", nargs="?", type=Path, metavar="FILE", help="a recording to open")
    return made


def has_display(
    platform: str, environment: Mapping[str, str], arguments: Sequence[str] = ()
) -> bool:
    """Return whether Qt can open a window here."""
    if not platform.startswith(("linux", "freebsd", "openbsd")):
        return True
    chosen = environment.get("QT_QPA_PLATFORM", "")
    if "-platform" in arguments[:-1]:
        chosen = arguments[arguments.index("-platform") + 1]
    if chosen.split(":")[0] in _DISPLAY_FREE:
        return True
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
