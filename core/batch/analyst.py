"""Analyses one recording after the other with models that are loaded once."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace

from core.batch import models
from core.batch.one_core import one_core
from core.batch.recognition import Recogniser
from core.batch.values import Advanced, Analysed, Began, Options, Output, Task, Told, WorkerEvent
from core.dialogue.export.formats import FORMATS, LANGUAGES, render
from core.dialogue.readers.transcripts import TranscriptFile, find_transcript, read_transcript
from core.errors import EmoscopeError, TranscriptFileError
from core.pipeline.context import DialogueContext
from core.pipeline.events import Event, Notice, Progress
from core.pipeline.lifecycle import Listener
from core.pipeline.offline import Outcome, analyze_file
from core.pipeline.protocols import Analyzer, Transcriber
from core.pipeline.speakers import SpeakerTracker
from core.types import Message

log = logging.getLogger(__name__)

Tell = Callable[[WorkerEvent], None]

NO_CONTEXT = ("context_unavailable", "context_other_model")
SHARED = ("recognition_unavailable", "speakers_unavailable", *NO_CONTEXT)
"""Codes of what is found out over one recording and holds for all of them."""


class Analyst:
    """The models of a batch, and what is done with them to each recording.

    Nothing that happens to one recording changes another one's results: it does not matter which
    of several workers gets it, nor whether it is done before or after an interruption. Only a model
    that fails is done without from then on; what lacks it is said to (`Analysed.lacking`).

    Args:
        options: the same for every recording.
        alone: it has the machine for itself; else each model gets one thread.
    """

    def __init__(self, options: Options, *, alone: bool = True) -> None:
        self._options = options
        self._alone = alone
        self._analyzer: Analyzer | None = None
        self._context: DialogueContext | None = None
        self._context_lost = False
        self._text_lost = False
        self._speakers_lost = False
        self._speakers: SpeakerTracker | None = None
        self._recogniser = Recogniser(options, threads=0 if alone else 1)

    def load(self) -> None:
        """Open and load what every recording needs. Raises EmoscopeError."""
        options = self._options
        analyzer = models.open_analyzer(
            options.model, options.device, options.runtime, options.personal
        )
        with nullcontext() if self._alone else one_core():
            analyzer.warm_up()
        self._context = models.open_context(options.context, analyzer.model, options.context_turns)
        self._speakers = models.open_speakers(options.speakers)
        self._analyzer = analyzer

    def analyze(self, task: Task, tell: Tell) -> Analysed:
        """Analyse a recording; `tell` may be called from other threads. Needs `load`."""
        tell(Began(task.number))
        try:
            return self._analyze(task, tell)
        except EmoscopeError as error:
            return Analysed(task.number, problem=str(error))
        except Exception as error:  # the other recordings are not to blame
            log.exception("%s could not be analysed", task.path)
            return Analysed(task.number, problem=f"{type(error).__name__}: {error}")

    def _analyze(self, task: Task, tell: Tell) -> Analysed:
        assert self._analyzer is not None
        began = time.monotonic()
        transcript = self._transcript(task, tell)
        outcome = analyze_file(
            task.path,
            self._analyzer,
            None if transcript else self._find_transcriber(task, tell),
            self._listener(task, tell),
            annotations=transcript.annotations if transcript else (),
            channels=self._options.channels,
            language=self._options.language,
            context=self._context,
            speakers=self._speakers,
        )
        analysed = self._report(task, outcome, tell, began)
        return replace(analysed, lacking=self._lacks(read=transcript is not None))

    def _report(self, task: Task, outcome: Outcome, tell: Tell, began: float) -> Analysed:
        recording, error = outcome.recording, outcome.error
        problem = "" if error is None else str(error) or type(error).__name__
        if error is not None and not recording.turns:
            return Analysed(task.number, problem=problem)
        if not recording.turns:
            tell(Told(task.number, "no_speech"))
        named = zip(self._options.formats, task.targets, strict=True)
        language = self._options.language if self._options.language in LANGUAGES else "en"
        return Analysed(
            task.number,
            turns=len(recording.turns),
            seconds=recording.duration_seconds,
            outputs=tuple(
                Output(path, render(recording, name, language), FORMATS[name].encoding)
                for name, path in named
            ),
            took=time.monotonic() - began,
            problem=problem,
            context_lost=self._context_lost,
        )

    def _lacks(self, *, read: bool) -> bool:
        """Tell whether a model failed that results should be made with; `read`: their text was."""
        return self._context_lost or self._speakers_lost or (self._text_lost and not read)

    def _transcript(self, task: Task, tell: Tell) -> TranscriptFile | None:
        """Return the transcript to use. One that was merely found may turn out to be none."""
        given = self._options.transcript
        chosen = given or (find_transcript(task.path) if self._options.beside else None)
        if chosen is None:
            return None
        try:
            transcript = read_transcript(chosen)
        except TranscriptFileError as error:
            if given is not None:
                raise
            tell(Told(task.number, "transcript_unused", (("reason", str(error)),)))
            return None
        for message in transcript.messages:
            tell(_told(task, message))
        return transcript

    def _find_transcriber(self, task: Task, tell: Tell) -> Transcriber | None:
        transcriber, message = self._recogniser.transcriber()
        if message is not None:
            tell(_told(task, message, shared=True))
            self._text_lost = message.code == "whisper_unusable"
        return transcriber

    def _listener(self, task: Task, tell: Tell) -> Listener:
        def listener(event: Event) -> None:
            if isinstance(event, Progress):
                tell(Advanced(task.number, event))
            elif isinstance(event, Notice) and event.active:
                self._heed(task, event.message, tell)

        return listener

    def _heed(self, task: Task, message: Message, tell: Tell) -> None:
        """Pass a notice on, and do without what can't be used, for this recording or for all."""
        if message.code == "recognition_unavailable":
            self._recogniser.give_up()
            self._text_lost = True
        elif message.code == "speakers_unavailable":
            self._speakers, self._speakers_lost = None, True
        elif message.code in NO_CONTEXT:
            self._context, self._context_lost = None, True
        tell(_told(task, message, shared=message.code in SHARED))


def _told(task: Task, message: Message, *, shared: bool = False) -> Told:
    return Told(task.number, message.code, tuple(message.values.items()), shared)
