"""Samples of an example, decoded once per recording, and digests that tell audio apart.

Corpora cut hundreds of utterances out of one recording (IEMOCAP's dialogues, KEMDy's sessions): the
recordings decoded last stay in memory, so that neighbours cost one decoding.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.audio.channels import ChannelMode
from core.audio.io import AudioDecoder, probe
from core.errors import CorpusError, MediaError
from core.types import SAMPLE_RATE, FloatArray
from training.data.atomic import replace_text
from training.data.example import Example, RowProblem
from training.progress import Reporter

SHORTEST_SECONDS = 0.05
"""Less is no utterance; the convolutions of wav2vec 2.0 need 25 ms for their first frame."""
OVERSHOOT_SECONDS = 0.25
"""An utterance may end so much after its recording: annotators round, codecs trim."""
_FRESH_SECONDS = 2.0
"""A file changed so recently may change again within the resolution of its time stamp."""

_CHANNELS = {None: ChannelMode.MONO, 0: ChannelMode.LEFT, 1: ChannelMode.RIGHT}


class FileDigests:
    """sha256 of files, read again only where size or modification time changed.

    Args:
        path: JSON in which they survive the process; None: only in memory.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._known: dict[str, tuple[int, int, str]] = {}
        self._changed = False
        if path is not None and path.is_file():
            self._known = _read_digests(path)

    def __call__(self, file: Path) -> str:
        """Return the digest (hex) of what is in a file. Raises MediaError if it can't be read."""
        name = str(file.resolve())
        try:
            status = file.stat()
            stamp = (status.st_size, status.st_mtime_ns)
            known = self._known.get(name)
            if known is not None and known[:2] == stamp:
                return known[2]
            with file.open("rb") as opened:
                digest = hashlib.file_digest(opened, "sha256").hexdigest()
        except OSError as error:
            raise MediaError(
                f"{file} can't be read ({error.strerror}).", "Check the corpus folder."
            ) from error
        if time.time() - status.st_mtime > _FRESH_SECONDS:
            self._known[name] = (*stamp, digest)
            self._changed = True
        return digest

    def save(self) -> None:
        """Write what was learned to the file, if there is one and it can be written."""
        if self._path is None or not self._changed:
            return
        together = {**(_read_digests(self._path) if self._path.is_file() else {}), **self._known}
        with contextlib.suppress(OSError):  # only costs reading the audio again
            replace_text(self._path, json.dumps(together))
            self._changed = False


class AudioLoader:
    """Decodes what examples are cut from; may be shared between threads.

    Args:
        digests: of files; a new table in memory if None.
        capacity: seconds of decoded audio that stay in memory (an hour takes 230 MB).
    """

    def __init__(self, digests: FileDigests | None = None, capacity: float = 1800.0) -> None:
        self.digests = digests or FileDigests()
        self._capacity = int(capacity * SAMPLE_RATE)
        self._recordings: OrderedDict[tuple[Path, int | None], FloatArray] = OrderedDict()
        self._seconds: dict[Path, float] = {}
        self._lock = threading.Lock()

    def samples(self, example: Example) -> FloatArray:
        """Return an example's audio: mono float32 (n,) at 16 kHz, a copy.

        Raises:
            MediaError: naming the file: it is missing, damaged, too short, has no such channel,
                ends before the utterance does, or holds values that are no numbers.
        """
        path = _audio_of(example)
        whole = self._recording(path, example.channel)
        first, last = _cut(example, len(whole) / SAMPLE_RATE)
        samples = whole[round(first * SAMPLE_RATE) : round(last * SAMPLE_RATE)].copy()
        if len(samples) < SHORTEST_SECONDS * SAMPLE_RATE:
            raise MediaError(
                f"{path}: {_name(example)} has only {len(samples) / SAMPLE_RATE:.3f} s of audio.",
                "Correct its start and end, or leave it out.",
            )
        if not np.isfinite(samples).all():
            raise MediaError(f"{path} holds samples that are no numbers.", "Export it again.")
        return samples

    def seconds(self, example: Example) -> float:
        """Return how long an example is by its cut or else the header of its file (decoding it
        where that says nothing). Raises MediaError."""
        if example.start is not None and example.end is not None:
            return example.end - example.start
        path = _audio_of(example)
        if path not in self._seconds:
            stated = probe(path).duration
            if stated is None:
                stated = len(self._recording(path, example.channel)) / SAMPLE_RATE
            self._seconds[path] = stated
        end = self._seconds[path] if example.end is None else example.end
        return max(0.0, end - (example.start or 0.0))

    def digest(self, example: Example) -> str:
        """Return a sha256 (hex) of the audio file's content and the cut. Raises MediaError."""
        cut = (example.start, example.end, example.channel)
        about = f"{self.digests(_audio_of(example))} {cut!r}"
        return hashlib.sha256(about.encode()).hexdigest()

    def _recording(self, path: Path, channel: int | None) -> FloatArray:
        with self._lock:
            found = self._recordings.get((path, channel))
            if found is not None:
                self._recordings.move_to_end((path, channel))
                return found
        decoded = _decode(path, channel)
        with self._lock:
            self._seconds[path] = len(decoded) / SAMPLE_RATE
            self._recordings[path, channel] = decoded
            held = sum(map(len, self._recordings.values()))
            while held > self._capacity and len(self._recordings) > 1:
                held -= len(self._recordings.popitem(last=False)[1])
        return decoded


