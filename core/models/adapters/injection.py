"""Adapters put into encoders, taken out, and what they have learnt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from core.errors import CheckpointError, ConfigError
from core.models.adapters import bottleneck, lora
from core.models.adapters.bottleneck import BottleneckAdapter
from core.models.adapters.config import AdapterConfig
from core.models.adapters.merging import fold, unfold
from core.models.adapters.record import Attached, adapted_in, record_of, remember
from core.models.adapters.sites import Sites, sites_of
from core.models.encoders.staged import StagedEncoder
from core.models.stored_weights import misfits


def attach(encoder: nn.Module, config: AdapterConfig) -> None:
    """Add adapters that train, in place; new ones change nothing.

    Which of the encoder's own weights train stays as it is (see `train_adapters_only`).

    Args:
        encoder: a PretrainedSpeechEncoder or a CompactSpeechEncoder.
        config: which adapters.

    Raises:
        ConfigError: there is no place for adapters in it, it has some already, or peft is needed
            and not installed.
    """
    sites = _vacant(encoder)
    record = Attached(config)
    if config.lora is not None:
        within = len(sites.layers) + 1
        names = [name[within:] for name in sites.projections]
        root = encoder.get_submodule(sites.layers)
        lora.add_lora(root, names, config.lora, reads_weights=sites.reads_weights)
        record.open = True
    if config.bottleneck is not None:
        for name in sites.feed_forwards:
            adapter = BottleneckAdapter(sites.dim, config.bottleneck.width)
            _insert(encoder, name, adapter, record)
    _finish(encoder, record)


def put_trained(encoder: nn.Module, config: AdapterConfig, state: Mapping[str, Tensor]) -> None:
    """Put in adapters that have been trained, in the place of any others; see `switching.switch`.

    LoRA is merged, nothing trains, peft is not needed.

    Args:
        encoder: as in `attach`.
        config: which adapters they are.
        state: what `adapter_state` returned of them; passed `check_state`.
    """
    sites = sites_of(encoder)
    detach(encoder)
    record = Attached(config)
    if config.lora is not None:
        kept = [name for _, name in lora.parameter_names(sites.projections)]
        fold(encoder, record, sites, {name: state[name] for name in kept})
    if config.bottleneck is not None:
        for name in sites.feed_forwards:
            adapter = _trained(name, state, sites.dim, config.bottleneck.width)
            _insert(encoder, name, adapter, record)
    _finish(encoder, record)


def detach(module: nn.Module) -> None:
    """Take all adapters out of the encoders of a module: their weights are bit for bit as before.

    Where the encoder's own weights were trained, they keep that.
    """
    for _, encoder, record in list(adapted_in(module)):
        sites = sites_of(encoder)
        if record.open:
            lora.remove_lora(encoder, sites.projections)
        unfold(encoder, record)
        for hook in record.hooks:
            hook.remove()
        if record.config.bottleneck is not None:
            for name in sites.feed_forwards:
                bottleneck.remove(encoder.get_submodule(name))
        remember(encoder, None)
        _drop_stages(encoder)


def adapter_names(module: nn.Module) -> frozenset[str]:
    """Return the names in the state of a module of what `attach` added and is still apart."""
    found: set[str] = set()
    for prefix, encoder, record in adapted_in(module):
        sites = sites_of(encoder)
        if record.open:
            found |= {f"{prefix}{name}" for name, _ in lora.parameter_names(sites.projections)}
        found |= {f"{prefix}{name}" for name in _bottleneck_names(record.config, sites)}
    return frozenset(found)


def adapter_state(module: nn.Module) -> dict[str, Tensor]:
    """Return copies of the weights of all adapters in a module, merged LoRA among them.

    Names are those of the adapted modules in `module`: `NAME.lora_A.weight`, `NAME.lora_B.weight`,
    `NAME.adapter.down.weight` and so on, whether LoRA is merged or not.
    """
    return {
        f"{prefix}{name}": tensor.detach().clone()
        for prefix, encoder, record in adapted_in(module)
        for name, tensor in _live(encoder, record).items()
    }


def load_adapter_state(module: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Copy weights into the adapters of a module; merged LoRA is merged anew.

    Raises:
        CheckpointError: a weight is missing, unexpected, of the wrong shape, or not finite;
            nothing was changed.
    """
    adapted = list(adapted_in(module))
    known = {f"{prefix}{name}" for prefix, e, r in adapted for name in _live(e, r)}
    if others := sorted(set(state) - known):
        raise _unfit([f"weight {others[0]} is unexpected"])
    parts = [(e, r, _part(state, prefix)) for prefix, e, r in adapted]
    for encoder, record, part in parts:
        check_state(encoder, record.config, part)
    for encoder, record, part in parts:
        _load(encoder, record, part)


