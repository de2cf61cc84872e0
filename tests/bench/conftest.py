from __future__ import annotations

from types import MappingProxyType

import pytest

from core.bench.architectures import Architectures, SpeechShape, TextShape, WhisperShape
from core.bench.subjects import Subjects

NANO = WhisperShape("nano", 64, 2, 2, ((1, 0), (1, 1)))
TINY = Architectures(
    SpeechShape("speech", 64, 2, 4, 32),
    TextShape("text", 64, 2, 4, 3000),
    SpeechShape("large", 64, 2, 4, 32, stable=True),
    MappingProxyType({"nano": NANO}),
)
"""Every part of the real ones, in sizes that are made in a second."""


@pytest.fixture(scope="session")
def subjects(tmp_path_factory: pytest.TempPathFactory) -> Subjects:
    """Tiny models, made once for all tests."""
    return Subjects(TINY, tmp_path_factory.mktemp("bench"))
