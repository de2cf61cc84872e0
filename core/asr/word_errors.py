"""Whether Whisper's words stay the same when its encoder gets only the speech, not always 30 s.

Whisper was trained on windows of 30 s. CTranslate2 takes shorter ones, at a fraction of the cost,
and what the model then writes may differ, by how much depends on the model. So both ways are run
over the same utterances and their texts compared, without case and punctuation: English by word,
languages whose spacing is free by character (Korean: syllable). A language passes when there were
enough utterances and

- where it is known what was said: the error rate rises by no more than .01 with the short window,
  and by no more than .02 at the upper end of a one-sided 95 % interval (bootstrap over utterances,
  both ways on the same resampled ones);
- else, the long window's text standing for what was said: at least 98 % of the texts are the same,
  and no more than .01 of the words differ.

What a gate refuses counts as no text, so speech that only one of the ways loses is an error too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np

from core.asr.catalog import check_folder
from core.asr.whisper import WhisperSettings, WhisperTranscriber
from core.asr.window_checks import (
    LanguageErrors,
    WindowCheck,
    WindowChecks,
    compute_type_of,
    library,
    model_hash,
)
from core.quality.error_rates import ErrorCounts, character_errors, word_errors
from core.quality.records import processor
from core.types import Transcript, Utterance

__all__ = [
    "LanguageErrors",
    "WindowCheck",
    "WindowChecks",
    "check_short_encoder",
    "compare_texts",
    "model_hash",
]

BY_CHARACTER = frozenset({"ko", "ja", "zh", "th", "yue", "lo", "my", "km"})
"""Languages whose spaces are a matter of taste, or that have none."""
_RESAMPLES = 2000


def check_short_encoder(
    folder: Path,
    utterances: Sequence[Utterance],
    references: Sequence[str] | None = None,
    settings: WhisperSettings | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> WindowCheck:
    """Transcribe utterances with the long and the short window and compare the texts.

    Args:
        folder: of a CTranslate2 Whisper model.
        utterances: as the segmenter cuts them, in the languages and rooms the model is meant for.
        references: what is said in each.
        settings: languages, device and compute type; the rest does not matter.
        progress: called with how many utterances are done, of how many.

    Raises RecognitionError, and ValueError unless there is a reference for each utterance.
    """
    if references is not None and len(references) != len(utterances):
        raise ValueError(f"{len(references)} references for {len(utterances)} utterances")
    check_folder(folder)
    settings = replace(settings or WhisperSettings(), model=str(folder), use_context=False)
    full, short = (_Way(settings, window, folder) for window in ("full", "speech"))
    for done, utterance in enumerate(utterances, 1):
        full.hear(utterance)
        short.hear(utterance)
        progress(done, len(utterances))
    return WindowCheck(
        model=folder.name,
        model_hash=model_hash(folder),
        compute_type=compute_type_of(settings),
        languages=_by_language(full.heard, short.heard, references),
        speedup=round(full.seconds / max(short.seconds, 1e-9), 2),
        library=library(),
        machine=processor(),
        created=datetime.now().astimezone().isoformat(timespec="seconds"),
    )


class _Way:
    """One of the two windows: what it hears and how long that takes."""

    def __init__(self, settings: WhisperSettings, window: str, folder: Path) -> None:
        quick = replace(settings, quick_finals=True, encoder_window=window)
        self._transcriber = WhisperTranscriber(quick, folder)
        self._transcriber.warm_up()
        self.heard: list[Transcript] = []
        self.seconds = 0.0

    def hear(self, utterance: Utterance) -> None:
        began = time.process_time()
        self.heard.append(self._transcriber.final(replace(utterance, is_final=True)))
        self.seconds += time.process_time() - began


def _by_language(
    full: Sequence[Transcript], short: Sequence[Transcript], references: Sequence[str] | None
) -> tuple[LanguageErrors, ...]:
    """Compare the texts of each language that the long window heard."""
    spoken = [transcript.language or "" for transcript in full]
    found = []
    for language in sorted(set(spoken)):
        chosen = [number for number, one in enumerate(spoken) if one == language]
        texts = [[heard[number].text for number in chosen] for heard in (full, short)]
        said = None if references is None else [references[number] for number in chosen]
        found.append(compare_texts(language, texts[0], texts[1], said))
    return tuple(found)


def compare_texts(
    language: str, full: Sequence[str], short: Sequence[str], references: Sequence[str] | None
) -> LanguageErrors:
    """Return how the texts of the two windows compare, utterance by utterance."""
    between = [_errors(language, a, b) for a, b in zip(full, short, strict=True)]
    compared = LanguageErrors(
        language,
        utterances=len(full),
        equal=sum(counts.errors == 0 for counts in between),
        units=sum(counts.length for counts in between),
        between=_rate(between),
    )
    if references is None:
        return compared
    by_full, by_short = (
        [_errors(language, said, text) for said, text in zip(references, texts, strict=True)]
        for texts in (full, short)
    )
    return replace(
        compared,
        units=sum(counts.length for counts in by_full),
        full=_rate(by_full),
        short=_rate(by_short),
        highest_rise=_highest_rise(by_full, by_short),
    )


def _errors(language: str, reference: str, hypothesis: str) -> ErrorCounts:
    count = character_errors if language in BY_CHARACTER else word_errors
    return count([reference], [hypothesis])


def _rate(counts: Sequence[ErrorCounts]) -> float:
    length = sum(one.length for one in counts)
    errors = sum(one.errors for one in counts)
    return errors / length if length else float(errors > 0)


def _highest_rise(full: Sequence[ErrorCounts], short: Sequence[ErrorCounts]) -> float:
    """Return the upper end of a one-sided 95 % interval of the rise of the error rate."""
    more = np.array([b.errors - a.errors for a, b in zip(full, short, strict=True)])
    lengths = np.array([a.length for a in full])
    drawn = np.random.default_rng(0).integers(0, len(more), (_RESAMPLES, len(more)))
    rises = more[drawn].sum(1) / np.maximum(1, lengths[drawn].sum(1))
    return float(np.quantile(rises, 0.95))
