"""The micro Whisper, loaded once: a real decode takes it a few hundredths of a second."""

from __future__ import annotations

import pytest

from core.asr.whisper import WhisperSettings, WhisperTranscriber
from tests.asr.clips import MODEL, SpokenClip, load_clips


@pytest.fixture(scope="session")
def known_clips() -> list[SpokenClip]:
    return load_clips(known=True)


@pytest.fixture(scope="session")
def unheard_clips() -> list[SpokenClip]:
    return load_clips(known=False)


@pytest.fixture(scope="session")
def loaded_whisper() -> WhisperTranscriber:
    transcriber = WhisperTranscriber(WhisperSettings(model=str(MODEL), cpu_threads=1))
    transcriber.warm_up()
    return transcriber
