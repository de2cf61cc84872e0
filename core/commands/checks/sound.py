"""Whether there is a microphone, and whether recordings can be decoded."""

from __future__ import annotations

from core.commands.checks import Finding, Status
from core.errors import DeviceError
from core.resources import sample_dialogue
from core.types import SAMPLE_RATE


def check_decoding(name: str) -> Finding:
    """Decode the bundled sample."""
    from core.audio.io import read_audio

    path = sample_dialogue()
    if not path.is_file():
        remedy = "Restore it: git checkout assets, or clone again."
        return Finding(name, Status.FAIL, f"The sample {path} is missing.", remedy)
    duration = read_audio(path).shape[1] / SAMPLE_RATE
    return Finding(name, Status.OK, f"The bundled sample was read: {duration:.0f} s.")


def check_microphone(name: str) -> Finding:
    """List the input devices; without one, recordings still work."""
    from core.audio.devices import find_device, list_input_devices

    try:
        devices = list_input_devices()
        chosen = find_device(devices, None)
    except DeviceError as error:
        return Finding(name, Status.WARN, error.problem, error.remedy)
    rate = f"{chosen.rate / 1000:g} kHz"
    return Finding(name, Status.OK, f"{len(devices)} found; default: {chosen.name} ({rate})")
