"""A training in two stages that takes a second; as a process of its own: launched, or killed.

python -m tests.training.multitask.small_run DATA ENCODER OUT [--kill BATCH] [--resume]
"""

from __future__ import annotations

import argparse
import csv
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.models.adapters.config import AdapterConfig, BottleneckConfig, LoraConfig
from core.types import Modality
from training import onednn_products
from training.data.batches import BatchConfig
from training.data.split_config import SplitConfig
from training.generated.wave_files import write_wave
from training.losses.multitask import FIRST, SECOND, paper_weights
from training.multitask import stage as stage_module
from training.multitask.batches import TaskBatches
from training.multitask.config import MultiTaskConfig, TrainingStage
from training.multitask.data import TaskData, prepare_tasks
from training.multitask.stage import run
from training.multitask.targets import TaskBatch
from training.multitask.training import task_source
from training.progress import Reporter
from training.stages import StageContext
from training.system_config import CorpusConfig, SpeechEncoderChoice
from training.system_data import load_examples
from training.system_encoders import Encoders, load_chosen
from training.trainer_config import TrainerConfig

EMOTIONS = ("neutral", "happy", "angry", "sad")
TEXTS = ("go now", "no way", "why not", "ok then")
ADAPTERS = AdapterConfig(LoraConfig(rank=2), BottleneckConfig(width=4))
TRAINER = TrainerConfig(
    epochs=2, learning_rate=3e-3, ema_decay=0.9, save_every=2, device="cpu", keep="last"
)


def write_corpus(folder: Path, speakers: int = 6) -> Path:
    """Write a manifest with half a second of tone per row: eight rows for each speaker."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(0)
    with (folder / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["path", "text", "speaker", "gender", "style", "label"])
        for speaker in range(speakers):
            for number in range(8):
                kind, name = number % 4, f"s{speaker}_{number}.wav"
                time = np.arange(int(16000 * (0.4 + 0.05 * (number % 3)))) / 16000
                tone = 0.2 * np.sin(2 * np.pi * (120 + 60 * kind) * time)
                noise = 0.01 * generator.normal(size=len(time))
                write_wave(folder / name, (tone + noise).astype(np.float32))
                style = ("acted", "spontaneous")[number // 4]
                table.writerow(
                    [name, TEXTS[kind], f"s{speaker}", "FM"[speaker % 2], style, EMOTIONS[kind]]
                )
    return folder


def config_of(encoder: Path | None, **changes: Any) -> MultiTaskConfig:
    """Return two stages: everything on recognition, then adapters and heads on gender and style.

    Args:
        encoder: folder of a tiny pretrained one; None: the compact one.
        changes: fields of the configuration.
    """
    choice = SpeechEncoderChoice("embedded", "compact")
    if encoder is not None:
        choice = SpeechEncoderChoice(str(encoder))
    first = TrainingStage("first", TRAINER, losses=paper_weights(FIRST), dropout=0.2)
    second = TrainingStage(
        "second",
        TRAINER,
        trains=("adapters", "heads"),
        losses=paper_weights(SECOND, scl="scl_cos"),
        starts_from="first",
        adapters=ADAPTERS,
        task_adapter=4,
        dropout=0.2,
    )
    made = MultiTaskConfig(
        "small",
        CorpusConfig("manifest", licence="generated"),
        choice,
        (first, second),
        split=SplitConfig(folds=3, validation=0.25),
        batches=BatchConfig(size=8, prefetch=0),
        half=False,
    )
    return replace(made, **changes)


def without_dropout(config: MultiTaskConfig) -> MultiTaskConfig:
    """Return a configuration of which two processes compute the same as one."""
    stages = tuple(replace(stage, dropout=0.0) for stage in config.stages)
    return replace(config, stages=stages, encoder=replace(config.encoder, dropout=False))


def context_of(data: Path, out: Path, *, resume: bool = False) -> StageContext:
    """Return the context of a run, whose results lie in `out`/multitask."""
    return StageContext("multitask", data, out, 7, False, resume, Reporter(silent=True))


def prepared(config: MultiTaskConfig, data: Path) -> tuple[TaskData, Encoders, Any]:
    """Return what `train_stage` is given: data, encoders, and the source of batches."""
    silent = Reporter(silent=True)
    corpus = load_examples(config.corpus, data, (Modality.SPEECH,), silent)
    encoders = load_chosen(config.encoder, None)
    tasks = prepare_tasks(corpus, config)
    return tasks, encoders, task_source(tasks, encoders.processor, corpus.loader)


def kill_before(batch: int) -> None:
    """Let this process kill itself before a batch, counted over all epochs and stages from 1."""
    whole, count = TaskBatches.__call__, [0]

    def counted(
        self: TaskBatches, epoch: int, generator: np.random.Generator
    ) -> Iterator[TaskBatch]:
        for each in whole(self, epoch, generator):
            count[0] += 1
            if count[0] == batch:
                os.kill(os.getpid(), signal.SIGKILL)
            yield each

    TaskBatches.__call__ = counted  # type: ignore[method-assign]


def kill_while_writing() -> None:
    """Let this process kill itself before the results of the last stage are written."""
    whole = stage_module.write_stage

    def written(folder: Path, *rest: Any) -> Any:
        if folder.name == "second":
            os.kill(os.getpid(), signal.SIGKILL)
        return whole(folder, *rest)

    stage_module.write_stage = written


def main() -> None:
    """Train as the arguments say."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("encoder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--kill", type=int, default=0, help="batch; -1: while writing; 0: never")
    parser.add_argument("--resume", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    onednn_products.LEAST_WORK = 1  # as in the tests of this folder
    if options.kill > 0:
        kill_before(options.kill)
    elif options.kill:
        kill_while_writing()
    context = context_of(options.data, options.out, resume=options.resume)
    config = config_of(options.encoder)
    if "RANK" in os.environ:  # each process drops out other units
        config = without_dropout(config)
    run(config, context)


if __name__ == "__main__":
    main()
