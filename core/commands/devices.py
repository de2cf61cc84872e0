"""`emoscope devices`: the input devices, which one is the default, and which one is remembered."""

from __future__ import annotations

import argparse
import configparser
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import platformdirs
from rich.console import Console
from rich.table import Table

from core.audio.devices import InputDevice, find_device, list_input_devices


def main(argv: Sequence[str]) -> int:
    """Print the input devices. Raises DeviceError when there are none or they can't be listed."""
    options = _parser().parse_args(argv)
    devices = list_input_devices()
    find_device(devices, None)  # says what to do when there is none
    remembered = remembered_device()
    if options.json:
        rows = [{**asdict(d), "is_remembered": d.name == remembered} for d in devices]
        print(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        Console(highlight=False).print(_table(devices, remembered))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="emoscope devices", description="List input devices.")
    parser.add_argument("--json", action="store_true", help="print them as JSON")
    return parser


def _table(devices: Sequence[InputDevice], remembered: str) -> Table:
    table = Table("name", "channels", "rate", "through", "")
    for device in devices:
        marks = ["default"] if device.is_default else []
        marks += ["remembered"] if device.name == remembered else []
        rate = f"{device.rate / 1000:g} kHz"
        table.add_row(device.name, str(device.channels), rate, device.host_api, ", ".join(marks))
    if remembered and remembered not in {device.name for device in devices}:
        table.caption = f'"{remembered}", which the window remembers, is not connected.'
    return table


def remembered_device() -> str:
    """Return the name of the device the window remembers, empty when it follows the default."""
    settings = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        settings.read(window_settings_path(), encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return ""
    return settings.get("app", "device", fallback="").strip('"')


def window_settings_path() -> Path:
    """Return where Qt keeps the settings of the window on this system."""
    if sys.platform == "darwin":  # Qt keeps INI files where Unix does
        folder = Path.home() / ".config" / "emoscope"
    else:
        folder = platformdirs.user_config_path("emoscope", appauthor=False, roaming=True)
    return folder / "emoscope.ini"
