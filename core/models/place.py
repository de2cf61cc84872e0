"""Where a waveform lies in an utterance that grows; importing this needs no torch."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where the only waveform of a batch lies.

    stream: the same for samples of the same utterance that were scaled alike. first: index of the
    waveform's first sample in it, a multiple of the encoder's stride (320: 20 ms).
    """

    stream: Hashable
    first: int = 0
