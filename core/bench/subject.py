"""What is measured: the models that ship and the journal, made as the program makes them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.dialogue.journal import Journal
from core.pipeline.analyzer import ModelAnalyzer, load_analyzer
from core.pipeline.dialogue_context import ModelContext, load_context
from core.resources import dialogue_checkpoint, embedded_checkpoint


def make_analyzer() -> ModelAnalyzer:
    """Return an analyzer over the embedded checkpoint, on the CPU. Raises CheckpointError."""
    return load_analyzer(embedded_checkpoint(), device="cpu")


def make_context() -> ModelContext:
    """Return the dialogue model that ships, as the window uses it. Raises CheckpointError."""
    return load_context(dialogue_checkpoint())


def make_journal(folder: Path) -> Journal:
    """Return a journal that keeps its session below `folder`."""
    return Journal(folder)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let PyTorch use one thread while the block runs."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
