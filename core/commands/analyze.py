"""`emoscope analyze`: recordings in; turns, subtitles, tables and reports out."""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.asr.catalog import DEFAULT_MODEL
from core.asr.fallback import find_transcriber
from core.asr.whisper import WhisperSettings
from core.commands.output_names import output_path, output_stems
from core.commands.progress import Display, clock, display
from core.commands.sentences import sentence
from core.dialogue.export.formats import FORMATS, LANGUAGES, export, parse_formats
from core.dialogue.readers.transcripts import TranscriptFile, find_transcript, read_transcript
from core.errors import ConfigError, EmoscopeError, TranscriptFileError
from core.pipeline.analyzer import load_analyzer
from core.pipeline.context import DialogueContext
from core.pipeline.dialogue_context import load_context, shipped_context
from core.pipeline.events import Event, Notice, Progress
from core.pipeline.lifecycle import Listener
from core.pipeline.offline import analyze_file
from core.pipeline.protocols import Analyzer, Transcriber
from core.pipeline.speakers import SpeakerTracker
from core.pipeline.voice_speakers import load_voice_speakers
from core.resources import embedded_checkpoint, voice_checkpoint
from core.types import Message, ModelInfo

EXIT_SOME_FAILED = 1
MOST_CONTEXT_TURNS = 256
"""What a dialogue model takes grows with the square of its window; nobody talks of one thing so
long."""
_NO_CONTEXT = ("context_unavailable", "context_other_model")


def main(argv: Sequence[str]) -> int:
    """Analyse every file named. Raises EmoscopeError.

    Returns:
        1 when some file could not be read, or a dialogue model that was named could not be used.
    """
    arguments = parser().parse_args(argv)
    # What goes wrong is said in sentences; a log handler of the caller still gets the details.
    logging.getLogger("core").addHandler(logging.NullHandler())
    formats = parse_formats(arguments.formats)
    if arguments.transcript and len(arguments.files) > 1:
        raise ConfigError(
            "--transcript belongs to one recording, and several were named.",
            "Put each transcript beside its recording, under the same name.",
        )
    with display() as screen:
        batch = _Batch(arguments, formats, screen)
        return batch.run()


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command's arguments."""
    made = argparse.ArgumentParser(
        prog="emoscope analyze",
        description="Reads recordings (anything FFmpeg opens) and writes who said what, and how.",
        epilog="A transcript beside a recording under the same name (SRT, VTT, TextGrid, CSV) is "
        "used instead of recognition, with its speakers.",
    )
    made.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a recording")
    made.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder for the results"
    )
    made.add_argument("--transcript", type=Path, metavar="F", help="the recording's transcript")
    made.add_argument(
        "--no-transcript", action="store_true", help="recognise, even with a transcript beside"
    )
    made.add_argument(
        "--model", default="embedded", metavar="M", help="checkpoint folder (default: embedded)"
    )
    made.add_argument(
        "--whisper",
        default=DEFAULT_MODEL,
        metavar="NAME",
        help=f"Whisper model, its folder, or none for speech alone (default: {DEFAULT_MODEL})",
    )
    made.add_argument(
        "--language",
        choices=("ko", "en", "auto"),
        default="auto",
        help="language spoken, and of the report (default: auto)",
    )
    made.add_argument(
        "--formats",
        default="jsonl,html",
        metavar="LIST",
        help=f"any of {','.join(FORMATS)} (default: jsonl,html)",
    )
    made.add_argument(
        "--channels",
        choices=("mono", "both"),
        default="mono",
        help="both: each channel is a speaker, A and B (default: mono)",
    )
    _add_dialogue_options(made)
    return made


