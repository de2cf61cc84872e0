"""Whisper as a `Transcriber`: partial text while somebody speaks, final text with word times."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.asr.catalog import check_folder, require_model, smaller_model
from core.asr.decoder import GREEDY, Decoder, DecoderChoice, Search
from core.asr.gates import sift
from core.asr.growing import GrowingText, GrowingTexts, heard_words
from core.asr.host import DecoderHost, load_engine
from core.asr.memory import AcceptedTexts, repeats, tail
from core.asr.pacing import Pacing
from core.asr.segments import Decoding, Segment
from core.asr.settings import WhisperSettings, check_settings, takes_speech_window
from core.asr.threads import choose_threads
from core.asr.transcripts import likelihood_of, transcript_of
from core.types import SAMPLE_RATE, FloatArray, Message, Transcript, Utterance

__all__ = ["WhisperSettings", "WhisperTranscriber"]

_logger = logging.getLogger(__name__)
_SHORTEST = int(0.1 * SAMPLE_RATE)
"""Samples; less than this holds no word."""
_SURE_LANGUAGE = 0.7
_SHORT_SECONDS = 1.5
_TEMPERATURES = (0.0, 0.2, 0.4)
"""Of a second look: a text that repeats itself is written again with the next."""


class WhisperTranscriber:
    """Transcribes utterances that the voice activity detector has passed.

    Not to be shared between threads. `folder` overrides the look-up of `settings.model`; `load` is
    what loads a model.
    """

    def __init__(
        self,
        settings: WhisperSettings | None = None,
        folder: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
        load: Callable[[DecoderChoice], Decoder] = load_engine,
    ) -> None:
        self._settings = settings or WhisperSettings()
        check_settings(self._settings)
        self._folder = folder
        self._host = DecoderHost(self.name, self._choose, load)
        self._growing = GrowingTexts()
        self._pacing = Pacing(self._settings.partial_share, clock)
        self._accepted = AcceptedTexts()

    @property
    def name(self) -> str:
        """Model name, for people and for the journal."""
        return f"Whisper {Path(self._settings.model).name}"

    @property
    def device(self) -> str | None:
        """Where it runs, "cpu" or "cuda"; None before `warm_up`."""
        return self._host.decoder.device if self._host.decoder else None

    @property
    def lossy(self) -> bool:
        """Whether the encoder gets a shortened window, so that words may differ; see settings."""
        return self._host.decoder is not None and self._host.decoder.speech_window

    @property
    def smaller(self) -> str | None:
        """Name of the next smaller model, rather one that is on this machine; None for folders."""
        return smaller_model(self._settings.model)

    def take_messages(self) -> tuple[Message, ...]:
        """Return what happened since the last call: "whisper_on_cpu" (`model`, `reason`)."""
        return self._host.take_messages()

    def warm_up(self) -> None:
        """Load the model and decode a moment of silence. Raises RecognitionError.

        Called when a session begins: what was said in an earlier one is forgotten.
        """
        self._growing = GrowingTexts()
        self._accepted = AcceptedTexts()
        self._pacing.reset()
        if self._host.decoder is None:
            silence = np.zeros(SAMPLE_RATE // 2, np.float32)
            language = self._settings.allowed[0]
            self._host.ask(lambda decoder: decoder.decode_once(silence, language))

    def _choose(self, on_cpu: bool) -> DecoderChoice:
        settings = self._settings
        if on_cpu:
            settings = replace(settings, device="cpu", compute_type="auto")
        folder = self._folder or require_model(settings.model)
        check_folder(folder)
        short = takes_speech_window(folder, settings)
        threads = choose_threads(settings.cpu_threads, folder, short=short)
        return DecoderChoice(folder, settings.device, settings.compute_type, threads, short)

    def partial(self, utterance: Utterance) -> Transcript:
        """Transcribe a growing utterance greedily; text that two passes agree on is stable.

        A pass listens to the newest seconds only (`core.asr.growing.LONGEST`).
        """
        growing = self._growing.of(utterance.index)
        length = len(utterance.samples)
        began = self._pacing.begin(utterance.index) if length >= _SHORTEST else None
        if began is None:
            return growing.transcript()
        timed = growing.ready(length)
        if length - growing.begin >= _SHORTEST:
            self._listen(growing, utterance, timed)
        self._pacing.end(utterance.index, began)
        return growing.transcript()

    def _listen(self, growing: GrowingText, utterance: Utterance, timed: bool) -> None:
        """Make one pass over what a growing utterance has not left behind."""
        samples = utterance.samples[growing.begin :]
        if growing.language is None or not growing.cut:
            growing.language, _ = self._language(replace(utterance, samples=samples))
        language, prompt = growing.language, tail(growing.kept) or None
        passed, refused = self._once(samples, language, timed, prompt)
        if prompt and (refused or repeats(_text_of(passed), prompt)):
            passed, _ = self._once(samples, language, timed, None)
        words = [word for segment in passed for word in segment.words]
        length = len(utterance.samples)
        duration = len(samples) / SAMPLE_RATE
        growing.hear(heard_words(_text_of(passed), words, duration), length)

    def _once(
        self, samples: FloatArray, language: str, timed: bool, prompt: str | None
    ) -> tuple[tuple[Segment, ...], str | None]:
        """Return what one greedy pass heard and may be shown, and the rejection if nothing may."""
        decoding = self._host.ask(
            lambda decoder: decoder.decode_once(samples, language, 1.0, timed, prompt)
        )
        return sift(decoding.segments)

    def final(self, utterance: Utterance) -> Transcript:
        """Transcribe a complete utterance; a gated text comes back empty with `rejection` set.

        Also a paused one: if it grows on, its stable text does so too.
        """
        if utterance.is_final:
            self._growing.finish(utterance.index)
        if len(utterance.samples) < _SHORTEST:
            return Transcript("", confidence=0.0, rejection="too_short")
        if not np.isfinite(utterance.samples).all():
            return Transcript("", confidence=0.0, rejection="not_a_number")
        language, probability = self._language(utterance, thorough=not self._settings.quick_finals)
        decode = self._quick if self._settings.quick_finals else self._thorough
        prompt = self._prompt(utterance, language)
        decoding = decode(utterance, language, probability, prompt)
        transcript = transcript_of(decoding, utterance)
        if prompt and (transcript.rejection or repeats(transcript.text, prompt)):
            prompt = None
            decoding = decode(utterance, language, probability, prompt)
            transcript = transcript_of(decoding, utterance)
        return self._accept(utterance, transcript, None if prompt else likelihood_of(decoding))

    def better(self, utterance: Utterance, transcript: Transcript) -> Transcript | None:
        """Search again with a beam; return what it finds if that is another text, and likelier.

        Only what passes the gates can take the place of a rejected text. None after a thorough
        final: it stands. Right after `final` the encoder's work is still there.
        """
        heard = transcript.rejection not in ("too_short", "not_a_number")
        if not self._settings.quick_finals or not heard:
            return None
        language = transcript.language or self._language(utterance)[0]
        search = Search(self._settings.beam_size, _TEMPERATURES)
        decoding = self._quick(utterance, language, 1.0, None, search)
        again = transcript_of(decoding, utterance)
        if again.rejection is not None:
            return None
        if again.text == transcript.text:
            return again if again.words and not transcript.words else None
        found = likelihood_of(decoding)
        if found is None or not self._beats(found, utterance, language, transcript):
            return None
        return self._accept(utterance, again, found)

    def _beats(self, found: float, utterance: Utterance, language: str, old: Transcript) -> bool:
        """Whether a text is likelier than the one that is to be replaced; than none, always."""
        if not old.text:
            return True
        known = self._accepted.likelihood_of(utterance, old.text)
        if known is None:
            samples, text = utterance.samples, old.text
            known = self._host.ask(lambda decoder: decoder.likelihood(samples, language, text))
        return found > known

    def _quick(
        self,
        utterance: Utterance,
        language: str,
        probability: float,
        prompt: str | None,
        search: Search = GREEDY,
    ) -> Decoding:
        samples = utterance.samples
        return self._host.ask(
            lambda decoder: decoder.decode_once(
                samples, language, probability, True, prompt, search
            )
        )

    def _thorough(
        self, utterance: Utterance, language: str, probability: float, prompt: str | None
    ) -> Decoding:
        samples, beam = utterance.samples, self._settings.beam_size
        return self._host.ask(
            lambda decoder: decoder.decode(samples, language, probability, beam, True, prompt)
        )

    def _accept(
        self, utterance: Utterance, transcript: Transcript, likelihood: float | None
    ) -> Transcript:
        if transcript.rejection is not None:
            _logger.info("utterance %d: text refused (%s)", utterance.index, transcript.rejection)
            self._accepted.forget(utterance)
        elif transcript.language is not None:
            language, text = transcript.language, transcript.text
            self._accepted.accept(utterance, language, text, likelihood)
        return transcript

    def _language(self, utterance: Utterance, thorough: bool = False) -> tuple[str, float]:
        """Choose among the allowed languages; a short unclear utterance keeps the last one."""
        allowed, samples = self._settings.allowed, utterance.samples
        if len(allowed) == 1:
            return allowed[0], 1.0
        language, probability = self._host.ask(
            lambda decoder: decoder.detect_language(samples, allowed, thorough)
        )
        unclear = probability < _SURE_LANGUAGE and len(samples) < _SHORT_SECONDS * SAMPLE_RATE
        before = self._accepted.language_for(utterance)
        return (before, probability) if unclear and before else (language, probability)

    def _prompt(self, utterance: Utterance, language: str) -> str | None:
        if not self._settings.use_context:
            return None
        return self._accepted.prompt_for(utterance, language)


def _text_of(segments: Sequence[Segment]) -> str:
    return " ".join(segment.text for segment in segments)
