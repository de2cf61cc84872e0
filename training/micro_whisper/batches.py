"""Training examples: windows of known speech, pieces and pairs of it, unknown speech and noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from core.types import FloatArray
from training.micro_whisper.features import FRAME_RATE, MELS, POSITION_RATE, log_mel
from training.micro_whisper.sounds import Sound
from training.micro_whisper.tokenizer import PUNCTUATION, TEXT_TOKENS, TIMESTAMP_STEP, token_id

IGNORED = -100
_TAIL = 0.3
"""Seconds after the last word that the end of the text attends to."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """Shares of the kinds of examples; the rest are whole single sentences."""

    empty: float = 0.16
    pairs: float = 0.3
    pieces: float = 0.2
    timestamps: float = 0.65
    prompts: float = 0.15
    clean: float = 0.35


@dataclass(frozen=True, slots=True)
class Batch:
    """mel (B, 80, T); tokens and labels (B, L); spans (B, L, 2).

    A span is where its label is heard, in encoder positions from and to, or -1. All behind
    `content` encoder positions is padding; `heard` (B, content) is the text token that sounds at
    each position before that, or `TEXT_TOKENS` for none.
    """

    mel: Tensor
    tokens: Tensor
    labels: Tensor
    spans: Tensor
    content: int
    heard: Tensor


@dataclass(frozen=True, slots=True)
class _Placed:
    """Words of one segment with their times (s) in the window."""

    words: tuple[str, ...]
    times: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class _Target:
    """A token given to the decoder, what it shall predict in its place, and where that is heard."""

    token: int
    label: int
    span: tuple[float, float] | None = None


class BatchMaker:
    """Draws random batches from a set of sounds."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        known: Sequence[Sound],
        unknown: Sequence[Sound],
        noises: Sequence[Sound],
        rng: np.random.Generator,
    ) -> None:
        self._tokenizer = tokenizer
        self._known, self._unknown, self._noises = known, unknown, noises
        self._by_language = {
            language: [sound for sound in known if sound.language == language]
            for language in sorted({sound.language or "" for sound in known})
        }
        self._rng = rng

    def draw(self, size: int, frames: int, mixture: Mixture) -> Batch:
        """Return `size` windows of `frames` frames; longer content is drawn again."""
        windows: list[FloatArray] = []
        sequences: list[list[_Target]] = []
        longest = 0
        while len(windows) < size:
            power, targets = self._example(mixture)
            if power.shape[1] <= frames:
                windows.append(log_mel(power, frames))
                sequences.append(targets)
                longest = max(longest, power.shape[1])
        return _collate(windows, sequences, min(frames, longest + 8) // 2)

    def _example(self, mixture: Mixture) -> tuple[FloatArray, list[_Target]]:
        kind = self._rng.random()
        if kind < mixture.empty:
            language = str(self._rng.choice(list(self._by_language)))
            power, placed = self._arrange([], self._nothing(), mixture)
        else:
            language, sounds = self._speech(kind - mixture.empty, mixture)
            power, placed = self._arrange(sounds, None, mixture)
        return power, self._targets(language, placed, mixture)

    def _nothing(self) -> Sound | None:
        """Return unknown speech, noise, or None for silence."""
        kind = self._rng.random()
        if kind < 0.5:
            return self._pick(self._unknown)
        return self._excerpt(self._pick(self._noises)) if kind < 0.85 else None

    def _excerpt(self, noise: Sound) -> Sound:
        frames = int(self._rng.uniform(0.5, 3.5) * FRAME_RATE)
        start = int(self._rng.integers(max(1, noise.power.shape[1] - frames)))
        return Sound(noise.power[:, start : start + frames])

    def _speech(self, kind: float, mixture: Mixture) -> tuple[str, list[Sound]]:
        language = str(self._rng.choice(list(self._by_language)))
        pool = self._by_language[language]
        if kind < mixture.pairs:
            return language, [self._pick(pool), self._pick(pool)]
        if kind < mixture.pairs + mixture.pieces:
            return language, [self._piece(self._pick(pool))]
        return language, [self._pick(pool)]

    def _piece(self, sound: Sound) -> Sound:
        """Cut a sound at word boundaries: a beginning, or any run of words."""
        count = len(sound.words)
        first = 0 if self._rng.random() < 0.6 else int(self._rng.integers(count))
        last = int(self._rng.integers(first, count))
        begin, end = sound.times[first][0], sound.times[last][1]
        power = sound.power[:, int(begin * FRAME_RATE) : int(end * FRAME_RATE) + 1]
        times = tuple((a - begin, b - begin) for a, b in sound.times[first : last + 1])
        return Sound(power, sound.language, sound.words[first : last + 1], times)

    def _arrange(
        self, sounds: Sequence[Sound], content: Sound | None, mixture: Mixture
    ) -> tuple[FloatArray, list[_Placed]]:
        """Lay sounds out in time with pauses, at random gains, over a random background."""
        pieces = [_pause(self._rng.uniform(0.0, 0.95))]
        placed: list[_Placed] = []
        for sound in sounds if content is None else [content]:
            if placed:
                pieces.append(_pause(self._rng.uniform(0.25, 1.6)))
            now = sum(piece.shape[1] for piece in pieces) / FRAME_RATE
            pieces.append(sound.power * 10 ** self._rng.uniform(-1.2, 0.8))
            shifted = tuple((a + now, b + now) for a, b in sound.times)
            placed.append(_Placed(sound.words, shifted))
        pieces.append(_pause(self._rng.uniform(0.1, 1.0 if content or sounds else 4.0)))
        power = np.concatenate(pieces, axis=1)
        if self._rng.random() >= mixture.clean:
            power = power + self._background(power)
        return power, placed if content is None else []

    def _background(self, power: FloatArray) -> FloatArray:
        """Return noise of the shape of `power`, 10 to 50 dB below it."""
        noise = self._pick(self._noises).power
        start = int(self._rng.integers(noise.shape[1]))
        columns = (start + np.arange(power.shape[1])) % noise.shape[1]
        level = max(float(power.mean()), 1e-7) * 10 ** self._rng.uniform(-5.0, -1.0)
        return noise[:, columns] * (level / float(noise.mean()))

    def _targets(self, language: str, placed: Sequence[_Placed], mixture: Mixture) -> list[_Target]:
        """Return the decoder's sequence; what a target does not learn is given, not predicted."""
        stamped = self._rng.random() < mixture.timestamps
        targets = self._prompt() if self._rng.random() < mixture.prompts else []
        targets.append(self._given("startoftranscript"))
        heard = language if placed else "nospeech"
        targets.append(_Target(self._token(language), self._token(heard)))
        targets.append(self._given("transcribe"))
        if not stamped:
            targets.append(self._given("notimestamps"))
        if stamped and not placed:
            targets.append(self._stamp(0.0))
        for index, segment in enumerate(placed):
            pause = placed[index + 1].times[0][0] if index + 1 < len(placed) else None
            targets += self._segment(segment, stamped, pause)
        end = placed[-1].times[-1][1] if placed else None
        span = (end + 0.1, end + 0.1 + _TAIL) if end is not None else None
        targets.append(self._learnt(self._token("endoftext"), span))
        return targets

    def _segment(self, segment: _Placed, stamped: bool, next_start: float | None) -> list[_Target]:
        targets = []
        for word, (start, end) in zip(segment.words, segment.times, strict=True):
            targets += self._word(word, start, end)
        if segment.words[-1][-1] in ".?":
            end = segment.times[-1][1]
            pause_end = next_start if next_start is not None else end + 0.1
            targets[-1] = self._learnt(targets[-1].token, (end, pause_end))
        if stamped:
            begin, end = segment.times[0][0], segment.times[-1][1]
            return [self._stamp(begin), *targets, self._stamp(end)]
        return targets

    def _word(self, word: str, start: float, end: float) -> list[_Target]:
        """Divide a word's time among its tokens in proportion to their length."""
        encoding = self._tokenizer.encode(f" {word}", add_special_tokens=False)
        lengths = [len(token) for token in encoding.tokens]
        if word[-1] in ".?":
            lengths[-1] = 0
        edges = start + (end - start) * np.cumsum([0, *lengths]) / sum(lengths)
        spans = zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
        return [self._learnt(i, span) for i, span in zip(encoding.ids, spans, strict=True)]

    def _prompt(self) -> list[_Target]:
        sound = self._pick(self._known)
        ids = self._tokenizer.encode(" " + " ".join(sound.words), add_special_tokens=False).ids
        return [self._given("startofprev"), *(_Target(i, IGNORED) for i in ids)]

    def _stamp(self, seconds: float) -> _Target:
        return self._learnt(self._token("0.00") + round(seconds / TIMESTAMP_STEP))

    def _given(self, name: str) -> _Target:
        return _Target(self._token(name), IGNORED)

    def _learnt(self, token: int, span: tuple[float, float] | None = None) -> _Target:
        return _Target(token, token, span)

    def _token(self, name: str) -> int:
        return token_id(self._tokenizer, name)

    def _pick(self, sounds: Sequence[Sound]) -> Sound:
        return sounds[int(self._rng.integers(len(sounds)))]


def _pause(seconds: float) -> FloatArray:
    return np.zeros((MELS, int(seconds * FRAME_RATE)), np.float32)


def _collate(
    windows: Sequence[FloatArray], sequences: Sequence[list[_Target]], content: int
) -> Batch:
    length = max(len(sequence) for sequence in sequences) - 1
    tokens = torch.zeros(len(sequences), length, dtype=torch.long)
    labels = torch.full((len(sequences), length), IGNORED)
    spans = torch.full((len(sequences), length, 2), -1.0)
    for row, sequence in enumerate(sequences):
        for column, (given, wanted) in enumerate(pairwise(sequence)):
            tokens[row, column] = given.token
            labels[row, column] = wanted.label
            if wanted.span is not None:
                spans[row, column] = torch.tensor(wanted.span) * POSITION_RATE
    heard = _heard(labels, spans, content)
    return Batch(torch.from_numpy(np.stack(windows)), tokens, labels, spans, content, heard)


def _heard(labels: Tensor, spans: Tensor, content: int) -> Tensor:
    """Return the token that sounds at each encoder position (B, content)."""
    heard = torch.full((len(labels), content), TEXT_TOKENS)
    for row, column in (spans[..., 0] >= 0).nonzero().tolist():
        token = int(labels[row, column])
        if token < TEXT_TOKENS and token not in PUNCTUATION:
            begin, end = spans[row, column].round().int().tolist()
            heard[row, begin:end] = token
    return heard