def _add_dialogue_options(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--context",
        default="auto",
        metavar="C",
        help="dialogue model that reads each turn among the others: auto (the one that ships, "
        "where it fits the checkpoint), off, or its folder (default: auto)",
    )
    made.add_argument(
        "--context-turns",
        type=int,
        metavar="N",
        help="how many turns it looks at, the newest included, "
        f"{MOST_CONTEXT_TURNS} at most (default: as in its training)",
    )
    made.add_argument(
        "--speakers",
        choices=("auto", "voices"),
        default="auto",
        help="who speaks: auto (as the transcript or the channels say), or where these say "
        "nothing by the voices, which is experimental (default: auto)",
    )


@dataclass(frozen=True, slots=True)
class _Done:
    """What one file contributed to the summary: seconds of audio, and whether it was read whole."""

    duration: float
    complete: bool


class _Batch:
    """The files of one call, with the models they share."""

    def __init__(
        self, arguments: argparse.Namespace, formats: Sequence[str], screen: Display
    ) -> None:
        self._arguments = arguments
        self._formats = formats
        self._screen = screen
        self._transcriber: Transcriber | None = None
        self._context: DialogueContext | None = None
        self._speakers: SpeakerTracker | None = None
        self._looked = False
        self._context_lost = False
        self._said: set[str] = set()

    def run(self) -> int:
        """Analyse every file, say how long it took, and return the exit status."""
        began = time.monotonic()
        analyzer = open_analyzer(self._arguments.model)
        analyzer.warm_up()
        wanted, turns = self._arguments.context, self._arguments.context_turns
        self._context = open_context(wanted, analyzer.model, turns)
        self._speakers = open_speakers(self._arguments.speakers)
        files = self._arguments.files
        done = [
            self._guarded(path, stem, analyzer)
            for path, stem in zip(files, output_stems(files), strict=True)
        ]
        self._summary(done, time.monotonic() - began)
        complete = all(one.complete for one in done) and not self._lacks_context()
        return 0 if complete else EXIT_SOME_FAILED

    def _lacks_context(self) -> bool:
        """Say so where results lack what a dialogue model that was named should say of them."""
        named = self._arguments.context
        lacking = self._context_lost and named.lower() not in _CONTEXTS
        if lacking:
            self._screen.line(
                f"The results are without context: the dialogue model in {named} was not used.",
                error=True,
            )
        return lacking

    def _guarded(self, path: Path, stem: str, analyzer: Analyzer) -> _Done:
        try:
            return self._analyze(path, stem, analyzer)
        except EmoscopeError as error:
            self._complain(path, error)
            return _Done(0.0, complete=False)

    def _complain(self, path: Path, error: Exception) -> None:
        text = str(error) or type(error).__name__
        named = text if path.name in text else f"{path.name}: {text}"
        self._screen.line(named, error=True)

    def _analyze(self, path: Path, stem: str, analyzer: Analyzer) -> _Done:
        began = time.monotonic()
        self._screen.begin(path.name)
        transcript = self._transcript(path)
        annotations = transcript.annotations if transcript else ()
        outcome = analyze_file(
            path,
            analyzer,
            None if transcript else self._find_transcriber(),
            self._listen(path.name),
            annotations=annotations,
            channels=self._arguments.channels,
            language=self._arguments.language,
            context=self._context,
            speakers=self._speakers,
        )
        recording, error = outcome.recording, outcome.error
        if error is not None:
            self._complain(path, error)
            if not recording.turns:
                return _Done(0.0, complete=False)
            self._screen.line(f"{path.name}: what came before that is written.", error=True)
        elif not recording.turns:
            self._tell(path.name, Message("no_speech"))
        written = [
            export(recording, name, self._target(stem, name, path), self._report_language())
            for name in self._formats
        ]
        took = time.monotonic() - began
        self._screen.line(
            f"{path.name}: {len(recording.turns)} turns in {clock(recording.duration_seconds)} "
            f"of audio, {took:.1f} s ({recording.duration_seconds / max(took, 1e-3):.1f} times "
            f"real time) -> {', '.join(map(str, written))}"
        )
        return _Done(recording.duration_seconds, complete=error is None)

    def _target(self, stem: str, name: str, path: Path) -> Path:
        return output_path(self._arguments.out, stem, name, path)

    def _transcript(self, path: Path) -> TranscriptFile | None:
        """Return the transcript to use. One that was merely found may turn out to be none."""
        given = self._arguments.transcript
        beside = None if self._arguments.no_transcript else find_transcript(path)
        chosen: Path | None = given or beside
        if chosen is None:
            return None
        try:
            transcript = read_transcript(chosen)
        except TranscriptFileError as error:
            if given is not None:
                raise
            self._screen.line(f"{path.name}: not used as its transcript: {error}")
            return None
        for message in transcript.messages:
            self._tell(path.name, message)
        return transcript

    def _find_transcriber(self) -> Transcriber | None:
        """Look for a recognition model once, when the first file needs one."""
        if self._looked or self._arguments.whisper.lower() == "none":
            return self._transcriber
        self._looked = True
        language = self._arguments.language
        recognition = find_transcriber(
            WhisperSettings(
                model=self._arguments.whisper, language=None if language == "auto" else language
            )
        )
        if recognition.message is not None:
            self._screen.line(sentence(recognition.message))
        self._transcriber = recognition.transcriber
        return self._transcriber

    def _listen(self, name: str) -> Listener:
        def listener(event: Event) -> None:
            if isinstance(event, Progress):
                self._screen.update(event)
            elif isinstance(event, Notice) and event.active:
                self._heed(name, event)

        return listener

    def _heed(self, name: str, notice: Notice) -> None:
        self._tell(name, notice.message)
        if notice.message.code in ("recognition_unavailable", "recognition_off"):
            self._transcriber = None
        elif notice.message.code in _NO_CONTEXT:
            self._context, self._context_lost = None, True

    def _tell(self, name: str, message: Message) -> None:
        text = f"{name}: {sentence(message)}"
        if text not in self._said:
            self._said.add(text)
            self._screen.line(text)

    def _report_language(self) -> str:
        language = self._arguments.language
        return language if language in LANGUAGES else "en"

    def _summary(self, done: Sequence[_Done], took: float) -> None:
        complete = sum(one.complete for one in done)
        audio = sum(one.duration for one in done)
        self._screen.line(
            f"{complete} of {len(done)} recordings, {clock(audio)} of audio in {took:.1f} s "
            f"({audio / max(took, 1e-3):.1f} times real time, loading included)."
        )


