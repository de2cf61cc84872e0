"""Speech with word times, from the espeak-ng library.

The library reports an event where each word begins (espeak_SetSynthCallback, speak_lib.h), which
its command line can't. Function words that it joins to a neighbour have no event of their own; the
time of such a group is divided by the number of characters.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import soxr

from core.errors import CorpusError
from core.types import SAMPLE_RATE, FloatArray

_SYNCHRONOUS = 2  # AUDIO_OUTPUT_SYNCHRONOUS
_RATE, _PITCH = 1, 3  # espeakRATE, espeakPITCH
_UTF8 = 1  # espeakCHARS_UTF8
_LIST_END, _WORD = 0, 1  # espeakEVENT_LIST_TERMINATED, espeakEVENT_WORD
_AUDIBLE = 0.01
"""Amplitude over which a clip counts as sounding: 1 % of full scale."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a sentence is spoken: espeak-ng voice, words a minute, pitch from 0 to 99."""

    voice: str
    rate: int = 175
    pitch: int = 50


@dataclass(frozen=True, slots=True)
class Clip:
    """A spoken sentence at 16 kHz, beginning and ending with sound; words as (start, end) in s."""

    samples: FloatArray
    words: tuple[str, ...]
    times: tuple[tuple[float, float], ...]


class _EventId(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("text", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    """espeak_EVENT; text_position counts characters from 1, audio_position milliseconds."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class _Espeak:
    """The one espeak-ng synthesiser of the process: the library keeps its state globally."""

    def __init__(self) -> None:
        try:
            self._library = ctypes.CDLL("libespeak-ng.so.1")
        except OSError as error:
            raise CorpusError(
                "The speech synthesiser espeak-ng is not installed.",
                "Install it with: apt install espeak-ng",
            ) from error
        self.rate = int(self._library.espeak_Initialize(_SYNCHRONOUS, 0, None, 0))
        self._pieces: list[FloatArray] = []
        self._events: list[tuple[int, float]] = []
        self._callback = _Callback(self._receive)
        self._library.espeak_SetSynthCallback(self._callback)

    def _receive(self, samples: object, count: int, events: object) -> int:
        if samples and count > 0:
            piece = np.ctypeslib.as_array(samples, (count,))
            self._pieces.append((piece / 32768).astype(np.float32))
        index = 0
        while (event := events[index]).type != _LIST_END:  # type: ignore[index]
            if event.type == _WORD:
                self._events.append((event.text_position - 1, event.sample / self.rate))
            index += 1
        return 0

    def speak(self, text: str, manner: Manner) -> tuple[FloatArray, list[tuple[int, float]]]:
        """Return the samples at `self.rate` and (first character, seconds) of word events."""
        if self._library.espeak_SetVoiceByName(manner.voice.encode()) != 0:
            raise CorpusError(f"espeak-ng has no voice {manner.voice!r}.")
        self._library.espeak_SetParameter(_RATE, manner.rate, 0)
        self._library.espeak_SetParameter(_PITCH, manner.pitch, 0)
        self._pieces, self._events = [], []
        encoded = text.encode()
        size = ctypes.c_size_t(len(encoded) + 1)
        self._library.espeak_Synth(encoded, size, 0, 1, 0, _UTF8, None, None)
        self._library.espeak_Synchronize()
        return np.concatenate(self._pieces), self._events


@functools.cache
def _espeak() -> _Espeak:
    return _Espeak()


def synthesise(text: str, manner: Manner) -> Clip:
    """Speak a sentence. Raises CorpusError when espeak-ng or the voice is missing."""
    espeak = _espeak()
    raw, events = espeak.speak(text, manner)
    samples = soxr.resample(raw, espeak.rate, SAMPLE_RATE).astype(np.float32)
    audible = np.flatnonzero(np.abs(samples) > _AUDIBLE)
    first, last = int(audible[0]), int(audible[-1]) + 1
    words = tuple(text.split())
    starts = _word_starts(text, words, events, last / SAMPLE_RATE)
    edges = np.clip(np.array(starts) - first / SAMPLE_RATE, 0.0, (last - first) / SAMPLE_RATE)
    edges[0], edges[-1] = 0.0, (last - first) / SAMPLE_RATE
    times = tuple((float(a), float(b)) for a, b in pairwise(edges))
    return Clip(samples[first:last], words, times)


def _word_starts(
    text: str, words: Sequence[str], events: Sequence[tuple[int, float]], end: float
) -> list[float]:
    """Return where each word begins (interpolated without an event) and where the last ends."""
    positions, offset = [], 0
    for word in words:
        offset = text.index(word, offset)
        positions.append(offset)
        offset += len(word)
    known = dict(events)
    anchors = [(p, known[p]) for p in positions if p in known]
    if not anchors or anchors[0][0] != 0:
        anchors.insert(0, (0, 0.0))
    anchors.append((len(text), end))
    where, when = zip(*anchors, strict=True)
    return [float(value) for value in np.interp([*positions, len(text)], where, when)]
