"""Encoders by OpenVINO: in fp32, in bf16 where the processor has it, or with products in int8."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.models.encoders.pretrained_speech import PretrainedSpeechEncoder
from core.models.encoders.pretrained_text import PretrainedTextEncoder
from core.models.runtimes import graphs, int8
from core.models.runtimes.base import Mode, Precision, Speech, Text, UnfitError, Workplace, unfit
from core.types import Modality, RuntimeInfo

_EXACT: Mapping[str, Any] = MappingProxyType({"INFERENCE_PRECISION_HINT": "f32"})
_LENGTHS_KEPT = 64
"""How many computed shapes are kept; its own 5,000 would be gigabytes, as no utterance is as long
as another."""
_ROUNDED: Mapping[str, Any] = MappingProxyType({"INFERENCE_PRECISION_HINT": "bf16"})
_GROUP = 128
"""Numbers that share a scale when what goes into an int8 product is rounded."""


class OpenVino:
    """A `Runtime` over exported graphs."""

    def __init__(self, mode: Mode, place: Workplace) -> None:
        self._mode, self._place = mode, place
        if mode.precision is Precision.BF16 and not has_bf16():
            raise UnfitError("this processor has no bf16 instructions")
        self._is_int8 = mode.precision is Precision.INT8
        exact = mode.precision is Precision.FP32 or not has_bf16()
        self._settings = _EXACT if exact else _ROUNDED

    def speech(self, encoder: PretrainedSpeechEncoder) -> Speech:
        """Return the stages of a speech encoder."""
        info = self._info(Modality.SPEECH)
        first = graphs.convolutions(encoder, self._place)
        convolve = self._function(first)
        if not encoder.has_context:
            return Speech(info, convolve, encoder.contextualise_by_torch, (first,))
        second = self._prepared(graphs.context(encoder, self._place))
        return Speech(info, convolve, self._function(second), (first, second))

    def text(self, encoder: PretrainedTextEncoder) -> Text:
        """Return the stage of a text encoder."""
        graph = self._prepared(graphs.reading(encoder, self._place))
        run = self._opened(graph)

        def read(tokens: Tensor, mask: Tensor) -> tuple[Tensor, Tensor | None]:
            sequence, *pooled = run(tokens.long(), mask.long())
            return sequence, pooled[0] if pooled else None

        return Text(self._info(Modality.TEXT), read, (graph,))

    def _info(self, modality: Modality) -> RuntimeInfo:
        mode = self._mode
        return RuntimeInfo(modality, mode.runtime, mode.precision.value, lossy=mode.lossy)

    def _prepared(self, graph: Path) -> Path:
        return int8.for_openvino(graph, self._place) if self._is_int8 else graph

    def _function(self, graph: Path) -> Callable[[Tensor], Tensor]:
        run = self._opened(graph)
        return lambda given: run(given)[0]

    def _opened(self, graph: Path) -> Callable[..., list[Tensor]]:
        """Compile a graph. Raises UnfitError."""
        settings = {
            **self._settings,
            "DYNAMIC_QUANTIZATION_GROUP_SIZE": _GROUP if self._is_int8 else 0,
            "INFERENCE_NUM_THREADS": self._place.threads,
            "NUM_STREAMS": 1,
            "CPU_RUNTIME_CACHE_CAPACITY": _LENGTHS_KEPT,
            "ENABLE_CPU_PINNING": False,
        }
        try:
            request = _core().compile_model(str(graph), "CPU", settings).create_infer_request()
        except Exception as error:  # RuntimeError mostly, but its bindings promise nothing
            raise unfit("OpenVINO can't open the graph", error) from error
        return lambda *given: _run(request, given)


def has_bf16() -> bool:
    """Return whether OpenVINO computes in bf16 on this processor."""
    return "BF16" in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


@cache
def _core() -> Any:
    import openvino

    return openvino.Core()


def _run(request: Any, given: tuple[Tensor, ...]) -> list[Tensor]:
    """Run once; outputs are copied, since the next run writes to the same memory."""
    inputs = [tensor.contiguous().numpy() for tensor in given]
    found = request.infer(inputs, share_inputs=True, share_outputs=True)
    return [torch.from_numpy(np.array(value)) for value in found.values()]
