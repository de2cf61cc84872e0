"""A cache that all tests share, so that each tiny encoder is exported once, and tiny models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from core.models.checkpoint import LoadedModel, load_checkpoint
from tests.checkpoints import make_speech_text_checkpoint


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of exports; a test must not change what is in there."""
    return tmp_path_factory.mktemp("runtimes")


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a checkpoint of two tiny pretrained encoders and a published head."""
    folder = tmp_path_factory.mktemp("checkpoints") / "tiny"
    return make_speech_text_checkpoint(folder, pretrained=True)


@pytest.fixture
def load(tiny_checkpoint: Path) -> Callable[[], LoadedModel]:
    """Return a function that loads a fresh model of that checkpoint."""
    return lambda: load_checkpoint(tiny_checkpoint)
