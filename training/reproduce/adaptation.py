"""From a paper's configuration to one that runs: as published, frozen, quick, on other encoders.

The YAMLs of training/configs/rsa_cfn and training/configs/knu are what the papers did, but for the
split; everything here changes one thing about them, and says what in a sentence for the report.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.errors import ConfigError
from core.models.systems.head import Variant
from training import config as configuration
from training.losses.config import NONE
from training.reproduce.options import ReproduceOptions
from training.system_config import SpeechEncoderChoice, SystemConfig, TextEncoderChoice
from training.trainer import TrainerConfig

CONFIGS = Path(__file__).resolve().parents[1] / "configs"

TASKS = ("total", "classification", "regression")


@dataclass(frozen=True, slots=True)
class FrozenTraining:
    """How heads are trained on cached features; the papers fine-tune, so this is ours."""

    epochs: int = 30
    learning_rate: float = 1e-3
    batch: int = 16
    patience: int = 8


def base_config(family: str, name: str) -> SystemConfig:
    """Read one of the papers' configurations. Raises ConfigError."""
    path = CONFIGS / family / f"{name}.yaml"
    mapping = configuration.read_yaml(path)
    mapping.pop("stage", None)
    return configuration.from_mapping(SystemConfig, mapping, path)


def on_encoders(config: SystemConfig, speech: str | None, text: str | None) -> SystemConfig:
    """Use other encoders than the paper's, by hub name or folder; None: the paper's."""
    if config.speech is not None and speech is not None:
        config = replace(config, speech=replace(config.speech, model=speech))
    if config.text is not None and text is not None:
        config = replace(config, text=replace(config.text, model=text))
    return config


def as_published(config: SystemConfig) -> SystemConfig:
    """Build the system bug for bug: padding counts as speech and as words, softmax before sigmoid.

    RSA-CFN: means over zero-padded batches and over 256 padded tokens; speech cut after 6 s.
    KNU: the last frame of the convolutions' output of a zero-padded batch, not normalised.
    """
    family = _family(config)
    batches = replace(config.batches, pool=1)  # rows of any length side by side, as published
    speech = None if config.speech is None else _PUBLISHED_SPEECH[family](config.speech)
    text = None if config.text is None else _PUBLISHED_TEXT[family](config.text)
    return replace(config, variant=Variant.PAPER.value, speech=speech, text=text, batches=batches)


def _family(config: SystemConfig) -> str:
    return "knu" if config.is_multi_label else "rsa-cfn"


def _rsa_speech(choice: SpeechEncoderChoice) -> SpeechEncoderChoice:
    return replace(choice, pooling="padded_mean", respect_padding=False, overlong="cut")


def _knu_speech(choice: SpeechEncoderChoice) -> SpeechEncoderChoice:
    trainable = "none" if choice.trainable == "none" else "all"
    return replace(
        choice, output="extract_features", pooling="padded_last", respect_padding=False,
        overlong="cut", normalise=False, trainable=trainable,
    )  # fmt: skip


def _rsa_text(choice: TextEncoderChoice) -> TextEncoderChoice:
    return replace(choice, pooling="padded_mean", pad_to=choice.max_tokens)


def _knu_text(choice: TextEncoderChoice) -> TextEncoderChoice:
    return choice


_PUBLISHED_SPEECH: Mapping[str, Callable[[SpeechEncoderChoice], SpeechEncoderChoice]] = {
    "rsa-cfn": _rsa_speech,
    "knu": _knu_speech,
}
_PUBLISHED_TEXT: Mapping[str, Callable[[TextEncoderChoice], TextEncoderChoice]] = {
    "rsa-cfn": _rsa_text,
    "knu": _knu_text,
}


def with_published_split(config: SystemConfig) -> SystemConfig:
    """Split as the paper did, and choose the epoch as it did.

    RSA-CFN chose it on the test part. KNU's is not stated: the last one is kept. The corrected KNU
    systems still need a share of the training part for their thresholds.
    """
    trainer = replace(config.trainer, patience=0)
    if not config.is_multi_label:
        split = replace(config.split, kind="segments", folds=5, validation=0.0, seed=42)
        return replace(config, split=split, selection="test", trainer=trainer)
    split = replace(config.split, kind="blocks", folds=5)
    config = replace(config, split=split, trainer=replace(trainer, keep="last"))
    if config.variant != Variant.PAPER:
        return config
    return replace(config, split=replace(split, validation=0.0), selection="test")


def frozen(config: SystemConfig, how: FrozenTraining) -> SystemConfig:
    """Train the head alone, on features that are computed once."""
    speech = None if config.speech is None else replace(config.speech, trainable="none")
    text = None if config.text is None else replace(config.text, trainable="none")
    patience = how.patience if config.selection == "validation" else 0
    trainer = replace(
        config.trainer, epochs=how.epochs, learning_rate=how.learning_rate, schedule="one_cycle",
        warmup=0.1, weight_decay=0.01, gradient_clip=1.0, patience=patience, precision="fp32",
    )  # fmt: skip
    batches = replace(config.batches, size=how.batch)
    return replace(config, speech=speech, text=text, trainer=trainer, batches=batches)


