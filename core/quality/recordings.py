"""Recordings and recorded sessions, cut into utterances just as the product does it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from core.audio.io import probe
from core.audio.sources import FileSource
from core.dialogue.readers.transcripts import find_transcript, read_transcript
from core.dialogue.recording import Annotation
from core.dialogue.sessions import read_session
from core.errors import MediaError, TranscriptFileError
from core.pipeline.cutting import AnnotationCutter, Cut, Cutter, VoiceCutter
from core.pipeline.protocols import EndOfSource
from core.quality.answers import Clip
from core.types import Transcript, TranscriptSource, Turn, seconds


def recordings_in(path: Path) -> list[Path]:
    """Return a recording, or those anywhere in a folder. Raises MediaError if there are none."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise MediaError(f"There is no folder {path}.", "Choose another folder.")
    inside = (p for p in sorted(path.rglob("*")) if p.is_file() and not p.name.startswith("."))
    found = [p for p in inside if _is_recording(p)]
    if not found:
        raise MediaError(f"There is no recording in {path}.", "Choose another folder.")
    return found


def _is_recording(path: Path) -> bool:
    try:
        return probe(path).sample_rate > 0
    except MediaError:
        return False


def cut_recording(path: Path) -> Iterator[Clip]:
    """Yield the utterances of a recording: where a transcript beside it says (and then with
    texts), else where there is voice. Raises MediaError.
    """
    annotations = _annotations(path)
    cutter: Cutter = AnnotationCutter(annotations) if annotations else VoiceCutter((None,))
    return _cut(path, cutter, lambda cut: cut.transcript)


def _annotations(path: Path) -> Sequence[Annotation]:
    beside = find_transcript(path)
    if beside is None:
        return ()
    try:
        return read_transcript(beside).annotations
    except TranscriptFileError:
        return ()  # another file of the same name


def cut_session(folder: Path) -> Iterator[Clip]:
    """Yield the turns of a recorded session, with the texts recognised then.

    Of sound in several files (after many hours) only the first is used. Raises JournalError,
    MediaError.
    """
    recording = read_session(folder)
    if recording.media is None or not recording.turns:
        return iter(())
    cutter = AnnotationCutter([_annotation(turn) for turn in recording.turns])
    return _cut(recording.media, cutter, _recognised)


def _annotation(turn: Turn) -> Annotation:
    text = turn.transcript.text if turn.transcript is not None else ""
    return Annotation(seconds(turn.start), seconds(turn.end), text)


def _recognised(cut: Cut) -> Transcript | None:
    if cut.transcript is None or not cut.transcript.text:
        return None
    return replace(cut.transcript, source=TranscriptSource.RECOGNITION)


def _cut(path: Path, cutter: Cutter, text: Callable[[Cut], Transcript | None]) -> Iterator[Clip]:
    source = FileSource(path)
    source.start()
    try:
        while (block := source.read(1.0)) is not None:
            yield from _clips(cutter.push(block)[1], text)
    except EndOfSource:
        yield from _clips(cutter.flush(source.total_samples), text)
    finally:
        source.stop()


def _clips(cuts: Iterable[Cut], text: Callable[[Cut], Transcript | None]) -> Iterator[Clip]:
    return (Clip(cut.utterance, text(cut)) for cut in cuts if cut.utterance.is_final)
