"""Sentences for the codes of the core, one entry a code, in the language of the window."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from PySide6.QtCore import QCoreApplication

from core.errors import EmoscopeError
from core.types import Message
from desktop import names
from desktop.source_text import QT_TRANSLATE_NOOP


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with {named} values, and the action its button offers ("" for none)."""

    text: str
    action: str = ""


LONGEST_PROBLEM = 240
"""Characters of an error that a banner shows."""


def _entry(text: str, action: str = "") -> Sentence:
    return Sentence(text, action)


MESSAGES: Mapping[str, Sentence] = MappingProxyType(
    {
        "device_lost": _entry(
            QT_TRANSLATE_NOOP(
                "Messages",
                "The microphone {name} is gone. It is looked for; everything before is kept.",
            ),
            "devices",
        ),
        "device_back": _entry(
            QT_TRANSLATE_NOOP("Messages", "The microphone {name} is back."),
        ),
        "samples_lost": _entry(
            QT_TRANSLATE_NOOP(
                "Messages", "{seconds} s of sound were lost: the computer was too busy."
            ),
        ),
        "disk_nearly_full": _entry(
            QT_TRANSLATE_NOOP(
                "Messages",
                "The disk is nearly full: {megabytes} MB are left in {folder}. Make room, or the "
                "recording ends.",
            ),
        ),
        "journal_failed": _entry(
            QT_TRANSLATE_NOOP(
                "Messages",
                "The recording can't be saved in {folder} ({reason}). Listening goes on; make "
                "room or choose another folder in the settings.",
            ),
            "settings",
        ),
        "falling_behind": _entry(
            QT_TRANSLATE_NOOP(
                "Messages",
                "This computer can't keep up: {dropped} intermediate updates were left out, no "
                "sound was.",
            ),
        ),
        "emotion_failed": _entry(
            QT_TRANSLATE_NOOP(
                "Messages", "A turn could not be judged ({reason}). The rest goes on."
            ),
            "log",
        ),
        "recognition_failed": _entry(
            QT_TRANSLATE_NOOP(
                "Messages", "{model} failed on a turn ({reason}); its text is missing."
            ),
            "log",
        ),
        "recognition_off": _entry(
            QT_TRANSLATE_NOOP(
                "Messages", "{model} failed several times and is switched off ({reason})."
            ),
            "log",
        ),
        "recognition_unavailable": _entry(
            QT_TRANSLATE_NOOP(
                "Messages", "{model} can't be used ({reason}). Going on with speech alone."
            ),
            "whisper",
        ),
        "no_whisper_model": _entry(
            QT_TRANSLATE_NOOP(
                "Messages",
                "The Whisper model {model} is not on this computer ({megabytes} MB). Going on "
                "with speech alone.",
            ),
            "whisper",
        ),
        "no_whisper_folder": _entry(
            QT_TRANSLATE_NOOP(
                "Messages", "There is no Whisper model in {folder}. Going on with speech alone."
            ),
            "whisper",
        ),
        "whisper_unusable": _entry(
            QT_TRANSLATE_NOOP("Messages", "{reason} Going on with speech alone."),
            "whisper",
        ),
        "context_failed": _entry(
            QT_TRANSLATE_NOOP(
                "Messages",
                "What the dialogue says of a turn is missing ({reason}). The rest goes on.",
            ),
            "log",
        ),
        "context_other_model": _entry(
            QT_TRANSLATE_NOOP(
                "Messages",
                "The dialogue model was trained on features of {needed}, and the turns are judged "
                "by {used}: going on without context.",
            ),
            "settings",
        ),
        "context_unavailable": _entry(
            QT_TRANSLATE_NOOP(
                "Messages", "The dialogue model can't be used ({reason}). Going on without context."
            ),
            "settings",
        ),
        "speakers_failed": _entry(
            QT_TRANSLATE_NOOP(
                "Messages", "Whose voice it was could not be told ({reason}). The rest goes on."
            ),
            "log",
        ),
        "speakers_unavailable": _entry(
            QT_TRANSLATE_NOOP(
                "Messages",
                "Speakers can't be told apart by their voices ({reason}). Going on without.",
            ),
            "settings",
        ),
        "media_short": _entry(
            QT_TRANSLATE_NOOP(
                "Messages",
                "The recording {name} ends early: {decoded} s could be read of the {stated} s "
                "that its header promises.",
            ),
        ),
        "media_unfinished": _entry(
            QT_TRANSLATE_NOOP(
                "Messages",
                "The recording {name} breaks off after {decoded} s; it was probably cut.",
            ),
        ),
        "annotations_beyond_end": _entry(
            QT_TRANSLATE_NOOP(
                "Messages",
                "{count} lines of the transcript lie beyond the end of the recording and were "
                "left out.",
            ),
        ),
        "transcript_lines_skipped": _entry(
            QT_TRANSLATE_NOOP(
                "Messages", "{name}: {count} lines without a text or a possible time were left out."
            ),
        ),
        "transcript_out_of_order": _entry(
            QT_TRANSLATE_NOOP(
                "Messages", "{name}: {count} lines were out of order and were sorted."
            ),
        ),
        "transcript_overlaps": _entry(
            QT_TRANSLATE_NOOP(
                "Messages", "{name}: {count} lines overlap another of the same speaker."
            ),
        ),
        "device_changed": _entry(
            QT_TRANSLATE_NOOP(
                "Messages",
                "The model now runs on the {device}: {reason}. The recording goes on, and nothing "
                "is lost.",
            ),
        ),
        "smaller_whisper": _entry(
            QT_TRANSLATE_NOOP(
                "Messages",
                "{model} takes more time than this computer has. Whisper {smaller} would keep up, "
                "with more mistakes in the text.",
            ),
            "smaller",
        ),
        "whisper_on_cpu": _entry(
            QT_TRANSLATE_NOOP(
                "Messages", "{model} could not run on the GPU ({reason}) and runs on the CPU now."
            ),
        ),
        "smaller_chosen": _entry(
            QT_TRANSLATE_NOOP(
                "Messages", "Whisper {model} writes the text from the next recording on."
            ),
        ),
        "model_reads_text": _entry(
            QT_TRANSLATE_NOOP(
                "Messages",
                "The model {model} reads text, and nothing writes down what is said: turns are "
                "not judged. Get a recognition model, or choose another model.",
            ),
            "whisper",
        ),
        "personal_unavailable": _entry(
            QT_TRANSLATE_NOOP(
                "Messages",
                "The personal adapter {name} can't be used ({reason}). Going on without it.",
            ),
        ),
        "checkpoint_unavailable": _entry(
            QT_TRANSLATE_NOOP(
                "Messages",
                "The model {name} can't be used here ({reason}). Going on with the other one.",
            ),
        ),
        "checkpoint_later": _entry(
            QT_TRANSLATE_NOOP("Messages", "The model {name} judges from the next recording on."),
        ),
        "correction_unreadable": _entry(
            QT_TRANSLATE_NOOP(
                "Messages",
                "Line {line} of {file} can't be read ({reason}); the others are used.",
            ),
        ),
        "no_speech": _entry(
            QT_TRANSLATE_NOOP("Messages", "No speech was found."),
        ),
    }
)
NOTES: Mapping[str, str] = MappingProxyType(
    {
        "speech_only": QT_TRANSLATE_NOOP("Messages", "read from the voice alone"),
        "text_language_unknown": QT_TRANSLATE_NOOP(
            "Messages", "the model does not know the language of the text"
        ),
        "text_rejected": QT_TRANSLATE_NOOP("Messages", "the recognised text was not believable"),
        "text_skipped": QT_TRANSLATE_NOOP("Messages", "the text was left out"),
        "text_skipped_falling_behind": QT_TRANSLATE_NOOP(
            "Messages", "the text was left out to keep up"
        ),
        "emotion_skipped_falling_behind": QT_TRANSLATE_NOOP(
            "Messages", "not judged: the computer could not keep up"
        ),
        "no_text_to_judge": QT_TRANSLATE_NOOP(
            "Messages", "not judged: this model reads text, and there is none it can read"
        ),
        "text_awaited": QT_TRANSLATE_NOOP("Messages", "waiting for the text"),
        "long_annotation_split": QT_TRANSLATE_NOOP("Messages", "part of a longer line"),
        "beyond_end_of_audio": QT_TRANSLATE_NOOP("Messages", "cut at the end of the sound"),
        "interrupted": QT_TRANSLATE_NOOP("Messages", "the program ended during this turn"),
        "emotion_failed": QT_TRANSLATE_NOOP("Messages", "this turn could not be judged"),
        "recognition_failed": QT_TRANSLATE_NOOP("Messages", "the text could not be recognised"),
        "context_failed": QT_TRANSLATE_NOOP("Messages", "not read in context"),
        "text_bettered": QT_TRANSLATE_NOOP("Messages", "the text was looked at a second time"),
    }
)
REASONS: Mapping[str, str] = MappingProxyType(
    {
        "chosen": QT_TRANSLATE_NOOP("Messages", "as chosen in the settings"),
        "cuda_found": QT_TRANSLATE_NOOP("Messages", "a GPU was found, which is faster"),
        "torch_without_cuda": QT_TRANSLATE_NOOP(
            "Messages", "the PyTorch that is installed can't use a GPU"
        ),
        "no_cuda_device": QT_TRANSLATE_NOOP("Messages", "no GPU of NVIDIA was found"),
        "no_driver": QT_TRANSLATE_NOOP(
            "Messages", "there is a GPU, but no driver that works with this PyTorch"
        ),
        "gpu_too_old": QT_TRANSLATE_NOOP("Messages", "the GPU is too old for this PyTorch"),
        "too_little_memory": QT_TRANSLATE_NOOP(
            "Messages", "the GPU has too little free memory for this model"
        ),
        "out_of_memory": QT_TRANSLATE_NOOP("Messages", "the memory of the GPU was full"),
        "device_failed": QT_TRANSLATE_NOOP("Messages", "the GPU stopped answering"),
        "not_loaded": QT_TRANSLATE_NOOP("Messages", "not loaded yet"),
        "switched": QT_TRANSLATE_NOOP("Messages", "the model was changed in a running session"),
    }
)
"""Why the model runs where it runs; each goes on after "CPU: "."""

