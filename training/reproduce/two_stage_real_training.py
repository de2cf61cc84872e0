"""One training of the real comparison, and what it says of the clips that are judged."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.labels import EMOTIONS
from core.models.adapters import (
    adapter_state,
    detach,
    load_adapter_state,
    train_adapters_only,
)
from core.models.encoders.compact import CompactSpeechEncoder
from core.models.encoders.speech import SpeechEncoder, SpeechEncoderConfig
from core.models.two_stage import TwoStageModel, make_specification
from core.models.two_stage_config import (
    CTC,
    CTC_LENGTHS,
    EMOTION,
    GENDER,
    RECOGNITION,
    STYLE,
    TaskHeads,
    TwoStageConfig,
)
from training.data.augmentation import AugmentationConfig
from training.losses.multitask import MultiTaskLoss
from training.multitask.config import EVERYTHING, TrainingStage
from training.multitask.targets import TaskBatch
from training.multitask.vocabulary import Vocabulary
from training.objective import Objective
from training.progress import Reporter
from training.reproduce.two_stage_real_batches import (
    GENDERS,
    STYLES,
    Rows,
    Sampling,
    TaskBatches,
    TaskSource,
    plain_batches,
)
from training.reproduce.two_stage_real_plan import training
from training.trainer import Trainer
from training.trainer_config import TrainerConfig

CTC_STEPS = 2
"""A position of the compact encoder is 64 ms; spoken letters are faster."""
_JUDGED_AT_ONCE = 64

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class RealRecipe:
    """What is the same in every training. sizes: of the frame network; its heads are not used."""

    dim: int = 64
    blocks: int = 2
    attention_layers: int = 2
    dropout: float = 0.1
    label_smoothing: float = 0.1
    sampling: Sampling = field(default_factory=Sampling)
    augmentation: AugmentationConfig = field(
        default_factory=lambda: AugmentationConfig(offset=0.15, crop=240)
    )


@dataclass(frozen=True)
class Start:
    """Weights of an encoder by name, and of the adapters in it, if it has any."""

    encoder: Mapping[str, Tensor]
    adapters: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Said:
    """What a training says of n clips.

    Attributes:
        logits: (n, C), (n, 2) or (n, 2) by task: emotion, gender, style; of those it has heads for.
        texts: what it recognised of each clip; empty without a head for it.
        parameters: that were trained, and all of the model's; seconds: of its training.
    """

    logits: Mapping[str, Floats]
    texts: tuple[str, ...]
    parameters: tuple[int, int]
    seconds: float


@dataclass(frozen=True)
class Lesson:
    """What is trained on and judged: clips, rows of both parts, and the words there are."""

    source: TaskSource
    train: Rows
    test: Rows
    vocabulary: Vocabulary
    recipe: RealRecipe
    seed: int


def train_and_judge(
    stage: TrainingStage, lesson: Lesson, start: Start | None, reporter: Reporter
) -> tuple[Start, Said]:
    """Train a stage, and return what it leaves and says.

    The weights that are random are drawn from the lesson's seed. Heads are new in every stage.
    """
    began = time.monotonic()
    torch.manual_seed(lesson.seed)
    model = build(stage, lesson, start)
    sampling = lesson.recipe.sampling
    batches = TaskBatches(lesson.source, lesson.train, sampling, lesson.recipe.augmentation)
    criterion = MultiTaskLoss(stage.losses, lesson.recipe.label_smoothing)

    def loss(model: nn.Module, batch: TaskBatch) -> Mapping[str, Tensor]:
        return criterion(model(model.encode(batch.inputs)), batch.targets)  # type: ignore[operator]

    objective = Objective(model, batches, batches.steps, loss, _unjudged)
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    Trainer(_seeded(stage, lesson.seed), objective, None, reporter).fit()
    seconds = time.monotonic() - began
    every = sum(p.numel() for p in model.parameters())
    logits, texts = judge(model, lesson)
    return _left(model), Said(logits, texts, (trained, every), seconds)


def build(stage: TrainingStage, lesson: Lesson, start: Start | None) -> TwoStageModel:
    """Return a stage's model as it starts, with what trains set to train."""
    encoder = CompactSpeechEncoder(SpeechEncoder(_sizes(lesson)))
    if start is not None:
        encoder.load_state_dict(dict(start.encoder))
    config = TwoStageConfig(encoder.config(), _heads(stage, lesson.vocabulary), stage.adapters)
    model = TwoStageModel(make_specification(EMOTIONS), config, speech=encoder)
    if start is not None and start.adapters:
        load_adapter_state(encoder, start.adapters)
    if EVERYTHING not in stage.trains:
        train_adapters_only(model)
    return model


def head_weights(name: str, lesson: Lesson) -> int:
    """Return how many weights the heads of a training have."""
    return sum(p.numel() for p in build(training(name), lesson, None).head_parameters())


def _sizes(lesson: Lesson) -> SpeechEncoderConfig:
    recipe = lesson.recipe
    return SpeechEncoderConfig(
        frame_dim=lesson.source.speech.extractor.frame_dim, functional_dim=1, dim=recipe.dim,
        blocks=recipe.blocks, attention_layers=recipe.attention_layers, functional_hidden=1,
        heads_each=1, dropout=recipe.dropout,
    )  # fmt: skip


def _heads(stage: TrainingStage, vocabulary: Vocabulary) -> TaskHeads:
    return TaskHeads(
        gender=GENDERS if GENDER in stage.losses else (),
        style=STYLES if STYLE in stage.losses else (),
        symbols=vocabulary.symbols if RECOGNITION in stage.losses else (),
        steps=CTC_STEPS,
        adapter=stage.task_adapter,
        fusion=stage.fusion,
        dropout=stage.dropout,
    )


def _left(model: TwoStageModel) -> Start:
    """Return the weights that a later stage may start from; takes the adapters out of the model."""
    adapters = adapter_state(model.speech)
    detach(model.speech)
    state = {name: x.detach().clone() for name, x in model.speech.state_dict().items()}
    return Start(state, adapters)


def _seeded(stage: TrainingStage, seed: int) -> TrainerConfig:
    return replace(stage.trainer, seed=seed)


def _unjudged(_: nn.Module) -> Mapping[str, float]:
    """Nothing is looked at while training, and the last epoch is kept."""
    return {"loss": 0.0}


@torch.inference_mode()
def judge(model: TwoStageModel, lesson: Lesson) -> tuple[dict[str, Floats], tuple[str, ...]]:
    """Return logits by task and texts of the clips of the test part, in its order."""
    model.eval()
    found: dict[str, Floats] = {}
    texts = [""] * len(lesson.test)
    for places, batch in plain_batches(lesson.source, lesson.test, _JUDGED_AT_ONCE):
        output = model(model.encode(batch.inputs))
        given = {EMOTION: output.logits, **output.auxiliary}
        for task in (EMOTION, GENDER, STYLE):
            if task in given:
                values = given[task].numpy()
                into = found.setdefault(task, np.zeros((len(texts), values.shape[1]), np.float32))
                into[places] = values
        if CTC in given:
            heard = lesson.vocabulary.greedy(given[CTC], given[CTC_LENGTHS])
            for place, text in zip(places.tolist(), heard, strict=True):
                texts[place] = text
    return found, tuple(texts)