def open_analyzer(model: str) -> Analyzer:
    """Return the analyzer of a checkpoint folder, or of the "embedded" one. CheckpointError."""
    return load_analyzer(embedded_checkpoint() if model == "embedded" else Path(model))


def open_context(wanted: str, model: ModelInfo, turns: int | None = None) -> DialogueContext | None:
    """Return the dialogue model to read turns with, or None.

    Args:
        wanted: "auto", "off", or a checkpoint folder.
        model: the utterance model whose features it gets.
        turns: how many it looks at; None: as many as in its training.

    Raises:
        CheckpointError: the folder named is none of a dialogue model.
        ConfigError: it is to look at no turn, or at too many.
    """
    if turns is not None and turns > MOST_CONTEXT_TURNS:
        raise ConfigError(
            f"A dialogue model can't look at {turns} turns at once.",
            f"Choose {MOST_CONTEXT_TURNS} or fewer.",
        )
    choice = _CONTEXTS.get(wanted.lower())
    return load_context(Path(wanted), turns) if choice is None else choice(model, turns)


_CONTEXTS: Mapping[str, Callable[[ModelInfo, int | None], DialogueContext | None]] = {
    "auto": lambda model, turns: shipped_context(model.digest, turns),
    "off": lambda model, turns: None,
}
"""What `--context` takes that is no folder."""


def open_speakers(wanted: str) -> SpeakerTracker | None:
    """Return who tells voices apart: nobody for "auto", the model that ships for "voices".

    Raises:
        CheckpointError: that model is not there.
    """
    return load_voice_speakers(voice_checkpoint()) if wanted == "voices" else None
