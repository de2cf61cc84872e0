"""What a model hears of an utterance: pieces it can take, and how much evidence they are.

A `Hearing` prepares speech for one kind of model: by frames measured bit by bit and compared with
the speaker's own baseline, or by the samples as they are. Judging is the same for all of them.
"""

from __future__ import annotations

import zlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from core.models.baseline import SpeakerBaseline
from core.models.speech_features import SpeechFeatureExtractor
from core.pipeline.evidence import Evidence, evidence_of
from core.pipeline.speech_cache import SpeechCache
from core.types import SAMPLE_RATE, FloatArray, Modality, Utterance

if TYPE_CHECKING:
    from core.models.checkpoint import LoadedModel
    from core.models.outputs import ModelInputs
    from core.models.preparing import PreparesWaveforms
    from core.models.processor import Processor, SpeechMeasures
    from core.models.processor_loading import AnyProcessor
    from core.models.tokenizer import TokenizedText

PARTIAL_SECONDS = 4.0
"""A partial look takes in the newest speech only."""


@dataclass(frozen=True, slots=True)
class HeardSpeech:
    """Chunks of an utterance as a model takes them; none for a model that reads text only.

    starts: where each begins, in seconds from the start of the utterance; seconds: how long each
    is; weights: (chunks,), how much speech each holds, summing to one (without speech there is one
    chunk, the text); evidence: None when the speech is not judged; key: the same for the same
    chunks, None where they may change (with the speaker's baseline, say).
    """

    chunks: tuple[Any, ...] = ()
    starts: tuple[float, ...] = ()
    seconds: tuple[float, ...] = ()
    weights: FloatArray = field(default_factory=lambda: np.ones(1, np.float32))
    evidence: Evidence | None = None
    key: Hashable = None

    @property
    def duration(self) -> float | None:
        """Seconds of speech the model takes in; None without speech."""
        return sum(self.seconds) if self.chunks else None


class Hearing(Protocol):
    """Speech for one kind of model; belongs to one thread."""

    @property
    def frames_measured(self) -> int:
        """How many frames were measured so far: what a look costs beside the model."""
        ...

    def newest(self, utterance: Utterance) -> HeardSpeech:
        """Return the newest seconds of a growing utterance, at a cost that does not grow."""
        ...

    def whole(self, utterance: Utterance) -> HeardSpeech:
        """Return all of an utterance, in chunks if it is long."""
        ...

    def inputs(self, heard: HeardSpeech, text: TokenizedText | None) -> ModelInputs:
        """Return the chunks as a batch, each with the same text."""
        ...

    def remember(self, utterance: Utterance) -> None:
        """Let a complete utterance shape its speaker's baseline; a second time changes nothing."""
        ...

    def baseline_seconds(self, utterance: Utterance) -> float:
        """Return how much speech the baseline of its speaker rests on."""
        ...

    def reset(self) -> None:
        """Forget every speaker and every utterance."""
        ...


class FrameHearing:
    """Frames and statistics, normalised by the speaker's baseline: the compact encoders.

    A model that was trained without personal baselines (see `ProcessorConfig`) is given none.
    """

    def __init__(self, processor: Processor) -> None:
        self._processor = processor
        self._cache = SpeechCache(processor.extractor)
        self._baselines: dict[str, SpeakerBaseline] = {}
        self._remembered: set[tuple[int, int, int]] = set()

    @property
    def frames_measured(self) -> int:
        """How many frames were measured so far."""
        return self._cache.measured

    def newest(self, utterance: Utterance) -> HeardSpeech:
        """Return the newest seconds of a growing utterance."""
        return self._heard(utterance, *self._cache.newest(utterance, PARTIAL_SECONDS))

    def whole(self, utterance: Utterance) -> HeardSpeech:
        """Return all of an utterance, in chunks if it is long."""
        return self._heard(utterance, self._cache.whole(utterance), 0)

    def inputs(self, heard: HeardSpeech, text: TokenizedText | None) -> ModelInputs:
        """Return the chunks as a batch, each with the same text."""
        chunks: Sequence[SpeechMeasures] = heard.chunks
        return self._processor.batch(chunks, None if text is None else [text] * len(chunks))

    def remember(self, utterance: Utterance) -> None:
        """Let a complete utterance shape its speaker's baseline, once."""
        key = (utterance.index, utterance.channel, utterance.start)
        if not self._processor.config.personal or key in self._remembered:
            return
        self._remembered.add(key)
        name = _speaker_key(utterance)
        if name not in self._baselines:
            self._baselines[name] = self._processor.new_baseline()
        measures = self._processor.measures_of(self._cache.whole(utterance))
        self._baselines[name].update(measures.frames, measures.functionals)

    def baseline_seconds(self, utterance: Utterance) -> float:
        """Return how much speech the baseline of its speaker rests on."""
        baseline = self._baselines.get(_speaker_key(utterance))
        return baseline.seconds if baseline else 0

    def reset(self) -> None:
        """Forget every speaker and every cached utterance."""
        self._baselines.clear()
        self._remembered.clear()
        self._cache.clear()

    def _heard(self, utterance: Utterance, frames: FloatArray, first: int) -> HeardSpeech:
        extractor = self._processor.extractor
        baseline = self._baselines.get(_speaker_key(utterance))
        pieces, weights = self._processor.chunks(frames)
        lengths = [len(piece) for piece in pieces]
        measures = [self._processor.measures_of(piece) for piece in pieces]
        return HeardSpeech(
            chunks=tuple(self._processor.normalise(m, baseline) for m in measures),
            starts=tuple((np.cumsum([first, *lengths[:-1]]) / extractor.frame_rate).tolist()),
            seconds=tuple(length / extractor.frame_rate for length in lengths),
            weights=weights,
            evidence=evidence_of(frames, extractor),
        )


