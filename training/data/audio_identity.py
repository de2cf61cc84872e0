"""Which examples are the same audio, whatever their files are called."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from core.audio.io import probe
from core.types import SAMPLE_RATE, FloatArray
from training.data.example import Example, RowProblem
from training.data.loading import AudioLoader
from training.data.plain_wav import plain_length, read_plain
from training.data.splits import audio_digest

_EXACT = ("wav", "flac")
"""Containers whose header states exactly how many samples there are."""

_Cut = tuple[Path, float | None, float | None, int | None]


class AudioDigests:
    """Digests of decoded samples, so that a copy under another name or in another format is found.

    Only audio that could be the same is decoded: recordings of the same exact length, and those
    whose header is not exact. Keep one for all folds: everything is decoded at most once.
    """

    def __init__(self, loader: AudioLoader | None = None) -> None:
        self._loader = loader or AudioLoader()
        self._digests: dict[_Cut, str] = {}
        self._lengths: dict[Path, int | None] = {}

    def digest(self, example: Example) -> str:
        """Return the digest of an example's samples. Raises MediaError, naming the file."""
        cut = _cut(example)
        if cut not in self._digests:
            self._digests[cut] = audio_digest(self._samples(example))
        return self._digests[cut]

    def _samples(self, example: Example) -> FloatArray:
        whole = example.start is None and example.end is None and not example.channel
        plain = read_plain(example.audio) if whole and example.audio else None
        return self._loader.samples(example) if plain is None else plain

    def identical(self, examples: Sequence[Example]) -> Iterator[tuple[int, int]]:
        """Yield pairs (earlier, later) of indices into `examples` whose audio is the same.

        Of more than two that are the same, each later one is paired with the first. Raises
        MediaError, naming the file.
        """
        yield from self.shared({0: range(len(examples))}, examples, within=True)

    def shared(
        self, parts: Mapping[int, Iterable[int]], examples: Sequence[Example], within: bool = False
    ) -> Iterator[tuple[int, int]]:
        """Yield pairs of indices whose audio is the same, in different parts.

        Args:
            parts: indices into `examples` by part.
            within: also of the same part.
        """
        part_of = {row: part for part, rows in parts.items() for row in rows}
        with_audio = [row for row in sorted(part_of) if examples[row].audio is not None]
        for rows in self._candidates(with_audio, examples):
            if not within and len({part_of[row] for row in rows}) < 2:
                continue
            first: dict[str, int] = {}
            for row in rows:
                earlier = first.setdefault(self.digest(examples[row]), row)
                if earlier != row and (within or part_of[earlier] != part_of[row]):
                    yield earlier, row

    def _candidates(self, rows: Sequence[int], examples: Sequence[Example]) -> list[list[int]]:
        """Return groups of two or more rows that may be the same audio."""
        by_length: dict[int, list[int]] = defaultdict(list)
        inexact = []
        for row in rows:
            length = self._length(examples[row])
            if length is None:
                inexact.append(row)
            else:
                by_length[length].append(row)
        if inexact:  # may be the same as anything
            return [list(rows)]
        return [group for group in by_length.values() if len(group) > 1]

    def _length(self, example: Example) -> int | None:
        """Return the number of samples, None where it isn't known without decoding."""
        if example.start is not None and example.end is not None:
            first, last = round(example.start * SAMPLE_RATE), round(example.end * SAMPLE_RATE)
            return last - first
        path = example.audio
        if path is None or example.start is not None or example.end is not None:
            return None
        if path not in self._lengths:
            plain = plain_length(path)
            self._lengths[path] = _stated_length(path) if plain is None else plain
        return self._lengths[path]


def drop_identical(
    examples: Sequence[Example], audio: AudioDigests | None = None
) -> tuple[tuple[Example, ...], tuple[RowProblem, ...]]:
    """Return `examples` without later copies of the same audio, and what was left out.

    For corpora that hold a recording twice. Rows without any label stay and replace none: no split
    uses them.

    Raises:
        MediaError: a recording can't be read; leave those out first (`loading.usable`).
    """
    labelled = [row for row, example in enumerate(examples) if example.labels]
    found = (audio or AudioDigests()).identical([examples[row] for row in labelled])
    pairs = [(labelled[earlier], labelled[later]) for earlier, later in found]
    copies = {later for _, later in pairs}
    problems = [
        RowProblem(
            examples[later].source or str(examples[later].audio),
            f"{examples[later].audio} is the same audio as {examples[earlier].audio}",
        )
        for earlier, later in pairs
    ]
    return tuple(e for row, e in enumerate(examples) if row not in copies), tuple(problems)


def _stated_length(path: Path) -> int | None:
    info = probe(path)
    if info.container not in _EXACT or info.is_estimated or info.duration is None:
        return None
    return round(info.duration * SAMPLE_RATE)


def _cut(example: Example) -> _Cut:
    assert example.audio is not None
    return example.audio, example.start, example.end, example.channel
