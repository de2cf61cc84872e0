"""The one place that knows faster-whisper; imported late, since that costs half a second."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import ctranslate2
import numpy as np
from faster_whisper.audio import pad_or_trim
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_suppressed_tokens

from core.asr.decoder import GREEDY, DecoderChoice, Search
from core.asr.encoding import (
    FRAMES_PER_SECOND,
    WINDOW_FRAMES,
    OnceEncodingModel,
    window_frames,
)
from core.asr.gates import COMPRESSION_RATIO
from core.asr.raw import raw_segment, segment_of
from core.asr.segments import Decoding
from core.errors import RecognitionError
from core.types import SAMPLE_RATE, FloatArray

_WINDOW_SECONDS = 30.0
_TOKENS_PER_SECOND = 20.0
_MOST_TOKENS = 220
"""Half of Whisper's context; the other half belongs to the prompt."""
_BEFORE_WORD, _AFTER_WORD = "\"'“¿([{-", "\"'.。,，!！?？:：”)]}、"
"""Punctuation that belongs to the next, or the last, word: faster-whisper's own choice."""


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


class Engine:
    """A loaded Whisper model: a `core.asr.decoder.Decoder`."""

    def __init__(self, choice: DecoderChoice) -> None:
        self.device = choose_device(choice.device)
        self.compute_type = choose_compute_type(choice.compute_type, self.device)
        self.speech_window = choice.speech_window
        try:
            self._model = OnceEncodingModel(
                str(choice.folder),
                device=self.device,
                compute_type=self.compute_type,
                cpu_threads=choice.threads,
                local_files_only=True,
            )
        except Exception as error:  # ctranslate2 and tokenizers raise bare Exceptions
            raise RecognitionError(
                f"The Whisper model in {choice.folder} can't be loaded: {error}.",
                "Download it again, or choose another model.",
            ) from error

    @property
    def multilingual(self) -> bool:
        """False for the ".en" models, which know English only."""
        return bool(self._model.model.is_multilingual)

    @property
    def encoded_seconds(self) -> float:
        """Seconds of sound and padding encoded since loading."""
        return self._model.encoded_frames / FRAMES_PER_SECOND

    def detect_language(
        self, samples: FloatArray, allowed: Sequence[str], full_window: bool = False
    ) -> tuple[str, float]:
        """Return the likeliest of the allowed languages and its share among them."""
        if not self.multilingual:
            return "en", 1.0
        encoding = self._encode(samples, self.speech_window and not full_window)
        found = self._model.model.detect_language(encoding)[0]
        probabilities = {token[2:-2]: probability for token, probability in found}
        shares = np.array([probabilities.get(code, 0.0) for code in allowed])
        best = int(np.argmax(np.nan_to_num(shares)))
        total = float(shares.sum())
        return allowed[best], float(shares[best]) / total if total > 0 else 1 / len(allowed)

    def decode_once(
        self,
        samples: FloatArray,
        language: str,
        language_probability: float = 1.0,
        word_times: bool = False,
        prompt: str | None = None,
        search: Search = GREEDY,
    ) -> Decoding:
        """Decode mono samples at 16 kHz in one pass; what is longer than 30 s, like `decode`.

        Timestamp tokens are left out, which shortens the pass; an empty text must then be allowed,
        else every breath becomes a word.
        """
        if len(samples) > _WINDOW_SECONDS * SAMPLE_RATE:
            beam = search.beam_size
            return self.decode(samples, language, language_probability, beam, word_times, prompt)
        encoding = self._encode(samples, self.speech_window)
        tokenizer = self._tokenizer(language)
        segment = self._write(encoding, tokenizer, prompt, len(samples) / SAMPLE_RATE, search)
        if word_times and segment["text"].strip():
            frames = len(samples) * FRAMES_PER_SECOND // SAMPLE_RATE
            self._model.add_word_timestamps(
                [[segment]], tokenizer, encoding, frames, _BEFORE_WORD, _AFTER_WORD, 0.0
            )
        segments = (segment_of(segment),) if segment["text"].strip() else ()
        return Decoding(segments, tokenizer.language_code, language_probability)

    def _write(
        self,
        encoding: ctranslate2.StorageView,
        tokenizer: Tokenizer,
        prompt: str | None,
        duration: float,
        search: Search,
    ) -> dict[str, Any]:
        """Return one segment, as faster-whisper keeps them before words have times."""
        before = tokenizer.encode(f" {prompt.strip()}") if prompt else []
        start = self._model.get_prompt(tokenizer, before, without_timestamps=True)
        for temperature in search.temperatures:
            found = self._model.model.generate(
                encoding,
                [start],
                max_length=len(start) + _token_limit(duration),
                return_scores=True,
                return_no_speech_prob=True,
                suppress_blank=False,
                suppress_tokens=get_suppressed_tokens(tokenizer, [-1]),
                **_search_options(search, temperature),
            )[0]
            segment = raw_segment(found, tokenizer, duration)
            if segment["compression_ratio"] <= COMPRESSION_RATIO:
                break
        return segment

    def decode(
        self,
        samples: FloatArray,
        language: str,
        language_probability: float = 1.0,
        beam_size: int = 1,
        word_times: bool = False,
        prompt: str | None = None,
    ) -> Decoding:
        """Decode mono samples at 16 kHz in windows of 30 s, with timestamps if words get times.

        faster-whisper's own gates and VAD are left out.
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
        found = [vars(segment) for segment in segments]
        for segment in found:
            segment["words"] = [vars(word) for word in segment["words"] or ()]
        return Decoding(tuple(map(segment_of, found)), language, language_probability)

    def likelihood(self, samples: FloatArray, language: str, text: str) -> float:
        """Return the mean log-probability of the tokens of a text, its end among them.

        Judged without prompt and timestamps, so that texts that were found in different ways can be
        compared by it. Only the first 30 s count.
        """
        tokenizer = self._tokenizer(language)
        tokens = tokenizer.encode(f" {text.strip()}")[:_MOST_TOKENS]
        start = [*tokenizer.sot_sequence, tokenizer.no_timestamps, *tokens]
        steps = len(tokens) + 1
        found = self._model.model.generate(
            self._encode(samples, self.speech_window),
            [start],
            beam_size=1,
            # ctranslate2 writes, forced tokens among them, up to half of this
            max_length=max(2 * steps, len(start) + steps),
            return_logits_vocab=True,
            suppress_blank=False,
            suppress_tokens=[],
        )[0]
        logits = np.array([np.asarray(step) for step in found.logits[0][:steps]], np.float64)
        logits -= logits.max(1, keepdims=True)
        chosen = logits[np.arange(steps), [*tokens, tokenizer.eot]]
        return float(np.mean(chosen - np.log(np.exp(logits).sum(1))))

    def _encode(self, samples: FloatArray, speech_window: bool) -> ctranslate2.StorageView:
        """Encode up to 30 s, and the silence after it, or as little of that as the margin asks."""
        # one frame less, as faster-whisper does it, so that all share one encoding
        features = self._model.feature_extractor(samples)[:, :-1][:, :WINDOW_FRAMES]
        frames = window_frames(len(samples)) if speech_window else WINDOW_FRAMES
        return self._model.encode(pad_or_trim(features, frames))

    def _tokenizer(self, language: str) -> Tokenizer:
        multilingual = self.multilingual
        return Tokenizer(
            self._model.hf_tokenizer,
            multilingual,
            task="transcribe",
            language=language if multilingual else "en",
        )


def _token_limit(duration: float) -> int:
    """Bound the text by what can be said in the time: a loop then costs little."""
    return min(_MOST_TOKENS, 16 + math.ceil(_TOKENS_PER_SECOND * duration))


def _search_options(search: Search, temperature: float) -> dict[str, Any]:
    """Return what CTranslate2 calls a search; one at a temperature takes the best of five draws."""
    if temperature == 0.0:
        return {"beam_size": search.beam_size}
    return {
        "beam_size": 1,
        "num_hypotheses": 5,
        "sampling_topk": 0,
        "sampling_temperature": temperature,
    }
