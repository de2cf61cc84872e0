"""How Whisper is to recognise: chosen once, before it is loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from core.asr.catalog import DEFAULT_MODEL
from core.errors import RecognitionError


@dataclass(frozen=True, slots=True)
class WhisperSettings:
    """How to recognise.

    model: a name of `core.asr.catalog` or the folder of a CTranslate2 Whisper model.
    languages: the languages that may be spoken; detection chooses among them.
    language: locks recognition to one language; None detects.
    device: "cpu", "cuda" or "auto"; compute_type: of CTranslate2, or "auto".
    cpu_threads: 0 chooses by the model's size and the machine's cores.
    quick_finals: for live use: final texts are greedy too, and `better` searches with a beam. Else
        every final is thorough, as a recording deserves, and there is nothing to improve.
    beam_size: of thorough passes, and of `better`.
    encoder_window: "full" gives the encoder 30 s whatever was said, as it was trained; "speech" the
        speech and a margin, which is many times faster and may change words; "auto" does that where
        `core.asr.word_errors` found on this machine that this model's words stay the same. Thorough
        finals always take the full window.
    use_context: give the end of the speaker's text before as a prompt, when it is recent.
    partial_share: the most of the time that partial passes may take: finals then never wait long.
    """

    model: str = DEFAULT_MODEL
    languages: tuple[str, ...] = ("ko", "en")
    language: str | None = None
    device: str = "auto"
    compute_type: str = "auto"
    cpu_threads: int = 0
    quick_finals: bool = False
    beam_size: int = 5
    encoder_window: str = "full"
    use_context: bool = False
    partial_share: float = 0.5

    @property
    def allowed(self) -> tuple[str, ...]:
        """The languages to choose from."""
        return (self.language,) if self.language else self.languages


def _checked_window(folder: Path, settings: WhisperSettings) -> bool:
    from core.asr.window_checks import passed

    return passed(folder, settings)


_WINDOWS: Mapping[str, Callable[[Path, WhisperSettings], bool]] = MappingProxyType(
    {
        "full": lambda folder, settings: False,
        "speech": lambda folder, settings: True,
        "auto": _checked_window,
    }
)
ENCODER_WINDOWS = tuple(_WINDOWS)
"""What `WhisperSettings.encoder_window` may be."""


def takes_speech_window(folder: Path, settings: WhisperSettings) -> bool:
    """Return whether this model is to encode no more than the speech and a margin."""
    return _WINDOWS[settings.encoder_window](folder, settings)


def check_settings(settings: WhisperSettings) -> None:
    """Refuse settings that can't be meant. Raises RecognitionError."""
    if not settings.allowed:
        raise RecognitionError("No language is allowed for recognition.", "Allow at least one.")
    if settings.encoder_window not in ENCODER_WINDOWS:
        raise RecognitionError(
            f"There is no Whisper encoder window {settings.encoder_window!r}.",
            f"Choose one of: {', '.join(ENCODER_WINDOWS)}.",
        )
