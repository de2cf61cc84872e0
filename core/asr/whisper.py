"""Whisper as a `Transcriber`: partial text while somebody speaks, final text with word times."""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.asr.agreement import LocalAgreement
from core.asr.catalog import CATALOG, DEFAULT_MODEL, check_folder, require_model
from core.asr.gates import sift
from core.asr.segments import Decoding, Segment
from core.errors import RecognitionError
from core.types import SAMPLE_RATE, FloatArray, Transcript, Utterance, Word, seconds

if TYPE_CHECKING:
    from core.asr.engine import Engine

_logger = logging.getLogger(__name__)
_SHORTEST = int(0.1 * SAMPLE_RATE)
"""Samples; less than this holds no word."""
_PROMPT_CHARACTERS = 120
_SURE_LANGUAGE = 0.7
_SHORT_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class WhisperSettings:
    """How to recognise.

    model: a name of `core.asr.catalog` or the folder of a CTranslate2 Whisper model.
    languages: the languages that may be spoken; detection chooses among them.
    language: locks recognition to one language; None detects.
    device: "cpu", "cuda" or "auto"; compute_type: of CTranslate2, or "auto".
    cpu_threads: 0 leaves one core in two to the rest of the application.
    beam_size: for final texts; partial ones are greedy.
    use_context: give the end of the text before as a prompt. Off: a mistake then can't spread.
    partial_share: the most of the time that partial passes may take: finals then never wait long.
    """

    model: str = DEFAULT_MODEL
    languages: tuple[str, ...] = ("ko", "en")
    language: str | None = None
    device: str = "auto"
    compute_type: str = "auto"
    cpu_threads: int = 0
    beam_size: int = 5
    use_context: bool = False
    partial_share: float = 0.5


