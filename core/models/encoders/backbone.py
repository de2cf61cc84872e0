"""A Hugging Face model from a configuration alone, or with the weights of a folder, checked.

Weights are read from safetensors only; a model that brings its own code is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from core.errors import CheckpointError, ConfigError
from core.models.encoders.initialisation import do_weights_follow

if TYPE_CHECKING:
    from transformers import PretrainedConfig

CONFIG = "config.json"
_NOT_ARCHITECTURE = ("transformers_version", "_name_or_path", "architectures", "dtype", "auto_map")
_AGAIN = "Download the model again."


@dataclass(frozen=True, slots=True)
class Task:
    """What a model is needed for.

    what: in words, for messages. auto: the name of the transformers auto class.
    mapping: the name of its mapping from configurations to models.
    """

    what: str
    auto: str
    mapping: str


ENCODER = Task("an encoder", "AutoModel", "MODEL_MAPPING")
AUDIO_CLASSIFIER = Task(
    "an audio classifier",
    "AutoModelForAudioClassification",
    "MODEL_FOR_AUDIO_CLASSIFICATION_MAPPING",
)
TEXT_CLASSIFIER = Task(
    "a text classifier",
    "AutoModelForSequenceClassification",
    "MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING",
)


def read_config(folder: Path) -> PretrainedConfig:
    """Read config.json of a folder.

    Raises:
        CheckpointError: it is missing, damaged, or of an architecture this version lacks.
    """
    path = folder / CONFIG
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(
            f"{folder} holds no model: it has no {CONFIG}.",
            "Give the folder of a Hugging Face model.",
        ) from error
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} can't be read ({error}).", _AGAIN) from error
    try:
        return config_of(values)
    except ConfigError as error:
        raise CheckpointError(f"{path}: {error.problem}", error.remedy) from error


def config_of(values: Any) -> PretrainedConfig:
    """Return the configuration that plain values describe. Raises ConfigError."""
    from transformers import CONFIG_MAPPING

    kind = values.get("model_type") if isinstance(values, Mapping) else None
    if kind not in CONFIG_MAPPING:
        raise ConfigError(
            f"The installed transformers has no model type {kind!r}.",
            "Models that bring their own code are not taken.",
        )
    try:
        given = {k: v for k, v in values.items() if k not in _NOT_ARCHITECTURE}
        return CONFIG_MAPPING[kind].from_dict(given)
    except Exception as error:  # what a configuration class raises for nonsense varies
        raise ConfigError(f"The {kind} configuration makes no sense ({error}).") from error


def plain(config: PretrainedConfig) -> dict[str, Any]:
    """Return a configuration as JSON values that `config_of` reads."""
    values = {k: v for k, v in config.to_dict().items() if k not in _NOT_ARCHITECTURE}
    return dict(json.loads(json.dumps(values)))


def drop_nothing(config: PretrainedConfig) -> None:
    """Set every dropout of a configuration to zero, whatever its model calls them."""
    for name, value in config.to_dict().items():
        if "drop" in name and isinstance(value, int | float):
            setattr(config, name, 0.0)


def model_class(config: PretrainedConfig, task: Task) -> type[Any]:
    """Return the class for a task. Raises ConfigError when this type of model can't do it."""
    import transformers

    mapping = getattr(transformers, task.mapping)
    if type(config) not in mapping:
        raise ConfigError(
            f"A model of type {config.model_type} can't be {task.what}.", "Choose another model."
        )
    found = mapping[type(config)]
    return found[0] if isinstance(found, tuple | list) else found


def build(config: PretrainedConfig, task: Task, **options: Any) -> Any:
    """Build a model with random weights (see `initialisation`), in fp32. Raises ConfigError."""
    import transformers
    from transformers.initialization import no_init_weights

    model_class(config, task)
    try:
        with quiet(), no_init_weights() if do_weights_follow() else nullcontext():
            auto = getattr(transformers, task.auto)
            made = auto.from_config(config, dtype=torch.float32, trust_remote_code=False, **options)
            return made.eval()
    except Exception as error:  # sizes that don't fit raise whatever the layer raises
        kind = config.model_type
        raise ConfigError(f"The {kind} configuration can't be built ({error}).") from error


