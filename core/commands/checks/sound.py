"""Whether there is a microphone, and whether recordings can be decoded."""

from __future__ import annotations

from core.commands.checks import Finding, Status
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