def fine_tuned_quickly(config: SystemConfig, epochs: int) -> SystemConfig:
    """Fine-tune tiny encoders with random weights: fewer epochs, and a rate that moves them."""
    trainer = replace(
        config.trainer, epochs=epochs, learning_rate=1e-3, schedule="one_cycle", warmup=0.1,
        gradient_clip=1.0, precision="fp32", patience=0,
    )  # fmt: skip
    return replace(config, trainer=trainer)


_QUICK_HEADS: Mapping[str, Mapping[str, Any]] = {
    "mlp_mixer": {"width": 32, "text_tokens": 32, "speech_frames": 96, "hidden": 64},
    "residual": {"hidden": 64},
    "rsa": {"attention": 32, "hidden": 64},
    "rsa_cfn": {"projection": 12, "attention": 16, "hidden": 64},
    "low_rank_rsa_cfn": {"projection": 12, "attention": 16, "rank": 32, "hidden": 64},
    "hybrid": {
        "voters": {
            "residual": {"hidden": 64},
            "rsa_cfn": {"projection": 12, "attention": 16, "hidden": 64},
        }
    },
}


def quick(config: SystemConfig) -> SystemConfig:
    """Shrink the head, so that every row takes seconds."""
    return replace(config, head=dict(_QUICK_HEADS.get(config.system, {})))


def for_task(config: SystemConfig, task: str) -> SystemConfig:
    """Train labels and affect together, or one of them alone (KNU). Raises ConfigError."""
    if task not in TASKS:
        raise ConfigError(f"There is no task {task!r}.", f"There are: {', '.join(TASKS)}.")
    if task == "classification":
        return replace(config, affect=False, loss=replace(config.loss, affect=NONE))
    if task == "regression":
        loss = replace(config.loss, emotion=NONE)
        return replace(config, head={**config.head, "emotion": False}, loss=loss)
    return config


def seeded(config: SystemConfig, fold: int, seed: int) -> SystemConfig:
    """Choose the fold and the number of the training of it."""
    trainer: TrainerConfig = replace(config.trainer, seed=config.trainer.seed + seed)
    return replace(config, split=replace(config.split, fold=fold), trainer=trainer)


def on_this_machine(config: SystemConfig) -> SystemConfig:
    """Keep to what the machine computes fast: bfloat16 is for a GPU."""
    import torch

    precision = config.trainer.precision if torch.cuda.is_available() else "fp32"
    return replace(config, trainer=replace(config.trainer, precision=precision))


def differences_of(
    options: ReproduceOptions, config: SystemConfig, folds: int, all_folds: int
) -> tuple[str, ...]:
    """Return what a run does not share with the paper, in sentences."""
    rules = (
        (
            config.split.speaker_independent,
            "Speakers of the test part are in no other part; in the paper they are.",
        ),
        (
            config.selection == "validation" and config.trainer.keep == "best",
            "The epoch is chosen on a validation part, and the test part is judged once; "
            + ("KNU does not say how it was chosen." if config.is_multi_label else
               "RSA-CFN chose it on the part it reports."),
        ),
        (
            config.selection == "test" and not config.is_multi_label,
            "All test rows are judged; the paper leaves the last, incomplete batch out.",
        ),
        (folds < all_folds, f"{folds} of {all_folds} folds were run (--folds)."),
        (
            config.is_cached,
            "Encoders are frozen and heads are trained on cached features; the paper fine-tunes"
            " the encoders.",
        ),
        (
            config.is_cached and options.variant is Variant.PAPER,
            "Cached features are made at exact lengths, so that the published mistakes with"
            " padded speech only show end to end.",
        ),
        (
            options.quick,
            "Quick: few epochs, and parameters are not the published ones: encoders are narrow"
            + ("." if config.is_multi_label else
               ", and heads are shrunk (RSA-CFN's projection is 12 instead of 128)."),
        ),
        (
            options.variant is Variant.CORRECTED,
            "Systems are corrected: padding is masked"
            + (", and labels get a sigmoid and thresholds of their own" if config.is_multi_label
               else "") + " (--variant paper builds them bug for bug).",
        ),
        (
            bool(options.speech or options.text or options.second_text),
            "Other encoders were asked for: "
            + ", ".join(n for n in (options.speech, options.text, options.second_text) if n) + ".",
        ),
        (
            options.seeds == 1,
            "One training per row and fold; --seeds says how much chance there is in it.",
        ),
    )  # fmt: skip
    return tuple(sentence for applies, sentence in rules if applies)
