"""The one place that knows faster-whisper; imported late, since that costs half a second."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.audio import pad_or_trim
from faster_whisper.transcribe import Segment as RawSegment

from core.asr.segments import Decoding, Segment
from core.errors import RecognitionError
from core.types import SAMPLE_RATE, FloatArray, Word

_logger = logging.getLogger(__name__)
_WINDOW_SECONDS = 30.0
_TOKENS_PER_SECOND = 20.0
_MOST_TOKENS = 220
"""Half of Whisper's context; the other half belongs to the prompt."""


def choose_device(wanted: str) -> str:
    """Return "cuda" or "cpu" for "auto"; any other wish is kept."""
    if wanted != "auto":
        return wanted
    try:
        return "cuda" if ctranslate2.get_cuda_device_count() > 0 else "cpu"
    except RuntimeError:  # a driver that can't be asked counts as none
        return "cpu"


def choose_compute_type(wanted: str, device: str) -> str:
    """Return int8 on a CPU and int8 with float16 activations on a GPU for "auto"."""
    if wanted != "auto":
        return wanted
    return "int8_float16" if device == "cuda" else "int8"


class _OnceEncodingModel(WhisperModel):
    """Keeps the last encoding: faster-whisper encodes for the language and again for the text."""

    _encoded: tuple[FloatArray, ctranslate2.StorageView] | None = None

    def encode(self, features: FloatArray) -> ctranslate2.StorageView:
        if self._encoded is not None and np.array_equal(self._encoded[0], features):
            return self._encoded[1]
        encoding = super().encode(features)
        self._encoded = (features, encoding)
        return encoding


class Engine:
    """A loaded Whisper model."""

    def __init__(self, folder: Path, device: str, compute_type: str, cpu_threads: int) -> None:
        self.device = choose_device(device)
        try:
            self._model = _OnceEncodingModel(
                str(folder),
                device=self.device,
                compute_type=choose_compute_type(compute_type, self.device),
                cpu_threads=cpu_threads,
                local_files_only=True,
            )
        except Exception as error:  # ctranslate2 and tokenizers raise bare Exceptions
            raise RecognitionError(
                f"The Whisper model in {folder} can't be loaded: {error}.",
                "Download it again, or choose another model.",
            ) from error

    @property
    def multilingual(self) -> bool:
        """False for the ".en" models, which know English only."""
        return bool(self._model.model.is_multilingual)

    def detect_language(self, samples: FloatArray, allowed: Sequence[str]) -> tuple[str, float]:
        """Return the likeliest of the allowed languages and its share among them."""
        if not self.multilingual:
            return "en", 1.0
        features = self._model.feature_extractor(samples)
        # one frame less, as the decoder does it, so that both share one encoding
        encoding = self._model.encode(pad_or_trim(features[:, :-1][:, :3000]))
        found = self._model.model.detect_language(encoding)[0]
        probabilities = {token[2:-2]: probability for token, probability in found}
        shares = np.array([probabilities.get(code, 0.0) for code in allowed])
        best = int(np.argmax(np.nan_to_num(shares)))
        total = float(shares.sum())
        return allowed[best], float(shares[best]) / total if total > 0 else 1 / len(allowed)

    def decode(
        self,
        samples: FloatArray,
        language: str,
        language_probability: float = 1.0,
        beam_size: int = 1,
        word_times: bool = False,
        prompt: str | None = None,
    ) -> Decoding:
        """Decode mono samples at 16 kHz; faster-whisper's own gates and VAD are left out.

        Without word times the timestamp tokens are left out too, which shortens a partial pass;
        an empty text must then be allowed, else every breath becomes a word.
        """
        language = language if self.multilingual else "en"
        segments, _ = self._model.transcribe(
            samples,
            language=language,
            beam_size=beam_size,
            temperature=0.0,
            condition_on_previous_text=False,
            initial_prompt=prompt,
            word_timestamps=word_times,
            without_timestamps=not word_times,
            suppress_blank=word_times,
            no_speech_threshold=None,
            log_prob_threshold=None,
            compression_ratio_threshold=None,
            max_initial_timestamp=_WINDOW_SECONDS,
            max_new_tokens=_token_limit(len(samples) / SAMPLE_RATE),
            vad_filter=False,
        )
        return Decoding(_segments(segments), language, language_probability)


def _token_limit(duration: float) -> int:
    """Bound the text by what can be said in the time: a loop then costs little."""
    return min(_MOST_TOKENS, 16 + math.ceil(_TOKENS_PER_SECOND * duration))


def _segments(raw: Iterable[RawSegment]) -> tuple[Segment, ...]:
    return tuple(
        Segment(
            text=segment.text.strip(),
            start=float(segment.start),
            end=float(segment.end),
            average_log_probability=float(segment.avg_logprob),
            no_speech_probability=float(segment.no_speech_prob),
            compression_ratio=segment.compression_ratio,
            words=tuple(
                Word(word.word.strip(), float(word.start), float(word.end), float(word.probability))
                for word in segment.words or ()
            ),
        )
        for segment in raw
    )
