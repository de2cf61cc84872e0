"""Saving and loading adapters: their weights and the heads', and which model they go with."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from core.errors import CheckpointError, EmoscopeError
from core.models.adapters.bases import OpenBase, find_base, open_base, refer
from core.models.adapters.injection import (
    adapter_state,
    attach,
    detach,
    load_adapter_state,
    original_state,
    outline,
    put_trained,
)
from core.models.adapters.record import record_of
from core.models.adapters.reference import CHECKPOINT
from core.models.calibration import Calibration, DoubtLimits
from core.models.checkpoint import LoadedModel, read_processor
from core.models.checkpoint_folder import replacing, write_papers
from core.models.manifest import (
    ADAPTER,
    PROCESSOR,
    WEIGHTS,
    CheckpointInfo,
    error_of,
    file_problems,
    hash_files,
    read_info,
    write_config,
)
from core.models.stored_weights import build, misfits, read_state, write_state
from core.models.two_stage_config import ARCHITECTURE, TwoStageConfig

if TYPE_CHECKING:
    from core.models.base import EmotionModel
    from core.models.processor_loading import AnyProcessor

SPEECH = "speech."
"""Beginning of the names of the encoder's weights, and of its adapters'."""


def save_adapter_checkpoint(
    directory: Path | str,
    model: EmotionModel,
    *,
    base: Path | str,
    name: str,
    training: Mapping[str, Any],
    metrics: Mapping[str, Any],
    card: str,
    processor: AnyProcessor | None = None,
    version: str = "1",
    calibration: Calibration | None = None,
    limits: DoubtLimits | None = None,
    half: bool = True,
) -> CheckpointInfo:
    """Write adapters and heads, whole or not at all; what lies at `directory` is replaced.

    The model itself stays as it is.

    Args:
        directory: where; its parent is created.
        model: a two-stage model with adapters in its encoder (LoRA merged or not).
        base: folder of the checkpoint, or of the pretrained model, with the weights of its encoder.
            The folder of an adapter stands for the base of that.
        name, version, training, metrics, card, calibration, limits, half: see `save_checkpoint`.
        processor: which the model was trained with; None: the base's. It is stored only where it
            differs from that.

    Raises:
        CheckpointError: the model has no adapters, its encoder's own weights are not those of the
            base, or a weight is not finite or too large for fp16.
    """
    target = Path(directory)
    config = _described(model)
    info = CheckpointInfo(
        path=target,
        name=name,
        version=version,
        architecture=ARCHITECTURE,
        specification=model.specification,
        model_config=MappingProxyType(config),
        calibration=calibration or Calibration(),
        limits=limits or DoubtLimits(),
        files=MappingProxyType({}),
        base=refer(base, target),
    )
    _check_base(model, info, has_processor=processor is not None)
    with replacing(target) as folder:
        write_state(own_state(model), folder / ADAPTER, half=half)
        if processor is not None:
            _save_processor(processor, folder, info)
        write_papers(folder, training, metrics, card)
        files = MappingProxyType(hash_files(folder))
        write_config(replace(info, path=folder, files=files))
    return read_info(target)


def load_adapter_checkpoint(
    directory: Path | str, base: Path | str | None = None, *, trainable: bool = False
) -> LoadedModel:
    """Verify an adapter and its base, and build the model of both, on the CPU, in fp32.

    Args:
        directory: of the adapter.
        base: see `load_checkpoint`.
        trainable: leave LoRA beside the weights and let adapters and heads train (needs peft);
            else LoRA is merged, and nothing trains.

    Raises:
        CheckpointError: naming every file and weight that is wrong, or the base is not to be found.
        ConfigError: `trainable`, and peft is not installed.
    """
    info = read_info(directory)
    problems = file_problems(info)
    opened = open_base(info, find_base(info, base))
    processor = _processor(info, opened, problems)
    encoder = opened.encoder
    model = None if problems else assemble(info, encoder, problems, trainable=trainable)
    if problems or model is None or processor is None:
        raise error_of(info.path, problems)
    return LoadedModel(model, processor, info)


def assemble(
    info: CheckpointInfo, encoder: nn.Module, problems: list[str], *, trainable: bool = False
) -> EmotionModel | None:
    """Return the model of an adapter around an encoder, in evaluation mode.

    Other adapters of the encoder are taken out. It is changed only where all is well; otherwise
    None is returned, and there are more phrases in `problems`.
    """
    config = read_config(info, problems)
    state = read_state(info.path / ADAPTER, problems)
    if config is None or problems:
        return None
    if config.adapters is None:
        problems.append("its config.json describes no adapters")
        return None
    model = _around(info, config, encoder, state, problems)
    if trainable and model is not None:
        detach(encoder)
        attach(encoder, config.adapters)
        load_adapter_state(encoder, _adapters_in(state))
        _free(model)
    return model


def _around(
    info: CheckpointInfo,
    config: TwoStageConfig,
    encoder: nn.Module,
    state: Mapping[str, Tensor],
    problems: list[str],
) -> EmotionModel | None:
    """Return a model with the heads and trained adapters in `state`, or None and `problems`."""
    model = with_heads(info, replace(config, adapters=None), encoder, state, problems)
    outlined = {} if config.adapters is None else outline(encoder, config.adapters)
    stored = {name: t for name, t in state.items() if name.startswith(SPEECH)}
    problems += misfits({f"{SPEECH}{name}": t for name, t in outlined.items()}, stored)
    if problems or model is None:
        return None
    model.requires_grad_(False).eval()
    if config.adapters is None:
        detach(encoder)
    else:
        put_trained(encoder, config.adapters, _adapters_in(state))
    return model


def _adapters_in(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {n.removeprefix(SPEECH): t for n, t in state.items() if n.startswith(SPEECH)}


def base_alone(
    info: CheckpointInfo, encoder: nn.Module, problems: list[str]
) -> EmotionModel | None:
    """Return the model of a checkpoint around its own encoder, which may have adapters now.

    As `assemble` does: heads, and bottlenecks if it has some, are read; the encoder's weights not.
    """
    config = read_config(info, problems)
    if config is None:
        return None
    outlined = {} if config.adapters is None else outline(encoder, config.adapters)
    adapters = {f"{SPEECH}{name}": tensor for name, tensor in outlined.items()}
    state = read_state(
        info.path / WEIGHTS, problems, lambda name: not name.startswith(SPEECH) or name in adapters
    )
    return None if problems else _around(info, config, encoder, state, problems)


def with_heads(
    info: CheckpointInfo,
    config: TwoStageConfig,
    encoder: nn.Module,
    state: Mapping[str, Tensor],
    problems: list[str],
) -> EmotionModel | None:
    """Return a model with the heads in `state` around an encoder, or None and more `problems`.

    A number in a configuration may ask for any size, so nothing is allocated for heads.
    """
    from core.models.two_stage import TwoStageModel

    def make() -> EmotionModel:
        with torch.device("meta"):
            return TwoStageModel(info.specification, config, speech=encoder)

    model = build(make, problems)
    if model is None:
        return None
    heads = {name: t for name, t in state.items() if not name.startswith(SPEECH)}
    wrong = misfits(_heads_of(model), heads)
    problems += wrong
    if wrong:
        return None
    place = next(encoder.parameters()).device
    on_place = {name: tensor.to(place) for name, tensor in heads.items()}
    model.load_state_dict(on_place, strict=False, assign=True)
    return model


def read_config(info: CheckpointInfo, problems: list[str]) -> TwoStageConfig | None:
    """Return what a two-stage checkpoint says about its model, or None and more `problems`."""
    if info.architecture != ARCHITECTURE:
        problems.append(f"it is of the architecture {info.architecture!r}, not {ARCHITECTURE!r}")
        return None
    try:
        return TwoStageConfig.from_dict(info.model_config)
    except EmoscopeError as error:
        problems.append(error.problem.rstrip("."))
        return None


def own_state(model: nn.Module) -> dict[str, Tensor]:
    """Return what an adapter checkpoint holds of a model: adapters and heads."""
    return {**adapter_state(model), **_heads_of(model)}


def _heads_of(model: nn.Module) -> dict[str, Tensor]:
    return {n: t for n, t in model.state_dict().items() if not n.startswith(SPEECH)}


def _described(model: EmotionModel) -> dict[str, Any]:
    """Return the model's configuration with all its adapters. Raises CheckpointError."""
    encoder = getattr(model, "speech", None)
    record = None if encoder is None else record_of(encoder)
    if record is None:
        raise CheckpointError("The model has no adapters to save.", "Save it as a checkpoint.")
    return {**model.config(), "adapters": record.config.to_dict()}


