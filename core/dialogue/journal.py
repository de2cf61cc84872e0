"""Every session on disk as it happens, so that no end of the program loses more than a moment.

A session's folder holds `session.json` (what it is), `audio.wav` (16-bit PCM at 16 kHz), a
`turns.jsonl` that only grows (turns, and what later ones say of them), a `lock` while it is being
written, and `closed` once it is complete.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import shutil
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import IO, TypeAlias

from platformdirs import user_data_path

from core import __version__
from core.dialogue.atomic import write_atomically
from core.dialogue.session_lock import SessionLock
from core.dialogue.turn_record import Record, hindsight_to_record, turn_to_record
from core.dialogue.wav import LARGEST, GrowingWav
from core.errors import JournalError
from core.pipeline.events import Event, Notice, Saved, Severity
from core.types import SAMPLE_RATE, AudioBlock, ContextResult, Message, ModelInfo, Turn

log = logging.getLogger(__name__)

Listener: TypeAlias = Callable[[Event], None]

FORMAT = 1
INTERVAL = 0.5
"""Seconds between two writes."""
SYNC_EVERY = 2
"""Writes from one wait for the disk to the next."""
PENDING_LIMIT = 60 * SAMPLE_RATE
"""Samples that are kept while the disk refuses them."""
LOW_DISK = 500 * 2**20
"""Bytes of free disk below which the user is told: four hours of sound."""


def sessions_folder() -> Path:
    """Return the folder that holds one folder per session."""
    return user_data_path("emoscope", appauthor=False) / "sessions"


class Journal:
    """Writes one session; used once. Nothing here raises: trouble with the disk becomes a notice.

    Blocks and turns are only remembered by the threads that bring them; one thread, named
    "emoscope-journal", writes them twice a second and asks the disk for certainty once a second.

    Args:
        root: folder of all sessions; None for the user's.
        largest_part: bytes after which the sound goes on in another file.
    """

    def __init__(self, root: Path | None = None, largest_part: int = LARGEST) -> None:
        self._root = root
        self._largest_part = largest_part
        self._lock = threading.Lock()
        self._describing = threading.Lock()
        self._facts: dict[str, object] = {}
        self._model: ModelInfo | None = None
        self._lines: list[str] = []
        self._listener: Listener = lambda event: None
        self._guard: SessionLock | None = None
        self._wav: GrowingWav | None = None
        self._turns: IO[bytes] | None = None
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()
        self._closing = False
        self._failing = False
        self._disk_low = False
        self._indices: set[int] = set()
        """Of the turns, each of which may be written several times."""
        self.folder: Path | None = None
        """Where this session is, once it has begun."""

    def begin(self, channels: int, facts: Mapping[str, object], listener: Listener) -> None:
        """Make the session's folder and start writing."""
        self._listener = listener
        self._facts = {
            "format": FORMAT,
            "started": datetime.now().astimezone().isoformat(timespec="seconds"),
            "sample_rate": SAMPLE_RATE,
            "channels": channels,
            **facts,
            "versions": {"emoscope": __version__, "python": platform.python_version()},
            "platform": platform.platform(),
        }
        try:
            self.folder = _new_folder(self._root or sessions_folder())
            self._guard = SessionLock(self.folder)
            self._guard.acquire()
            self._describe()
            self._turns = (self.folder / "turns.jsonl").open("ab", buffering=0)
            self._wav = GrowingWav(self.folder, channels, self._largest_part)
        except (OSError, JournalError) as error:
            self._failed(error)
            if self._guard is not None:
                self._guard.release()
            return
        self._thread = threading.Thread(target=self._run, name="emoscope-journal")
        self._thread.start()

    def describe_model(self, model: ModelInfo) -> None:
        """Note which model judges; may come before `begin`."""
        self._model = model
        if self.folder is None:
            return
        try:
            self._describe()
        except JournalError as error:
            self._failed(error)

    def write_audio(self, block: AudioBlock) -> None:
        """Append a block; where blocks are missing there will be silence."""
        if self._wav is None:
            return
        self._wav.append(block.start, block.samples)
        if self._failing and self._wav.pending_samples > PENDING_LIMIT:
            self._wav.forget_pending()

    def write_turn(self, turn: Turn) -> None:
        """Append a turn; a later one of the same index takes its place when read."""
        self._append(turn.index, {**turn_to_record(turn), "status": turn.status.value})

    def write_hindsight(self, index: int, hindsight: ContextResult) -> None:
        """Append what later turns say of one that was written; the newest counts when read."""
        self._append(index, hindsight_to_record(index, hindsight))

    def _append(self, index: int, record: Record) -> None:
        line = json.dumps(record, ensure_ascii=False)
        with self._lock:
            self._lines.append(line)
            self._indices.add(index)

    def close(self) -> None:
        """Write everything that waits and mark the session as complete."""
        if self._thread is None:
            return
        self._closing = True
        self._wake.set()
        self._thread.join()
        self._thread = None

    # Everything below runs on the journal's thread, but for `_describe` and `_failed`.

    def _run(self) -> None:
        rounds = 0
        while not self._closing:
            self._wake.wait(INTERVAL)
            rounds += 1
            certain = rounds % SYNC_EVERY == 0
            self._attempt(partial(self._write, certain))
            if certain:
                self._check_disk()
        self._attempt(self._finish)
        assert self._guard is not None
        self._guard.release()

    def _attempt(self, action: Callable[[], None]) -> None:
        try:
            action()
        except (OSError, JournalError) as error:
            self._failed(error)
        else:
            self._recovered()

    def _write(self, certain: bool) -> None:
        assert self._wav is not None
        # Turns first: they are few, and rest on sound that is still in memory if need be.
        self._write_turns(certain)
        self._wav.flush()
        if certain:
            self._wav.sync()
            self._listener(Saved(self._wav.written))

    def _write_turns(self, certain: bool) -> None:
        assert self._turns is not None
        with self._lock:
            lines, self._lines = self._lines, []
        try:
            _write_lines(self._turns, lines)
        except OSError:
            with self._lock:
                self._lines = lines + self._lines
            raise
        if certain and lines:
            os.fsync(self._turns.fileno())

    def _finish(self) -> None:
        assert self._wav is not None
        assert self._turns is not None
        assert self.folder is not None
        try:
            self._write_turns(certain=True)
        finally:
            self._turns.close()
            self._wav.close()
        closed = {"samples": self._wav.written, "turns": len(self._indices)}
        write_atomically(self.folder / "closed", json.dumps(closed))
        self._listener(Saved(self._wav.written))

    def _check_disk(self) -> None:
        assert self.folder is not None
        try:
            free = shutil.disk_usage(self.folder).free
        except OSError:
            return
        low = free < LOW_DISK
        if low != self._disk_low:
            self._disk_low = low
            values = {"megabytes": str(free // 2**20), "folder": str(self.folder)}
            notice = Notice(Message("disk_nearly_full", values), Severity.WARNING, active=low)
            self._listener(notice)

    def _describe(self) -> None:
        assert self.folder is not None
        with self._describing:
            model = self._model
            facts = {**self._facts, "model": None if model is None else _model_facts(model)}
            text = json.dumps(facts, ensure_ascii=False, indent=2)
            write_atomically(self.folder / "session.json", f"{text}\n")

    def _failed(self, error: Exception) -> None:
        if not self._failing:
            self._failing = True
            log.warning("the journal can't be written", exc_info=error)
            self._tell_failure(str(error) or type(error).__name__, active=True)

    def _recovered(self) -> None:
        if self._failing:
            self._failing = False
            self._tell_failure("", active=False)

    def _tell_failure(self, reason: str, *, active: bool) -> None:
        values = {"reason": reason, "folder": str(self.folder or self._root or sessions_folder())}
        self._listener(Notice(Message("journal_failed", values), Severity.ERROR, active))


def _model_facts(model: ModelInfo) -> dict[str, str]:
    return {
        "name": model.name,
        "version": model.version,
        "digest": model.digest,
        "device": model.device,
        **({"personal": model.personal} if model.personal else {}),
    }


def _new_folder(root: Path) -> Path:
    """Make and return a folder named after the moment."""
    stamp = datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    root.mkdir(parents=True, exist_ok=True)
    for number in range(1, 1000):
        folder = root / (stamp if number == 1 else f"{stamp}-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise JournalError(f"No new session can be made in {root}.", "Remove old ones.")


def _write_lines(file: IO[bytes], lines: list[str]) -> None:
    """Append all lines or none of them."""
    if not lines:
        return
    data = "".join(f"{line}\n" for line in lines).encode()
    before = file.seek(0, os.SEEK_END)
    done = 0
    try:
        while done < len(data):
            done += file.write(data[done:])
    except OSError:
        file.truncate(before)
        raise
