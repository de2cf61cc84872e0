"""Whether the window can open: a display, Qt's libraries, a font with Hangul."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from typing import Any

from core.commands.checks import Finding, Status

APT_LINE = (
    "sudo apt-get install libegl1 libgl1 libglib2.0-0 libfontconfig1 libdbus-1-3 "
    "libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0"
)
FONT_APT_LINE = "sudo apt-get install fonts-noto-cjk"

# In a process of its own: a missing library or display makes Qt abort, and this part of the
# program knows nothing of Qt.
_PROBE = """
import json, sys
from PySide6 import QtCore, QtGui
application = QtGui.QGuiApplication(sys.argv[:1])
korean = QtGui.QFontDatabase.families(QtGui.QFontDatabase.WritingSystem.Korean)
print(json.dumps({"version": QtCore.qVersion(), "platform": application.platformName(),
                  "korean": list(korean)}))
"""


def has_display() -> bool:
    """Return whether there is a screen to open a window on; off Linux there always is."""
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


@cache
def _probe(with_display: bool) -> dict[str, Any] | str:
    """Return what Qt says of itself, or the last line of its complaint."""
    environment = dict(os.environ)
    if not with_display:
        environment["QT_QPA_PLATFORM"] = "offscreen"
    try:
        result = subprocess.run(
            [sys.executable, "-c", _PROBE],
            env=environment,
            capture_output=True,
            text=True,
            timeout=30,
        )
    except subprocess.TimeoutExpired:
        return "The display does not answer."
    lines = (result.stdout if result.returncode == 0 else result.stderr).strip().splitlines()
    if result.returncode == 0 and lines:
        answer: dict[str, Any] = json.loads(lines[-1])
        return answer
    complaints = [line for line in lines if line and not line.startswith("Available")]
    return complaints[-1] if complaints else f"Qt ended with status {result.returncode}."


def check_window(name: str) -> Finding:
    """Open a Qt application where the window would open."""
    display = has_display()
    answer = _probe(display)
    if isinstance(answer, str):
        return Finding(name, Status.FAIL, answer, APT_LINE)
    if not display:
        remedy = "Start Emoscope in a desktop session; here it plays its sample in the terminal."
        return Finding(
            name, Status.WARN, f"Qt {answer['version']}, but there is no display.", remedy
        )
    return Finding(name, Status.OK, f"Qt {answer['version']} on {answer['platform']}")


def check_fonts(name: str) -> Finding:
    """Look for a font that has Hangul; without one, Korean text is drawn as boxes."""
    answer = _probe(has_display())
    if isinstance(answer, str):
        return Finding(name, Status.WARN, "Fonts can't be listed while the window can't open.")
    if not answer["korean"]:
        return Finding(name, Status.WARN, "No font has Korean letters.", FONT_APT_LINE)
    return Finding(name, Status.OK, f"Korean letters: {', '.join(answer['korean'][:3])}")
