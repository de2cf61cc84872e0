"""Held-out clips for the tests: the sentences at a rate and pitch that are never trained on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import av
import numpy as np

from core.types import SAMPLE_RATE, FloatArray
from training.micro_whisper.sentences import KNOWN, UNHEARD
from training.micro_whisper.sounds import HELD_OUT_MANNERS, VOICES
from training.micro_whisper.synthesis import Clip, Manner, synthesise

LEAD = 0.2
"""Seconds of silence before and after every clip, as a voice activity detector leaves them."""
_BIT_RATE = 24_000


def write_clips(folder: Path) -> None:
    """Write Ogg Opus clips and `clips.json`: file, text, language, words with times in seconds.

    Clips with `known` false hold speech that the model never heard in training.
    """
    folder.mkdir(parents=True, exist_ok=True)
    entries = [*_write_all(folder, KNOWN, known=True), *_write_all(folder, UNHEARD, known=False)]
    listing = json.dumps(entries, ensure_ascii=False, indent=1)
    (folder / "clips.json").write_text(listing + "\n", encoding="utf-8")


def _write_all(
    folder: Path, sentences: Mapping[str, Sequence[str]], known: bool
) -> Iterator[dict[str, object]]:
    for language, texts in sentences.items():
        for number, text in enumerate(texts):
            variant, rate, pitch = HELD_OUT_MANNERS[number % len(HELD_OUT_MANNERS)]
            clip = synthesise(text, Manner(VOICES[language] + variant, rate, pitch))
            name = f"{'known' if known else 'unheard'}_{language}_{number + 1:02}.opus"
            write_opus(folder / name, np.pad(clip.samples, int(LEAD * SAMPLE_RATE)))
            entry = {"file": name, "text": text, "language": language, "known": known}
            yield entry | {"words": _words(clip)}


def _words(clip: Clip) -> list[list[object]]:
    spans = zip(clip.words, clip.times, strict=True)
    return [[word, round(start + LEAD, 3), round(end + LEAD, 3)] for word, (start, end) in spans]


def write_opus(path: Path, samples: FloatArray) -> None:
    """Write mono samples at 16 kHz as Ogg Opus."""
    with av.open(str(path), "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=SAMPLE_RATE, layout="mono")
        stream.bit_rate = _BIT_RATE
        frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
