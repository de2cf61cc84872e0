"""Ways to turn speech into voice vectors: our network, and baselines to compare it with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import make_pipeline

from core.models.checkpoint import load_checkpoint
from core.models.functionals import CEPSTRA, functional_names
from core.models.outputs import ModelInputs
from core.models.processor import SpeechMeasures
from core.models.voices.network import VoiceNetwork
from core.types import FloatArray
from training.voices.data import Rows, VoiceData

Embed = Callable[[Sequence[FloatArray]], FloatArray]
"""Frames (T, F) of several utterances, as measured, to vectors (n, D)."""

_PRINCIPAL = 150
"""Dimensions that the discriminant analysis is given: hundreds of statistics are correlated."""


def network_vectors(network: VoiceNetwork, data: VoiceData) -> Embed:
    """Return the embedding of our network."""

    @torch.inference_mode()
    def embed(utterances: Sequence[FloatArray]) -> FloatArray:
        rows = []
        for frames in utterances:
            speech = torch.from_numpy(data.front_end.speech_frames(frames))[None]
            rows.append(network(speech, torch.ones(speech.shape[:2], dtype=torch.bool))[0])
        return torch.stack(rows).numpy()

    return embed


def cepstral_vectors(data: VoiceData, train: Rows) -> Embed:
    """Return means and deviations of the cepstra, standardised over the training speakers."""
    names = functional_names(data.front_end.config.speech.mel_bands)
    wanted = {f"cepstrum_{i}_{s}" for i in range(1, CEPSTRA) for s in ("mean", "deviation")}
    return _standardised(data, train, np.array([name in wanted for name in names]))


def functional_vectors(data: VoiceData, train: Rows) -> Embed:
    """Return all functionals, standardised over the training speakers."""
    names = functional_names(data.front_end.config.speech.mel_bands)
    return _standardised(data, train, np.ones(len(names), dtype=bool))


def discriminant_vectors(data: VoiceData, train: Rows) -> Embed:
    """Return a linear discriminant analysis of the functionals with the voices as classes.

    Trained on the same copies as the network; the directions are scaled as the analysis has them.
    """
    standardise = functional_vectors(data, train)
    rows, labels = [], []
    for bank, copy in enumerate(data.copies):
        values = _filled(data.banks[bank].functionals[train], *_moments(data, train))
        rows.append(values)
        labels += [f"{name} {copy.speed}" for name in data.speakers[train]]
    count = min(_PRINCIPAL, sum(map(len, rows)) - 1)
    components = min(count, 40, len(set(labels)) - 1)
    analysis = make_pipeline(
        PCA(count, random_state=0), LinearDiscriminantAnalysis(n_components=components)
    )
    analysis.fit(np.concatenate(rows), labels)
    return lambda utterances: np.asarray(analysis.transform(standardise(utterances)), np.float32)


def emotion_vectors(checkpoint: Path) -> Embed:
    """Return the pooled vector of an emotion model's speech encoder, that of the app.

    (It was trained on most of these speakers, though for their emotions.)
    """
    loaded = load_checkpoint(checkpoint)
    processor = loaded.frame_processor

    @torch.inference_mode()
    def embed(utterances: Sequence[FloatArray]) -> FloatArray:
        rows = []
        for frames in utterances:
            measures: SpeechMeasures = processor.normalise(processor.measures_of(frames))
            inputs: ModelInputs = processor.batch([measures], None)
            speech = loaded.model.encode(inputs).speech
            assert speech is not None
            rows.append(speech.pooled[0])
        return torch.stack(rows).numpy()

    return embed


def centred(embed: Embed, sample: Sequence[FloatArray]) -> Embed:
    """Return vectors less their mean over a sample of training speech."""
    mean = embed(sample).mean(axis=0)
    return lambda utterances: embed(utterances) - mean


def cosine_scores(vectors: FloatArray) -> FloatArray:
    """Return the cosine (n, n) between vectors (n, D)."""
    normal = unit(vectors)
    return np.asarray(normal @ normal.T, dtype=np.float32)


def unit(vectors: FloatArray) -> FloatArray:
    """Return vectors (n, D) at length one."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-9), dtype=np.float32)


def _moments(data: VoiceData, train: Rows) -> tuple[FloatArray, FloatArray]:
    values = data.banks[0].functionals[train]
    defined = np.isfinite(values)
    count = np.maximum(defined.sum(axis=0), 1)
    mean = np.where(defined, values, 0).sum(axis=0) / count
    variance = np.where(defined, (values - mean) ** 2, 0).sum(axis=0) / count
    return mean.astype(np.float32), np.maximum(np.sqrt(variance), 1e-4).astype(np.float32)


def _filled(values: FloatArray, mean: FloatArray, deviation: FloatArray) -> FloatArray:
    standard = (np.where(np.isfinite(values), values, mean) - mean) / deviation
    return np.asarray(np.clip(standard, -6, 6), dtype=np.float32)


def _standardised(data: VoiceData, train: Rows, keep: NDArray[np.bool_]) -> Embed:
    mean, deviation = _moments(data, train)

    def embed(utterances: Sequence[FloatArray]) -> FloatArray:
        measured = [data.front_end.extractor.functionals(frames) for frames in utterances]
        return _filled(np.stack(measured), mean, deviation)[:, keep]

    return embed