class WhisperTranscriber:
    """Transcribes utterances that the voice activity detector has passed.

    Not to be shared between threads. `folder` overrides the look-up of `settings.model`.
    """

    def __init__(
        self,
        settings: WhisperSettings | None = None,
        folder: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings or WhisperSettings()
        self._languages = _allowed(self._settings)
        self._folder = folder
        self._clock = clock
        self._engine: Engine | None = None
        self._growing = _Growing()
        self._last_language: str | None = None
        self._last_text = ""

    @property
    def name(self) -> str:
        """Model name, for people and for the journal."""
        return f"Whisper {Path(self._settings.model).name}"

    @property
    def device(self) -> str | None:
        """Where it runs, "cpu" or "cuda"; None before `warm_up`."""
        return self._engine.device if self._engine else None

    def warm_up(self) -> None:
        """Load the model and decode a moment of silence. Raises RecognitionError."""
        if self._engine is None:
            folder = self._folder or require_model(self._settings.model)
            check_folder(folder)
            self._engine = self._load(folder)
            self._engine.decode(np.zeros(SAMPLE_RATE // 2, np.float32), self._languages[0])

    def _load(self, folder: Path) -> Engine:
        from core.asr.engine import Engine  # costs half a second and ctranslate2's libraries

        settings = self._settings
        threads = settings.cpu_threads or max(1, (os.cpu_count() or 2) // 2)
        return Engine(folder, settings.device, settings.compute_type, threads)

    def partial(self, utterance: Utterance) -> Transcript:
        """Transcribe a growing utterance greedily; text that two passes agree on is stable."""
        if self._growing.index != utterance.index:
            self._growing = _Growing(utterance.index)
        growing = self._growing
        now = self._clock()
        if len(utterance.samples) < _SHORTEST or not growing.due(now):
            return _growing_text(growing)
        decoding = self._decode(utterance.samples, beam_size=1, word_times=False)
        cost = self._clock() - now
        growing.next_pass = now + cost / self._settings.partial_share
        passed, _ = sift(decoding.segments)
        growing.language = decoding.language
        growing.agreement.update([word for segment in passed for word in segment.text.split()])
        return _growing_text(growing)

    def final(self, utterance: Utterance) -> Transcript:
        """Transcribe a complete utterance; a gated text comes back empty with `rejection` set."""
        self._growing = _Growing()
        if len(utterance.samples) < _SHORTEST:
            return Transcript("", confidence=0.0, rejection="too_short")
        if not np.isfinite(utterance.samples).all():
            return Transcript("", confidence=0.0, rejection="not_a_number")
        decoding = self._decode(utterance.samples, self._settings.beam_size, word_times=True)
        passed, refused = sift(decoding.segments)
        if refused is not None:
            _logger.info("utterance %d: text refused (%s)", utterance.index, refused)
            return Transcript("", language=decoding.language, confidence=0.0, rejection=refused)
        text = " ".join(segment.text for segment in passed)
        self._last_language, self._last_text = decoding.language, text
        return Transcript(
            text,
            language=decoding.language,
            words=_session_words(passed, utterance),
            confidence=_confidence(passed),
        )

    def better(self, utterance: Utterance, transcript: Transcript) -> Transcript | None:
        """Return None: `final` was thorough."""
        return None

    @property
    def smaller(self) -> str | None:
        """Name of the next smaller model of the catalog, None for the smallest and for folders."""
        names = list(CATALOG)
        place = names.index(self._settings.model) if self._settings.model in names else 0
        return names[place - 1] if place else None

    def _decode(self, samples: FloatArray, beam_size: int, word_times: bool) -> Decoding:
        self.warm_up()
        assert self._engine is not None
        try:
            language, probability = self._language(samples)
            return self._engine.decode(
                samples, language, probability, beam_size, word_times, self._prompt(language)
            )
        except RuntimeError as error:  # ctranslate2: out of memory, a lost GPU
            raise RecognitionError(
                f"{self.name} failed: {error}.", "Choose a smaller model, or the CPU."
            ) from error

    def _language(self, samples: FloatArray) -> tuple[str, float]:
        """Choose among the allowed languages; a short unclear utterance keeps the last one."""
        assert self._engine is not None
        if len(self._languages) == 1:
            return self._languages[0], 1.0
        language, probability = self._engine.detect_language(samples, self._languages)
        unclear = probability < _SURE_LANGUAGE and len(samples) < _SHORT_SECONDS * SAMPLE_RATE
        if unclear and self._last_language is not None:
            return self._last_language, probability
        return language, probability

    def _prompt(self, language: str) -> str | None:
        if not self._settings.use_context or language != self._last_language:
            return None
        return self._last_text[-_PROMPT_CHARACTERS:] or None


class _Growing:
    """The utterance that is being spoken."""

    def __init__(self, index: int | None = None) -> None:
        self.index = index
        self.agreement = LocalAgreement()
        self.language: str | None = None
        self.next_pass = -math.inf

    def due(self, now: float) -> bool:
        return now >= self.next_pass


def _growing_text(growing: _Growing) -> Transcript:
    stable, tentative = growing.agreement.current()
    return Transcript(stable, tentative, language=growing.language, is_final=False)


def _allowed(settings: WhisperSettings) -> tuple[str, ...]:
    """Return the languages to choose from. Raises RecognitionError when there is none."""
    languages = (settings.language,) if settings.language else settings.languages
    if not languages:
        raise RecognitionError("No language is allowed for recognition.", "Allow at least one.")
    return languages


def _session_words(segments: Sequence[Segment], utterance: Utterance) -> tuple[Word, ...]:
    """Shift word times to the session, in order and inside the utterance."""
    begin, end = seconds(utterance.start), seconds(utterance.end)
    words, earliest = [], begin
    for word in (word for segment in segments for word in segment.words):
        start = min(max(word.start + begin, earliest), end)
        stop = min(max(word.end + begin, start), end)
        words.append(Word(word.text, start, stop, min(1.0, max(0.0, word.confidence))))
        earliest = start
    return tuple(words)


def _confidence(segments: Sequence[Segment]) -> float:
    """Return the mean probability of the words; of the tokens where no word has one."""
    words = [word.confidence for segment in segments for word in segment.words]
    if words:
        return float(np.mean(words))
    return float(np.mean([math.exp(segment.average_log_probability) for segment in segments]))
