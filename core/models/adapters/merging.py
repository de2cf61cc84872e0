"""LoRA merged into the weights it stands beside: W' = W + scale * B A, to rounding the same.

Then it costs nothing, and every runtime computes it. The weights before are kept (a quarter to a
third of an encoder), so that they come back bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from core.models.adapters import lora
from core.models.adapters.record import Attached, adapted_in
from core.models.adapters.sites import Sites, sites_of
from core.models.encoders.staged import StagedEncoder


def merge(module: nn.Module) -> None:
    """Merge all LoRA in a module that stands beside its weights; bottlenecks stay.

    It can't be trained then; `detach` still takes it out.
    """
    for _, encoder, record in list(adapted_in(module)):
        if record.open:
            sites = sites_of(encoder)
            names = lora.parameter_names(sites.projections)
            state = {kept: encoder.get_parameter(name).detach().clone() for name, kept in names}
            lora.remove_lora(encoder, sites.projections)
            record.open = False
            fold(encoder, record, sites, state)


@contextmanager
def as_merged(module: nn.Module) -> Iterator[None]:
    """Merge for as long as this lasts, for example to save; then training can go on."""
    opened = [(encoder, record) for _, encoder, record in adapted_in(module) if record.open]
    layers = [{n: e.get_submodule(n) for n in sites_of(e).projections} for e, _ in opened]
    merge(module)
    try:
        yield
    finally:
        for (encoder, record), of_encoder in zip(opened, layers, strict=True):
            unfold(encoder, record)
            record.open = True
            for name, layer in of_encoder.items():
                lora.replace_module(encoder, name, layer)


def fold(encoder: nn.Module, record: Attached, sites: Sites, state: Mapping[str, Tensor]) -> None:
    """Merge LoRA (`NAME.lora_A.weight` ...) into weights that are without any, or with other."""
    assert record.config.lora is not None
    scale = record.config.lora.scale
    for name in sites.projections:
        weight = encoder.get_parameter(f"{name}.weight")
        original = record.originals.setdefault(name, weight.data)
        down, up = (state[f"{name}.{factor}.weight"].to(original) for factor in lora.FACTORS)
        weight.data = torch.addmm(original, up, down, alpha=scale).to(weight.data)
    record.merged = {name: tensor.detach() for name, tensor in state.items()}
    _drop_stages(encoder)


def unfold(encoder: nn.Module, record: Attached) -> None:
    """Bring back the weights from before `fold`."""
    for name, original in record.originals.items():
        weight = encoder.get_parameter(f"{name}.weight")
        weight.data = original.to(weight.data)
    record.originals, record.merged = {}, {}
    _drop_stages(encoder)


def _drop_stages(encoder: nn.Module) -> None:
    if isinstance(encoder, StagedEncoder):
        encoder.run_on(None)
