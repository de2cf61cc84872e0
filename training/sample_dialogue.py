"""Makes the bundled sample: two synthetic speakers whose prosody is shaped by emotion.

Only needed to make `assets/samples` again: `python -m training.sample_dialogue`. Needs espeak-ng;
seeded, so the same espeak-ng gives the same samples. The directions of the changes in pitch, range,
rate and loudness follow Scherer (2003), Vocal communication of emotion, Speech Communication 40,
table 2; their size was set by ear.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import wave
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from xml.sax.saxutils import escape

import numpy as np
import pysubs2
import soxr

from core.audio.flac import write_flac
from core.errors import EmoscopeError
from core.resources import sample_dialogue
from core.types import SAMPLE_RATE, FloatArray

SEED = 20
REVERBERATION_S = 0.25
NOISE_DBFS = -62.0
PEAK = 0.7
MARGIN_S = 0.8


@dataclass(frozen=True, slots=True)
class Speaker:
    """A name, espeak-ng's voice variant, and the pitch (0 to 99) of a neutral voice."""

    name: str
    variant: str
    pitch: int


@dataclass(frozen=True, slots=True)
class Prosody:
    """How an emotion changes a voice: pitch is added, the others are factors of the neutral one."""

    pitch: int
    pitch_range: float
    rate: float
    gain_db: float


@dataclass(frozen=True, slots=True)
class Line:
    """One turn; `pause` is the silence before it in seconds."""

    speaker: str
    language: str
    emotion: str
    text: str
    pause: float


SPEAKERS: Mapping[str, Speaker] = MappingProxyType(
    {"Mina": Speaker("Mina", "f2", 62), "Jun": Speaker("Jun", "m3", 38)}
)

PROSODY: Mapping[str, Prosody] = MappingProxyType(
    {
        "neutral": Prosody(0, 1.0, 1.0, 0.0),
        "happy": Prosody(16, 1.7, 1.12, 3.0),
        "angry": Prosody(10, 1.5, 1.2, 6.0),
        "surprise": Prosody(24, 2.0, 1.1, 3.0),
        "sad": Prosody(-12, 0.5, 0.78, -6.0),
        "fear": Prosody(20, 0.9, 1.25, -2.0),
        "disgust": Prosody(-8, 1.2, 0.85, 1.0),
    }
)

VOICES: Mapping[str, tuple[str, int]] = MappingProxyType({"ko": ("ko", 165), "en": ("en-us", 160)})
"""Language -> (espeak-ng voice, neutral rate in words a minute)."""

SCRIPT: tuple[Line, ...] = (
    Line("Mina", "ko", "neutral", "오늘 저녁 일곱 시에 회의가 있대.", 0.0),
    Line("Jun", "ko", "neutral", "그래, 자료는 책상 위에 올려 뒀어.", 0.7),
    Line("Mina", "ko", "happy", "나 오늘 합격 소식 들었어! 정말 너무 기뻐!", 0.9),
    Line("Jun", "ko", "surprise", "뭐라고? 정말이야? 진짜 깜짝 놀랐어!", 0.6),
    Line("Mina", "en", "happy", "I can't believe it, I am so happy right now!", 0.7),
    Line("Jun", "en", "happy", "Congratulations! That is wonderful news!", 0.6),
    Line("Jun", "ko", "sad", "그런데 나는 어제 강아지를 떠나보내서 많이 슬퍼.", 1.4),
    Line("Mina", "ko", "sad", "아, 마음이 너무 아프다. 얼마나 힘들었을까.", 0.9),
    Line("Jun", "en", "sad", "I miss him so much. The house feels empty.", 0.9),
    Line("Mina", "ko", "fear", "잠깐, 방금 밖에서 무슨 소리가 났어. 나 너무 무서워.", 1.2),
    Line("Jun", "en", "fear", "Somebody is at the door. I am really scared.", 0.6),
    Line("Jun", "ko", "angry", "또 옆집이야! 밤마다 왜 이렇게 시끄러워, 정말 화가 나!", 1.1),
    Line("Mina", "en", "angry", "This is outrageous! They never listen to anyone!", 0.6),
    Line("Mina", "ko", "disgust", "으, 복도에서 나는 쓰레기 냄새가 너무 역겨워.", 1.2),
    Line("Jun", "en", "disgust", "That is disgusting. Somebody left rotten food outside.", 0.8),
    Line("Mina", "ko", "neutral", "알겠어. 내일 관리실에 이야기하자.", 1.0),
)


