"""Digests of encoders, processors and utterances: what cached features depend on, all of it."""

from __future__ import annotations

import hashlib
import json
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from core.models.outputs import ModelInputs

FEATURES_VERSION = 1
"""Raised whenever the way from audio or text to features changes in this program's code."""


class UtteranceProcessor(Protocol):
    """What prepares utterances: the compact or the pretrained processor."""

    def __call__(
        self, samples: Any = None, text: str | None = None, language: str | None = None
    ) -> ModelInputs:
        """Prepare one utterance as a batch of one."""
        ...

    def save(self, folder: Path) -> None:
        """Write everything the processor depends on into a folder."""
        ...


def encoder_digest(encoder: nn.Module, processor: UtteranceProcessor, *settings: object) -> str:
    """Return a sha256 (hex) of an encoder's weights and config, its processor and `settings`.

    The version of the library that computes pretrained encoders is part of it.
    """
    computed_by = f"{FEATURES_VERSION} transformers {version('transformers')}"
    found = hashlib.sha256(f"version {computed_by} {settings!r}\n".encode())
    found.update(weights_digest(encoder).encode())
    found.update(config_text(encoder).encode())
    found.update(processor_digest(processor).encode())
    return found.hexdigest()


def weights_digest(module: nn.Module) -> str:
    """Return a sha256 (hex) of every parameter and buffer: names, types, shapes and values."""
    found = hashlib.sha256()
    for name, value in sorted(module.state_dict().items()):
        found.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        found.update(_bytes(value))
    return found.hexdigest()


def config_text(encoder: nn.Module) -> str:
    """Return class and config of an encoder as text that changes whenever one of them does."""
    config: Any = getattr(encoder, "config", None)
    values = config() if callable(config) else config
    plain = values.to_dict() if hasattr(values, "to_dict") else values
    kind = f"{type(encoder).__module__}.{type(encoder).__qualname__}"
    return f"{kind} {json.dumps(plain, sort_keys=True, default=repr, ensure_ascii=False)}"


def processor_digest(processor: UtteranceProcessor) -> str:
    """Return a sha256 (hex) of everything a processor writes when it is saved."""
    found = hashlib.sha256(type(processor).__qualname__.encode())
    with tempfile.TemporaryDirectory(prefix="emoscope-processor-") as name:
        folder = Path(name)
        processor.save(folder)
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            found.update(f"{path.relative_to(folder).as_posix()} {content}\n".encode())
    return found.hexdigest()


def text_digest(*parts: str) -> str:
    """Return a sha256 (hex) of some texts; ("ab", "c") differs from ("a", "bc")."""
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()


def _bytes(value: Tensor) -> bytes | memoryview:
    flat = value.detach().cpu().contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy().data if flat.numel() else b""
