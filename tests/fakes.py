"""Stand-ins for the parts of the pipeline: fast, deterministic, and they record what was asked.

`FakeAnalyzer` and `FakeTranscriber` obey the protocols of `core.pipeline.protocols`, `FakeContext`
and `FakeSpeakers` those of `core.pipeline.context` and `core.pipeline.speakers`;
`ScriptedSource` plays an array as a device (in real time) or as a recording (as fast as it can).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from core.labels import EMOTIONS, derive_affect
from core.pipeline.context import UtteranceModel
from core.pipeline.cutting import Cut
from core.pipeline.protocols import EndOfSource
from core.types import (
    SAMPLE_RATE,
    WINDOW,
    AttentionKind,
    AttentionMap,
    AudioBlock,
    Axis,
    ContextInfo,
    ContextResult,
    ContextScope,
    Doubt,
    EmotionResult,
    FloatArray,
    Message,
    Modality,
    ModelInfo,
    NestedSize,
    Transcript,
    Turn,
    Utterance,
    Word,
)

FAKE_MODEL = ModelInfo(
    name="fake",
    version="1",
    digest="f" * 64,
    labels=EMOTIONS,
    modalities=(Modality.SPEECH, Modality.TEXT),
    languages=("ko", "en"),
    device="cpu",
    device_reason="a fake needs no GPU",
)


def silence(seconds: float) -> FloatArray:
    """Digital silence of shape (n,)."""
    return np.zeros(round(seconds * SAMPLE_RATE), dtype=np.float32)


def tone(seconds: float, amplitude: float = 0.3, frequency: float = 220.0) -> FloatArray:
    """A tone of shape (n,): `EnergyVad` takes it for speech, Silero does not."""
    time_axis = np.arange(round(seconds * SAMPLE_RATE), dtype=np.float32) / SAMPLE_RATE
    return (amplitude * np.sin(2 * np.pi * frequency * time_axis)).astype(np.float32)


def conversation(*lengths: float, pause: float = 1.0, amplitude: float = 0.3) -> FloatArray:
    """Tones of these lengths (s), each preceded by a pause, and a pause at the end."""
    parts = [part for length in lengths for part in (silence(pause), tone(length, amplitude))]
    return np.concatenate([*parts, silence(pause)])


def _softmax(scores: Sequence[float]) -> tuple[float, ...]:
    powers = np.exp(np.asarray(scores, dtype=np.float64) - max(scores))
    return tuple(float(p) for p in powers / powers.sum())


class EnergyVad:
    """A voice activity detector that takes loud for speech; same calls as the real one."""

    def __init__(self, threshold: float = 0.01) -> None:
        self._threshold = threshold

    def probability(self, window: FloatArray) -> float:
        """Probability of speech in one window of shape (WINDOW,)."""
        return 1.0 if float(np.sqrt(np.mean(window**2))) > self._threshold else 0.0

    def reset(self) -> None:
        """Nothing is carried."""


class LoudnessCutter:
    """Takes loud for speech: partials four times a second, a final after 0.3 s of quiet.

    After 0.1 s of quiet a paused partial covers what the final will cover if it stays quiet. Like
    the real segmenters, and with their sharing of indices among the channels, but with no opinion
    on what is speech.
    """

    def __init__(self, speakers: Sequence[str | None], threshold: float = 0.01) -> None:
        self._speakers = tuple(speakers)
        self._threshold = threshold
        self._open: dict[int, Utterance] = {}
        self._quiet = [0] * len(self._speakers)
        self._next = 0

    def push(self, block: AudioBlock) -> tuple[tuple[float, ...], tuple[Cut, ...]]:
        """Speech per channel (0 or 1) and the utterances that grew or ended."""
        loud = [float(np.sqrt(np.mean(row**2))) > self._threshold for row in block.samples]
        cuts = [
            c for i, row in enumerate(block.samples) for c in self._hear(i, row, block, loud[i])
        ]
        return tuple(map(float, loud)), tuple(cuts)

    def flush(self, total: int | None) -> tuple[Cut, ...]:
        """End what is open."""
        return tuple(self._final(channel) for channel in tuple(self._open))

    def _hear(self, channel: int, row: FloatArray, block: AudioBlock, loud: bool) -> list[Cut]:
        if channel not in self._open:
            if loud:
                self._open[channel] = Utterance(
                    self._next,
                    block.start,
                    block.start + row.size,
                    row,
                    self._speakers[channel],
                    channel,
                    is_final=False,
                )
                self._next += 1
            return []
        growing = self._open[channel]
        self._quiet[channel] = 0 if loud else self._quiet[channel] + row.size
        samples = np.concatenate([growing.samples, row])
        revision = growing.revision + (samples.size // 4000 > growing.samples.size // 4000)
        newer = replace(
            growing, samples=samples, end=growing.start + samples.size, revision=revision
        )
        self._open[channel] = newer
        if self._quiet[channel] >= 0.3 * SAMPLE_RATE:
            return [self._final(channel)]
        if 0 <= self._quiet[channel] - 0.1 * SAMPLE_RATE < row.size:
            return [self._paused(channel)]
        due = revision > growing.revision and self._quiet[channel] < 0.1 * SAMPLE_RATE
        return [Cut(newer)] if due else []

    def _paused(self, channel: int) -> Cut:
        last = replace(self._open[channel], revision=self._open[channel].revision + 1)
        self._open[channel] = last
        end = last.end - self._quiet[channel]
        return Cut(replace(last, samples=last.samples[: end - last.start], end=end, paused=True))

    def _final(self, channel: int) -> Cut:
        last = self._open.pop(channel)
        end = last.end - self._quiet[channel]
        self._quiet[channel] = 0
        samples = last.samples[: end - last.start]
        revision = last.revision + 1
        return Cut(replace(last, samples=samples, end=end, is_final=True, revision=revision))


class FakeAnalyzer:
    """Judges by loudness (loud is angry, quiet is sad) and, with a text, by its length.

    Args:
        delay: seconds each judgement takes.
        load_delay: seconds `warm_up` takes.
        fail_on: indices of utterances whose final judgement raises.
        fail_to_load: `warm_up` raises this.
    """

    def __init__(
        self,
        *,
        delay: float = 0.0,
        load_delay: float = 0.0,
        fail_on: Iterable[int] = (),
        fail_to_load: Exception | None = None,
    ) -> None:
        self._delay = delay
        self._load_delay = load_delay
        self._fail_on = frozenset(fail_on)
        self._fail_to_load = fail_to_load
        self.calls: list[tuple[str, int, int]] = []
        """(what, utterance index, revision) in the order of the calls."""
        self.threads: set[str] = set()
        self._heard: dict[str | None, float] = {}
        self.gate: threading.Event | None = None
        """Set to an Event to hold every judgement until it is set."""

    @property
    def model(self) -> ModelInfo:
        return FAKE_MODEL

    def warm_up(self) -> None:
        self._note("warm_up", -1, 0)
        time.sleep(self._load_delay)
        if self._fail_to_load is not None:
            raise self._fail_to_load

    def partial(
        self, utterance: Utterance, transcript: Transcript | None, seconds: float | None = None
    ) -> EmotionResult | None:
        self._note("partial", utterance.index, utterance.revision)
        return self._judge(utterance, transcript)

    def final(self, utterance: Utterance, transcript: Transcript | None) -> EmotionResult | None:
        self._note("final", utterance.index, utterance.revision)
        if utterance.index in self._fail_on:
            raise RuntimeError(f"utterance {utterance.index} was told to fail")
        return self._judge(utterance, transcript)

    def remember(self, utterance: Utterance) -> None:
        self._note("remember", utterance.index, utterance.revision)
        heard = self._heard.get(utterance.speaker, 0.0)
        self._heard[utterance.speaker] = heard + utterance.duration

    def reset(self) -> None:
        self._note("reset", -1, 0)
        self._heard.clear()

    def count(self, what: str) -> int:
        """How often `what` was called."""
        return sum(1 for call in self.calls if call[0] == what)

    def _note(self, what: str, index: int, revision: int) -> None:
        self.threads.add(threading.current_thread().name)
        self.calls.append((what, index, revision))

    def _judge(self, utterance: Utterance, transcript: Transcript | None) -> EmotionResult:
        if self.gate is not None:
            self.gate.wait(10.0)
        time.sleep(self._delay)
        speech = _speech_opinion(utterance.samples)
        text = transcript.text if transcript is not None else ""
        return _emotion_result(utterance, speech, text, self._heard.get(utterance.speaker, 0.0))


class FakeTextAnalyzer(FakeAnalyzer):
    """Reads text only: says nothing before there is some."""

    def partial(
        self, utterance: Utterance, transcript: Transcript | None, seconds: float | None = None
    ) -> EmotionResult | None:
        result = super().partial(utterance, transcript)
        return result if transcript is not None else None

    def final(self, utterance: Utterance, transcript: Transcript | None) -> EmotionResult | None:
        result = super().final(utterance, transcript)
        return result if transcript is not None else None


def standing_alone(
    result: EmotionResult,
    probabilities: Mapping[str, float],
    thresholds: float | Mapping[str, float] = 0.5,
    *,
    rest: float = 0.05,
) -> EmotionResult:
    """The same result from a model whose labels stand for themselves.

    Args:
        probabilities: of some labels, known or new ones; the others have `rest`.
        thresholds: one for all labels, or by label (0.5 for the others).
    """
    labels = tuple(dict.fromkeys((*result.labels, *probabilities)))
    by_label = {} if isinstance(thresholds, float) else thresholds
    default = thresholds if isinstance(thresholds, float) else 0.5
    values = tuple(probabilities.get(label, rest) for label in labels)
    return replace(
        result,
        labels=labels,
        probabilities=values,
        by_modality=dict.fromkeys(result.by_modality, values),
        exclusive=False,
        thresholds=tuple(by_label.get(label, default) for label in labels),
        doubts=(),
    )


def _speech_opinion(samples: FloatArray) -> tuple[float, ...]:
    """Probabilities from the level: sad below -30 dBFS, angry above -15, neutral between."""
    energy = float(np.mean(samples.astype(np.float64) ** 2)) if samples.size else 0.0
    level = 10 * np.log10(energy + 1e-10)
    scores = dict.fromkeys(EMOTIONS, 0.0)
    scores["angry"] = float(np.clip((level + 20) / 5, -2, 3))
    scores["sad"] = float(np.clip((-25 - level) / 5, -2, 3))
    scores["neutral"] = 1.0
    return _softmax([scores[label] for label in EMOTIONS])


def _text_opinion(text: str) -> tuple[float, ...]:
    """Probabilities from the length of the text alone."""
    favourite = len(text) % len(EMOTIONS)
    return _softmax([2.0 if i == favourite else 0.0 for i in range(len(EMOTIONS))])


def _emotion_result(
    utterance: Utterance, speech: tuple[float, ...], text: str, heard: float
) -> EmotionResult:
    by_modality = {Modality.SPEECH: speech}
    share = {Modality.SPEECH: 1.0}
    probabilities = speech
    if text:
        by_modality[Modality.TEXT] = _text_opinion(text)
        share = {Modality.SPEECH: 0.6, Modality.TEXT: 0.4}
        probabilities = tuple(
            0.6 * s + 0.4 * t for s, t in zip(speech, by_modality[Modality.TEXT], strict=True)
        )
    arousal, valence = derive_affect(EMOTIONS, probabilities)
    return EmotionResult(
        labels=EMOTIONS,
        probabilities=probabilities,
        arousal=arousal,
        valence=valence,
        affect_derived=True,
        doubts=(Doubt.TOO_SHORT,) if utterance.duration < 0.5 else (),
        modalities=tuple(by_modality),
        modality_share=share,
        by_modality=by_modality,
        attentions=(_word_map(text, utterance.duration),) if text else (),
        model=FAKE_MODEL,
        baseline_seconds=heard,
        compute_seconds=0.001,
        features={m: np.array(p, np.float32) for m, p in by_modality.items()},
    )


def _word_map(text: str, duration: float, frames: int = 8) -> AttentionMap:
    """A words x time map on which each word looks at its own share of the time."""
    words = tuple(text.split())
    centres = (np.arange(len(words)) + 0.5) / len(words)
    times = (np.arange(frames) + 0.5) / frames
    weights = np.exp(-((times[None, :] - centres[:, None]) ** 2) * 20)
    weights /= weights.sum(axis=1, keepdims=True)
    step = duration / frames
    spans = tuple((i * step, (i + 1) * step) for i in range(frames))
    return AttentionMap(
        name="words_by_time",
        kind=AttentionKind.TOKEN,
        weights=weights.astype(np.float32),
        query_axis=Axis("words", labels=words),
        key_axis=Axis("time", spans=spans),
    )


FAKE_CONTEXT = ModelInfo(
    name="fake dialogue",
    version="1",
    digest="d" * 64,
    labels=EMOTIONS,
    modalities=(Modality.SPEECH, Modality.TEXT),
    languages=("ko", "en"),
)


class FakeContext:
    """Mixes what a turn says alone with what the turns around it say alone.

    A turn alone says the mean of its features, which those of `FakeAnalyzer` are probabilities;
    the nearer another turn by order, the more it counts. Nested sizes blur the answer.

    Args:
        window: turns it looks at, the newest included.
        own: share of the turn itself, alone, in what is said in context.
        sizes: nested sizes, the whole one first; empty: none.
        delay: seconds each turn takes; load_delay: seconds `warm_up` takes.
        fail_on: indices of turns whose judgement raises.
        fail_to_load: `warm_up` raises this.
        trained_on: the utterance model it claims to be trained on.
    """

    def __init__(
        self,
        *,
        window: int = 8,
        own: float = 0.4,
        sizes: Sequence[int] = (96, 24, 6),
        delay: float = 0.0,
        load_delay: float = 0.0,
        fail_on: Iterable[int] = (),
        fail_to_load: Exception | None = None,
        trained_on: UtteranceModel | None = None,
    ) -> None:
        self._window = window
        self._own = own
        self._sizes = tuple(sizes)
        self._delay = delay
        self._load_delay = load_delay
        self._fail_on = frozenset(fail_on)
        self._fail_to_load = fail_to_load
        self._trained_on = trained_on or UtteranceModel(FAKE_MODEL.name, FAKE_MODEL.digest)
        self._turns: dict[int, tuple[Turn, tuple[float, ...]]] = {}
        self.calls: list[tuple[str, int]] = []
        """(what, turn index) in the order of the calls."""
        self.threads: set[str] = set()

    @property
    def trained_on(self) -> UtteranceModel:
        return self._trained_on

    def warm_up(self) -> ContextInfo:
        self._note("warm_up", -1)
        time.sleep(self._load_delay)
        if self._fail_to_load is not None:
            raise self._fail_to_load
        sizes = (NestedSize(size, 100 * size, 400 * size, 0.02 * size) for size in self._sizes)
        return ContextInfo(FAKE_CONTEXT, self._window, tuple(sizes))

    def add(self, turn: Turn, features: dict[Modality, FloatArray]) -> Sequence[Turn]:
        self._note("add", turn.index)
        time.sleep(self._delay)
        if turn.index in self._fail_on:
            raise RuntimeError(f"turn {turn.index} was told to fail")
        if not features:
            return (turn,)
        alone = np.mean(np.stack(list(features.values())), axis=0, dtype=np.float64)
        self._turns[turn.index] = (turn, tuple(float(p) for p in alone))
        before = [i for i in self._ordered() if self._turns[i][0].start <= turn.start]
        judged = replace(turn, context=self._result(turn.index, before, ContextScope.PAST))
        self._turns[turn.index] = (judged, self._turns[turn.index][1])
        return (judged, *self._revised(self._ordered()[-self._window :], turn.index))

    def finish(self) -> Sequence[Turn]:
        self._note("finish", -1)
        there = self._ordered()
        return tuple(
            replace(self._turns[i][0], hindsight=self._result(i, there, ContextScope.LATER))
            for i in there
        )

    def reset(self) -> None:
        self._note("reset", -1)
        self._turns.clear()

    def count(self, what: str) -> int:
        """How often `what` was called."""
        return sum(1 for call in self.calls if call[0] == what)

    def _note(self, what: str, index: int) -> None:
        self.threads.add(threading.current_thread().name)
        self.calls.append((what, index))

    def _ordered(self) -> list[int]:
        return sorted(self._turns, key=lambda i: (self._turns[i][0].start, i))

    def _revised(self, view: list[int], newest: int) -> list[Turn]:
        """The turns of a view whose label is another one with the newest turn in it."""
        changed = []
        for index in view:
            turn, alone = self._turns[index]
            said = turn.hindsight or turn.context
            result = self._result(index, view, ContextScope.LATER)
            if index != newest and said is not None and result.label != said.label:
                self._turns[index] = (replace(turn, hindsight=result), alone)
                changed.append(self._turns[index][0])
        return changed

    def _result(self, index: int, there: list[int], scope: ContextScope) -> ContextResult:
        place = there.index(index)
        past = scope is ContextScope.PAST
        first = max(0, place - self._window + 1)
        view = there[first : place + 1 if past else place + self._window]
        weights = np.array([0.7 ** abs(view.index(index) - i) for i in range(len(view))])
        weights[view.index(index)] = 0.0
        if weights.sum():
            weights *= (1 - self._own) / weights.sum()
        weights[view.index(index)] = 1 - weights.sum()
        mixed = weights @ np.array([self._turns[i][1] for i in view])
        even = np.full(len(EMOTIONS), 1 / len(EMOTIONS))
        shares = [size / max(self._sizes, default=1) for size in self._sizes]
        nested = {
            size: tuple(float(p) for p in share**0.2 * mixed + (1 - share**0.2) * even)
            for size, share in zip(self._sizes, shares, strict=True)
        }
        return ContextResult(
            labels=EMOTIONS,
            probabilities=tuple(float(p) for p in mixed),
            scope=scope,
            alone=self._turns[index][1],
            turns=tuple(view),
            attention=tuple(float(w) for w in weights),
            model=FAKE_CONTEXT,
            nested=nested,
            compute_seconds=0.001,
        )


class FakeSpeakers:
    """Names speakers by the index of their utterance: as told, else "Voice 1", "Voice 2" in turn.

    Args:
        names: by utterance index; None where it can't tell.
        fail_on: indices of utterances on which it raises.
        fail_to_load: `warm_up` raises this.
    """

    def __init__(
        self,
        names: Mapping[int, str | None] | None = None,
        *,
        fail_on: Iterable[int] = (),
        fail_to_load: Exception | None = None,
    ) -> None:
        self._names = dict(names or {})
        self._fail_on = frozenset(fail_on)
        self._fail_to_load = fail_to_load
        self.calls: list[tuple[str, int]] = []
        self.threads: set[str] = set()

    def warm_up(self) -> None:
        self._note("warm_up", -1)
        if self._fail_to_load is not None:
            raise self._fail_to_load

    def name(self, utterance: Utterance) -> str | None:
        self._note("name", utterance.index)
        if utterance.index in self._fail_on:
            raise RuntimeError(f"the voice of utterance {utterance.index} was told to fail")
        return self._names.get(utterance.index, f"Voice {1 + utterance.index % 2}")

    def reset(self) -> None:
        self._note("reset", -1)

    def _note(self, what: str, index: int) -> None:
        self.threads.add(threading.current_thread().name)
        self.calls.append((what, index))


class FakeTranscriber:
    """Hears "utterance N" (or the given texts, by utterance index), one word after the other.

    Args:
        texts: text per utterance index.
        delay: seconds each transcription takes.
        fail_on: indices of utterances whose transcription raises.
        fail_to_load: `warm_up` raises this.
        reject: indices of utterances whose text the gates refuse.
        better: text per utterance index that a second, thorough look finds.
        smaller: name of a model that takes less time.
    """

    def __init__(
        self,
        texts: Mapping[int, str] | None = None,
        *,
        delay: float = 0.0,
        load_delay: float = 0.0,
        fail_on: Iterable[int] = (),
        fail_to_load: Exception | None = None,
        reject: Iterable[int] = (),
        language: str = "en",
        better: Mapping[int, str] | None = None,
        smaller: str | None = None,
    ) -> None:
        self._texts = dict(texts or {})
        self._better = dict(better or {})
        self.smaller = smaller
        self._delay = delay
        self._load_delay = load_delay
        self._fail_on = frozenset(fail_on)
        self._fail_to_load = fail_to_load
        self._reject = frozenset(reject)
        self._language = language
        self.messages: list[Message] = []
        """What is told at the next opportunity."""
        self.calls: list[tuple[str, int, int]] = []
        self.threads: set[str] = set()
        self.gate: threading.Event | None = None
        """Set to an Event to hold every transcription until it is set."""

    @property
    def name(self) -> str:
        return "fake-whisper"

    def warm_up(self) -> None:
        self._note("warm_up", -1, 0)
        time.sleep(self._load_delay)
        if self._fail_to_load is not None:
            raise self._fail_to_load

    def partial(self, utterance: Utterance) -> Transcript:
        self._work("partial", utterance)
        words = self._text(utterance.index).split()
        return Transcript(
            stable=" ".join(words[:-1]),
            tentative=words[-1] if words else "",
            language=self._language,
            is_final=False,
        )

    def final(self, utterance: Utterance) -> Transcript:
        self._work("final", utterance)
        if utterance.index in self._reject:
            return Transcript("", language=self._language, rejection="no_speech", confidence=0.1)
        text = self._text(utterance.index)
        words = _spread_words(text, utterance)
        return Transcript(text, language=self._language, words=words, confidence=0.9)

    def better(self, utterance: Utterance, transcript: Transcript) -> Transcript | None:
        self._work("better", utterance)
        text = self._better.get(utterance.index)
        return None if text is None else replace(transcript, stable=text)

    def take_messages(self) -> tuple[Message, ...]:
        told, self.messages = tuple(self.messages), []
        return told

    def _text(self, index: int) -> str:
        return self._texts.get(index, f"utterance {index}")

    def _work(self, what: str, utterance: Utterance) -> None:
        self._note(what, utterance.index, utterance.revision)
        if self.gate is not None:
            self.gate.wait(10.0)
        time.sleep(self._delay)
        if utterance.index in self._fail_on:
            raise RuntimeError(f"utterance {utterance.index} was told to fail")

    def _note(self, what: str, index: int, revision: int) -> None:
        self.threads.add(threading.current_thread().name)
        self.calls.append((what, index, revision))


def _spread_words(text: str, utterance: Utterance) -> tuple[Word, ...]:
    """The words of a text, evenly over the utterance."""
    words = text.split()
    start, step = utterance.start / SAMPLE_RATE, utterance.duration / max(1, len(words))
    return tuple(
        Word(word, start + i * step, start + (i + 1) * step, 0.9) for i, word in enumerate(words)
    )


class ScriptedSource:
    """Plays samples of shape (n,) or (channels, n), then ends.

    Args:
        samples: what is heard.
        realtime: deliver each block when the clock reaches its end; else as fast as it is read.
        rate: how much faster than the clock, with `realtime`.
        messages: (second, message) pairs, handed out by `take_messages` once that second is played.
        fail_at: second at which `read` raises `failure`.
        live: claim to have no known length, as a device does.
    """

    def __init__(
        self,
        samples: FloatArray,
        *,
        realtime: bool = False,
        rate: float = 1.0,
        messages: Iterable[tuple[float, Message]] = (),
        fail_at: float | None = None,
        failure: Exception | None = None,
        fail_to_start: Exception | None = None,
        live: bool | None = None,
        description: str = "scripted source",
    ) -> None:
        self._samples = np.atleast_2d(samples)
        self._realtime = realtime
        self._rate = rate
        self._messages = sorted(messages, key=lambda pair: pair[0])
        self._fail_at = fail_at
        self._failure = failure or RuntimeError("the scripted source was told to fail")
        self._fail_to_start = fail_to_start
        self._live = realtime if live is None else live
        self._description = description
        self._position = 0
        self._stopped = threading.Event()
        self._began = 0.0
        self.on_block: Callable[[int], None] | None = None
        """Called with the sample index of every block before it is delivered."""

    @property
    def description(self) -> str:
        return self._description

    @property
    def channels(self) -> int:
        return int(self._samples.shape[0])

    @property
    def total_samples(self) -> int | None:
        return None if self._live else int(self._samples.shape[1])

    def start(self) -> None:
        if self._fail_to_start is not None:
            raise self._fail_to_start
        self._began = time.monotonic()

    def read(self, timeout: float) -> AudioBlock | None:
        start = self._position
        if self._stopped.is_set() or start >= self._samples.shape[1]:
            raise EndOfSource
        if self._fail_at is not None and start >= self._fail_at * SAMPLE_RATE:
            raise self._failure
        if self._realtime and not self._wait_for_clock(start + WINDOW, timeout):
            return None
        if self.on_block is not None:
            self.on_block(start)
        self._position = start + WINDOW
        return AudioBlock(self._block(start), start)

    def take_messages(self) -> tuple[Message, ...]:
        due = [m for second, m in self._messages if second * SAMPLE_RATE <= self._position]
        del self._messages[: len(due)]
        return tuple(due)

    def stop(self) -> None:
        self._stopped.set()

    def _block(self, start: int) -> FloatArray:
        block = np.zeros((self.channels, WINDOW), dtype=np.float32)
        piece = self._samples[:, start : start + WINDOW]
        block[:, : piece.shape[1]] = piece
        return block

    def _wait_for_clock(self, position: int, timeout: float) -> bool:
        due = self._began + position / (SAMPLE_RATE * self._rate)
        wait = due - time.monotonic()
        if wait > timeout:
            self._stopped.wait(timeout)
            return False
        if wait > 0 and self._stopped.wait(wait):
            raise EndOfSource
        return True
