"""What a model hears of an utterance: pieces it can take, and how much evidence they are.

A `Hearing` prepares speech for one kind of model: by frames measured bit by bit and compared with
the speaker's own baseline, or by the samples as they are. Judging is the same for all of them.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

from core.models.baseline import SpeakerBaseline, SpeakerMoments
from core.models.place import Place
from core.pipeline.evidence import Evidence, evidence_of
from core.pipeline.speech_cache import SpeechCache
from core.types import FloatArray, Modality, Utterance

if TYPE_CHECKING:
    from core.models.checkpoint import LoadedModel
    from core.models.outputs import ModelInputs
    from core.models.processor import Processor, SpeechMeasures
    from core.models.processor_loading import AnyProcessor
    from core.models.tokenizer import TokenizedText

Tokens: TypeAlias = "TokenizedText | None"

PARTIAL_SECONDS = 4.0
"""A partial look takes in the newest speech only, so much of it or less."""


@dataclass(frozen=True, slots=True)
class HeardSpeech:
    """Chunks of an utterance as a model takes them; none for a model that reads text only.

    starts: where each begins, in seconds from the start of the utterance; seconds: how long each
    is; weights: (chunks,), how much speech each holds, summing to one (without speech there is one
    chunk, the text); evidence: None when the speech is not judged; key: the same for the same
    chunks, None where they may change (with the speaker's baseline, say); place: where the only
    chunk lies in a growing utterance, if that helps to encode it.
    """

    chunks: tuple[Any, ...] = ()
    starts: tuple[float, ...] = ()
    seconds: tuple[float, ...] = ()
    weights: FloatArray = field(default_factory=lambda: np.ones(1, np.float32))
    evidence: Evidence | None = None
    key: Hashable = None
    place: Place | None = None

    @property
    def duration(self) -> float | None:
        """Seconds of speech the model takes in; None without speech."""
        return sum(self.seconds) if self.chunks else None

    def over_chunks(self, values: FloatArray) -> FloatArray:
        """Return the mean of (B, ...) over chunks, by how much speech each holds."""
        return np.asarray(np.tensordot(self.weights, values, axes=1))


@dataclass(frozen=True, slots=True)
class KnownVoice:
    """What was heard before of some speakers of a session; no names: of whoever speaks."""

    moments: SpeakerMoments
    speakers: frozenset[str] = frozenset()

    def of(self, speaker: str | None) -> bool:
        """Tell whether it is the voice of this speaker."""
        return not self.speakers or speaker in self.speakers


class Hearing(Protocol):
    """Speech for one kind of model; belongs to one thread."""

    @property
    def frames_measured(self) -> int:
        """How many frames were measured so far: what a look costs beside the model."""
        ...

    @property
    def partial_seconds(self) -> float:
        """How much of a growing utterance suits the model."""
        ...

    def newest(self, utterance: Utterance, seconds: float | None = None) -> HeardSpeech:
        """Return the newest seconds of a growing utterance, at a cost that does not grow.

        Args:
            seconds: no more than so many; None: as many as suit the model.
        """
        ...

    def whole(self, utterance: Utterance) -> HeardSpeech:
        """Return all of an utterance, in chunks if it is long."""
        ...

    def inputs(self, heard: HeardSpeech, text: TokenizedText | None) -> ModelInputs:
        """Return the chunks as a batch, each with the same text."""
        ...

    def batch(self, heard: Sequence[HeardSpeech], texts: Sequence[Tokens]) -> ModelInputs:
        """Return the chunks of utterances as one batch, each with its utterance's text.

        Args:
            heard: one or more; all have chunks, or none has.
            texts: as many; all None, or none is.
        """
        ...

    def remember(self, utterance: Utterance) -> None:
        """Let a complete utterance shape its speaker's baseline; a second time changes nothing."""
        ...

    def know(self, voice: KnownVoice | None) -> None:
        """Let baselines rest on a voice that is known from before, too; None: on nobody's."""
        ...

    def voice(self, utterance: Utterance) -> SpeakerMoments | None:
        """Return what was remembered of the utterance's speaker; None: no voice is."""
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
        self._known: KnownVoice | None = None
        self._joined: dict[str, SpeakerBaseline] = {}
        """Baselines together with the voice that is known from before."""
        self._newest: SpeechMeasures | None = None
        """Of the newest utterance, whose text and whose speaker's baseline ask for them again."""

    @property
    def frames_measured(self) -> int:
        """How many frames were measured so far."""
        return self._cache.measured

    @property
    def partial_seconds(self) -> float:
        """How much of a growing utterance suits the model."""
        return PARTIAL_SECONDS

    def newest(self, utterance: Utterance, seconds: float | None = None) -> HeardSpeech:
        """Return the newest seconds of a growing utterance."""
        most = at_most(seconds, self.partial_seconds)
        return self._heard(utterance, *self._cache.newest(utterance, most))

    def whole(self, utterance: Utterance) -> HeardSpeech:
        """Return all of an utterance, in chunks if it is long."""
        return self._heard(utterance, self._cache.whole(utterance), 0)

    def inputs(self, heard: HeardSpeech, text: TokenizedText | None) -> ModelInputs:
        """Return the chunks as a batch, each with the same text."""
        return self.batch([heard], [text])

    def batch(self, heard: Sequence[HeardSpeech], texts: Sequence[Tokens]) -> ModelInputs:
        """Return the chunks of utterances as one batch, each with its utterance's text."""
        chunks: list[SpeechMeasures] = [chunk for one in heard for chunk in one.chunks]
        return self._processor.batch(chunks, text_of_chunks(heard, texts))

    def remember(self, utterance: Utterance) -> None:
        """Let a complete utterance shape its speaker's baseline, once."""
        key = (utterance.index, utterance.channel, utterance.start)
        if not self._processor.config.personal or key in self._remembered:
            return
        self._remembered.add(key)
        name = _speaker_key(utterance)
        if name not in self._baselines:
            self._baselines[name] = self._processor.new_baseline()
        measures = self._measures(self._cache.whole(utterance))
        self._baselines[name].update(measures.frames, measures.functionals)
        self._joined.pop(name, None)

    def know(self, voice: KnownVoice | None) -> None:
        """Let baselines rest on a voice that is known from before, too; None: on nobody's."""
        self._known = voice if self._processor.config.personal else None
        self._joined.clear()

    def voice(self, utterance: Utterance) -> SpeakerMoments | None:
        """Return what was remembered of the utterance's speaker; None: no voice is."""
        baseline = self._baselines.get(_speaker_key(utterance))
        return baseline.moments if baseline else None

    def baseline_seconds(self, utterance: Utterance) -> float:
        """Return how much speech the baseline of its speaker rests on."""
        baseline = self._baseline(utterance)
        return baseline.seconds if baseline else 0

    def reset(self) -> None:
        """Forget every speaker of the session and every cached utterance."""
        self._baselines.clear()
        self._joined.clear()
        self._remembered.clear()
        self._newest = None
        self._cache.clear()

    def _heard(self, utterance: Utterance, frames: FloatArray, first: int) -> HeardSpeech:
        extractor = self._processor.extractor
        baseline = self._baseline(utterance)
        pieces, weights = self._processor.chunks(frames)
        lengths = [len(piece) for piece in pieces]
        if first == 0 and len(pieces) == 1:
            measures = [self._measures(frames)]
        else:
            measures = [self._processor.measures_of(piece) for piece in pieces]
        return HeardSpeech(
            chunks=tuple(self._processor.normalise(m, baseline) for m in measures),
            starts=tuple((np.cumsum([first, *lengths[:-1]]) / extractor.frame_rate).tolist()),
            seconds=tuple(length / extractor.frame_rate for length in lengths),
            weights=weights,
            evidence=evidence_of(frames, extractor),
        )

    def _baseline(self, utterance: Utterance) -> SpeakerBaseline | None:
        """Return the baseline of its speaker: of the session, and of what is known from before."""
        name = _speaker_key(utterance)
        own = self._baselines.get(name)
        if self._known is None or not self._known.of(utterance.speaker):
            return own
        if name not in self._joined:
            joined = self._processor.new_baseline() if own is None else own.copy()
            joined.add(self._known.moments)
            self._joined[name] = joined
        return self._joined[name]

    def _measures(self, frames: FloatArray) -> SpeechMeasures:
        """Complete all frames of an utterance, once if the same come again."""
        if self._newest is None or not np.array_equal(self._newest.frames, frames):
            self._newest = self._processor.measures_of(frames)
        return self._newest


class NoHearing:
    """For a model that reads text only."""

    frames_measured = 0
    partial_seconds = PARTIAL_SECONDS

    def __init__(self, processor: AnyProcessor) -> None:
        self._processor = processor

    def newest(self, utterance: Utterance, seconds: float | None = None) -> HeardSpeech:
        """Return nothing."""
        return HeardSpeech()

    def whole(self, utterance: Utterance) -> HeardSpeech:
        """Return nothing."""
        return HeardSpeech()

    def inputs(self, heard: HeardSpeech, text: TokenizedText | None) -> ModelInputs:
        """Return a batch of one text."""
        return self.batch([heard], [text])

    def batch(self, heard: Sequence[HeardSpeech], texts: Sequence[Tokens]) -> ModelInputs:
        """Return a batch of texts."""
        return self._processor.batch(None, [text for text in texts if text is not None] or None)

    def remember(self, utterance: Utterance) -> None:
        """Do nothing."""

    def know(self, voice: KnownVoice | None) -> None:
        """Do nothing."""

    def voice(self, utterance: Utterance) -> SpeakerMoments | None:
        """Return None."""
        return None

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
    if isinstance(processor, Processor):
        return FrameHearing(processor)
    from core.pipeline.wave_hearing import wave_hearing

    return wave_hearing(loaded.model, processor)


def at_most(asked: float | None, suits: float) -> float:
    """Return how many seconds to look at: what suits the model, or less if less is asked for."""
    return suits if asked is None else min(asked, suits)


def text_of_chunks(
    heard: Sequence[HeardSpeech], texts: Sequence[Tokens]
) -> list[TokenizedText] | None:
    """Return the text of every chunk of every utterance; None when there are no texts."""
    pairs = zip(heard, texts, strict=True)
    found = [text for one, text in pairs if text is not None for _ in one.chunks]
    return found or None


def _speaker_key(utterance: Utterance) -> str:
    """Name whose baseline an utterance belongs to: its speaker's, or else its channel's."""
    if utterance.speaker is not None:
        return f"speaker {utterance.speaker}"
    return f"channel {utterance.channel}"
