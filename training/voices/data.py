"""Speech of many speakers for training and judging voices: clips, their frames, and folds.

Every speaker also speaks at other speeds: with another pitch and vocal tract it is another voice,
so a copy counts as a speaker of its own (Yamamoto et al. 2019, Speaker augmentation and bandwidth
extension for deep speaker embedding, Interspeech, section 3.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import CorpusError
from core.models.voices.front_end import VoiceFrontEnd
from core.types import FloatArray
from training.data.corpora.speech import Clip, read_manifest
from training.data.speech_bank import SpeechBank, VirtualSpeakers, measured_bank
from training.progress import Reporter

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class VoiceData:
    """Clips and their measures as they are (`banks[0]`) and as `copies` alter them."""

    clips: Sequence[Clip]
    copies: Sequence[VirtualSpeakers]
    banks: Sequence[SpeechBank]
    front_end: VoiceFrontEnd
    speakers: NDArray[np.str_] = field(init=False)
    """Of each clip (n,), as `corpus/name`."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "speakers", np.array([clip.speaker for clip in self.clips]))

    def rows_of(self, speakers: Sequence[str]) -> Rows:
        """Return the clips of some speakers."""
        return np.flatnonzero(np.isin(self.speakers, list(speakers)))

    def channel_bank(self) -> int:
        """Return the copy at normal speed through a channel. Raises CorpusError without one."""
        for number, copy in enumerate(self.copies):
            if copy.channel and copy.speed == 1.0:
                return number
        raise CorpusError(
            "No copy of the clips goes through a channel.", "Add one of speed 1.0 to `copies`."
        )

    def speech(self, row: int, bank: int = 0) -> FloatArray:
        """Return the frames (n, F) of speech of one clip."""
        return self.front_end.speech_frames(self.banks[bank].frames_of(row))


def load_voices(
    data: Path,
    copies: Sequence[VirtualSpeakers],
    front_end: VoiceFrontEnd,
    cache: Path,
    reporter: Reporter,
    *,
    most: int | None = None,
) -> VoiceData:
    """Read and measure the speech corpora below `data`, or read what was measured before.

    Args:
        copies: alterations besides the clips as they are.
        most: clips of each speaker that are used; None for all.

    Raises:
        CorpusError, MediaError: something can't be read.
    """
    clips = tuple(c for c in read_manifest(data / "speech") if c.label is not None)
    clips = clips if most is None else _few(clips, most)
    everything = (VirtualSpeakers(), *copies)
    banks = [
        measured_bank(data / "speech", clips, copy, front_end.extractor, cache, reporter)
        for copy in everything
    ]
    return VoiceData(clips, everything, banks, front_end)


def _few(clips: Sequence[Clip], most: int) -> tuple[Clip, ...]:
    """Keep so many clips of each speaker, spread over the list."""
    by_speaker: dict[str, list[Clip]] = {}
    for clip in clips:
        by_speaker.setdefault(clip.speaker, []).append(clip)
    chosen: list[Clip] = []
    for own in by_speaker.values():
        places = np.linspace(0, len(own) - 1, min(most, len(own))).round().astype(int)
        chosen += [own[place] for place in places]
    return tuple(chosen)


def speaker_folds(clips: Sequence[Clip], folds: int) -> list[tuple[str, ...]]:
    """Return the speakers held out in each fold, each speaker once.

    Speakers of one corpus and gender are dealt out in blocks, so that as many folds as possible
    hold two of them: telling a man from a woman is easy, and a lone one has nobody to be taken for.

    Raises:
        CorpusError: there are fewer speakers than folds.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for clip in clips:
        own = groups.setdefault((clip.corpus, clip.gender), [])
        if clip.speaker not in own:
            own.append(clip.speaker)
    if sum(len(own) for own in groups.values()) < folds:
        raise CorpusError(f"There are fewer speakers than {folds} folds.", "Use fewer folds.")
    found: list[list[str]] = [[] for _ in range(folds)]
    for own in groups.values():
        for block in _blocks(sorted(own), folds):
            min(found, key=len).extend(block)
    return [tuple(sorted(names)) for names in found]


def _blocks(names: list[str], folds: int) -> list[list[str]]:
    """Cut names into at most `folds` blocks of at least two, where there are two."""
    count = max(1, min(folds, len(names) // 2))
    return [list(map(str, block)) for block in np.array_split(names, count)]


def sampled_rows(data: VoiceData, speakers: Sequence[str], most: int, seed: int = 0) -> Rows:
    """Return at most `most` clips of each speaker, drawn at random."""
    generator = np.random.default_rng(seed)
    return np.concatenate([generator.permutation(data.rows_of([s]))[:most] for s in speakers])


def excerpts(
    data: VoiceData, rows: Rows, bank: int = 0, seconds: float | None = None, seed: int = 1
) -> list[FloatArray]:
    """Return the frames (T, F) of clips: from first to last speech, or so many seconds of that."""
    generator = np.random.default_rng(seed)
    found = []
    for row in rows:
        frames, (first, last) = data.banks[bank].frames_of(int(row)), data.banks[bank].spans[row]
        if seconds is not None:
            length = round(seconds * data.front_end.frame_rate)
            first += int(generator.integers(max(1, last - first - length + 1)))
            last = min(last, first + length)
        found.append(frames[first:last])
    return found
