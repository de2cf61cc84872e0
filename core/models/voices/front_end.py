"""From the frames of an utterance to what the voice network sees; shared with the training.

The frames are those that the compact encoders measure (`core.models.speech_features`). Pauses are
left out, and so is the level: how loud somebody is depends on the microphone.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

import numpy as np

from core.models.speech_features import (
    ENERGY,
    PITCH,
    TILT,
    VOICING,
    SpeechFeatureConfig,
    SpeechFeatureExtractor,
)
from core.types import SAMPLE_RATE, FloatArray


@dataclass(frozen=True)
class VoiceFrontEndConfig:
    """How an utterance is measured.

    longest: seconds of an utterance that are listened to, its middle; the cost is bounded by it.
    dynamic_range: dB below the loudest band of an utterance at which all bands have their floor;
        what lies lower is the room and the recorder.
    """

    speech: SpeechFeatureConfig = field(default_factory=SpeechFeatureConfig)
    longest: float = 6.0
    dynamic_range: float = 80.0

    def __post_init__(self) -> None:
        if self.dynamic_range <= 0:
            raise ValueError("dynamic_range must be positive")
        if not 0.5 <= self.longest <= 60:
            raise ValueError("longest must lie between 0.5 and 60 s")

    def to_dict(self) -> dict[str, object]:
        """Return plain JSON values."""
        return asdict(self)


class VoiceFrontEnd:
    """Turns samples into the frames (n, F) of the speech in them, without level."""

    def __init__(self, config: VoiceFrontEndConfig | None = None) -> None:
        self.config = config or VoiceFrontEndConfig()
        self.extractor = SpeechFeatureExtractor(self.config.speech)

    @property
    def frame_dim(self) -> int:
        """F: mel bands, pitch, voicing, energy and tilt."""
        return self.extractor.frame_dim

    @property
    def frame_rate(self) -> float:
        """Frames per second."""
        return self.extractor.frame_rate

    def measure(self, samples: FloatArray) -> FloatArray:
        """Return the frames (n, F) of speech in mono samples (m,) at 16 kHz."""
        most = round(self.config.longest * SAMPLE_RATE)
        start = max(0, (samples.size - most) // 2)
        return self.speech_frames(self.extractor.frames(samples[start : start + most]))

    def speech_frames(self, frames: FloatArray) -> FloatArray:
        """Return those of frames (T, F) that hold speech, as many as `longest` allows, level off.

        The level is the mean over bands and frames of speech. Pitch channels are zero where
        unvoiced.
        """
        bands = self.config.speech.mel_bands
        weights = self.extractor.frame_weights(frames)
        spoken = np.flatnonzero(weights[:, 0])
        most = round(self.config.longest * self.frame_rate)
        start = max(0, (len(spoken) - most) // 2)
        spoken = spoken[start : start + most]
        x = frames[spoken].astype(np.float32)
        for channel in (bands + PITCH, bands + TILT):
            x[:, channel] *= weights[spoken, channel]
        x[:, :bands] = self._without_level(x[:, :bands])
        x[:, bands + ENERGY] -= x[:, bands + ENERGY].mean()
        return x

    def _without_level(self, mel: FloatArray) -> FloatArray:
        """Return log mel power (n, bands) whose floor and mean do not depend on the gain."""
        power = np.maximum(np.exp(mel) - self.config.speech.mel_floor, 0)
        floor = power.max() * 10 ** (-self.config.dynamic_range / 10)
        relative = np.log(power + max(floor, np.finfo(np.float32).tiny))
        return np.asarray(relative - relative.mean(), dtype=np.float32)

    def voiced_seconds(self, frames: FloatArray) -> float:
        """Return how much voice there is in frames (n, F) of speech, in seconds.

        Noise has next to none, nor has silence: a whisper can't be told from them.
        """
        voiced = frames[:, self.config.speech.mel_bands + VOICING] > self.config.speech.voiced_above
        return float(voiced.sum()) / self.frame_rate
