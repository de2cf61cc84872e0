"""Recorded sessions on disk: lost ones are found, repaired and opened, or discarded."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.dialogue.atomic import write_atomically
from core.dialogue.journal import FORMAT, sessions_folder
from core.dialogue.recording import Metadata, Recording
from core.dialogue.session_lock import SessionLock
from core.dialogue.turn_record import hindsight_from_record, is_hindsight, turn_from_record
from core.dialogue.wav import HEADER, SAMPLE_BYTES, channels_of, repair_wav, wav_parts
from core.errors import JournalError
from core.types import ContextResult, Turn, TurnStatus, seconds

INTERRUPTED = "interrupted"
"""Note of a turn whose text was still being recognised when the program ended."""

SHORTEST = 0.5
"""Seconds; a session with less sound and no turn is not worth offering."""


@dataclass(frozen=True, slots=True)
class UnfinishedSession:
    """A session whose program ended without closing it; `duration` in seconds."""

    folder: Path
    started: str
    source: str
    duration: float
    turns: int


@dataclass(frozen=True, slots=True)
class _Hindsight:
    """What later turns say of the turn of this index: a line of its own in a journal."""

    index: int
    result: ContextResult


def find_unfinished(root: Path | None = None) -> tuple[UnfinishedSession, ...]:
    """Return the lost sessions, newest first; one that is being recorded is not lost."""
    folder = root or sessions_folder()
    try:
        candidates = sorted((p for p in folder.iterdir() if p.is_dir()), reverse=True)
    except OSError:
        return ()
    found = (_unfinished(candidate) for candidate in candidates)
    return tuple(session for session in found if session is not None)


def _unfinished(folder: Path) -> UnfinishedSession | None:
    try:
        if (folder / "closed").exists() or not wav_parts(folder) or _is_live(folder):
            return None
        facts = _facts(folder)
        duration = seconds(_samples_there(folder, facts))
        turns = len(_read_turns(folder)[0])
    except OSError:
        return None
    if duration < SHORTEST and not turns:
        return None
    started, source = str(facts.get("started", "")), str(facts.get("source", ""))
    return UnfinishedSession(folder, started, source, duration, turns)


def recover(folder: Path) -> Recording:
    """Repair a lost session, mark it as closed and return it.

    Raises JournalError when it is being recorded, holds no sound, or can't be written.
    """
    with SessionLock(folder) as lock:
        try:
            if not lock.acquire():
                raise JournalError(f"{folder} is still being recorded.", "Stop that session first.")
            samples = sum(repair_wav(p, _channels(folder)) for p in wav_parts(folder))
            turns, damaged = _read_turns(folder)
            if damaged:
                _keep_whole_lines(folder)
        except OSError as error:
            raise _unreadable(folder, error) from error
        closed = {"samples": samples, "turns": len(turns), "recovered": True}
        write_atomically(folder / "closed", json.dumps(closed))
    return read_session(folder)


def read_session(folder: Path) -> Recording:
    """Return a recorded session. Raises JournalError."""
    try:
        parts = wav_parts(folder)
        if not parts:
            raise JournalError(f"{folder} holds no recorded session.", "Choose another.")
        facts = _facts(folder)
        samples = _samples_there(folder, facts)
        turns, damaged = _read_turns(folder)
    except OSError as error:
        raise _unreadable(folder, error) from error
    notes = (f"{damaged} line(s) of turns.jsonl could not be read.",) if damaged else ()
    return Recording(parts[0], turns, samples, _metadata(facts, turns), notes, parts)


def discard(folder: Path) -> None:
    """Delete a session for good. Raises JournalError when it is live, or none, or can't be."""
    if not (folder / "session.json").is_file() and not wav_parts(folder):
        raise JournalError(f"{folder} holds no recorded session.", "Choose another.")
    try:
        if _is_live(folder):
            raise JournalError(f"{folder} is still being recorded.", "Stop that session first.")
        shutil.rmtree(folder)
    except OSError as error:
        raise JournalError(f"{folder} can't be deleted ({error.strerror}).") from error


def _is_live(folder: Path) -> bool:
    with SessionLock(folder) as lock:
        return not lock.acquire()


def _facts(folder: Path) -> Mapping[str, Any]:
    """Return what session.json says; nothing when it is missing or damaged."""
    try:
        facts = json.loads((folder / "session.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    known = isinstance(facts, dict) and int(facts.get("format", FORMAT)) <= FORMAT
    return facts if known else {}


def _channels(folder: Path) -> int:
    stated = _facts(folder).get("channels")
    if isinstance(stated, int) and stated > 0:
        return stated
    parts = wav_parts(folder)
    return channels_of(parts[0]) if parts else 1


def _samples_there(folder: Path, facts: Mapping[str, Any]) -> int:
    """Return how many samples lie on disk, whatever the headers say."""
    frame = SAMPLE_BYTES * (int(facts.get("channels", 0)) or _channels(folder))
    sizes = (part.stat().st_size for part in wav_parts(folder))
    return sum(max(0, size - HEADER.size) // frame for size in sizes)


def _read_turns(folder: Path) -> tuple[tuple[Turn, ...], int]:
    """Return the newest state of every turn, by start, and how many lines are damaged."""
    try:
        lines = (folder / "turns.jsonl").read_bytes().split(b"\n")
    except FileNotFoundError:
        return (), 0
    turns: dict[int, Turn] = {}
    damaged = 0
    for line in filter(None, lines):
        read = _read_line(line)
        if read is None:
            damaged += 1
        elif isinstance(read, _Hindsight):
            # What is said of a turn whose own line is damaged is of no use.
            if (known := turns.get(read.index)) is not None:
                turns[read.index] = replace(known, hindsight=read.result)
        elif turns.get(read.index) is None or INTERRUPTED not in read.notes:
            turns[read.index] = read
    return tuple(sorted(turns.values(), key=lambda turn: (turn.start, turn.index))), damaged


def _read_line(line: bytes) -> Turn | _Hindsight | None:
    """Return what a line holds, None if that can't be told."""
    try:
        record = json.loads(line)
        if is_hindsight(record):
            return _Hindsight(*hindsight_from_record(record))
        turn = turn_from_record(record)
    except (ValueError, AttributeError, JournalError, RecursionError):
        return None
    if record.get("status", TurnStatus.FINAL) == TurnStatus.FINAL:
        return turn
    return replace(turn, notes=(*turn.notes, INTERRUPTED))


def _keep_whole_lines(folder: Path) -> None:
    path = folder / "turns.jsonl"
    lines = path.read_bytes().split(b"\n")
    whole = [line.decode("utf-8") for line in lines if line and _read_line(line) is not None]
    write_atomically(path, "".join(f"{line}\n" for line in whole))


def _metadata(facts: Mapping[str, Any], turns: tuple[Turn, ...]) -> Metadata:
    model = next((turn.emotion.model for turn in turns if turn.emotion), None)
    versions = facts.get("versions")
    return Metadata(
        source=str(facts.get("source", "")),
        created=str(facts.get("started", "")),
        model=model,
        transcriber=str(facts.get("transcriber", "")),
        language=str(facts.get("language", "auto")),
        version=str(versions.get("emoscope", "")) if isinstance(versions, dict) else "",
    )


def _unreadable(folder: Path, error: OSError) -> JournalError:
    problem = f"The session in {folder} can't be read ({error.strerror or error})."
    return JournalError(problem, "Check the disk and the permissions.")