def load(
    folder: Path,
    config: PretrainedConfig,
    task: Task,
    *,
    may_lack: Iterable[str] = (),
    may_leave: Iterable[str] = (),
    **options: Any,
) -> tuple[Any, tuple[str, ...]]:
    """Build a model with the weights of a folder, in fp32 and evaluation mode.

    Args:
        config: as `read_config` returns it, possibly with fewer layers.
        may_lack: beginnings of weights' names that start afresh when the folder has none.
        may_leave: beginnings of the names of the model's own weights that are left alone.
        options: to the model's constructor.

    Returns:
        the model, and the parts of the folder that it has no use for (heads of other tasks).

    Raises:
        CheckpointError: naming the folder, for weights that are missing, truncated, pickled, of
            the wrong shape or not finite, or of a model that can't do the task.
    """
    import transformers

    check_task(folder, config, task)
    check_weight_files(folder)
    try:
        with quiet():
            model, report = getattr(transformers, task.auto).from_pretrained(
                folder,
                config=config,
                dtype=torch.float32,
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                output_loading_info=True,
                **options,
            )
    except Exception as error:  # the library has no common error for weights that do not fit
        raise not_loaded(f"The model in {folder}", error) from error
    ignored = _check(folder, model, report, tuple(may_lack), tuple(may_leave))
    return model.eval(), ignored


def not_loaded(what: str, error: Exception) -> CheckpointError:
    """Return, as one sentence, the error for what transformers could not load from a folder."""
    if "trust_remote_code" in str(error):  # it was told not to, and advises to
        return CheckpointError(
            f"{what} needs code of its own, which is never run.", "Choose another model."
        )
    first = next(iter(str(error).strip().splitlines()), type(error).__name__)
    return CheckpointError(f"{what} can't be loaded ({first}).", _AGAIN)


def check_task(folder: Path, config: PretrainedConfig, task: Task) -> None:
    """Refuse a folder whose type of model can't do the task. Raises CheckpointError."""
    try:
        model_class(config, task)
    except ConfigError as error:
        raise CheckpointError(f"{folder}: {error.problem}", error.remedy) from error


def check_weight_files(folder: Path) -> None:
    """Refuse a folder whose safetensors are missing or cut off. Raises CheckpointError."""
    from safetensors import SafetensorError, safe_open

    found = sorted(folder.glob("*.safetensors"))
    if not found:
        pickled = sorted(p.name for p in folder.glob("*.bin"))
        if pickled:
            raise CheckpointError(
                f"{folder} has its weights only as a pickle ({pickled[0]}), which could run code.",
                "Use a revision with model.safetensors, or convert it on a machine you can spare.",
            )
        raise CheckpointError(
            f"{folder} has no model.safetensors.",
            "Pickles are neither fetched nor opened: use a model or revision (name@refs/pr/1) that"
            " has safetensors.",
        )
    for path in found:
        try:
            with safe_open(path, framework="pt"):
                pass
        except (OSError, SafetensorError) as error:
            raise CheckpointError(f"{path} is cut off or damaged ({error}).", _AGAIN) from error


def _check(
    folder: Path,
    model: nn.Module,
    report: Mapping[str, Any],
    may_lack: tuple[str, ...],
    may_leave: tuple[str, ...],
) -> tuple[str, ...]:
    missing = [k for k in sorted(report["missing_keys"]) if not k.startswith(may_lack)]
    wrong = [str(entry[0]) for entry in sorted(report["mismatched_keys"])]
    own, others = _sorted_out(model, report["unexpected_keys"])
    own = [key for key in own if not key.startswith(may_leave)]
    infinite = [n for n, t in model.named_parameters() if not bool(t.isfinite().all())]
    problems = [
        f"{count} {'weight' if count == 1 else 'weights'} {what} ({names[0]})"
        for names, what in (
            (missing, "missing"),
            (wrong, "of the wrong shape"),
            (own, "that the architecture does not have"),
            (infinite, "not finite"),
        )
        if (count := len(names))
    ]
    if problems:
        raise CheckpointError(f"The model in {folder} has {', '.join(problems)}.", _AGAIN)
    return others


def _sorted_out(model: Any, unexpected: Iterable[str]) -> tuple[list[str], tuple[str, ...]]:
    """Split weights nobody expected into the model's own and names of other tasks' parts."""
    prefix = f"{model.base_model_prefix}."
    parts = {name.split(".")[0] for name, _ in model.named_children()}
    parts |= {"encoder", "masked_spec_embed", "pooler", model.base_model_prefix}
    own, others = [], set()
    for key in sorted(unexpected):
        first = key.removeprefix(prefix).split(".")[0]
        if key.startswith(prefix) or first in parts:
            own.append(key.removeprefix(prefix))
        else:
            others.add(first)
    return own, tuple(sorted(others))


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers from drawing bars and reports; what they say is checked and raised."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
