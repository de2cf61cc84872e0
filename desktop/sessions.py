"""Builds sessions from what the user chose; runs on a background thread, imports on use.

No model is loaded here: the session does that on its own threads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from core.pipeline.events import Event, Notice, Severity
from core.resources import embedded_checkpoint, voice_checkpoint
from core.types import Message
from desktop.settings import PAUSES, AppSettings

if TYPE_CHECKING:
    from core.asr.whisper import WhisperSettings
    from core.audio.channels import ChannelMode
    from core.pipeline.context import DialogueContext
    from core.pipeline.protocols import Analyzer, Transcriber
    from core.pipeline.session import Session
    from core.pipeline.settings import SessionSettings
    from core.pipeline.speakers import SpeakerTracker

OFF = "off"
"""Choice of recognition model that means: speech alone; of dialogue model: no context."""

PREPARING = "model_preparing"
"""Code of the notice that a model is made ready for this computer, which is done once."""

Listener = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A session ready to start and what the window needs to know about it.

    `sound` returns where its sound can be played from, once there is such a file; `context` is
    true when it will read the turns in context, if its dialogue model can be loaded.
    """

    session: Session
    live: bool
    name: str
    transcriber: str | None
    sound: Callable[[], Path | None]
    total: float | None = None
    notices: tuple[Notice, ...] = ()
    context: bool = False


class SessionFactory(Protocol):
    """Makes sessions; tests pass one that makes them of fakes."""

    def microphones(self, refresh: bool) -> tuple[str, ...]:
        """Return the names of the input devices. Raises DeviceError."""
        ...

    def recognition(self, settings: AppSettings) -> str | None:
        """Return the name of what will write the text, None for speech alone."""
        ...

    def has_recognition(self, model: str) -> bool:
        """Tell whether a recognition model of the catalog is on this computer."""
        ...

    def live(self, settings: AppSettings, listener: Listener) -> Prepared:
        """Return a session on the chosen microphone. Raises EmoscopeError."""
        ...

    def recording(self, path: Path, settings: AppSettings, listener: Listener) -> Prepared:
        """Return a session on a recording. Raises EmoscopeError."""
        ...


class RealSessions:
    """The real parts: microphone or file, checkpoint, Whisper where there is one, journal."""

    def microphones(self, refresh: bool) -> tuple[str, ...]:
        """Return the names of the input devices, each once."""
        from core.audio.devices import list_input_devices

        return tuple(dict.fromkeys(device.name for device in list_input_devices(refresh)))

    def recognition(self, settings: AppSettings) -> str | None:
        """Return the name of the recognition model that is here, None when there is none."""
        transcriber, _ = make_transcriber(settings)
        return transcriber.name if transcriber is not None else None

    def has_recognition(self, model: str) -> bool:
        """Tell whether a recognition model of the catalog is on this computer."""
        from core.asr.catalog import installed_models

        return model in installed_models()

    def live(self, settings: AppSettings, listener: Listener) -> Prepared:
        """Return a session on the chosen microphone, journalled."""
        from core.audio.microphone import MicrophoneSource
        from core.dialogue.journal import Journal
        from core.pipeline.session import Session

        transcriber, notices = make_transcriber(settings, live=True)
        source = MicrophoneSource(settings.device or None, settings.channels)
        journal = Journal(sessions_folder(settings))
        context = context_maker(settings)
        session = Session(
            source,
            session_settings(settings, live=True),
            analyzer_maker(settings, listener),
            transcriber,
            listener,
            journal=journal,
            context=context,
            speakers=speakers_maker(settings),
        )
        return Prepared(
            session,
            live=True,
            name=settings.device,
            transcriber=transcriber.name if transcriber else None,
            sound=lambda: _first_part(journal.folder),
            notices=notices,
            context=context is not None,
        )

    def recording(self, path: Path, settings: AppSettings, listener: Listener) -> Prepared:
        """Return a session on a recording, with the transcript beside it when there is one."""
        from core.audio.sources import FileSource
        from core.dialogue.readers.transcripts import find_transcript, read_transcript
        from core.pipeline.session import Session

        source = FileSource(path, _channel_mode(settings.channels))
        beside = find_transcript(path)
        transcript = read_transcript(beside) if beside is not None else None
        notices = [Notice(m, Severity.WARNING) for m in transcript.messages] if transcript else []
        transcriber: Transcriber | None = None
        if transcript is None:
            transcriber, more = make_transcriber(settings)
            notices += more
        context = context_maker(settings)
        session = Session(
            source,
            session_settings(settings, live=False),
            analyzer_maker(settings, listener),
            transcriber,
            listener,
            annotations=transcript.annotations if transcript else (),
            context=context,
            speakers=speakers_maker(settings),
        )
        total = source.total_samples
        return Prepared(
            session,
            live=False,
            name=path.name,
            transcriber=_text_source(transcript.path if transcript else None, transcriber),
            sound=lambda: path,
            total=None if total is None else total / 16_000,
            notices=tuple(notices),
            context=context is not None,
        )


