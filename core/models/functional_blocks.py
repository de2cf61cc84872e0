"""Further statistics of an utterance: how contours spread, move, develop and vary in rhythm.

Extends the basic statistics in the manner of ComParE (Schuller et al. 2013, The INTERSPEECH 2013
computational paralinguistics challenge, section 5): many functionals of few contours.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from core.types import FloatArray

Mask = NDArray[np.bool_]

SPREAD = ("p5", "p25", "p75", "p95", "quartiles", "range", "kurtosis", "slope", "curvature")
VOICE = ("voiced_mean", "voiced_deviation", "unvoiced_shift")
MOTION = ("delta_deviation", "delta_absolute", "delta_p5", "delta_p95", "acceleration_deviation")
THIRDS = ("first_third", "middle_third", "last_third")
MODULATION_EDGES = (8, 16, 33, 66, 131, 262)
"""Bins of a transform of 1,024 frames: octaves from 0.5 to 16 Hz at 62.5 frames per second."""
BAND_GROUPS = 8
_ENOUGH = 3


def spread(contours: FloatArray, active: Mask, voiced: Mask, pitched: Mask) -> FloatArray:
    """Return (K * 9,) percentiles, kurtosis and trend of contours (T, K) over active frames.

    `pitched` (K,) marks contours that exist only where voiced.
    """
    rows = _spread(contours[active])
    if voiced.sum() >= _ENOUGH:
        rows[pitched] = _spread(contours[voiced][:, pitched])
    else:
        rows[pitched] = np.nan
    return rows.ravel()


def _spread(x: FloatArray) -> FloatArray:
    mean, deviation = x.mean(axis=0), x.std(axis=0)
    p5, p25, p75, p95 = np.percentile(x, (5, 25, 75, 95), axis=0)
    kurtosis = np.mean((x - mean) ** 4, axis=0) / (deviation**4 + 1e-6)
    time = np.linspace(-1, 1, len(x))
    bend = time * time - np.mean(time * time)
    slope = time @ (x - mean) / (time @ time + 1e-6)
    curvature = bend @ (x - mean) / (bend @ bend + 1e-6)
    rows = (p5, p25, p75, p95, p75 - p25, p95 - p5, kurtosis, slope, curvature)
    return np.stack(rows, axis=1)


def voice(contours: FloatArray, active: Mask, voiced: Mask) -> FloatArray:
    """Return (3 * K,) mean and deviation over voiced frames and how unvoiced ones differ."""
    nothing = np.full(contours.shape[1], np.nan, np.float32)
    unvoiced = active & ~voiced
    if voiced.sum() < _ENOUGH:
        return np.concatenate([nothing, nothing, nothing])
    x = contours[voiced]
    shift = nothing
    if unvoiced.sum() >= _ENOUGH:
        shift = contours[unvoiced].mean(axis=0) - x.mean(axis=0)
    return np.concatenate([x.mean(axis=0), x.std(axis=0), shift])


def motion(contours: FloatArray, active: Mask, voiced: Mask, pitched: Mask) -> FloatArray:
    """Return (K * 5,) statistics of the regression slope over five frames."""
    slope = np.zeros_like(contours)
    if len(contours) > 4:
        near, far = contours[3:-1] - contours[1:-3], contours[4:] - contours[:-4]
        slope[2:-2] = (near + 2 * far) / 10
    jumps = np.diff(slope, axis=0)[active[1:]] if active[1:].any() else np.zeros_like(slope[:1])
    rows = np.column_stack([*_motion(slope[active]), jumps.std(axis=0)])
    steady = np.zeros_like(voiced)
    steady[2:-2] = voiced[2:-2] & voiced[:-4] & voiced[4:]
    if steady.sum() >= _ENOUGH:
        x = slope[steady][:, pitched]
        rows[pitched] = np.column_stack([*_motion(x), x.mean(axis=0)])
    else:
        rows[pitched] = np.nan
    return rows.ravel()


def _motion(x: FloatArray) -> tuple[FloatArray, ...]:
    low, high = np.percentile(x, (5, 95), axis=0)
    return x.std(axis=0), np.abs(x).mean(axis=0), low, high


def thirds(contours: FloatArray, active: Mask, voiced: Mask, pitched: Mask) -> FloatArray:
    """Return (3 * K,): the mean of each third of the utterance less that of the whole."""
    where = np.where(pitched[None, :], voiced[:, None], active[:, None])
    whole = _masked_mean(contours, where)
    first, last = np.flatnonzero(active)[[0, -1]]
    edges = np.linspace(first, last + 1, 4).astype(int)
    parts = [_masked_mean(contours[a:b], where[a:b]) - whole for a, b in itertools.pairwise(edges)]
    return np.concatenate(parts)


def _masked_mean(x: FloatArray, where: Mask) -> FloatArray:
    """Return the mean (K,) of x (T, K) where marked; NaN where nothing is."""
    count = where.sum(axis=0)
    total = np.where(where, x, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def modulation(mel: FloatArray, active: Mask) -> FloatArray:
    """Return (5 * 8,) log power of the contours of eight groups of mel bands by octave."""
    first, last = np.flatnonzero(active)[[0, -1]]
    part = mel[first : last + 1]
    groups = part.reshape(len(part), BAND_GROUPS, -1).mean(axis=2)
    groups = np.maximum(groups, np.percentile(groups, 5, axis=0))
    groups = (groups - groups.mean(axis=0)) * np.hanning(len(groups))[:, None]
    power = np.abs(np.fft.rfft(groups, 1024, axis=0)) ** 2 / len(groups)
    octaves = [power[a:b].mean(axis=0) for a, b in itertools.pairwise(MODULATION_EDGES)]
    return np.log(np.concatenate(octaves) + 1e-4)


def bands(mel: FloatArray, active: Mask) -> FloatArray:
    """Return (bands,): mean, then deviation, of every second mel band over active frames."""
    x = mel[active][:, ::2]
    return np.concatenate([x.mean(axis=0), x.std(axis=0)])
