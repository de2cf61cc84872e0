"""A voice network at work: samples in, an embedding out."""

from __future__ import annotations

import numpy as np
import torch

from core.models.voices.checkpoint import LoadedVoices
from core.types import FloatArray


class VoiceEmbedder:
    """Embeds utterances one by one on the CPU."""

    def __init__(self, loaded: LoadedVoices) -> None:
        self._model = loaded.model
        self._front_end = loaded.front_end

    def embed(self, samples: FloatArray) -> tuple[FloatArray, float]:
        """Return the embedding (D,), of length one, of mono samples (n,), and seconds of voice.

        Only the middle of a long utterance is heard. Silence and noise have an embedding too, one
        that means nothing, but next to no seconds.
        """
        frames = self._front_end.measure(samples)
        with torch.inference_mode():
            batch = torch.from_numpy(frames)[None]
            embedding = self._model(batch, torch.ones(batch.shape[:2], dtype=torch.bool))[0]
        vector = np.asarray(embedding.numpy(), dtype=np.float32)
        return vector, self._front_end.voiced_seconds(frames)
