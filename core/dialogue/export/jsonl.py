"""JSON Lines: one object per turn, everything but the attention maps."""

from __future__ import annotations

import json

from core.dialogue.recording import Recording
from core.dialogue.turn_record import turn_to_record


def write(recording: Recording, language: str) -> str:
    """Return one line per turn; the words of the format don't depend on the language."""
    lines = (json.dumps(turn_to_record(turn), ensure_ascii=False) for turn in recording.turns)
    return "".join(f"{line}\n" for line in lines)
