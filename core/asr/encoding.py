"""The encoder: how much it is given, and that it is not asked twice about the same sound."""

from __future__ import annotations

import math

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel

from core.types import SAMPLE_RATE, FloatArray

FRAMES_PER_SECOND = 100
WINDOW_FRAMES = 3000
MARGIN_FRAMES = 256
"""Of silence after the speech when the window is cut: Whisper needs some to find the end."""


def window_frames(samples: int) -> int:
    """Return how many feature frames (10 ms) hold so many samples and the margin; 3000 at most."""
    frames = math.ceil(samples / SAMPLE_RATE * FRAMES_PER_SECOND) + MARGIN_FRAMES
    return min(WINDOW_FRAMES, frames + frames % 2)


class OnceEncodingModel(WhisperModel):
    """Keeps the last encoding: language, text, words and a second look all begin with it."""

    _encoded: tuple[FloatArray, ctranslate2.StorageView] | None = None
    encoded_frames = 0
    """Frames encoded since loading: what the encoder has cost."""

    def encode(self, features: FloatArray) -> ctranslate2.StorageView:
        """Encode features of shape (bands, frames), any number of frames up to 3000."""
        if self._encoded is not None and np.array_equal(self._encoded[0], features):
            return self._encoded[1]
        encoding = super().encode(features)
        self._encoded = (features, encoding)
        self.encoded_frames += features.shape[-1]
        return encoding
