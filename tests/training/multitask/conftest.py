"""A corpus of a few tones, and an encoder of a few weights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.training.multitask.small_run import write_corpus
from training import onednn_products
from training.generated.encoders import write_encoder


@pytest.fixture(scope="package", autouse=True)
def small_products_count() -> Iterator[None]:
    """Let oneDNN multiply as little as there is here, as processes of `small_run` do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(onednn_products, "LEAST_WORK", 1)
        yield


@pytest.fixture(scope="session")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus with text, gender and style."""
    return write_corpus(tmp_path_factory.mktemp("tones"))


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a wav2vec2 with random weights; it drops nothing out, but its heads do."""
    return write_encoder("wav2vec2_base_like", tmp_path_factory.mktemp("encoder"))
