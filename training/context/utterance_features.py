"""Pooled vectors of utterances by an utterance checkpoint, exactly as the app computes them.

Text goes through the checkpoint's own processor, one text like another. Speech goes through the
same `Hearing` as a live session: dialogue by dialogue and turn by turn, so that the baseline of a
speaker rests on what was said before in this dialogue. What was encoded once is kept on disk under
a key of all that it depends on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from core.errors import ConfigError
from core.models.base import EmotionModel
from core.models.bimodal import BimodalModel
from core.models.checkpoint import LoadedModel, load_checkpoint
from core.models.speech_text import SpeechTextModel
from core.pipeline.hearing import Hearing, hearing_for
from core.resources import embedded_checkpoint
from core.types import SAMPLE_RATE, FloatArray, Modality, Utterance
from training.data.content_digest import encoder_digest, text_digest
from training.data.example import Example
from training.data.extraction import ExtractionConfig, as_encoder
from training.data.feature_cache import bank_of
from training.data.feature_store import FeatureStore
from training.data.loading import AudioLoader, default_digests
from training.progress import Reporter

EMBEDDED = "embedded"
_POOLED_ONLY = ExtractionConfig(sequence="none")

Vectors = list[FloatArray | None]
"""One (D,) per utterance, None where it has none."""


@dataclass(frozen=True)
class UtteranceEncoder:
    """A checkpoint that turns utterances into vectors.

    Args:
        loaded: the checkpoint.
        cache: folder of all cached features; None: they are computed anew.
        reporter: tells how far it is.
    """

    loaded: LoadedModel
    cache: Path | None = None
    reporter: Reporter | None = None

    @property
    def digest(self) -> str:
        """The sha256 (hex) of the checkpoint's weights: features of others mean nothing here."""
        return self.loaded.info.digest

    def texts(self, examples: Sequence[Example]) -> Vectors:
        """Encode the texts that the checkpoint understands; examples without one give None."""
        found: Vectors = [None] * len(examples)
        encoder = encoder_of(self.loaded.model, Modality.TEXT)
        rows = [row for row, example in enumerate(examples) if self._understands(example)]
        if encoder is None or not rows:
            return found
        stripped = [replace(examples[row], text=(examples[row].text or "").strip()) for row in rows]
        bank = bank_of(
            encoder, self.loaded.processor, stripped, Modality.TEXT,
            cache=self.cache, config=_POOLED_ONLY, reporter=self.reporter,
        )  # fmt: skip
        for place, row in enumerate(rows):
            found[row] = np.asarray(bank.pooled[place].numpy(), dtype=np.float32)
        return found

    def speech(self, dialogues: Sequence[Sequence[Example]], loader: AudioLoader) -> list[Vectors]:
        """Encode the recordings of whole dialogues, turn by turn; turns without one give None.

        Raises:
            MediaError: a recording can't be read.
        """
        encoder = encoder_of(self.loaded.model, Modality.SPEECH)
        heard = [any(e.audio is not None for e in turns) for turns in dialogues]
        if encoder is None or not any(heard):
            return [[None] * len(turns) for turns in dialogues]
        keys = _Keys(encoder_digest(as_encoder(encoder), self.loaded.processor, "dialogue"), loader)
        store = _Store.at(self.cache, keys.digest)
        wanted = [keys.of(turns) for turns in dialogues]
        missing = [d for d, names in enumerate(wanted) if any(n not in store for n in names if n)]
        reporter = self.reporter or Reporter(silent=True)
        try:
            for d in reporter.track(missing, len(missing), "listening to dialogues"):
                for key, vector in zip(
                    wanted[d], self._listened(dialogues[d], loader), strict=True
                ):
                    if key and vector is not None:
                        store.add(key, vector)
        finally:
            store.flush()
        loader.digests.save()
        found = store.take({key for names in wanted for key in names if key})
        return [[found.get(key) for key in names] for names in wanted]

    def _understands(self, example: Example) -> bool:
        text = (example.text or "").strip()
        return bool(text) and self.loaded.processor.understands(text, example.language or None)

    def _listened(
        self, turns: Sequence[Example], loader: AudioLoader
    ) -> Iterator[FloatArray | None]:
        """Yield the vector of each turn, as a session that hears them in this order would."""
        hearing = hearing_for(self.loaded)
        start = 0
        for index, example in enumerate(turns):
            if example.audio is None:
                yield None
                continue
            samples = loader.samples(example)
            utterance = Utterance(
                index, start, start + len(samples), samples, example.speaker or None
            )
            start += len(samples) + SAMPLE_RATE
            yield self._encoded(hearing, utterance)
            hearing.remember(utterance)

    @torch.inference_mode()
    def _encoded(self, hearing: Hearing, utterance: Utterance) -> FloatArray:
        heard = hearing.whole(utterance)
        features = self.loaded.model.encode(hearing.inputs(heard, None)).speech
        assert features is not None
        pooled = features.pooled.float().cpu().numpy()
        return np.tensordot(heard.weights, pooled, axes=1).astype(np.float32)