HEADINGS: Mapping[str, str] = MappingProxyType(
    {
        "MediaError": QT_TRANSLATE_NOOP("Messages", "The recording can't be read."),
        "TranscriptFileError": QT_TRANSLATE_NOOP("Messages", "The transcript can't be read."),
        "CheckpointError": QT_TRANSLATE_NOOP("Messages", "The model can't be used."),
        "ConfigError": QT_TRANSLATE_NOOP("Messages", "The settings make no sense."),
        "DeviceError": QT_TRANSLATE_NOOP("Messages", "The audio device can't be used."),
        "RecognitionError": QT_TRANSLATE_NOOP("Messages", "Speech recognition can't be used."),
        "JournalError": QT_TRANSLATE_NOOP("Messages", "The session can't be saved or read."),
    }
)


def sentence(message: Message) -> str:
    """Return the sentence of a message; a code without an entry is shown with its values.

    Values that are codes themselves are put into words.
    """
    entry = MESSAGES.get(message.code)
    if entry is None:
        listed = ", ".join(f"{key}: {value}" for key, value in message.values.items())
        return f"{message.code} {listed}".strip()
    text = QCoreApplication.translate("Messages", entry.text)
    words = _WORDS.get(message.code, {})
    values = {key: words.get(key, str)(value) for key, value in message.values.items()}
    return text.format_map(_Values(values))


