"""Statistics over the frames of one utterance: cepstra, pitch, loudness, voice quality, rhythm.

The choice follows the low-level descriptors of eGeMAPS (Eyben et al. 2016, The Geneva minimalistic
acoustic parameter set, IEEE TAC 7(2), table 1) as far as mel bands and F0 can give them.
"""

from __future__ import annotations

import itertools
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.models import functional_blocks as blocks
from core.types import FloatArray

CEPSTRA = 20
_SHAPE = ("mean", "deviation", "p10", "p50", "p90", "skewness")
_MOTION = ("delta_deviation", "delta_mean_absolute")
_CONTOURS = (
    "pitch", "voicing", "energy", "tilt", "alpha_ratio", "hammarberg",
    "slope_low", "slope_high", "flux",
)  # fmt: skip
_RHYTHM = (
    "voiced_share", "voiced_rate", "voiced_length", "voiced_length_deviation", "active_rate",
    "energy_peaks", "modulation_1", "modulation_2", "modulation_4", "modulation_8",
    "pitch_range", "pitch_rise", "pitch_fall", "pitch_slope", "energy_slope", "pitch_energy",
)  # fmt: skip


@lru_cache(maxsize=8)
def functional_names(mel_bands: int) -> tuple[str, ...]:
    """Return the name of each statistic, in order: the basic ones, then `block.name` ones."""
    contours = (*(f"cepstrum_{i}" for i in range(CEPSTRA)), *_CONTOURS)
    basic = [f"{c}_{s}" for c in contours for s in (*_SHAPE, *_MOTION)]
    octaves = range(len(blocks.MODULATION_EDGES) - 1)
    more = (
        *(f"spread.{c}_{s}" for c in contours for s in blocks.SPREAD),
        *(f"voice.{c}_{s}" for s in blocks.VOICE for c in contours),
        *(f"motion.{c}_{s}" for c in contours for s in blocks.MOTION),
        *(f"thirds.{c}_{s}" for s in blocks.THIRDS for c in contours),
        *(f"modulation.{g}_{o}" for o in octaves for g in range(blocks.BAND_GROUPS)),
        *(f"bands.{b}_{s}" for s in ("mean", "deviation") for b in range(0, mel_bands, 2)),
    )
    return (*basic, *_RHYTHM, *more)


@lru_cache(maxsize=8)
def _cosines(bands: int) -> FloatArray:
    """Return the orthonormal DCT-II basis (bands, CEPSTRA) that turns log mel into cepstra."""
    k = np.arange(CEPSTRA)
    basis = np.cos(np.pi * (np.arange(bands)[:, None] + 0.5) * k / bands) * np.sqrt(2.0 / bands)
    return basis.astype(np.float32)


def utterance_functionals(
    frames: FloatArray, weights: NDArray[np.bool_], mel_bands: int
) -> FloatArray:
    """Return statistics (S,) of frames (T, F) where weights (T, F) are true; NaN if undefined."""
    mel, pitch, voicing, energy, tilt = _channels(frames, mel_bands)
    active, voiced = weights[:, 0], weights[:, mel_bands]
    cepstra, spectral = mel @ _cosines(mel_bands), _spectral_contours(mel)
    parts = [_describe(cepstra, active)]
    for contour, where in (
        (pitch, voiced), (voicing, active), (energy, active), (tilt, voiced),
        *((c, active) for c in spectral),
    ):  # fmt: skip
        parts.append(_describe(contour[:, None], where))
    parts.append(_rhythm(pitch, energy, active, voiced))
    contours = np.column_stack([cepstra, pitch, voicing, energy, tilt, *spectral])
    pitched = np.zeros(contours.shape[1], dtype=bool)
    pitched[[CEPSTRA, CEPSTRA + 3]] = True
    parts += [
        blocks.spread(contours, active, voiced, pitched),
        blocks.voice(contours, active, voiced),
        blocks.motion(contours, active, voiced, pitched),
        blocks.thirds(contours, active, voiced, pitched),
        blocks.modulation(mel, active),
        blocks.bands(mel, active),
    ]
    return np.concatenate(parts).astype(np.float32)


def _channels(frames: FloatArray, bands: int) -> tuple[FloatArray, ...]:
    return (frames[:, :bands], *(frames[:, bands + i] for i in range(4)))


