"""What the transcriber asks of a loaded model; `core.asr.engine` answers with faster-whisper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.asr.segments import Decoding
from core.types import FloatArray


@dataclass(frozen=True, slots=True)
class DecoderChoice:
    """Which model to load and how it is to compute.

    device: "cpu", "cuda" or "auto"; compute_type: of CTranslate2, or "auto".
    speech_window: encode no more than the speech and a margin (lossy), not always 30 s.
    """

    folder: Path
    device: str = "auto"
    compute_type: str = "auto"
    threads: int = 1
    speech_window: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """How the likeliest text is looked for.

    temperatures: the first is 0; the others are tried in turn while a text repeats itself.
    """

    beam_size: int = 1
    temperatures: tuple[float, ...] = (0.0,)


GREEDY = Search()


class Decoder(Protocol):
    """A loaded model. Everything may raise RuntimeError: no memory left, a lost GPU."""

    @property
    def device(self) -> str:
        """Where it computes: "cpu" or "cuda"."""
        ...

    @property
    def compute_type(self) -> str:
        """How it computes, as CTranslate2 names it."""
        ...

    @property
    def speech_window(self) -> bool:
        """Whether `decode_once` encodes no more than the speech and a margin."""
        ...

    def detect_language(
        self, samples: FloatArray, allowed: Sequence[str], full_window: bool = False
    ) -> tuple[str, float]:
        """Return the likeliest of the allowed languages and its share among them."""
        ...

    def decode_once(
        self,
        samples: FloatArray,
        language: str,
        language_probability: float = 1.0,
        word_times: bool = False,
        prompt: str | None = None,
        search: Search = GREEDY,
    ) -> Decoding:
        """Decode mono samples at 16 kHz in one pass without timestamps.

        One that asks again about the same samples pays for the search alone, not for the encoder.
        """
        ...

    def decode(
        self,
        samples: FloatArray,
        language: str,
        language_probability: float = 1.0,
        beam_size: int = 1,
        word_times: bool = False,
        prompt: str | None = None,
    ) -> Decoding:
        """Decode mono samples at 16 kHz of any length, with timestamps, on the full window."""
        ...

    def likelihood(self, samples: FloatArray, language: str, text: str) -> float:
        """Return the mean log-probability of the tokens of a text, its end among them."""
        ...
