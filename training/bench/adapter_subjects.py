"""What the topic `adapters` trains: the two-stage model over an encoder of real size, both ways.

Weights are random and labels made up: they change nothing about time and memory. A step is the one
of every training here (`training.updater`): forward, backward, clipping and a fused AdamW.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.bench.architectures import SpeechShape
from core.bench.emotion_model import speech_encoder
from core.bench.material import continuous_speech
from core.models.adapters import adapter_names, train_adapters_only
from core.models.adapters.config import AdapterConfig
from core.models.encoders.pretrained_speech import PretrainedSpeechEncoder
from core.models.outputs import EmotionOutput, Encoded, Features, ModelInputs
from core.models.two_stage import TwoStageModel, make_specification
from core.models.two_stage_config import TaskHeads, TwoStageConfig
from core.types import SAMPLE_RATE
from training.distributed import alone
from training.losses.multitask import SECOND, MultiTaskLoss, paper_weights
from training.multitask.targets import TaskTargets
from training.objective import Objective
from training.onednn_products import onednn_products
from training.trainer_config import TrainerConfig
from training.updater import Updater

CLIPS, SECONDS = 4, 4.0
WIDTH = 64
_DEVIATION = 0.02
EMOTIONS = ("neutral", "happy", "angry", "sad")


@dataclass(frozen=True, slots=True)
class Way:
    """How a model is trained.

    adapters: adapters and heads on a frozen encoder; else everything.
    cached: from the features of the frozen convolutions, computed once.
    onednn: linear layers through oneDNN. precision: of matrix products.
    """

    name: str
    adapters: bool = False
    cached: bool = False
    onednn: bool = False
    precision: str = "fp32"


FULL = Way("full fine-tuning")
STAGE_2 = Way("stage 2", adapters=True)
CACHED = Way("stage 2 on cached CNN", adapters=True, cached=True)
PLAIN: tuple[Way, ...] = (FULL, STAGE_2, CACHED)


def model(shape: SpeechShape, adapters: AdapterConfig | None) -> TwoStageModel:
    """Return the model in training mode: with adapters only these and the heads train."""
    heads = TaskHeads(("female", "male"), ("acted", "spontaneous"), adapter=WIDTH)
    encoder = speech_encoder(shape).requires_grad_(True)
    config = TwoStageConfig(encoder.config(), heads, adapters)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = TwoStageModel(make_specification(EMOTIONS), config, speech=encoder)
    if adapters is not None:
        train_adapters_only(made)
    made.train()
    return made


def shaken(module: nn.Module, seed: int) -> None:
    """Give the adapters in a module random weights: new ones change nothing."""
    noise = torch.Generator().manual_seed(seed)
    names = adapter_names(module)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if name in names:
                parameter.copy_(_DEVIATION * torch.randn(parameter.shape, generator=noise))


def waveforms(clips: int = CLIPS, seconds: float = SECONDS) -> Tensor:
    """Return (B, N): stretches of speech, one after the other, of mean 0 and variance 1."""
    speech = torch.from_numpy(continuous_speech(clips * seconds).samples)
    rows = speech[: clips * round(seconds * SAMPLE_RATE)].reshape(clips, -1)
    return (rows - rows.mean(dim=1, keepdim=True)) / rows.std(dim=1, keepdim=True)


def targets(clips: int = CLIPS) -> TaskTargets:
    """Return classes of every task, and no texts."""
    rows = torch.arange(clips)
    return TaskTargets(
        emotion=rows % len(EMOTIONS),
        gender=rows % 2,
        style=rows // 2 % 2,
        allowed=torch.ones(clips, len(EMOTIONS), dtype=torch.bool),
        symbols=torch.zeros(clips, 0, dtype=torch.long),
        symbol_counts=torch.zeros(clips, dtype=torch.long),
        weights=torch.ones(clips),
    )


def from_waveforms(made: TwoStageModel, rows: Tensor) -> EmotionOutput:
    """Return what a model says of clips of equal length (B, N)."""
    everywhere = torch.ones_like(rows, dtype=torch.bool)
    said: EmotionOutput = made(made.encode(ModelInputs(waveform=rows, waveform_mask=everywhere)))
    return said


def from_features(made: TwoStageModel, features: Tensor) -> EmotionOutput:
    """Return the same from what `convolve` made of the clips, (B, T, C)."""
    encoder = made.speech
    assert isinstance(encoder, PretrainedSpeechEncoder)
    sequence = encoder.contextualise(features)
    mask = torch.ones(sequence.shape[:2], dtype=torch.bool)
    nothing = sequence.new_zeros(len(sequence), 0)
    said: EmotionOutput = made(
        Features(speech=Encoded(sequence, mask, sequence.mean(dim=1), nothing))
    )
    return said


def convolved(made: TwoStageModel, rows: Tensor) -> Tensor:
    """Return the features (B, T, C) of clips (B, N), as they would be cached."""
    assert isinstance(made.speech, PretrainedSpeechEncoder)
    with torch.no_grad():
        return made.speech.convolve(rows)


def stepping(way: Way, made: TwoStageModel, given: Tensor) -> Callable[[], object]:
    """Return what makes one step of training.

    Args:
        way: how. made: what trains.
        given: waveforms (B, N), or their features (B, T, C) where the way says cached.
    """
    criterion, wanted = MultiTaskLoss(paper_weights(SECOND)), targets(len(given))
    answer = from_features if way.cached else from_waveforms

    def loss(network: nn.Module, batch: Tensor) -> Mapping[str, Tensor]:
        assert isinstance(network, TwoStageModel)
        with _products(way):
            losses: dict[str, Tensor] = criterion(answer(network, batch), wanted)
        return losses

    config = TrainerConfig(epochs=1, learning_rate=1e-5, precision=way.precision, device="cpu")
    objective = Objective(made, lambda epoch, generator: [given], 1, loss, lambda network: {})
    updater = Updater(config, objective, alone(torch.device("cpu")))
    return lambda: updater.update([given], 0)


def _products(way: Way) -> AbstractContextManager[object]:
    return onednn_products() if way.onednn else nullcontext()