def _spectral_contours(mel: FloatArray) -> tuple[FloatArray, ...]:
    """Return alpha ratio, Hammarberg index, low and high spectral slope and flux, each (T,)."""
    bands = mel.shape[1]
    low, middle, high = int(bands * 0.32), int(bands * 0.5), int(bands * 0.82)
    alpha = _log_mean(mel[:, low:high]) - _log_mean(mel[:, :low])
    hammarberg = mel[:, :middle].max(axis=1) - mel[:, middle:high].max(axis=1)
    flux = np.zeros(len(mel), np.float32)
    flux[1:] = np.sqrt(np.mean(np.diff(mel, axis=0) ** 2, axis=1))
    return alpha, hammarberg, _slope(mel[:, :low]), _slope(mel[:, low:]), flux


def _log_mean(mel: FloatArray) -> FloatArray:
    return np.log(np.mean(np.exp(mel), axis=1) + 1e-12)


def _slope(values: FloatArray) -> FloatArray:
    """Return the least-squares slope of each row of (T, K)."""
    x = np.arange(values.shape[1], dtype=np.float32)
    x -= x.mean()
    return values @ x / float(x @ x)


def _describe(contours: FloatArray, where: NDArray[np.bool_]) -> FloatArray:
    """Return shape and motion of contours (T, K) over the frames `where` (T,), K x 8 values."""
    width = len(_SHAPE) + len(_MOTION)
    if not where.any():
        return np.full(contours.shape[1] * width, np.nan, np.float32)
    x = contours[where]
    mean, deviation = x.mean(axis=0), x.std(axis=0)
    low, middle, high = np.percentile(x, (10, 50, 90), axis=0)
    skewness = np.mean((x - mean) ** 3, axis=0) / (deviation**3 + 1e-6)
    pairs = where[1:] & where[:-1]
    delta = np.diff(contours, axis=0)[pairs] if pairs.any() else np.zeros_like(x[:1])
    rows = (
        mean, deviation, low, middle, high, skewness,
        delta.std(axis=0), np.abs(delta).mean(axis=0),
    )  # fmt: skip
    return np.stack(rows, axis=1).ravel()


def _runs(where: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the lengths of the runs of true in (T,)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], where.astype(np.int8), [0]])))
    return (edges[1::2] - edges[::2]).astype(np.int64)


def _rhythm(
    pitch: FloatArray, energy: FloatArray, active: NDArray[np.bool_], voiced: NDArray[np.bool_]
) -> FloatArray:
    """Return the statistics named in _RHYTHM."""
    span = max(1, int(active.sum()))
    runs = _runs(voiced)
    lengths = (runs.mean(), runs.std()) if runs.size else (0.0, 0.0)
    smooth = np.convolve(np.pad(energy, 2, mode="edge"), np.full(5, 0.2, np.float32), "valid")
    peaks = (smooth[1:-1] > smooth[:-2]) & (smooth[1:-1] >= smooth[2:]) & active[1:-1]
    share = voiced.sum() / span
    head = [share, runs.size / span, *lengths, _runs(active).size / span, peaks.sum() / span]
    return np.asarray([*head, *_modulation(energy, active), *_melody(pitch, energy, voiced)])


def _modulation(energy: FloatArray, active: NDArray[np.bool_]) -> list[float]:
    """Return the log power of the energy contour in four octaves from 1 Hz (at 62.5 frames/s)."""
    first, last = np.flatnonzero(active)[[0, -1]]
    contour = np.maximum(energy[first : last + 1], energy[active].min())
    spectrum = np.abs(np.fft.rfft((contour - contour.mean()) * np.hanning(len(contour)), 512)) ** 2
    edges = (8, 16, 33, 66, 131)
    power = [spectrum[a:b].mean() / len(contour) for a, b in itertools.pairwise(edges)]
    return [float(np.log(p + 1e-4)) for p in power]


def _melody(pitch: FloatArray, energy: FloatArray, voiced: NDArray[np.bool_]) -> list[float]:
    """Return range, rise, fall and slope of pitch, slope of energy, and their correlation."""
    index = np.flatnonzero(voiced)
    if index.size < 4:
        return [np.nan] * 6
    p, e = pitch[index], energy[index]
    time = (index - index.mean()) / max(1.0, float(index[-1] - index[0]))
    step = np.diff(p)[np.diff(index) == 1]
    rises, falls = step[step > 0], step[step < 0]
    spread = float(np.percentile(p, 95) - np.percentile(p, 5))
    weight = float(time @ time) + 1e-6
    both = float(p.std() * e.std())
    correlation = float(np.mean((p - p.mean()) * (e - e.mean()))) / both if both > 1e-6 else 0.0
    return [
        spread,
        float(rises.mean()) if rises.size else 0.0,
        float(falls.mean()) if falls.size else 0.0,
        float(time @ p) / weight,
        float(time @ e) / weight,
        correlation,
    ]
