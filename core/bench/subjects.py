"""Everything that is measured, made when it is first asked for and kept in a folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from core.bench.architectures import Architectures
from core.bench.emotion_model import checkpoint_folder
from core.bench.material import Speech, continuous_speech
from core.bench.ours import Clips
from core.bench.whisper_model import LANGUAGE, whisper_folder
from core.pipeline.analyzer import ModelAnalyzer, load_analyzer

if TYPE_CHECKING:
    from core.asr.whisper import WhisperTranscriber

SPEECH_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Subjects:
    """Models with random weights below `root`, and what they listen to.

    Making the models takes the memory and the minute that it takes; files stay for the next time.
    """

    architectures: Architectures
    root: Path
    clips: Clips = field(default_factory=lambda: Clips(continuous_speech(SPEECH_SECONDS, LANGUAGE)))

    @property
    def checkpoint(self) -> Path:
        """Return the folder of the fused model."""
        return checkpoint_folder(self.architectures.speech, self.architectures.text, self.root)

    def whisper(self, name: str) -> Path:
        """Return the folder of a recognition model."""
        return whisper_folder(self.architectures.whispers[name], self.root)

    def analyzer(self, runtime: str = "auto") -> ModelAnalyzer:
        """Return an analyzer over the fused model, as the program makes it; on the CPU."""
        return load_analyzer(self.checkpoint, device="cpu", runtime=runtime)

    def transcriber(self, name: str, *, short: bool = False) -> WhisperTranscriber:
        """Return a recogniser as the program makes it for a live session.

        Args:
            short: encode only as much as was said (lossy).
        """
        from core.asr.whisper import WhisperSettings, WhisperTranscriber

        settings = WhisperSettings(
            model=name,
            language=LANGUAGE,
            device="cpu",
            quick_finals=True,
            encoder_window="speech" if short else "full",
        )
        return WhisperTranscriber(settings, folder=self.whisper(name))


def speech_for(seconds: float) -> Speech:
    """Return so much speech in the language that recognition is told."""
    return continuous_speech(seconds, LANGUAGE)
