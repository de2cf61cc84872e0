"""How models over samples hear: pieces as they were trained on, newest seconds while it grows."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from core.models.place import Place
from core.models.speech_features import SpeechFeatureExtractor
from core.pipeline.evidence import evidence_of
from core.pipeline.hearing import HeardSpeech, KnownVoice, Tokens, at_most, text_of_chunks
from core.pipeline.scale import Streams
from core.pipeline.speech_cache import SpeechCache
from core.types import SAMPLE_RATE, FloatArray, Utterance

if TYPE_CHECKING:
    from core.models.base import EmotionModel
    from core.models.baseline import SpeakerMoments
    from core.models.outputs import ModelInputs
    from core.models.preparing import PreparesWaveforms, SpeechPiece
    from core.models.pretrained_processor import PretrainedProcessor
    from core.models.tokenizer import TokenizedText

WHOLE_CLIP_SECONDS = 2.0
"""A partial look takes in so much where all of it is new work each time (wav2vec2-base): a session
with four looks a second and 2.5 s then took 43 % of two cores ..."""
GROWING_SECONDS = 3.0
"""... and so much where only new sound is convolved."""


class WaveHearing:
    """Samples as a pretrained encoder takes them; no personal baseline.

    Frames are measured only for what they tell about the evidence: how much voice there is, over
    how much noise.
    """

    _suits = WHOLE_CLIP_SECONDS

    def __init__(self, processor: PreparesWaveforms) -> None:
        self._processor = processor
        self._extractor = SpeechFeatureExtractor()
        self._cache = SpeechCache(self._extractor)

    @property
    def frames_measured(self) -> int:
        """How many frames were measured so far."""
        return self._cache.measured

    @property
    def partial_seconds(self) -> float:
        """How much of a growing utterance suits the model."""
        return min(self._suits, self._processor.longest_seconds)

    def newest(self, utterance: Utterance, seconds: float | None = None) -> HeardSpeech:
        """Return the newest seconds of a growing utterance."""
        most = at_most(seconds, self.partial_seconds)
        first = max(0, utterance.samples.size - round(most * SAMPLE_RATE))
        pieces = self._processor.pieces(utterance.samples[first:])
        return self._heard(pieces, first, self._cache.newest(utterance, most)[0])

    def whole(self, utterance: Utterance) -> HeardSpeech:
        """Return all of an utterance, in chunks if it is long."""
        pieces = self._processor.pieces(utterance.samples)
        heard = self._heard(pieces, 0, self._cache.whole(utterance))
        place = (utterance.index, utterance.channel, utterance.start, utterance.end)
        # The sum costs nothing beside the model, and a mistaken key would be a wrong answer.
        return replace(heard, key=(*place, zlib.crc32(utterance.samples.tobytes())))

    def inputs(self, heard: HeardSpeech, text: TokenizedText | None) -> ModelInputs:
        """Return the chunks as a batch, each with the same text."""
        return self.batch([heard], [text])

    def batch(self, heard: Sequence[HeardSpeech], texts: Sequence[Tokens]) -> ModelInputs:
        """Return the chunks of utterances as one batch, each with its utterance's text."""
        chunks: list[FloatArray] = [chunk for one in heard for chunk in one.chunks]
        return self._processor.batch(chunks, text_of_chunks(heard, texts))

    def remember(self, utterance: Utterance) -> None:
        """Do nothing: these encoders were trained on voices as they are."""

    def know(self, voice: KnownVoice | None) -> None:
        """Do nothing."""

    def voice(self, utterance: Utterance) -> SpeakerMoments | None:
        """Return None: no voice is remembered."""
        return None

    def baseline_seconds(self, utterance: Utterance) -> float:
        """Return 0: there is no baseline."""
        return 0.0

    def reset(self) -> None:
        """Forget every cached utterance."""
        self._cache.clear()

    def _heard(self, pieces: Sequence[SpeechPiece], first: int, frames: FloatArray) -> HeardSpeech:
        """Return pieces of what begins at sample `first`, whose measured frames are `frames`."""
        return HeardSpeech(
            chunks=tuple(piece.waveform for piece in pieces),
            starts=tuple(first / SAMPLE_RATE + piece.start for piece in pieces),
            seconds=tuple(piece.seconds for piece in pieces),
            weights=np.array([piece.weight for piece in pieces], np.float32),
            evidence=evidence_of(frames, self._extractor),
        )


class GrowingHearing(WaveHearing):
    """For encoders whose features depend on the sound near them alone: new sound is added.

    A look begins at a frame of the encoder, and every look of an utterance is scaled alike: by what
    the utterance measured when its features were first made, until that has changed too much (see
    `scale`). The final look is prepared as in training, whatever came before; it shares features
    with the partial ones only where samples are not scaled at all.

    Args:
        processor: of the model.
        stride, field: samples from one frame to the next, and samples that make one.
    """

    _suits = GROWING_SECONDS

    def __init__(self, processor: PretrainedProcessor, stride: int, field: int) -> None:
        super().__init__(processor)
        self._scales = processor.config.normalise
        self._stride, self._field = stride, field
        self._streams = Streams(self._scales, round(processor.longest_seconds * SAMPLE_RATE))

    def newest(self, utterance: Utterance, seconds: float | None = None) -> HeardSpeech:
        """Return the newest seconds of a growing utterance, and where they lie in it."""
        from core.models.preparing import SpeechPiece

        most = at_most(seconds, self.partial_seconds)
        count = utterance.samples.size
        lacking = max(0, count - round(most * SAMPLE_RATE))
        first = -(-lacking // self._stride) * self._stride
        if count - first < self._field:
            return super().newest(utterance, seconds)
        stream = self._streams.of(utterance)
        piece = SpeechPiece(
            stream.scaled(utterance.samples[first:]), 0.0, (count - first) / SAMPLE_RATE, 1.0
        )
        heard = self._heard([piece], first, self._cache.newest(utterance, most)[0])
        return replace(heard, place=Place(stream.key, first))

    def whole(self, utterance: Utterance) -> HeardSpeech:
        """Return all of an utterance, in chunks if it is long."""
        heard = super().whole(utterance)
        count = utterance.samples.size
        alone = len(heard.chunks) == 1 and heard.chunks[0].size == count >= self._field
        if self._scales or not alone:
            return heard
        return replace(heard, place=Place(self._streams.of(utterance).key))

    def reset(self) -> None:
        """Forget every cached utterance."""
        super().reset()
        self._streams.clear()


def wave_hearing(model: EmotionModel, processor: PretrainedProcessor) -> WaveHearing:
    """Return how a model over samples hears."""
    from core.models.encoders.pretrained_speech import PretrainedSpeechEncoder
    from core.models.encoders.streaming import field_of, stride_of

    encoder = getattr(model, "speech", None)
    if isinstance(encoder, PretrainedSpeechEncoder) and encoder.incremental:
        return GrowingHearing(processor, stride_of(encoder), field_of(encoder))
    return WaveHearing(processor)
