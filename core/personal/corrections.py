"""What a person says about turns, kept with their sound on this machine and nowhere else."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from core.dialogue.atomic import write_atomically
from core.errors import ConfigError, JournalError
from core.personal.clips import checked, read_clip, write_clip
from core.personal.folders import (
    CLIPS,
    CORRECTIONS,
    person_folder,
    person_name,
    personal_folder,
)
from core.personal.locking import writing
from core.personal.records import Lines, read_lines, to_text
from core.personal.types import Correction
from core.types import FloatArray, Message

LEFT_ALONE = 0.3
"""Weight of a turn that a person saw and did not correct."""

SAME_TURN = 0.02
"""Seconds that begin and end of a turn may differ by and it still is the same one."""


@dataclass(frozen=True, slots=True)
class PersonSummary:
    """How much is kept of a person: corrections, those that confirm, seconds, bytes of sound."""

    person: str
    corrections: int
    confirmed: int
    seconds: float
    bytes: int


class CorrectionStore:
    """Corrections by person; safe for several threads and processes at once.

    Every change is one atomic replacement of one file under a lock: a process that is killed
    leaves the older state or the newer one. A clip is there before the line that names it, and
    goes after it.

    Args:
        folder: None: the user's.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or personal_folder()

    def add(
        self,
        samples: FloatArray,
        *,
        person: str,
        label: str,
        said: str = "",
        text: str | None = None,
        language: str | None = None,
        source: str = "",
        start: float = 0.0,
        end: float = 0.0,
        digest: str = "",
        weight: float = 1.0,
    ) -> Correction:
        """Keep what a person says a turn was, in place of what was said of the same turn before.

        The same turn is the same `source`, `start` and `end`, whoever was said to speak in it; so
        `source` should be unique (the name of a recording, or of a session's folder).

        Args:
            samples: of the turn, mono (n,) in [-1, 1] at 16 kHz.
            person, label, said, text, language, source, start, end, digest, weight: see
                `Correction`; `label` equal to `said` confirms. A turn that was seen and left alone
                confirms with the weight `LEFT_ALONE`, and never takes the place of what was said.

        Raises:
            ConfigError: there is no sound, name or label to keep.
            JournalError: it can't be written.
        """
        name, sound = person_name(person), checked(samples)
        if not label.strip():
            raise ConfigError("The turn has no label.", "Choose one.")
        made = datetime.now(UTC).isoformat(timespec="seconds")
        added = Correction(
            uuid.uuid4().hex, name, label.strip(), said, text or None, language,
            source, round(start, 4), round(max(start, end), 4), made, digest, weight,
        )  # fmt: skip
        with writing(self.folder):
            older = [c for c in self.of_source(source) if _same_turn(c, added)]
            if weight < 1 and (stronger := [c for c in older if c.weight > weight]):
                return stronger[0]
            write_clip(self._clip_path(added), sound)
            self._change(name, {c.id for c in older if c.person == name}, (added,))
            for other in {c.person for c in older} - {name}:
                self._change(other, {c.id for c in older if c.person == other})
        return added

    def relabel(self, correction: Correction, label: str) -> Correction:
        """Say of a kept turn that it was something else; its clip stays. Raises JournalError."""
        made = datetime.now(UTC).isoformat(timespec="seconds")
        changed = replace(correction, label=label, made=made, weight=1.0)
        with writing(self.folder):
            if all(c.id != correction.id for c in self.all(correction.person)):
                raise JournalError("The correction was removed meanwhile.", "Add it again.")
            lines = self._lines(correction.person)
            kept = [changed if c.id == changed.id else c for c in lines.corrections]
            self._write(correction.person, kept, lines.bad)
        return changed

    def remove(self, correction: Correction) -> None:
        """Forget one correction and its clip; nothing happens if it is gone already."""
        with writing(self.folder):
            self._change(correction.person, {correction.id})

    def clear(self, person: str) -> None:
        """Forget everything of a person: corrections, clips and adapters. Raises JournalError."""
        folder = person_folder(self.folder, person)
        with writing(self.folder):
            try:
                if folder.is_dir():
                    shutil.rmtree(folder)
            except OSError as error:
                raise JournalError(
                    f"{folder} can't be removed ({error.strerror or error}).",
                    "Close whatever uses it, and try again.",
                ) from error

    def persons(self) -> tuple[str, ...]:
        """Return who corrected or confirmed anything, by name."""
        return tuple(sorted({c.person for f in self._folders() for c in _readable(f)[:1]}))

    def all(self, person: str) -> tuple[Correction, ...]:
        """Return what a person said, the oldest first. Raises JournalError."""
        return self._lines(person).corrections

    def of_source(self, source: str) -> tuple[Correction, ...]:
        """Return what anybody said about turns of a recording or session."""
        return tuple(c for f in self._folders() for c in _readable(f) if c.source == source)

    def problems(self, person: str) -> tuple[Message, ...]:
        """Return what can't be read of a person's corrections; the others are used."""
        return self._lines(person).problems

    def clip(self, id: str) -> FloatArray:
        """Return the sound of a correction, mono (n,) at 16 kHz.

        Raises:
            MediaError: it is missing or damaged, naming the file.
        """
        found = sorted(self.folder.glob(f"*/{CLIPS}/{id}.flac"))
        return read_clip(found[0] if found else self.folder / f"{id}.flac")

    def summary(self, person: str) -> PersonSummary:
        """Return how much is kept of a person."""
        corrections = self.all(person)
        sizes = (_size(self._clip_path(c)) for c in corrections)
        return PersonSummary(
            person_name(person),
            len(corrections),
            sum(c.confirms for c in corrections),
            sum(c.end - c.start for c in corrections),
            sum(sizes),
        )

    def _folders(self) -> list[Path]:
        try:
            return sorted(p for p in self.folder.iterdir() if p.is_dir())
        except OSError:
            return []

    def _lines(self, person: str) -> Lines:
        return read_lines(person_folder(self.folder, person) / CORRECTIONS)

    def _clip_path(self, correction: Correction) -> Path:
        folder = person_folder(self.folder, correction.person)
        return folder / CLIPS / f"{correction.id}.flac"

    def _change(self, person: str, gone: set[str], added: Sequence[Correction] = ()) -> None:
        lines = self._lines(person)
        kept = [c for c in lines.corrections if c.id not in gone]
        if len(kept) < len(lines.corrections) or added:
            self._write(person, [*kept, *added], lines.bad)
        self._sweep(person, {c.id for c in (*kept, *added)}, lines.bad)

    def _sweep(self, person: str, kept: set[str], bad: Sequence[str]) -> None:
        """Remove clips of nothing and half-written lists: of a process that was killed, too."""
        folder = person_folder(self.folder, person)
        gone = list(folder.glob(f".{CORRECTIONS}.*"))
        for path in (folder / CLIPS).glob("*.flac"):
            name = path.stem.lstrip(".").partition(".")[0]
            if path.stem not in kept and not any(name in line for line in bad):
                gone.append(path)
        for path in gone:
            with suppress(OSError):  # swept the next time
                path.unlink()

    def _write(self, person: str, corrections: Sequence[Correction], bad: Sequence[str]) -> None:
        path = person_folder(self.folder, person) / CORRECTIONS
        write_atomically(path, to_text(corrections, bad))


def _same_turn(one: Correction, other: Correction) -> bool:
    near = abs(one.start - other.start) <= SAME_TURN and abs(one.end - other.end) <= SAME_TURN
    return one.source == other.source and near


def _readable(folder: Path) -> tuple[Correction, ...]:
    try:
        return read_lines(folder / CORRECTIONS).corrections
    except JournalError:
        return ()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