def load_utterance_encoder(
    name: str, cache: Path | None = None, reporter: Reporter | None = None
) -> UtteranceEncoder:
    """Load an utterance checkpoint: a folder, or `embedded`.

    Raises:
        CheckpointError: it can't be read. ConfigError: it has no encoders of single utterances.
    """
    loaded = load_checkpoint(embedded_checkpoint() if name == EMBEDDED else Path(name))
    if all(encoder_of(loaded.model, modality) is None for modality in Modality):
        raise ConfigError(
            f"{name} has no encoders whose features a dialogue model could read"
            f" ({loaded.info.architecture}).",
            "Use the embedded checkpoint, or one that the stage 'system' trained.",
        )
    return UtteranceEncoder(loaded, cache, reporter)


def encoder_of(model: EmotionModel, modality: Modality) -> nn.Module | None:
    """Return the encoder of one modality, None where the model has none."""
    known = isinstance(model, BimodalModel | SpeechTextModel)
    if not known or modality not in (Modality.SPEECH, Modality.TEXT):
        return None
    found = getattr(model, modality.value)
    return found if isinstance(found, nn.Module) else None


def audio_loader(cache: Path | None) -> AudioLoader:
    """Return a loader whose digests of files are kept beside the features."""
    return AudioLoader(None if cache is None else default_digests(cache))


@dataclass(frozen=True)
class _Keys:
    """What each turn's vector depends on: the encoder, and all that was heard up to it."""

    digest: str
    loader: AudioLoader

    def of(self, turns: Sequence[Example]) -> list[str]:
        """Return a key per turn, empty where there is nothing to hear."""
        before, found = self.digest, []
        for example in turns:
            if example.audio is None:
                found.append("")
                continue
            before = text_digest(before, self.loader.digest(example), example.speaker)
            found.append(before)
        return found


class _Store:
    """Vectors by key, on disk where there is a cache."""

    def __init__(self, store: FeatureStore | None) -> None:
        self._store = store
        self._known: dict[str, FloatArray] = {}

    @classmethod
    def at(cls, cache: Path | None, digest: str) -> _Store:
        """Open the store of one encoder."""
        about = {"modality": Modality.SPEECH.value, "heard": "in dialogues"}
        return cls(None if cache is None else FeatureStore(cache, digest, about))

    def __contains__(self, key: str) -> bool:
        return key in self._known or (self._store is not None and key in self._store)

    def add(self, key: str, vector: FloatArray) -> None:
        """Keep a vector (D,)."""
        self._known[key] = vector
        if self._store is not None and key not in self._store:
            tensor: Tensor = torch.from_numpy(vector)
            self._store.add(key, tensor[None], tensor)

    def take(self, keys: set[str]) -> dict[str, FloatArray]:
        """Return vectors (D,) by key. Raises KeyError."""
        stored = sorted(keys - set(self._known))
        if stored and self._store is not None:
            pooled = self._store.bank(stored).pooled.numpy()
            self._known.update(zip(stored, np.asarray(pooled, dtype=np.float32), strict=True))
        return {key: self._known[key] for key in keys}

    def flush(self) -> None:
        """Write what was added."""
        if self._store is not None:
            self._store.flush()
