"""Measured speech for training: frames, functionals and moments of every clip, kept on disk.

Virtual speakers are copies of everybody at another speed (so with another pitch, vocal tract and
pace), optionally through a random channel with noise; each has a personal baseline of its own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from core.audio.io import read_audio
from core.models.baseline import FeatureStatistics, SpeakerMoments
from core.models.speech_features import SpeechFeatureExtractor
from core.types import SAMPLE_RATE, FloatArray
from training.data.corpora.speech import Clip
from training.data.splits import audio_digest
from training.progress import Reporter


@dataclass(frozen=True, slots=True)
class VirtualSpeakers:
    """A copy of all clips: played at `speed`, and with `channel` through a noisy channel."""

    speed: float = 1.0
    channel: bool = False

    def alter(self, samples: FloatArray, seed: int) -> FloatArray:
        """Return samples (n,) as this copy has them."""
        altered = np.asarray(samples, dtype=np.float32)
        if self.speed != 1.0:
            altered = soxr.resample(altered, SAMPLE_RATE * self.speed, SAMPLE_RATE)
        if self.channel:
            altered = _through_channel(altered, np.random.default_rng(seed))
        return np.asarray(altered, dtype=np.float32)


def _through_channel(samples: FloatArray, generator: np.random.Generator) -> FloatArray:
    """Return samples with a random short filter, gain, and white or brown noise at 15 to 35 dB."""
    taps = np.concatenate([[1.0], generator.normal(0, 0.25, 3)])
    filtered = np.convolve(samples, taps, "same")
    noise = generator.normal(size=len(samples))
    if generator.random() < 0.5:
        noise = np.cumsum(noise - noise.mean())
        noise -= np.convolve(noise, np.full(400, 1 / 400), "same")
    level = np.sqrt(np.mean(filtered**2)) * 10 ** (-generator.uniform(15, 35) / 20)
    gain = 10 ** (generator.uniform(-8, 4) / 20)
    return (gain * (filtered + noise / (noise.std() + 1e-9) * level)).astype(np.float32)


@dataclass(frozen=True)
class SpeechBank:
    """Un-normalised features of clips, in the order they were given.

    frames (sum of T, F) with `offsets` (n + 1,), functionals (n, S), and `spans` (n, 2): first and
    last frame of speech of each clip. `moments` (n, 3, F) sums over speech frames.
    """

    frames: FloatArray
    offsets: NDArray[np.int64]
    functionals: FloatArray
    spans: NDArray[np.int64]
    moments: NDArray[np.float64]
    digests: tuple[str, ...]

    def frames_of(self, clip: int) -> FloatArray:
        """Return the frames (T, F) of one clip."""
        return np.asarray(self.frames[self.offsets[clip] : self.offsets[clip + 1]])

    def raw_moments(self, clips: Sequence[int] | NDArray[np.int64]) -> SpeakerMoments:
        """Return the summed moments of clips, of functionals as they were measured."""
        return SpeakerMoments(self.moments[clips].sum(axis=0), _sums(self.functionals[clips]))

    def speaker_moments(
        self, clips: Sequence[int] | NDArray[np.int64], statistics: FeatureStatistics
    ) -> SpeakerMoments:
        """Return what a `SpeakerBaseline` that heard these clips has added up."""
        standard = statistics.standardise(self.functionals[clips])
        return SpeakerMoments(self.moments[clips].sum(axis=0), _sums(standard))


def _sums(rows: FloatArray) -> NDArray[np.float64]:
    defined = np.isfinite(rows)
    x = np.where(defined, rows, 0.0).astype(np.float64)
    return np.stack([defined.sum(axis=0), x.sum(axis=0), (x * x).sum(axis=0)])


def measured_bank(
    speech_dir: Path,
    clips: Sequence[Clip],
    copy: VirtualSpeakers,
    extractor: SpeechFeatureExtractor,
    cache: Path,
    reporter: Reporter,
) -> SpeechBank:
    """Measure every clip, or read what was measured before from the folder `cache`.

    Raises MediaError for audio that can't be decoded.
    """
    key = _key(clips, copy, extractor)
    folder = cache / f"measured-{key}"
    if not (folder / "digests.json").is_file():
        title = f"measuring speech at speed {copy.speed}"
        numbered = reporter.track(list(enumerate(clips)), len(clips), title)
        rows = [_measure(speech_dir / c.path, copy, n, extractor) for n, c in numbered]
        _write(folder, rows, extractor)
    return _read(folder)


def _key(clips: Sequence[Clip], copy: VirtualSpeakers, extractor: SpeechFeatureExtractor) -> str:
    """Return a digest of all that the features depend on, the code's own output included."""
    probe = np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32)
    frames = extractor.frames(probe)
    about = json.dumps([[c.path for c in clips], asdict(copy), extractor.config.to_dict()])
    shown = np.concatenate([frames.sum(axis=0), extractor.functionals(frames)])
    return hashlib.sha256(about.encode() + np.round(shown, 1).tobytes()).hexdigest()[:16]


Row = tuple[FloatArray, FloatArray, str]


def _measure(
    path: Path, copy: VirtualSpeakers, number: int, extractor: SpeechFeatureExtractor
) -> Row:
    samples = read_audio(path)[0]
    frames = extractor.frames(copy.alter(samples, number))
    return frames, extractor.functionals(frames), audio_digest(samples)


def _write(folder: Path, rows: Sequence[Row], extractor: SpeechFeatureExtractor) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    frames = [row[0] for row in rows]
    spans, moments = [], []
    for x in frames:
        spoken = np.flatnonzero(extractor.frame_weights(x)[:, 0])
        spans.append((spoken[0], spoken[-1] + 1))
        moments.append(SpeakerMoments.of(x, x[0], extractor).frames)
    np.save(folder / "frames.npy", np.concatenate(frames))
    np.save(folder / "offsets.npy", np.cumsum([0, *(len(x) for x in frames)]))
    np.save(folder / "functionals.npy", np.stack([row[1] for row in rows]))
    np.save(folder / "spans.npy", np.array(spans))
    np.save(folder / "moments.npy", np.stack(moments))
    digests = json.dumps([row[2] for row in rows])
    (folder / "digests.json").write_text(digests, encoding="utf-8")


def _read(folder: Path) -> SpeechBank:
    names = ("offsets", "functionals", "spans", "moments")
    arrays = {name: np.load(folder / f"{name}.npy") for name in names}
    digests = tuple(json.loads((folder / "digests.json").read_text(encoding="utf-8")))
    frames = np.load(folder / "frames.npy", mmap_mode="r")
    return SpeechBank(frames=frames, digests=digests, **arrays)