class WaveHearing:
    """Samples as a pretrained encoder takes them; no personal baseline.

    Frames are measured only for what they tell about the evidence: how much voice there is, over
    how much noise.
    """

    def __init__(self, processor: PreparesWaveforms) -> None:
        self._processor = processor
        self._extractor = SpeechFeatureExtractor()
        self._cache = SpeechCache(self._extractor)

    @property
    def frames_measured(self) -> int:
        """How many frames were measured so far."""
        return self._cache.measured

    def newest(self, utterance: Utterance) -> HeardSpeech:
        """Return the newest seconds of a growing utterance."""
        count = utterance.samples.size
        seconds = min(PARTIAL_SECONDS, self._processor.longest_seconds)
        first = max(0, count - round(seconds * SAMPLE_RATE))
        frames, _ = self._cache.newest(utterance, seconds)
        return self._heard(utterance.samples[first:], first, frames)

    def whole(self, utterance: Utterance) -> HeardSpeech:
        """Return all of an utterance, in chunks if it is long."""
        heard = self._heard(utterance.samples, 0, self._cache.whole(utterance))
        place = (utterance.index, utterance.channel, utterance.start, utterance.end)
        # The sum costs nothing beside the model, and a mistaken key would be a wrong answer.
        return replace(heard, key=(*place, zlib.crc32(utterance.samples.tobytes())))

    def inputs(self, heard: HeardSpeech, text: TokenizedText | None) -> ModelInputs:
        """Return the chunks as a batch, each with the same text."""
        chunks: Sequence[FloatArray] = heard.chunks
        return self._processor.batch(chunks, None if text is None else [text] * len(chunks))

    def remember(self, utterance: Utterance) -> None:
        """Do nothing: these encoders were trained on voices as they are."""

    def baseline_seconds(self, utterance: Utterance) -> float:
        """Return 0: there is no baseline."""
        return 0.0

    def reset(self) -> None:
        """Forget every cached utterance."""
        self._cache.clear()

    def _heard(self, samples: FloatArray, first: int, frames: FloatArray) -> HeardSpeech:
        pieces = self._processor.pieces(samples)
        return HeardSpeech(
            chunks=tuple(piece.waveform for piece in pieces),
            starts=tuple(first / SAMPLE_RATE + piece.start for piece in pieces),
            seconds=tuple(piece.seconds for piece in pieces),
            weights=np.array([piece.weight for piece in pieces], np.float32),
            evidence=evidence_of(frames, self._extractor),
        )


class NoHearing:
    """For a model that reads text only."""

    frames_measured = 0

    def __init__(self, processor: AnyProcessor) -> None:
        self._processor = processor

    def newest(self, utterance: Utterance) -> HeardSpeech:
        """Return nothing."""
        return HeardSpeech()

    def whole(self, utterance: Utterance) -> HeardSpeech:
        """Return nothing."""
        return HeardSpeech()

    def inputs(self, heard: HeardSpeech, text: TokenizedText | None) -> ModelInputs:
        """Return a batch of one text."""
        return self._processor.batch(None, None if text is None else [text])

    def remember(self, utterance: Utterance) -> None:
        """Do nothing."""

    def baseline_seconds(self, utterance: Utterance) -> float:
        """Return 0."""
        return 0.0

    def reset(self) -> None:
        """Do nothing."""


def hearing_for(loaded: LoadedModel) -> Hearing:
    """Return how a model hears: as its processor prepares speech, or not at all."""
    from core.models.processor import Processor

    processor = loaded.processor
    if Modality.SPEECH not in loaded.specification.modalities:
        return NoHearing(processor)
    return FrameHearing(processor) if isinstance(processor, Processor) else WaveHearing(processor)


def _speaker_key(utterance: Utterance) -> str:
    """Name whose baseline an utterance belongs to: its speaker's, or else its channel's."""
    if utterance.speaker is not None:
        return f"speaker {utterance.speaker}"
    return f"channel {utterance.channel}"
