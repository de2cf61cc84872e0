"""The configuration of every row, made from one of training/configs/two_stage per corpus.

That one says how a stage trains that tunes everything, and how one that tunes adapters alone; a row
is one or two of these, with its tasks. The other files there are rows of these tables by
themselves: they say the same (which is tested).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from core.models.adapters.config import AdapterConfig, BottleneckConfig, LoraConfig
from core.models.two_stage_config import RECOGNITION
from training import config as configuration
from training.losses.multitask import PAPER_SHARE, shared_weights
from training.multitask.config import MultiTaskConfig, TrainingStage
from training.reproduce.options import ReproduceOptions
from training.reproduce.two_stage_data import IEMOCAP, KEMDY
from training.reproduce.two_stage_rows import ADAPTERS, FULL, PUBLISHED, ROWS, Part, Sizes, sizes_of

CONFIGS = Path(__file__).resolve().parents[1] / "configs" / "two_stage"
BASES: Mapping[str, str] = MappingProxyType({IEMOCAP: "setting_3", KEMDY: "kemdy_jamo"})
"""Corpus -> what its rows are made from. Korean is recognised in jamo: many syllables are rare."""
FIRST, SECOND = "first", "second"
_SWEPT: Mapping[str, Callable[[Sizes, int], Sizes]] = {
    "rank": lambda sizes, number: replace(sizes, rank=number),
    "width": lambda sizes, number: replace(sizes, width=number),
}
_QUICK_EPOCHS, _GENERATED_EPOCHS = 8, 20
_FEW_EPOCHS = 2
"""Of a real encoder with --quick: to see that everything works."""
_TINY_RATE, _TINY_BATCH = 3e-3, 8
_TINY_VALIDATION = 0.25
"""Of few sessions: less would be one of KEMDy, and so one style."""


def row_config(
    system: str, corpus: str, encoder: str | None, options: ReproduceOptions
) -> MultiTaskConfig:
    """Return how a row is trained.

    Args:
        system: of `ROWS`, or of a sweep (`width-16`).
        corpus: `IEMOCAP` or `KEMDY`.
        encoder: hub name or folder; None: the paper's.
    """
    base = base_config(corpus)
    what, _, number = system.rpartition("-")
    sizes = sizes_of(options)
    if what in _SWEPT:
        sizes, system = _SWEPT[what](sizes, int(number)), "x_e"
    chosen = base.encoder if encoder is None else replace(base.encoder, model=encoder)
    stages = _stages(base, ROWS[system], sizes)
    config = replace(base, name=system, encoder=chosen, stages=stages)
    if options.generated:
        return quickly(config, options)
    if options.quick:
        config = _with_trainers(config, epochs=_FEW_EPOCHS)
    return on_this_machine(config)


def base_config(corpus: str) -> MultiTaskConfig:
    """Read the configuration that a corpus's rows are made from. Raises ConfigError."""
    path = CONFIGS / f"{BASES[corpus]}.yaml"
    mapping = configuration.read_yaml(path)
    mapping.pop("stage", None)
    return configuration.from_mapping(MultiTaskConfig, mapping, path)


def _stages(
    base: MultiTaskConfig, parts: Sequence[Part], sizes: Sizes
) -> tuple[TrainingStage, ...]:
    made = []
    for place, part in enumerate(parts):
        before = parts[place - 1].tuned if place else FULL
        made.append(_stage(
            base, part, sizes, name=(FIRST, SECOND)[place], first=place == 0,
            has_adapters=before == ADAPTERS,
        ))  # fmt: skip
    return tuple(made)


def _stage(
    base: MultiTaskConfig, part: Part, sizes: Sizes, *, name: str, first: bool, has_adapters: bool
) -> TrainingStage:
    """Return a stage that trains as the base's stage of the same kind does.

    Args:
        has_adapters: what it starts from has adapters, with which it goes on.
    """
    full, adapters = base.stages
    like = full if part.tuned == FULL else adapters
    losses = shared_weights(part.beside)
    if part.scl:
        losses[part.scl] = PAPER_SHARE
    kinds = AdapterConfig(LoraConfig(sizes.rank), BottleneckConfig(sizes.width))
    return replace(
        like,
        name=name,
        starts_from="" if first else FIRST,
        losses=losses,
        adapters=kinds if part.tuned == ADAPTERS and not has_adapters else None,
        task_adapter=sizes.width if part.tasks_apart else 0,
        fusion=part.fusion,
    )


def quickly(config: MultiTaskConfig, options: ReproduceOptions) -> MultiTaskConfig:
    """Train a tiny encoder that knows nothing: fewer epochs, and rates that move it."""
    batches = replace(config.batches, size=_TINY_BATCH)
    split = replace(config.split, validation=_TINY_VALIDATION)
    return _with_trainers(
        replace(config, batches=batches, split=split),
        epochs=_epochs(options),
        schedule="one_cycle", warmup=0.1, precision="fp32", patience=0, ema_decay=0.0,
        learning_rate=_TINY_RATE, rates={},
    )  # fmt: skip


def on_this_machine(config: MultiTaskConfig) -> MultiTaskConfig:
    """Keep to what the machine computes fast: bfloat16 is for a GPU."""
    import torch

    return config if torch.cuda.is_available() else _with_trainers(config, precision="fp32")


def _with_trainers(config: MultiTaskConfig, **changes: Any) -> MultiTaskConfig:
    stages = (replace(s, trainer=replace(s.trainer, **changes)) for s in config.stages)
    return replace(config, stages=tuple(stages))


def differences_of(options: ReproduceOptions, corpus: str, folds: int) -> tuple[str, ...]:
    """Return what a run does not share with the paper, in sentences."""
    base, sizes = base_config(corpus), sizes_of(options)
    share = f"{base.stages[0].losses[RECOGNITION]:g}"
    rules = (
        (
            corpus == KEMDY,
            "KEMDy19 with KEMDy20 is not in the paper: style is acted or spontaneous, recognition"
            " writes jamo, and all seven emotions are told.",
        ),
        (
            True,
            f"Not printed, and ours: the weight of recognition in stage 1 ({share}), that of SCL"
            f" ({PAPER_SHARE:g}), the width of the bottlenecks ({sizes.width}). LoRA has rank"
            f" {sizes.rank}{'' if sizes.rank == PUBLISHED.rank else f' ({PUBLISHED.rank} there)'}.",
        ),
        (
            True,
            "The epoch is chosen on a share of the training sessions, and the test part is judged"
            " once; the paper does not say how it was chosen.",
        ),
        (
            corpus == IEMOCAP,
            "Remarks in transcripts, like [LAUGHTER], are neither recognised nor counted as words;"
            " what was done with them there is not printed.",
        ),
        (
            options.generated,
            f"Each stage takes {_epochs(options)} epochs (200 there) at a larger learning rate.",
        ),
        (
            options.quick and not options.generated,
            f"Quick: {_FEW_EPOCHS} epochs, which say only that everything works.",
        ),
        (folds < base.split.folds, f"{folds} of {base.split.folds} folds."),
    )
    return tuple(sentence for applies, sentence in rules if applies)


def _epochs(options: ReproduceOptions) -> int:
    return _QUICK_EPOCHS if options.quick else _GENERATED_EPOCHS
