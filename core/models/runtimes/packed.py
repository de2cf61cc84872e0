"""Torch with matrix products by oneDNN on weights packed once; needs nothing but torch.

`nn.Linear` multiplies through MKL, which takes its AVX2 path on AMD processors and so reaches less
than half of their peak. Here a twin of the encoder shares all its weights but for those of linear
layers and convolutions, which it holds packed as oneDNN wants them. The encoder itself keeps its
own: what is saved, trained, moved or run over padded batches is untouched. That costs the memory of
the packed weights on top.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from core.models.encoders.pretrained_speech import PretrainedSpeechEncoder
from core.models.encoders.pretrained_text import PretrainedTextEncoder
from core.models.runtimes.base import (
    Mode,
    Precision,
    Speech,
    Text,
    UnfitError,
    Workplace,
)
from core.models.runtimes.packed_convolutions import PackedConvolutions
from core.models.runtimes.packed_layers import PackedConv1d, PackedLinear, is_exact_gelu
from core.types import Modality, RuntimeInfo

_LEFT_ALONE = frozenset({"WavLMAttention"})
"""Modules that use the weights of their linear layers themselves."""


class Packed:
    """A `Runtime` in fp32 or bf16."""

    def __init__(self, mode: Mode, place: Workplace | None = None) -> None:
        self._mode = mode
        self._dtype = torch.bfloat16 if mode.precision is Precision.BF16 else torch.float32
        if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
            raise UnfitError("this build of PyTorch has no oneDNN")
        if mode.lossy and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
            raise UnfitError("this processor has no bf16 instructions")

    def speech(self, encoder: PretrainedSpeechEncoder) -> Speech:
        """Return the stages of a speech encoder."""
        convolve = self._rounded(PackedConvolutions(encoder.model.feature_extractor, self._dtype))
        if not encoder.has_context:
            return Speech(self._info(Modality.SPEECH), convolve, encoder.contextualise_by_torch)
        projection = twin(encoder.model.feature_projection, self._dtype)
        context = twin(encoder.model.encoder, self._dtype)

        def contextualise(features: Tensor) -> Tensor:
            projected = projection(features)
            hidden = projected[0] if isinstance(projected, tuple) else projected
            sequence: Tensor = context(hidden).last_hidden_state
            return sequence

        return Speech(self._info(Modality.SPEECH), convolve, self._rounded(contextualise))

    def text(self, encoder: PretrainedTextEncoder) -> Text:
        """Return the stage of a text encoder."""
        model = twin(encoder.model, self._dtype)

        def read(tokens: Tensor, mask: Tensor) -> tuple[Tensor, Tensor | None]:
            output = model(input_ids=tokens, attention_mask=mask.long())
            pooled = output.pooler_output.float() if encoder.has_own_pooler else None
            return output.last_hidden_state.float(), pooled

        return Text(self._info(Modality.TEXT), read)

    def _info(self, modality: Modality) -> RuntimeInfo:
        mode = self._mode
        return RuntimeInfo(modality, mode.runtime, mode.precision.value, lossy=mode.lossy)

    def _rounded(self, function: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
        """Return a function from and to fp32 around one in our own precision."""
        return lambda given: function(given.to(self._dtype)).float()


def twin(module: nn.Module, dtype: torch.dtype) -> Any:
    """Return a copy in evaluation mode that shares weights, but for those that are packed."""
    packed = {id(linear.weight) for _, _, linear in _linear_layers(module)}
    packed |= {id(weight) for _, _, conv in _convolutions(module) for weight in conv.parameters()}
    shared: dict[int, Any] = {}
    for tensor in (*module.parameters(), *module.buffers()):
        same = tensor.dtype == dtype or not tensor.is_floating_point() or id(tensor) in packed
        shared[id(tensor)] = tensor if same else _converted(tensor, dtype)
    made = copy.deepcopy(module, shared).eval()
    for parent, name, linear in _linear_layers(made):
        setattr(parent, name, PackedLinear(linear, dtype, gelu=_takes_gelu(parent, name)))
    for parent, name, conv in _convolutions(made):
        setattr(parent, name, PackedConv1d(conv))
    return made


def _children(module: nn.Module) -> list[tuple[nn.Module, str, nn.Module]]:
    """Return every parent, name and child."""
    parents = module.modules()
    return [(parent, name, child) for parent in parents for name, child in parent.named_children()]


def _linear_layers(module: nn.Module) -> list[tuple[nn.Module, str, nn.Linear]]:
    """Return the linear layers that are called as such, with their parents and names."""
    return [
        (parent, name, child)
        for parent, name, child in _children(module)
        if isinstance(child, nn.Linear) and type(parent).__name__ not in _LEFT_ALONE
    ]


def _convolutions(module: nn.Module) -> list[tuple[nn.Module, str, nn.Conv1d]]:
    """Return the convolutions, with their parents and names."""
    found = _children(module)
    return [(parent, name, child) for parent, name, child in found if isinstance(child, nn.Conv1d)]


def _converted(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    other = tensor.detach().to(dtype)
    return nn.Parameter(other, requires_grad=False) if isinstance(tensor, nn.Parameter) else other


def _takes_gelu(parent: nn.Module, name: str) -> bool:
    """Let a linear layer apply the GELU that follows it, in the blocks where one is known to."""
    if name not in ("dense", "intermediate_dense"):
        return False
    if not is_exact_gelu(getattr(parent, "intermediate_act_fn", None)):
        return False
    parent.intermediate_act_fn = nn.Identity()
    return True
