"""How much evidence an utterance gives, and when a result is "not sure"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.models.calibration import DoubtLimits, entropy_share, margin
from core.models.speech_features import ENERGY, VOICING, SpeechFeatureExtractor
from core.types import Doubt, FloatArray


@dataclass(frozen=True, slots=True)
class Evidence:
    """Voiced speech in seconds and the estimated ratio of speech to noise in dB."""

    voiced_seconds: float
    snr_db: float


def evidence_of(frames: FloatArray, extractor: SpeechFeatureExtractor) -> Evidence:
    """Measure un-normalised frames (T, F).

    Noise is taken for what is left in the quietest tenth of the frames, speech for the loudest
    tenth; a clip without any pause therefore reads noisier than it is.
    """
    config = extractor.config
    voicing = frames[:, config.mel_bands + VOICING]
    energy = frames[:, config.mel_bands + ENERGY]
    active = extractor.frame_weights(frames)[:, 0]
    voiced = active & (voicing > config.voiced_above)
    quiet, loud = np.exp(np.percentile(energy, [10, 90]))
    ratio = max(float(loud - quiet), 1e-12) / max(float(quiet), 1e-12)
    return Evidence(float(voiced.sum() / extractor.frame_rate), 10.0 * float(np.log10(ratio)))


def doubts_of(
    evidence: Evidence | None,
    probabilities: Sequence[float],
    limits: DoubtLimits,
    thresholds: Sequence[float] = (),
) -> tuple[Doubt, ...]:
    """Return why a result is uncertain.

    Args:
        evidence: None when no speech was judged.
        probabilities: one per label.
        limits: when there is too little, too much noise, or too little between labels.
        thresholds: one per label where each stands for itself; such labels do not compete, but the
            strongest may lie so near its threshold that it could as well have gone the other way.
    """
    doubts = []
    if evidence is not None and evidence.voiced_seconds < limits.voiced_seconds:
        doubts.append(Doubt.TOO_SHORT)
    if evidence is not None and evidence.snr_db < limits.snr_db:
        doubts.append(Doubt.TOO_NOISY)
    if thresholds:
        distances = [p - t for p, t in zip(probabilities, thresholds, strict=True)]
        near = abs(max(distances)) < limits.margin / 2
        return (*doubts, Doubt.BORDERLINE) if near else tuple(doubts)
    even = entropy_share(probabilities) > limits.entropy or margin(probabilities) < limits.margin
    return (*doubts, Doubt.TOO_EVEN) if even else tuple(doubts)
