"""A recording, from its first sample to its last turn, in one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from core.audio.sources import FileSource
from core.dialogue.recording import Annotation, Metadata, Recording
from core.pipeline.bulk_cutting import BulkCutter
from core.pipeline.context import DialogueContext
from core.pipeline.cutting import AnnotationCutter, Cutter
from core.pipeline.events import Notice, Severity
from core.pipeline.lifecycle import Listener
from core.pipeline.lookahead import BatchedAnalyzer, NotingCutter, Upcoming
from core.pipeline.protocols import Analyzer, Transcriber
from core.pipeline.session import CutterFactory, Session
from core.pipeline.settings import SessionSettings
from core.pipeline.speakers import SpeakerTracker
from core.types import Message


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a recording; `error` when it could be read only in part, or not at all."""

    recording: Recording
    error: Exception | None = None


def analyze_file(
    path: Path,
    analyzer: Analyzer,
    transcriber: Transcriber | None,
    listener: Listener,
    *,
    annotations: Sequence[Annotation] = (),
    channels: str = "mono",
    language: str = "auto",
    realtime: bool = False,
    context: DialogueContext | Callable[[], DialogueContext] | None = None,
    speakers: SpeakerTracker | Callable[[], SpeakerTracker] | None = None,
) -> Outcome:
    """Analyse a recording by streaming it; memory does not grow with its length.

    Args:
        channels: "mono", or "both" for a speaker on each channel.
        realtime: hear it at the speed of the clock, as a listener would.
        context: reads each turn among the others; turns then have `context` and `hindsight`.
        speakers: names who speaks where neither a transcript nor a channel does.

    An interrupt (Ctrl+C) ends the session properly before it is raised again.
    """
    rows = 1 if realtime or (transcriber and not annotations) else _rows(analyzer)
    settings = SessionSettings(
        live=False, language=language, attention_limit=0, file_backlog=max(4, rows)
    )
    source = FileSource(path, channels, realtime)
    cutter = None if realtime else _cutter(annotations, settings, listener)
    judge = analyzer
    if rows > 1 and cutter is not None:
        judge, cutter = _in_batches(analyzer, cutter)
    session = Session(
        source,
        settings,
        judge,
        transcriber,
        listener,
        annotations=annotations,
        cutter=cutter,
        context=context,
        speakers=speakers,
    )
    created = datetime.now().astimezone().isoformat(timespec="seconds")
    _run(session)
    total = source.total_samples
    metadata = Metadata(
        source=path.name,
        created=created,
        model=analyzer.model,
        transcriber=transcriber.name if transcriber and not annotations else "",
        language=language,
    )
    duration = session.position if total is None else total
    recording = Recording(path, session.history.snapshot(), duration, metadata)
    return Outcome(recording, session.error)


def _run(session: Session) -> None:
    session.start()
    try:
        while not session.join(0.5):
            pass
    except BaseException:
        session.cancel()
        session.join()
        raise


def _cutter(
    annotations: Sequence[Annotation], settings: SessionSettings, listener: Listener
) -> CutterFactory:
    """Return what finds the utterances: as in any session, but not while they are spoken."""

    def tell_missing(count: int) -> None:
        message = Message("annotations_beyond_end", {"count": str(count)})
        listener(Notice(message, Severity.WARNING))

    if annotations:
        return lambda speakers: AnnotationCutter(annotations, tell_missing)
    return partial(BulkCutter, settings=settings.segmenting())


def _rows(analyzer: Analyzer) -> int:
    """Return how many utterances the analyzer should be given at once: one, without a GPU."""
    return getattr(analyzer, "batch_rows", 1)


def _in_batches(analyzer: Analyzer, make: CutterFactory) -> tuple[Analyzer, CutterFactory]:
    upcoming = Upcoming()

    def noting(speakers: Sequence[str | None]) -> Cutter:
        return NotingCutter(make(speakers), upcoming)

    return BatchedAnalyzer(analyzer, analyzer, upcoming), noting  # type: ignore[arg-type]
