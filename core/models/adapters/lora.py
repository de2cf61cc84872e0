"""LoRA that trains, by peft: y = x W' + scale * x A' B', where W stays as it is.

Only training needs peft; to compute with a trained LoRA see `merging`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from torch import Tensor, nn

from core.errors import ConfigError
from core.models.adapters.config import LoraConfig

_NAME = "default"
FACTORS = ("lora_A", "lora_B")


def add_lora(
    root: nn.Module, names: Sequence[str], config: LoraConfig, *, reads_weights: bool = False
) -> None:
    """Put LoRA beside linear layers, in place; new, it changes nothing (B is zero).

    Args:
        root: what they are in; which of its weights train stays as it is.
        names: of the layers in `root`.
        config: rank, scale and dropout.
        reads_weights: `root` multiplies by their weights itself, so these must be the sum.

    Raises:
        ConfigError: peft is not installed, or `reads_weights` with dropout.
    """
    peft = _peft()
    if reads_weights and config.dropout:
        raise ConfigError(
            "LoRA in WavLM has no dropout: its attention reads weights, which have no input.",
            "Set the dropout of LoRA to 0.",
        )
    wanted = peft.LoraConfig(
        r=config.rank,
        lora_alpha=config.scale * config.rank,
        lora_dropout=config.dropout,
        target_modules=list(names),
    )
    if reads_weights:
        wanted._register_custom_module({nn.Linear: _summed()})
    trains = {parameter: parameter.requires_grad for parameter in root.parameters()}
    peft.inject_adapter_in_model(wanted, root, adapter_name=_NAME)
    del root.peft_config  # its settings are ours to keep
    for parameter, before in trains.items():
        parameter.requires_grad_(before)


def remove_lora(root: nn.Module, names: Sequence[str]) -> None:
    """Put the linear layers back in the place of those with LoRA."""
    for name in names:
        layer: Any = root.get_submodule(name)
        replace_module(root, name, layer.base_layer)


def replace_module(root: nn.Module, name: str, other: nn.Module) -> None:
    """Put another module in the place of one, by its full name."""
    parent, _, child = name.rpartition(".")
    setattr(root.get_submodule(parent), child, other)


def parameter_names(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the parameters of LoRA: their names in the state of `root` while it is open, and kept.

    What is kept is `NAME.lora_A.weight` (r, K) and `NAME.lora_B.weight` (N, r), as peft saves them.
    """
    for name in names:
        for factor in FACTORS:
            yield f"{name}.{factor}.{_NAME}.weight", f"{name}.{factor}.weight"


def bare(name: str) -> str:
    """Return a weight's name as it is where there is no LoRA beside it."""
    return name.replace(".base_layer.", ".")


def _peft() -> Any:
    try:
        import peft
    except ImportError as error:
        raise ConfigError(
            f"LoRA is trained with peft, which can't be imported ({error}).",
            'Install it: pip install "emoscope[training]".',
        ) from error
    return peft


@cache
def _summed() -> Any:
    """Return peft's layer, but with a weight that contains LoRA, as WavLM's attention needs it.

    `multi_head_attention_forward` is given weights and never calls the layer: LoRA would train
    nothing and change nothing.
    """
    from peft.tuners.lora import Linear

    class SummedLinear(Linear):
        """Reads as W + scale B A."""

        @property
        def weight(self) -> Tensor:
            """Return the sum, through which gradients reach A and B."""
            whole: Tensor = self.base_layer.weight + self.get_delta_weight(_NAME)
            return whole

    return SummedLinear