@dataclass(frozen=True, slots=True)
class Usable:
    """Examples that can be loaded, their indices among those asked about, and why others can't."""

    examples: tuple[Example, ...]
    rows: tuple[int, ...]
    problems: tuple[RowProblem, ...]


def usable(
    examples: Sequence[Example],
    loader: AudioLoader | None,
    *,
    text: bool,
    strict: bool = False,
    reporter: Reporter | None = None,
) -> Usable:
    """Tell which examples have what a system takes, by decoding all of it once.

    Args:
        loader: for systems that take speech; None: audio is not looked at.
        text: the system takes text, so an example without it (or an empty one) can't be used.
        strict: fail at the first problem instead of returning it.

    Raises:
        CorpusError: with `strict`, naming the row; or nothing can be used.
    """
    kept: list[int] = []
    problems: list[RowProblem] = []
    rows = range(len(examples))
    tracked = reporter.track(rows, len(examples), "checking audio") if reporter else rows
    for row in tracked:
        reason = _problem(examples[row], loader, text)
        if reason is None:
            kept.append(row)
        elif strict:
            raise CorpusError(f"{_source(examples[row])}: {reason}", "Correct or remove the row.")
        else:
            problems.append(RowProblem(_source(examples[row]), reason))
    if examples and not kept:
        first = f"{problems[0].source}: {problems[0].reason}"
        raise CorpusError(f"No example of the corpus can be used; the first: {first}")
    return Usable(tuple(examples[row] for row in kept), tuple(kept), tuple(problems))


def _problem(example: Example, loader: AudioLoader | None, text: bool) -> str | None:
    if text and not (example.text or "").strip():
        return "it has no text"
    if loader is None:
        return None
    try:
        loader.samples(example)
    except MediaError as error:
        return str(error)
    return None


def _decode(path: Path, channel: int | None) -> FloatArray:
    if channel not in _CHANNELS:
        raise MediaError(f"{path}: there is no channel {channel}.", "Use 0 (left) or 1 (right).")
    decoder = AudioDecoder(path, _CHANNELS[channel])
    if channel is not None and channel >= decoder.info.channels:
        raise MediaError(
            f"{path} has {decoder.info.channels} channel, so there is no channel {channel}.",
            "Check that this is the original recording.",
        )
    decoded = np.concatenate(list(decoder), axis=1)[0]
    if decoder.messages:  # decoded to its end, but that is not the end its header states
        raise MediaError(
            f"{path} is incomplete: it stops after {len(decoded) / SAMPLE_RATE:.1f} s.",
            "Copy it again.",
        )
    return np.ascontiguousarray(decoded, dtype=np.float32)


def _cut(example: Example, duration: float) -> tuple[float, float]:
    """Return first and last second of an example in a recording of `duration` s."""
    first = example.start or 0.0
    last = duration if example.end is None else example.end
    if first < 0 or last <= first:
        raise MediaError(
            f"{example.audio}: {_name(example)} would be from {first:.2f} s to {last:.2f} s.",
            "Correct its start and end.",
        )
    if last > duration + OVERSHOOT_SECONDS:
        raise MediaError(
            f"{example.audio} ends at {duration:.2f} s, {_name(example)} at {last:.2f} s.",
            "Check that the recording and its annotation belong together.",
        )
    return first, min(last, duration)


def _audio_of(example: Example) -> Path:
    if example.audio is None:
        raise MediaError(f"{_name(example)} has no recording.", "Leave it out, or add one.")
    return example.audio


def _name(example: Example) -> str:
    return f"{example.corpus}/{example.id}"


def _source(example: Example) -> str:
    return example.source or _name(example)


def _read_digests(path: Path) -> dict[str, tuple[int, int, str]]:
    """Return what is known; a damaged file only costs reading the audio again."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {str(k): (int(v[0]), int(v[1]), str(v[2])) for k, v in content.items()}
    except (OSError, ValueError, TypeError, IndexError, AttributeError, KeyError):
        return {}


def default_digests(cache: Path) -> FileDigests:
    """Return the digests that are kept in a cache folder."""
    return FileDigests(cache / "audio.json")
