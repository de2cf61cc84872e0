"""Encoders by ONNX Runtime: fp32, or int8 weights and activations in the matrix products."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from core.models.encoders.pretrained_speech import PretrainedSpeechEncoder
from core.models.encoders.pretrained_text import PretrainedTextEncoder
from core.models.runtimes import graphs, int8
from core.models.runtimes.base import Mode, Precision, Speech, Text, Workplace, unfit
from core.types import Modality, RuntimeInfo

Prepare = Callable[[Path, Workplace], Path]


class OnnxRuntime:
    """A `Runtime` over exported graphs."""

    def __init__(self, mode: Mode, place: Workplace) -> None:
        self._mode, self._place = mode, place
        self._prepared = _PREPARED[mode.precision]

    def speech(self, encoder: PretrainedSpeechEncoder) -> Speech:
        """Return the stages of a speech encoder."""
        info = self._info(Modality.SPEECH)
        first = graphs.convolutions(encoder, self._place)
        convolve = self._function(first)
        if not encoder.has_context:
            return Speech(info, convolve, encoder.contextualise_by_torch, (first,))
        second = self._prepared(graphs.context(encoder, self._place), self._place)
        return Speech(info, convolve, self._function(second), (first, second))

    def text(self, encoder: PretrainedTextEncoder) -> Text:
        """Return the stage of a text encoder."""
        graph = self._prepared(graphs.reading(encoder, self._place), self._place)
        session = _session(graph, self._place.threads)

        def read(tokens: Tensor, mask: Tensor) -> tuple[Tensor, Tensor | None]:
            given = {"tokens": tokens.long().numpy(), "mask": mask.long().numpy()}
            sequence, *pooled = (torch.from_numpy(found) for found in session.run(None, given))
            return sequence, pooled[0] if pooled else None

        return Text(self._info(Modality.TEXT), read, (graph,))

    def _info(self, modality: Modality) -> RuntimeInfo:
        mode = self._mode
        return RuntimeInfo(modality, mode.runtime, mode.precision.value, lossy=mode.lossy)

    def _function(self, graph: Path) -> Callable[[Tensor], Tensor]:
        session = _session(graph, self._place.threads)
        name = session.get_inputs()[0].name

        def compute(given: Tensor) -> Tensor:
            return torch.from_numpy(session.run(None, {name: given.contiguous().numpy()})[0])

        return compute


def _session(graph: Path, threads: int) -> Any:
    """Open a graph; its threads sleep while there is nothing to do. Raises UnfitError."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(graph), options, ["CPUExecutionProvider"])
    except Exception as error:  # its errors have no common base
        raise unfit("ONNX Runtime can't open the graph", error) from error


def _as_it_is(graph: Path, place: Workplace) -> Path:
    return graph


_PREPARED: Mapping[Precision, Prepare] = MappingProxyType(
    {Precision.FP32: _as_it_is, Precision.INT8: int8.for_onnx_runtime}
)
