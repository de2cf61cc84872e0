"""What the terminal says for a message code; the window has its own, translated sentences."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from core.types import Message

_SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        "annotations_beyond_end": "{count} line(s) of the transcript lie beyond the end of the "
        "recording and were left out.",
        "context_failed": "What the dialogue says of a turn is missing ({reason}); the rest goes "
        "on.",
        "context_other_model": "The dialogue model reads features of {needed}, and turns are "
        "judged by {used}: going on without context.",
        "context_unavailable": "The dialogue model can't be used ({reason}); going on without "
        "context.",
        "device_back": "{name} is back.",
        "device_changed": "The model now runs on the {device} ({reason}); nothing is lost.",
        "device_lost": "{name} is gone; listening goes on when it returns.",
        "disk_nearly_full": "Only {megabytes} MB are left on the disk of {folder}.",
        "emotion_failed": "An utterance could not be judged ({reason}); the rest goes on.",
        "falling_behind": "This machine can't keep up: {dropped} partial update(s) were left out, "
        "no audio was.",
        "media_short": "The recording ends early: {decoded} s could be read of the {stated} s its "
        "header promises.",
        "journal_failed": "The session can't be written to {folder} ({reason}).",
        "media_unfinished": "The recording breaks off after {decoded} s; it was probably cut.",
        "model_reads_text": "The model {model} reads text, and nothing writes down what is said: "
        "turns are not judged.",
        "no_speech": "No speech was found.",
        "no_whisper_folder": "There is no Whisper model in {folder}; going on with speech alone.",
        "no_whisper_model": "No Whisper model {model} on this machine ({megabytes} MB, not "
        "downloaded unasked); going on with speech alone.",
        "recognition_failed": "{model} failed on an utterance ({reason}); its text is missing.",
        "recognition_off": "{model} failed several times and is switched off ({reason}).",
        "recognition_unavailable": "{model} can't be used ({reason}); going on with speech alone.",
        "samples_lost": "{seconds} s of sound from {name} were lost.",
        "smaller_whisper": "{model} takes more time than this machine has; Whisper {smaller} would "
        "keep up.",
        "speakers_failed": "Whose voice an utterance is could not be told ({reason}); the rest "
        "goes on.",
        "speakers_unavailable": "Speakers can't be told apart by their voices ({reason}); going on "
        "without.",
        "transcript_lines_skipped": "{name}: {count} line(s) without a text or a possible time "
        "were left out.",
        "transcript_out_of_order": "{name}: {count} line(s) were out of order and were sorted.",
        "transcript_overlaps": "{name}: {count} line(s) overlap another of the same speaker.",
        "whisper_on_cpu": "{model} had to leave the GPU ({reason}) and now runs on the processor; "
        "nothing is lost.",
        "whisper_unusable": "{reason} Going on with speech alone.",
    }
)


def sentence(message: Message) -> str:
    """Return a message as an English sentence; an unknown code with its values."""
    template = _SENTENCES.get(message.code)
    if template is None:
        values = ", ".join(f"{name} {value}" for name, value in message.values.items())
        return f"{message.code.replace('_', ' ').capitalize()}{': ' if values else ''}{values}."
    return template.format_map(_Lenient(message.values))


class _Lenient(dict[str, str]):
    """A missing value is shown as missing; a message must never fail."""

    def __missing__(self, key: str) -> str:
        return "?"
