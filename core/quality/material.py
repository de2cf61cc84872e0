"""What a quality check is made on: clips, with texts and labels where there are any."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TypeVar

from core.dialogue.journal import sessions_folder
from core.dialogue.wav import wav_parts
from core.errors import EmoscopeError, MediaError
from core.quality.answers import Clip
from core.quality.labelled import LabelledClip, find_table, read_table
from core.quality.recordings import cut_recording, cut_session, recordings_in
from core.resources import sample_dialogue
from core.types import TranscriptSource

MOST_CLIPS = 1000
"""Taken if not told otherwise: enough to prove agreement in spite of four differing answers."""

SESSIONS, SAMPLE, RECORDINGS, LABELLED = "sessions", "sample", "recordings", "labelled"
"""Kinds of material."""

_SHORTEST = 1600
"""Samples; less is no utterance."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Material:
    """Clips to be judged, what they are, and what could not be read.

    kind: one of `SESSIONS`, `SAMPLE`, `RECORDINGS`, `LABELLED`. description: for people.
    """

    kind: str
    description: str
    clips: tuple[Clip, ...]
    problems: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """The sha256 (hex) of everything in it: samples, texts and labels."""
        digest = hashlib.sha256()
        for clip in self.clips:
            text = clip.transcript.text if clip.transcript is not None else ""
            digest.update(clip.utterance.samples.tobytes())
            digest.update(f"\0{text}\0{sorted(clip.labels)}\0".encode())
        return digest.hexdigest()

    @property
    def seconds(self) -> float:
        """Of speech altogether."""
        return sum(clip.utterance.duration for clip in self.clips)

    @property
    def texts(self) -> int:
        """How many clips have a text."""
        return sum(clip.transcript is not None for clip in self.clips)


def find_material(
    data: Path | None = None,
    labels: Path | None = None,
    *,
    most: int = MOST_CLIPS,
    root: Path | None = None,
) -> Material:
    """Return what a check is made on.

    Args:
        data: folder of recordings, or with a table of labelled clips (manifest.csv) in it; or one
            recording. None: recorded sessions, and without any the bundled sample.
        labels: a table of labelled clips: file, label and perhaps text.
        most: clips; of more, so many are drawn (always the same).
        root: folder of recorded sessions; None: the user's.

    Raises:
        EmoscopeError: something that was named can't be read or holds nothing to judge.
    """
    if labels is not None:
        return _from_table(labels, most)
    if data is None:
        found = _from_sessions(root or sessions_folder(), most)
        return found if found.clips else _from_recordings(SAMPLE, [sample_dialogue()], most)
    table = find_table(data)
    if table is not None:
        return _from_table(table, most)
    found = _from_recordings(RECORDINGS, recordings_in(data), most)
    if not found.clips:
        why = f" ({found.problems[0]})" if found.problems else ""
        raise MediaError(f"There is no speech in {data}{why}.", "Choose a folder of recordings.")
    return found


def annotated(clips: Sequence[Clip]) -> tuple[Clip, ...]:
    """Return the clips whose texts somebody wrote down, so that recognition can be held to them."""
    by_people = TranscriptSource.ANNOTATION
    return tuple(c for c in clips if c.transcript is not None and c.transcript.source is by_people)


def _from_recordings(kind: str, paths: Sequence[Path], most: int) -> Material:
    names = ", ".join(p.name for p in paths[:3]) + (" …" if len(paths) > 3 else "")
    return _read(kind, f"{len(paths)} recording(s): {names}", _drawn(paths), cut_recording, most)


def _from_sessions(root: Path, most: int) -> Material:
    """Take the newest sessions first: they are the likest to those to come."""
    try:
        folders = sorted((p for p in root.iterdir() if p.is_dir() and wav_parts(p)), reverse=True)
    except OSError:
        folders = []
    return _read(SESSIONS, f"{len(folders)} recorded session(s)", folders, cut_session, most)


def _from_table(table: Path, most: int) -> Material:
    rows = _drawn(read_table(table))
    found = _read(LABELLED, f"labelled clips of {table.name}", rows, LabelledClip.cut, most)
    if not found.clips:
        why = found.problems[0] if found.problems else "all are empty"
        remedy = "Its paths start from the folder it lies in."
        raise MediaError(f"No clip of {table} can be read ({why}).", remedy)
    return found


def _read(
    kind: str,
    description: str,
    items: Iterable[T],
    read: Callable[[T], Iterable[Clip]],
    most: int,
) -> Material:
    """Read items until there are enough clips; one that can't be read is a problem, no end."""
    problems: list[str] = []
    long_enough = (c for c in _all(items, read, problems) if c.utterance.samples.size >= _SHORTEST)
    clips = tuple(_numbered(i, clip) for i, clip in enumerate(islice(long_enough, most)))
    return Material(kind, description, clips, tuple(problems))


def _all(
    items: Iterable[T], read: Callable[[T], Iterable[Clip]], problems: list[str]
) -> Iterator[Clip]:
    for item in items:
        try:
            yield from read(item)
        except EmoscopeError as error:
            problems.append(error.problem)


def _numbered(index: int, clip: Clip) -> Clip:
    """Give a clip an index of its own, by which analyzers know utterances."""
    return replace(clip, utterance=replace(clip.utterance, index=index))


def _drawn(items: Sequence[T]) -> list[T]:
    """Return items in random, but always the same, order: the first of them stand for all."""
    return random.Random(0).sample(items, len(items))
