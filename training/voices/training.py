"""Training of the voice network: additive-margin softmax and a prototypical loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.models.voices.network import VoiceNetwork
from core.types import FloatArray
from training.config import digest as fingerprint
from training.progress import Reporter
from training.trainer import Objective, Trainer
from training.voices.batches import VoiceBatch, VoiceBatches, voice_classes
from training.voices.config import VoiceLossConfig, VoicesConfig
from training.voices.data import Rows, VoiceData

_FOR_STATISTICS = 40
"""Clips of each speaker that mean and deviation of the frames are taken from."""


class VoiceLearner(nn.Module):
    """The network and what only training needs: a direction for each voice, a scale."""

    def __init__(self, network: VoiceNetwork, voices: int) -> None:
        super().__init__()
        self.network = network
        self.directions = nn.Parameter(torch.randn(voices, network.config.embedding) * 0.1)
        self.sharpness = nn.Parameter(torch.tensor(10.0))

    def losses(self, batch: VoiceBatch, config: VoiceLossConfig) -> dict[str, Tensor]:
        """Return both losses of a batch, and their weighted sum as `loss`."""
        mask = torch.ones(batch.frames.shape[:2], dtype=torch.bool)
        embeddings = self.network(batch.frames, mask)
        softmax = margin_softmax(
            embeddings @ F.normalize(self.directions, dim=1).T, batch.voices, batch.rivals, config
        )
        prototypes = prototypical(embeddings, batch.clips, self.sharpness)
        total = softmax + config.prototypical * prototypes
        return {"loss": total, "softmax": softmax, "prototypical": prototypes}


def margin_softmax(
    cosines: Tensor, voices: Tensor, rivals: Tensor, config: VoiceLossConfig
) -> Tensor:
    """Return the additive-margin softmax of cosines (B, C) with voices (B,), among the rivals."""
    target = F.one_hot(voices, cosines.shape[1]).to(cosines.dtype)
    logits = config.scale * (cosines - config.margin * target)
    return F.cross_entropy(logits.masked_fill(~rivals, -1e4), voices)


def prototypical(embeddings: Tensor, clips: int, sharpness: Tensor) -> Tensor:
    """Return the angular prototypical loss of embeddings (V * K, D), K = `clips` of each voice.

    The last clip of every voice is to be nearest to the mean of its other clips.
    """
    by_voice = embeddings.view(-1, clips, embeddings.shape[1])
    prototypes = F.normalize(by_voice[:, :-1].mean(dim=1), dim=1)
    cosines = by_voice[:, -1] @ prototypes.T
    return F.cross_entropy(sharpness.clamp_min(1.0) * cosines, torch.arange(len(cosines)))


def train_voices(
    config: VoicesConfig, data: VoiceData, train: Rows, folder: Path | None, reporter: Reporter
) -> VoiceNetwork:
    """Train on clips `train`; nothing of any other clip is used.

    Args:
        folder: keeps the state, so that an interrupted training goes on; None keeps nothing.
    """
    torch.manual_seed(config.trainer.seed)
    mean, deviation = frame_statistics(data, train)
    network = VoiceNetwork(replace(config.network, frame_dim=data.front_end.frame_dim))
    network.mean.copy_(torch.from_numpy(mean))
    network.deviation.copy_(torch.from_numpy(deviation))
    classes = voice_classes(data, train, config.warps)
    learner = VoiceLearner(network, len(classes.names))
    batches = VoiceBatches(data, classes, config.sampling, config.augmentation, deviation)

    def loss(model: nn.Module, batch: VoiceBatch) -> Mapping[str, Tensor]:
        assert isinstance(model, VoiceLearner)
        return model.losses(batch, config.loss)

    def validate(_: nn.Module) -> Mapping[str, float]:
        return {config.trainer.metric: float("nan")}

    objective = Objective(learner, batches, config.sampling.batches, loss, validate)
    about = fingerprint({"config": config, "speakers": sorted(set(classes.names))})
    Trainer(config.trainer, objective, folder, reporter, about).fit(resume=True)
    return network.eval()


def frame_statistics(data: VoiceData, train: Rows) -> tuple[FloatArray, FloatArray]:
    """Return mean and deviation (F,) of frames of speech, every speaker weighing the same."""
    means, squares = [], []
    for name in np.unique(data.speakers[train]):
        own = train[data.speakers[train] == name]
        chosen = own[np.linspace(0, len(own) - 1, min(_FOR_STATISTICS, len(own))).astype(int)]
        frames = np.concatenate([data.speech(int(row)) for row in chosen]).astype(np.float64)
        means.append(frames.mean(axis=0))
        squares.append(np.mean(frames**2, axis=0))
    mean = np.mean(means, axis=0)
    deviation = np.sqrt(np.maximum(np.mean(squares, axis=0) - mean**2, 1e-4))
    return mean.astype(np.float32), deviation.astype(np.float32)
