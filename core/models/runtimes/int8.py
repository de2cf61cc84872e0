"""Graphs whose products with weights are in int8, made from exported ones; both ways are lossy.

For ONNX Runtime also what goes into a product is rounded, on one scale for all of it. For OpenVINO
the graph holds int8 weights, a scale for each output, and OpenVINO rounds what goes in, on a scale
for every 128 numbers: measured on random weights, it is a quarter nearer to fp32 and as fast.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import JournalError
from core.models.runtimes.base import Workplace, unfit
from core.models.runtimes.graphs import version_of

LARGEST = 127


def for_onnx_runtime(graph: Path, place: Workplace) -> Path:
    """Return a graph with int8 products. Raises UnfitError."""

    def make(path: Path) -> None:
        with _unsaid():
            from onnxruntime.quantization import QuantType, quantize_dynamic

            quantize_dynamic(
                graph,
                path,
                op_types_to_quantize=["MatMul"],
                weight_type=QuantType.QInt8,
                extra_options={"MatMulConstBOnly": True},
            )

    return _derived(graph, place, make, int8="products", by=version_of("onnxruntime"))


def for_openvino(graph: Path, place: Workplace) -> Path:
    """Return a graph with int8 weights. Raises UnfitError."""

    def make(path: Path) -> None:
        import onnx

        model = onnx.load(str(graph))
        _round_weights(model.graph, onnx)
        onnx.save(model, str(path))

    return _derived(graph, place, make, int8="weights", by=version_of("onnx"))


def _derived(graph: Path, place: Workplace, make: Callable[[Path], None], **more: str) -> Path:
    try:
        return place.exports.graph({"of": graph.parent.name, **more}, make)
    except (OSError, JournalError):
        raise
    except Exception as error:  # the libraries have no errors of their own
        raise unfit("it can't be quantised", error) from error


def _round_weights(graph: Any, onnx: Any) -> None:
    """Store the weights of products (K, N) in int8 with a scale for each of N."""
    stored = {tensor.name: tensor for tensor in graph.initializer}
    products = [node for node in graph.node if node.op_type == "MatMul"]
    names = {node.input[1] for node in products} & stored.keys()
    for name in sorted(names):
        weight = onnx.numpy_helper.to_array(stored[name])
        if weight.ndim == 2:
            graph.initializer.remove(stored[name])
            _store_rounded(graph, onnx, name, weight)


def _store_rounded(graph: Any, onnx: Any, name: str, weight: Any) -> None:
    scale = np.abs(weight).max(axis=0) / LARGEST
    scale[scale == 0] = 1
    rounded = np.clip(np.rint(weight / scale), -LARGEST, LARGEST).astype(np.int8)
    parts = (rounded, scale.astype(np.float32), np.zeros(len(scale), np.int8))
    names = [f"{name}/int8", f"{name}/scale", f"{name}/zero"]
    for part, called in zip(parts, names, strict=True):
        graph.initializer.append(onnx.numpy_helper.from_array(part, called))
    graph.node.insert(0, onnx.helper.make_node("DequantizeLinear", names, [name], axis=1))


@contextmanager
def _unsaid() -> Iterator[None]:
    """Keep back what the quantizer logs by the root logger: a line for every product.

    The root logger has a handler meanwhile, else `logging.warning` would give it one for good.
    """
    root, handler = logging.getLogger(), logging.NullHandler()
    root.addHandler(handler)
    root.addFilter(_not_of_the_quantizer)
    try:
        yield
    finally:
        root.removeFilter(_not_of_the_quantizer)
        root.removeHandler(handler)


def _not_of_the_quantizer(record: logging.LogRecord) -> bool:
    return "onnxruntime" not in Path(record.pathname).parts
