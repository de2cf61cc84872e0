"""A recording, from its first sample to its last turn, in one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core.audio.sources import FileSource
from core.dialogue.recording import Annotation, Metadata, Recording
from core.pipeline.context import DialogueContext
from core.pipeline.lifecycle import Listener
from core.pipeline.protocols import Analyzer, Transcriber
from core.pipeline.session import Session
from core.pipeline.settings import SessionSettings
from core.pipeline.speakers import SpeakerTracker


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
    settings = SessionSettings(live=False, language=language, attention_limit=0)
    source = FileSource(path, channels, realtime)
    session = Session(
        source,
        settings,
        analyzer,
        transcriber,
        listener,
        annotations=annotations,
        context=context,
        speakers=speakers,
    )
    created = datetime.now().astimezone().isoformat(timespec="seconds")
    session.start()
    try:
        while not session.join(0.5):
            pass
    except BaseException:
        session.cancel()
        session.join()
        raise
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
