"""The stages of encoders as ONNX graphs, which ONNX Runtime and OpenVINO both read."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from core.errors import JournalError
from core.models.encoders.pretrained_speech import PretrainedSpeechEncoder
from core.models.encoders.pretrained_text import PretrainedTextEncoder
from core.models.runtimes.base import Workplace, unfit

_logger = logging.getLogger(__name__)

OPSET = 17
WEIGHTS = "weights.bin"
FORMAT = "1"
"""Changed whenever graphs of the same weights would come out differently."""

_TRACED_SAMPLES = 8_000
_TRACED_TOKENS = 12


class Convolutions(nn.Module):
    """Waveform (B, N) -> features (B, T, C)."""

    def __init__(self, encoder: PretrainedSpeechEncoder) -> None:
        super().__init__()
        self.extractor = encoder.model.feature_extractor

    def forward(self, waveform: Tensor) -> Tensor:
        """Compute the stage."""
        features: Tensor = self.extractor(waveform)
        return features.transpose(1, 2)


class Context(nn.Module):
    """Features (B, T, C) -> sequence (B, T, D)."""

    def __init__(self, encoder: PretrainedSpeechEncoder) -> None:
        super().__init__()
        self.projection = encoder.model.feature_projection
        self.encoder = encoder.model.encoder

    def forward(self, features: Tensor) -> Tensor:
        """Compute the stage."""
        projected = self.projection(features)
        hidden = projected[0] if isinstance(projected, tuple) else projected
        sequence: Tensor = self.encoder(hidden).last_hidden_state
        return sequence


class Reading(nn.Module):
    """Tokens and mask (B, L) -> sequence (B, L, D), and pooled (B, D) of the model's own pooler."""

    def __init__(self, encoder: PretrainedTextEncoder) -> None:
        super().__init__()
        self.model = encoder.model
        self.pooled = encoder.has_own_pooler

    def forward(self, tokens: Tensor, mask: Tensor) -> Any:
        """Compute the stage."""
        output = self.model(input_ids=tokens, attention_mask=mask)
        if self.pooled:
            return output.last_hidden_state, output.pooler_output
        return output.last_hidden_state


def convolutions(encoder: PretrainedSpeechEncoder, place: Workplace) -> Path:
    """Return the exported convolutions of a speech encoder. Raises UnfitError."""
    example = (torch.zeros(1, _TRACED_SAMPLES),)
    axes = {"waveform": {0: "rows", 1: "samples"}, "features": {0: "rows", 1: "frames"}}
    return _graph(Convolutions(encoder), example, axes, encoder.config(), place)


def context(encoder: PretrainedSpeechEncoder, place: Workplace) -> Path:
    """Return the exported transformer of a speech encoder. Raises UnfitError."""
    example = (torch.zeros(1, _TRACED_SAMPLES // 320, int(encoder.model.config.conv_dim[-1])),)
    axes = {"features": {0: "rows", 1: "frames"}, "sequence": {0: "rows", 1: "frames"}}
    return _graph(Context(encoder), example, axes, encoder.config(), place)


def reading(encoder: PretrainedTextEncoder, place: Workplace) -> Path:
    """Return the exported text encoder. Raises UnfitError."""
    tokens = torch.full((2, _TRACED_TOKENS), 5)
    mask = torch.ones_like(tokens)
    mask[1, _TRACED_TOKENS // 2 :] = 0  # else the graph would forget that there is a mask
    both = {0: "rows", 1: "tokens"}
    axes: dict[str, dict[int, str]] = {"tokens": both, "mask": both, "sequence": both}
    if encoder.has_own_pooler:
        axes["pooled"] = {0: "rows"}
    return _graph(Reading(encoder), (tokens, mask), axes, encoder.config(), place)


def depends_on(
    stage: str, config: Mapping[str, Any], place: Workplace, **more: str
) -> dict[str, str]:
    """Return what a graph of a stage is a function of."""
    return {
        "stage": stage,
        "weights": place.weights,
        "config": hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest(),
        "format": f"{FORMAT}, opset {OPSET}",
        **{name: version_of(name) for name in ("torch", "transformers", "onnx")},
        **more,
    }


def version_of(package: str) -> str:
    """Return the version of an installed package, "" if there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _graph(
    stage: nn.Module,
    example: tuple[Tensor, ...],
    axes: Mapping[str, Mapping[int, str]],
    config: Mapping[str, Any],
    place: Workplace,
) -> Path:
    names = list(axes)
    inputs, outputs = names[: len(example)], names[len(example) :]

    def make(path: Path) -> None:
        _logger.info("exporting %s, which is done once for a checkpoint", type(stage).__name__)
        with torch.no_grad(), _quiet():
            torch.onnx.export(
                stage.eval(),
                example,
                str(path),
                input_names=inputs,
                output_names=outputs,
                dynamic_axes={name: dict(axis) for name, axis in axes.items()},
                opset_version=OPSET,
                dynamo=False,
            )
            _put_weights_beside(path)

    key = depends_on(type(stage).__name__, config, place)
    try:
        return place.exports.graph(key, make)
    except (OSError, JournalError):
        raise
    except Exception as error:  # a model that can't be traced raises whatever it raises
        raise unfit("it can't be exported", error) from error


def _put_weights_beside(path: Path) -> None:
    """Move the weights out of the graph, so that they are mapped instead of read into memory."""
    import onnx

    onnx.save(
        onnx.load(str(path)),
        str(path),
        save_as_external_data=True,
        all_tensors_to_one_file=True,
        location=WEIGHTS,
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter warns of its age and of every constant; what comes out is compared instead."""
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
