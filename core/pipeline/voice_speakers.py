"""Names speakers by their voices: an embedding of each utterance, clustered as they come.

Importing this module imports no torch; `VoiceSpeakers.warm_up` loads it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.models.voices.clustering import OnlineClustering
from core.models.voices.manifest import VoiceInfo, read_voice_info
from core.types import SAMPLE_RATE, Utterance

if TYPE_CHECKING:
    from core.models.voices.inference import VoiceEmbedder


class VoiceSpeakers:
    """A `SpeakerTracker` over a voice checkpoint; belongs to one thread.

    Speakers are "S1", "S2" ... in order of appearance, at most as many as the checkpoint says. A
    turn keeps the name that it was given: what is heard later changes no earlier decision.

    Args:
        info: of the checkpoint.
        most: how many people speak at most, where somebody knows; fewer mistakes come of it.
    """

    def __init__(self, info: VoiceInfo, most: int | None = None) -> None:
        self._info = info
        limit = info.clustering.most if most is None else most
        self._clustering = OnlineClustering(replace(info.clustering, most=limit))
        self._embedder: VoiceEmbedder | None = None

    @property
    def info(self) -> VoiceInfo:
        """What the checkpoint says about itself."""
        return self._info

    @property
    def speakers(self) -> int:
        """How many speakers were told apart so far."""
        return self._clustering.voices

    def warm_up(self) -> None:
        """Load and verify the checkpoint, and run once. Raises CheckpointError."""
        if self._embedder is not None:
            return
        from core.models.voices.checkpoint import load_voice_checkpoint
        from core.models.voices.inference import VoiceEmbedder

        embedder = VoiceEmbedder(load_voice_checkpoint(self._info.path))
        noise = np.random.default_rng(0).normal(0, 0.01, SAMPLE_RATE).astype(np.float32)
        embedder.embed(noise)
        self._embedder = embedder

    def name(self, utterance: Utterance) -> str | None:
        """Return who speaks in a complete utterance; None if there is too little to tell."""
        if self._embedder is None:
            self.warm_up()
        assert self._embedder is not None
        voice = self._clustering.assign(*self._embedder.embed(utterance.samples))
        return None if voice is None else f"S{voice + 1}"

    def reset(self) -> None:
        """Forget every voice."""
        self._clustering.reset()


def load_voice_speakers(path: Path | str, most: int | None = None) -> VoiceSpeakers:
    """Return a tracker over a voice checkpoint; its weights are loaded by `warm_up`.

    Args:
        path: the checkpoint directory.
        most: how many people speak at most; None: as many as the checkpoint allows.

    Raises:
        CheckpointError: it is no voice checkpoint, or of an unknown format.
    """
    return VoiceSpeakers(read_voice_info(path), most)