def _check_base(model: EmotionModel, info: CheckpointInfo, *, has_processor: bool) -> None:
    """Raise CheckpointError unless the encoder has the weights of the base, to the last bit."""
    opened = open_base(info, find_base(info))
    expected = opened.encoder.state_dict()
    own = original_state(model.get_submodule("speech"))
    changed = [n for n in sorted(expected) if not torch.equal(expected[n], own[n].cpu())]
    if changed:
        assert info.base is not None
        raise CheckpointError(
            f"The encoder is not that of {info.base.name}: {len(changed)} weights differ"
            f" ({changed[0]}).",
            "Save a whole checkpoint of a model whose encoder was trained.",
        )
    if opened.processor is None and not has_processor:
        raise CheckpointError("A pretrained model has no processor.", "Save one with the adapter.")


def _save_processor(processor: AnyProcessor, folder: Path, info: CheckpointInfo) -> None:
    """Write the processor, unless it is that of the base to the last bit."""
    assert info.base is not None
    processor.save(folder / PROCESSOR)
    if info.base.kind == CHECKPOINT:
        theirs = read_info(find_base(info)).files
        ours = {f"{PROCESSOR}/{n}": d for n, d in hash_files(folder / PROCESSOR).items()}
        if ours == {n: d for n, d in theirs.items() if n.startswith(f"{PROCESSOR}/")}:
            shutil.rmtree(folder / PROCESSOR)


def _processor(info: CheckpointInfo, opened: OpenBase, problems: list[str]) -> AnyProcessor | None:
    if not has_processor(info):
        if opened.processor is None:
            problems.append("neither it nor its base has a processor")
        return opened.processor
    return read_processor(info, problems)


def has_processor(info: CheckpointInfo) -> bool:
    """Tell whether an adapter has a processor of its own."""
    return any(name.startswith(f"{PROCESSOR}/") for name in info.files)


def _free(model: EmotionModel) -> None:
    """Let the heads train, as the adapters do."""
    for name, parameter in model.named_parameters():
        if not name.startswith(SPEECH):
            parameter.requires_grad_(True)