def is_known(message: Message) -> bool:
    """True when there is a sentence for this code."""
    return message.code in MESSAGES


def error_sentence(error: BaseException) -> str:
    """Return what went wrong and what to do, for any error."""
    if isinstance(error, EmoscopeError):
        heading = HEADINGS.get(type(error).__name__, "")
        translated = QCoreApplication.translate("Messages", heading) if heading else ""
        # The core's own sentence is English; another language gets a heading above it.
        text = _shortened(error)
        return text if translated == heading else f"{translated}\n{text}"
    text = QCoreApplication.translate(
        "Messages", "Something went wrong inside the program: {problem}. The log says more."
    )
    return text.format(problem=error)


def _shortened(error: EmoscopeError) -> str:
    """Return problem and remedy; of a long problem its beginning, the log has the rest."""
    if len(error.problem) <= LONGEST_PROBLEM:
        return str(error)
    beginning = error.problem[:LONGEST_PROBLEM].rsplit(" ", 1)[0]
    more = QCoreApplication.translate("Messages", "The log says more.")
    return f"{beginning}… ({more}) {error.remedy}".strip()


def action(message: Message) -> str:
    """Return the name of the action a banner for this message offers, or ""."""
    entry = MESSAGES.get(message.code)
    return entry.action if entry is not None else ""


def note(code: str) -> str:
    """Return the sentence of a note on a turn; "" for a code that is not for people."""
    text = NOTES.get(code)
    return QCoreApplication.translate("Messages", text) if text is not None else ""


def device_reason(code: str) -> str:
    """Return why the model runs where it runs; the code itself when it is a sentence already."""
    text = REASONS.get(code)
    return QCoreApplication.translate("Messages", text) if text is not None else code


_WORDS: Mapping[str, Mapping[str, Callable[[str], str]]] = MappingProxyType(
    {"device_changed": {"device": names.processor, "reason": device_reason}}
)
"""By message and value, what makes words for people of a code."""


class _Values(dict[str, str]):
    """Values of a message; one that is missing shows as an ellipsis instead of an error."""

    def __missing__(self, key: str) -> str:
        return "…"
