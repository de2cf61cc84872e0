"""Words for people: emotions, languages, doubts and modalities in the language of the window."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from PySide6.QtCore import QCoreApplication, QLocale

from core.types import Doubt, EmotionResult, Modality
from desktop.source_text import QT_TRANSLATE_NOOP

_EMOTIONS: Mapping[str, str] = MappingProxyType(
    {
        "neutral": QT_TRANSLATE_NOOP("Names", "neutral"),
        "happy": QT_TRANSLATE_NOOP("Names", "happy"),
        "angry": QT_TRANSLATE_NOOP("Names", "angry"),
        "surprise": QT_TRANSLATE_NOOP("Names", "surprise"),
        "sad": QT_TRANSLATE_NOOP("Names", "sad"),
        "fear": QT_TRANSLATE_NOOP("Names", "fear"),
        "disgust": QT_TRANSLATE_NOOP("Names", "disgust"),
    }
)
_NONE = QT_TRANSLATE_NOOP("Names", "none given")
_LANGUAGES: Mapping[str, str] = MappingProxyType(
    {
        "auto": QT_TRANSLATE_NOOP("Names", "Any language"),
        "ko": QT_TRANSLATE_NOOP("Names", "Korean"),
        "en": QT_TRANSLATE_NOOP("Names", "English"),
    }
)
_DOUBTS: Mapping[Doubt, str] = MappingProxyType(
    {
        Doubt.TOO_SHORT: QT_TRANSLATE_NOOP("Names", "too little speech"),
        Doubt.TOO_NOISY: QT_TRANSLATE_NOOP("Names", "too much noise"),
        Doubt.BORDERLINE: QT_TRANSLATE_NOOP("Names", "an emotion is close to its threshold"),
        Doubt.TOO_EVEN: QT_TRANSLATE_NOOP("Names", "several emotions are about equally likely"),
    }
)
_MODALITIES: Mapping[Modality, str] = MappingProxyType(
    {
        Modality.SPEECH: QT_TRANSLATE_NOOP("Names", "speech"),
        Modality.TEXT: QT_TRANSLATE_NOOP("Names", "text"),
        Modality.VISION: QT_TRANSLATE_NOOP("Names", "face"),
    }
)


def _translate(text: str) -> str:
    return QCoreApplication.translate("Names", text)


def emotion(label: str) -> str:
    """Return the word for a class; the class itself when this version does not know it."""
    return _translate(_EMOTIONS.get(label, label))


def emotions(result: EmotionResult) -> str:
    """Return the words for the labels a result gives, as "happy + surprise"; or for none."""
    words = " + ".join(emotion(label) for label in result.given)
    return words or no_emotion()


def unsure(word: str, uncertain: bool) -> str:
    """Return an emotion's word, with a question mark where it is not sure."""
    return f"{word}?" if uncertain else word


def no_emotion() -> str:
    """Return what is said where labels stand for themselves and none reaches its threshold."""
    return _translate(_NONE)


def language(code: str) -> str:
    """Return the name of a speech language."""
    return _translate(_LANGUAGES.get(code, code))


def doubt(reason: Doubt) -> str:
    """Return why a result is "not sure"."""
    return _translate(_DOUBTS[reason])


def modality(kind: Modality) -> str:
    """Return the word for what a model listens to."""
    return _translate(_MODALITIES[kind])


def processor(device: str) -> str:
    """Return "CPU" or "GPU" for a device of PyTorch; the device itself if it is neither."""
    kind = device.partition(":")[0].lower()
    return {"cpu": "CPU", "cuda": "GPU"}.get(kind, device.upper())


def probability(value: float) -> str:
    """Return a probability with two digits, as the locale writes it."""
    return QLocale().toString(value, "f", 2)


def percent(share: float) -> str:
    """Return a share as a whole percentage."""
    return QCoreApplication.translate("Names", "{number} %").format(
        number=QLocale().toString(round(100 * share))
    )


def clock(seconds: float) -> str:
    """Return a position as m:ss or h:mm:ss."""
    whole = max(0, int(seconds))
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"
