"""A decoder that says what it is told to, and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.asr.decoder import GREEDY, DecoderChoice, Search
from core.asr.segments import Decoding, Segment
from core.asr.whisper import WhisperSettings, WhisperTranscriber
from core.types import SAMPLE_RATE, FloatArray, Word
from tests.asr.clips import MODEL

WORD_SECONDS = 0.4


@dataclass(frozen=True)
class Asked:
    """One question: what for, seconds of sound, prompt, beam, whether words were to get times."""

    what: str
    seconds: float
    prompt: str | None = None
    beam: int = 1
    timed: bool = False


Hears = Callable[[Asked], str]


@dataclass
class FakeDecoder:
    """Hears a text in every sound; a text in brackets is too improbable to pass the gates.

    hears: text by question. likely: log-probability by text. breaks: number of the question at
    which (and after which) it fails, as CTranslate2 does.
    """

    hears: Hears = lambda asked: "so it is"
    language: str = "en"
    sure: float = 1.0
    likely: dict[str, float] = field(default_factory=dict)
    device: str = "cpu"
    compute_type: str = "int8"
    speech_window: bool = False
    breaks: int | None = None
    asked: list[Asked] = field(default_factory=list)

    def detect_language(
        self, samples: FloatArray, allowed: Sequence[str], full_window: bool = False
    ) -> tuple[str, float]:
        self._note(Asked("language", len(samples) / SAMPLE_RATE))
        return self.language, self.sure

    def decode_once(
        self,
        samples: FloatArray,
        language: str,
        language_probability: float = 1.0,
        word_times: bool = False,
        prompt: str | None = None,
        search: Search = GREEDY,
    ) -> Decoding:
        duration = len(samples) / SAMPLE_RATE
        return self._answer(Asked("once", duration, prompt, search.beam_size, word_times), language)

    def decode(
        self,
        samples: FloatArray,
        language: str,
        language_probability: float = 1.0,
        beam_size: int = 1,
        word_times: bool = False,
        prompt: str | None = None,
    ) -> Decoding:
        duration = len(samples) / SAMPLE_RATE
        return self._answer(Asked("windows", duration, prompt, beam_size, word_times), language)

    def likelihood(self, samples: FloatArray, language: str, text: str) -> float:
        self._note(Asked("likelihood", len(samples) / SAMPLE_RATE))
        return self.likely[text]

    def count(self, what: str) -> int:
        return sum(asked.what == what for asked in self.asked)

    def _answer(self, asked: Asked, language: str) -> Decoding:
        self._note(asked)
        text = self.hears(asked)
        probability = -2.0 if text.startswith("(") else self.likely.get(text, -0.1)
        words = _spread(text, asked.seconds) if asked.timed else ()
        segment = Segment(text, 0.0, max(2.0, asked.seconds), probability, 0.01, 0.9, words)
        return Decoding((segment,) if text else (), language, 1.0)

    def _note(self, asked: Asked) -> None:
        self.asked.append(asked)
        if self.breaks is not None and len(self.asked) >= self.breaks:
            raise RuntimeError("CUDA failed with error out of memory")


def _spread(text: str, seconds: float) -> tuple[Word, ...]:
    words = text.split()
    each = min(WORD_SECONDS, seconds / max(1, len(words)))
    return tuple(Word(word, i * each, (i + 1) * each, 0.9) for i, word in enumerate(words))


class Loader:
    """Hands out decoders in turn, and remembers what was to be loaded."""

    def __init__(self, *decoders: FakeDecoder) -> None:
        self._decoders = list(decoders)
        self.choices: list[DecoderChoice] = []

    def __call__(self, choice: DecoderChoice) -> FakeDecoder:
        self.choices.append(choice)
        return self._decoders[len(self.choices) - 1]


def transcriber_of(
    decoder: FakeDecoder, folder: Path = MODEL, **settings: object
) -> WhisperTranscriber:
    """A warm transcriber around a fake; no time passes for it."""
    chosen = WhisperSettings(model=str(folder), **settings)  # type: ignore[arg-type]
    transcriber = WhisperTranscriber(chosen, clock=lambda: 0.0, load=Loader(decoder))
    transcriber.warm_up()
    decoder.asked.clear()
    return transcriber
