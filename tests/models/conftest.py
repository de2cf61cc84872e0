"""Folders of tiny pretrained encoders, each written once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from training.generated.encoders import write_encoder


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function from a kind to its folder; a test must not change what is in there."""
    root = tmp_path_factory.mktemp("encoders")

    def folder(kind: str) -> Path:
        found = root / kind
        return found if found.is_dir() else write_encoder(kind, found)

    return folder
