"""One adapter for another in place; the encoder's own weights are neither loaded nor copied."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor, nn

from core.errors import CheckpointError, ConfigError
from core.models.adapters.config import AdapterConfig
from core.models.adapters.injection import check_state, detach, put_trained
from core.models.adapters.record import record_of
from core.models.half import InHalf
from core.models.manifest import (
    CheckpointInfo,
    check_same_base,
    error_of,
    file_problems,
    read_info,
)

if TYPE_CHECKING:
    from core.models.base import EmotionModel
    from core.models.checkpoint import LoadedModel
    from core.models.processor_loading import AnyProcessor

_ANEW = "Open it anew."


def switch(
    encoder: nn.Module, state: Mapping[str, Tensor] | None, config: AdapterConfig | None = None
) -> None:
    """Let an encoder compute with another adapter, LoRA merged; whatever it had is taken out.

    Args:
        encoder: a PretrainedSpeechEncoder or a CompactSpeechEncoder.
        state: what `adapter_state` returned; None: no adapter, bit for bit as before.
        config: of that adapter; None: as the one it has.

    Raises:
        ConfigError: there is no config, or no place for adapters.
        CheckpointError: the state does not fit; nothing was changed.
    """
    if state is None:
        detach(encoder)
        return
    record = record_of(encoder)
    wanted = config if config is not None or record is None else record.config
    if wanted is None:
        raise ConfigError("The encoder has no adapters yet.", "Say which ones these are (config).")
    check_state(encoder, wanted, state)
    put_trained(encoder, wanted, state)


def switch_checkpoint(loaded: LoadedModel, folder: Path | str) -> LoadedModel:
    """Let a loaded model answer as another adapter of the same base does, or as the base itself.

    The encoder is changed in place and given on, with its new heads; stages that computed it are
    dropped. So `loaded` must not be used any more. Where it raises, nothing was changed.

    Args:
        loaded: the base, or an adapter of it; on any device, in fp32.
        folder: of an adapter of that base, or of the base.

    Raises:
        CheckpointError: it is of another base, something in it is damaged, or the model can't be
            switched (half precision, other options of its encoder); one sentence.
    """
    info = read_info(folder)
    check_same_base(loaded.info, info)
    encoder = _encoder_for(loaded, info)
    problems = file_problems(info)
    processor = _processor_for(loaded, info, problems)
    model = None if problems else _model_of(info, encoder, problems)
    if problems or model is None or processor is None:
        raise error_of(info.path, problems)
    return type(loaded)(model, processor, info)


def _encoder_for(loaded: LoadedModel, wanted: CheckpointInfo) -> nn.Module:
    from core.models.adapters.bases import same_options, speech_encoder_of

    if isinstance(getattr(loaded.model, "speech", None), InHalf):
        raise CheckpointError(f"{loaded.info.path} is computed in half precision now.", _ANEW)
    encoder = speech_encoder_of(loaded.model, loaded.info.path)
    described = wanted.model_config.get("speech")
    if not isinstance(described, Mapping) or not same_options(encoder.config(), described):  # type: ignore[operator]
        raise CheckpointError(f"{wanted.path} reads its encoder with other options.", _ANEW)
    return encoder


def _model_of(info: CheckpointInfo, encoder: nn.Module, problems: list[str]) -> EmotionModel | None:
    from core.models.adapters.checkpoint import assemble, base_alone

    return (assemble if info.base is not None else base_alone)(info, encoder, problems)


def _processor_for(
    loaded: LoadedModel, wanted: CheckpointInfo, problems: list[str]
) -> AnyProcessor | None:
    """Return the processor of another adapter: its own, or that of the base."""
    from core.models.adapters.bases import find_base
    from core.models.adapters.checkpoint import has_processor
    from core.models.checkpoint import read_processor

    if has_processor(wanted):
        return read_processor(wanted, problems)
    if loaded.info.base is None or not has_processor(loaded.info):
        return loaded.processor
    return read_processor(read_info(find_base(wanted)), problems)
