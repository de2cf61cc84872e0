"""Sessions that a crash interrupted, found and read back; runs on a background thread."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from core.pipeline.events import AudioHeard
from core.types import SAMPLE_RATE, WINDOW, AudioBlock, Turn
from desktop.item_models.sound_history import SoundHistory

if TYPE_CHECKING:
    from core.dialogue.recording import Recording
    from core.dialogue.sessions import UnfinishedSession


def find_lost(root: Path) -> tuple[UnfinishedSession, ...]:
    """Return the interrupted sessions, newest first."""
    from core.dialogue.sessions import find_unfinished

    return find_unfinished(root)


def recover(folder: Path) -> tuple[Recording, SoundHistory]:
    """Repair an interrupted session and read it. Raises JournalError or MediaError."""
    from core.dialogue.sessions import recover

    recording = recover(folder)
    return recording, hear(recording)


def read(folder: Path) -> tuple[Recording, SoundHistory]:
    """Read a recorded session. Raises JournalError or MediaError."""
    from core.dialogue.sessions import read_session

    recording = read_session(folder)
    return recording, hear(recording)


def hear(recording: Recording) -> SoundHistory:
    """Return the sound of a recording thinned for drawing, the turns shaded as speech."""
    history = SoundHistory()
    batch: list[AudioHeard] = []
    for event in _blocks(recording):
        batch.append(event)
        if len(batch) == 1024:
            history.append(batch, spectrogram=False)
            batch = []
    history.append(batch, spectrogram=False)
    return history


def _blocks(recording: Recording) -> Iterator[AudioHeard]:
    from core.audio.sources import FileSource
    from core.pipeline.protocols import EndOfSource

    offset = 0
    for part in recording.parts or ((recording.media,) if recording.media else ()):
        source = FileSource(part)
        source.start()
        last = offset
        try:
            while (block := source.read(1.0)) is not None:
                last = offset + block.start
                speech = 1.0 if _is_speech(recording.turns, last) else 0.0
                moved = AudioBlock(block.samples, last)
                yield AudioHeard(moved, (speech,), (0.0,), (0.0,))
        except EndOfSource:
            pass
        finally:
            source.stop()
        offset = last + WINDOW


def _is_speech(turns: tuple[Turn, ...], sample: int) -> bool:
    from bisect import bisect_right

    row = bisect_right(turns, sample + SAMPLE_RATE // 60, key=lambda turn: turn.start) - 1
    return row >= 0 and turns[row].end > sample
