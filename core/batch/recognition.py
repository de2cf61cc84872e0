"""A transcriber for every recording of a batch, over one loaded model."""

from __future__ import annotations

from core.asr.catalog import find_model
from core.asr.decoder import Decoder, DecoderChoice
from core.asr.fallback import find_transcriber
from core.asr.host import load_engine
from core.asr.whisper import WhisperSettings, WhisperTranscriber
from core.batch.models import NO_WHISPER
from core.batch.values import Options
from core.types import Message


class Recogniser:
    """Makes transcribers that share their model and nothing else.

    What was said in one recording must not say which language the next one is in: it would matter
    in which order, and by which worker, they are analysed.

    Args:
        threads: for the model; 0: as suits the machine.
    """

    def __init__(self, options: Options, threads: int = 0) -> None:
        language = None if options.language == "auto" else options.language
        self._settings = WhisperSettings(
            model=options.whisper, language=language, cpu_threads=threads
        )
        self._wanted = options.whisper.lower() != NO_WHISPER
        self._looked = False
        self._loaded: dict[DecoderChoice, Decoder] = {}

    def transcriber(self) -> tuple[WhisperTranscriber | None, Message | None]:
        """Return one for the next recording, or None; at the first call maybe why there is none."""
        message = None
        if self._wanted and not self._looked:
            self._looked = True
            found = find_transcriber(self._settings)
            message, self._wanted = found.message, found.transcriber is not None
        if not self._wanted:
            return None, message
        folder = find_model(self._settings.model)
        return WhisperTranscriber(self._settings, folder, load=self._load), message

    def give_up(self) -> None:
        """Do without from now on: the model can't be used."""
        self._wanted = False

    def _load(self, choice: DecoderChoice) -> Decoder:
        if choice not in self._loaded:
            self._loaded.clear()  # one that failed on a GPU must not fill its memory meanwhile
            self._loaded[choice] = load_engine(choice)
        return self._loaded[choice]