def speak(line: Line) -> FloatArray:
    """Return a line as espeak-ng says it: shape (n,) at 16 kHz, silence at both ends cut off."""
    speaker, prosody = SPEAKERS[line.speaker], PROSODY[line.emotion]
    voice, rate = VOICES[line.language]
    ssml = f'<prosody range="{round(100 * prosody.pitch_range)}%">{escape(line.text)}</prosody>'
    command = ["espeak-ng", "-m", "--stdout", "-v", f"{voice}+{speaker.variant}"]
    command += ["-p", str(speaker.pitch + prosody.pitch), "-s", str(round(rate * prosody.rate))]
    spoken = subprocess.run([*command, ssml], check=True, capture_output=True).stdout
    samples = _read_wave(spoken) * 10 ** (prosody.gain_db / 20)
    heard = np.flatnonzero(np.abs(samples) > 1e-3)
    return np.asarray(samples[heard[0] : heard[-1] + 1], dtype=np.float32)


def _read_wave(data: bytes) -> FloatArray:
    with wave.open(BytesIO(data)) as file:
        rate = file.getframerate()
        # espeak-ng streams, so its header claims a length it does not have: read what there is.
        pcm = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    scaled = pcm.astype(np.float32) / 32768
    return np.asarray(soxr.resample(scaled, rate, SAMPLE_RATE), dtype=np.float32)


def arrange(lines: Sequence[Line]) -> tuple[FloatArray, list[tuple[int, int]]]:
    """Return the whole dialogue, shape (n,), and where each line starts and ends (samples)."""
    margin = np.zeros(round(MARGIN_S * SAMPLE_RATE), dtype=np.float32)
    pieces, spans, position = [margin], [], margin.size
    for line in lines:
        silence = np.zeros(round(line.pause * SAMPLE_RATE), dtype=np.float32)
        spoken = speak(line)
        start = position + silence.size
        position = start + spoken.size
        spans.append((start, position))
        pieces += [silence, spoken]
    return np.concatenate([*pieces, margin]), spans


def place_in_room(dry: FloatArray, seed: int = SEED) -> FloatArray:
    """Add a little reverberation and room noise, and scale to `PEAK`; shapes stay."""
    random = np.random.default_rng(seed)
    length = round(REVERBERATION_S * SAMPLE_RATE)
    decay = 10 ** (-3 * np.arange(length) / length)  # 60 dB over REVERBERATION_S
    response = 0.03 * random.standard_normal(length) * decay
    response[0] = 1.0
    size = 1 << (dry.size + length - 1).bit_length()
    wet = np.fft.irfft(np.fft.rfft(dry, size) * np.fft.rfft(response, size), size)[: dry.size]
    noise = 10 ** (NOISE_DBFS / 20) * random.standard_normal(dry.size)
    return np.asarray(wet * (PEAK / np.abs(wet).max()) + noise, dtype=np.float32)


def write_subtitles(path: Path, lines: Sequence[Line], spans: Sequence[tuple[int, int]]) -> None:
    """Write the lines as SRT, each beginning with its speaker's name."""
    subtitles = pysubs2.SSAFile()
    for line, (start, end) in zip(lines, spans, strict=True):
        first, last = (round(1000 * position / SAMPLE_RATE) for position in (start, end))
        text = f"{line.speaker}: {line.text}"
        subtitles.append(pysubs2.SSAEvent(start=first, end=last, text=text))
    subtitles.save(str(path), format_="srt", encoding="utf-8")


def main(argv: Sequence[str] | None = None) -> int:
    """Make the sample again; with `--out DIR`, somewhere else."""
    parser = argparse.ArgumentParser(prog="sample_dialogue", description=__doc__)
    parser.add_argument("--out", type=Path, default=sample_dialogue().parent)
    folder: Path = parser.parse_args(argv).out
    if shutil.which("espeak-ng") is None:
        raise EmoscopeError("espeak-ng is not installed.", "Install it: apt-get install espeak-ng")
    dry, spans = arrange(SCRIPT)
    folder.mkdir(parents=True, exist_ok=True)
    write_flac(folder / "dialogue.flac", place_in_room(dry))
    write_subtitles(folder / "dialogue.srt", SCRIPT, spans)
    return 0


if __name__ == "__main__":
    sys.exit(main())