def config_of(encoder: nn.Module) -> AdapterConfig | None:
    """Return which adapters stand apart from the weights of an encoder; merged LoRA does not.

    So it says how to build a module with the same names of weights.
    """
    record = record_of(encoder)
    if record is None or record.open:
        return None if record is None else record.config
    kept = record.config.bottleneck
    return None if kept is None else replace(record.config, lora=None)


def train_adapters_only(module: nn.Module) -> None:
    """Freeze the encoders with adapters in a module, and let their adapters train."""
    for _, encoder, _ in list(adapted_in(module)):
        names = adapter_names(encoder)
        for name, parameter in encoder.named_parameters():
            parameter.requires_grad_(name in names)
        encoder.train(encoder.training)


def check_state(encoder: nn.Module, config: AdapterConfig, state: Mapping[str, Tensor]) -> None:
    """Refuse a state that is not of such adapters in such an encoder. Raises CheckpointError."""
    if problems := misfits(outline(encoder, config), state):
        raise _unfit(problems)


def outline(encoder: nn.Module, config: AdapterConfig) -> dict[str, Tensor]:
    """Return the names and shapes of what `adapter_state` would hold, without memory."""
    sites = sites_of(encoder)
    shapes: dict[str, tuple[int, ...]] = {}
    if config.lora is not None:
        for name in sites.projections:
            outputs, inputs = encoder.get_submodule(name).weight.shape  # type: ignore[misc]
            shapes[f"{name}.lora_A.weight"] = (config.lora.rank, inputs)
            shapes[f"{name}.lora_B.weight"] = (outputs, config.lora.rank)
    if config.bottleneck is not None:
        of_each = bottleneck.shapes(sites.dim, config.bottleneck.width)
        for name in sites.feed_forwards:
            shapes |= {f"{name}.{weight}": shape for weight, shape in of_each.items()}
    return {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}


def original_state(encoder: nn.Module) -> dict[str, Tensor]:
    """Return the state of an encoder as it would be without its adapters; nothing is copied."""
    record = record_of(encoder)
    if record is None:
        return encoder.state_dict()
    added = adapter_names(encoder)
    state = {lora.bare(n): t for n, t in encoder.state_dict().items() if n not in added}
    return state | {f"{name}.weight": tensor for name, tensor in record.originals.items()}


def _vacant(encoder: nn.Module) -> Sites:
    """Return where adapters go. Raises ConfigError where there are some already."""
    sites = sites_of(encoder)
    if record_of(encoder) is not None:
        raise ConfigError("This encoder has adapters already.", "Detach or merge these first.")
    return sites


def _insert(encoder: nn.Module, name: str, adapter: BottleneckAdapter, record: Attached) -> None:
    module = encoder.get_submodule(name)
    example = next(encoder.parameters())
    adapter.to(example.device, example.dtype)
    hook = bottleneck.insert(module, adapter)
    record.hooks += [] if hook is None else [hook]


def _trained(name: str, state: Mapping[str, Tensor], dim: int, width: int) -> BottleneckAdapter:
    with torch.device("meta"):
        adapter = BottleneckAdapter(dim, width)
    beginning = bottleneck.beginning(name)
    own = {key: state[f"{beginning}{key}"].detach().clone() for key in adapter.state_dict()}
    adapter.load_state_dict(own, assign=True)
    return adapter.requires_grad_(False)


def _finish(encoder: nn.Module, record: Attached) -> None:
    remember(encoder, record)
    _drop_stages(encoder)
    encoder.train(encoder.training)


def _drop_stages(encoder: nn.Module) -> None:
    if isinstance(encoder, StagedEncoder):
        encoder.run_on(None)


def _bottleneck_names(config: AdapterConfig, sites: Sites) -> list[str]:
    if config.bottleneck is None:
        return []
    return list(bottleneck.parameter_names(sites.feed_forwards))


def _live(encoder: nn.Module, record: Attached) -> dict[str, Tensor]:
    """Return the weights themselves, by the names of `adapter_state`."""
    sites = sites_of(encoder)
    found = dict(record.merged)
    if record.open:
        names = lora.parameter_names(sites.projections)
        found = {kept: encoder.get_parameter(name) for name, kept in names}
    names_apart = _bottleneck_names(record.config, sites)
    return found | {name: encoder.get_parameter(name) for name in names_apart}


def _part(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): t for n, t in state.items() if n.startswith(prefix)}


def _load(encoder: nn.Module, record: Attached, state: Mapping[str, Tensor]) -> None:
    live = _live(encoder, record)
    with torch.no_grad():
        for name, tensor in live.items():
            if name not in record.merged:
                tensor.copy_(state[name])
    if record.merged:
        fold(encoder, record, sites_of(encoder), {name: state[name] for name in record.merged})
    _drop_stages(encoder)


def _unfit(problems: list[str]) -> CheckpointError:
    return CheckpointError(
        f"The adapter does not fit this encoder: {'; '.join(problems)}.",
        "Use the model that it was trained on.",
    )