def session_settings(settings: AppSettings, live: bool) -> SessionSettings:
    """Return how a session is to run."""
    from core.pipeline.settings import SessionSettings

    return SessionSettings(
        live=live,
        language=settings.language,
        hangover=PAUSES[settings.pause],
        better_text=settings.better_text,
    )


def analyzer_maker(settings: AppSettings, listener: Listener) -> Callable[[], Analyzer]:
    """Return what makes the analyzer of the chosen checkpoint; called on the emotion thread.

    The listener is told, by a notice, when loading it takes long for once.
    """
    folder = Path(settings.checkpoint) if settings.checkpoint else embedded_checkpoint()

    def make() -> Analyzer:
        from core.pipeline.analyzer import load_analyzer

        return load_analyzer(
            folder,
            settings.processor,
            settings.runtime,
            exporting=lambda: listener(Notice(Message(PREPARING))),
        )

    return make


def context_maker(settings: AppSettings) -> Callable[[], DialogueContext] | None:
    """Return what makes the chosen dialogue model; called on the emotion thread.

    The one that ships with Emoscope is left out, without a word, if it is not here or reads the
    features of another utterance model than the chosen one; a chosen one that fails is said.
    """
    from core.pipeline.dialogue_context import load_context, shipped_context

    if settings.context == OFF:
        return None
    if settings.context:
        folder = Path(settings.context)
        return lambda: load_context(folder)
    shipped = shipped_context(_digest_of(settings))
    return None if shipped is None else lambda: shipped


def _digest_of(settings: AppSettings) -> str:
    """Return which weights judge the turns; "" if that can't be read, which is said elsewhere."""
    from core.errors import EmoscopeError
    from core.models.manifest import read_info

    folder = Path(settings.checkpoint) if settings.checkpoint else embedded_checkpoint()
    try:
        return read_info(folder).digest
    except EmoscopeError:
        return ""


def knows_voices() -> bool:
    """True if what tells speakers apart by their voices is on this computer."""
    return (voice_checkpoint() / "config.json").is_file()


def speakers_maker(settings: AppSettings) -> Callable[[], SpeakerTracker] | None:
    """Return what tells the speakers apart by their voices, if that was asked for."""
    if settings.speakers != "voice":
        return None

    def make() -> SpeakerTracker:
        from core.pipeline.voice_speakers import load_voice_speakers

        return load_voice_speakers(voice_checkpoint())

    return make


def make_transcriber(
    settings: AppSettings, live: bool = False
) -> tuple[Transcriber | None, tuple[Notice, ...]]:
    """Return the recognition model to use, or None; a chosen one that is missing is said.

    That the default one is not here is in the status line all the time, and no trouble.
    """
    from core.asr.fallback import find_transcriber

    if settings.whisper == OFF:
        return None, ()
    model = settings.whisper or default_model()
    if model is None:
        return None, ()
    found = find_transcriber(whisper_settings(settings, model, live))
    if found.message is not None:
        return None, (Notice(found.message, Severity.WARNING),)
    return found.transcriber, ()


def whisper_settings(settings: AppSettings, model: str, live: bool) -> WhisperSettings:
    """Return how to recognise: quickly at first in a live session, carefully in a recording.

    Words may only change with how fast they are found where approximate results are allowed, and
    even then only if that was checked.
    """
    from core.asr.whisper import WhisperSettings

    return WhisperSettings(
        model=model,
        language=None if settings.language == "auto" else settings.language,
        device=settings.processor,
        quick_finals=live and settings.better_text,
        encoder_window="auto" if settings.runtime == "lossy" else "full",
    )


def default_model() -> str | None:
    """Return the default recognition model if it is here, else the best that is, else None."""
    from core.asr.catalog import DEFAULT_MODEL, installed_models

    installed = installed_models()
    if DEFAULT_MODEL in installed or not installed:
        return DEFAULT_MODEL if installed else None
    return installed[-1]


def sessions_folder(settings: AppSettings) -> Path:
    """Return where recorded sessions are kept."""
    if settings.sessions_folder:
        return Path(settings.sessions_folder)
    from core.dialogue import journal

    return journal.sessions_folder()


def _first_part(folder: Path | None) -> Path | None:
    from core.dialogue.wav import wav_parts

    parts = wav_parts(folder) if folder is not None else ()
    return parts[0] if parts else None


def _channel_mode(name: str) -> ChannelMode:
    from core.audio.channels import ChannelMode

    return ChannelMode(name)


def _text_source(transcript: Path | None, transcriber: Transcriber | None) -> str | None:
    if transcript is not None:
        return transcript.name
    return transcriber.name if transcriber is not None else None
