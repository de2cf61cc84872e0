"""A data folder in the layout of the real one: a few seconds of tones and a few dozen sentences."""

from __future__ import annotations

import csv
import wave
from pathlib import Path

import numpy as np

from core.types import SAMPLE_RATE

CLASSES = ("neutral", "happy", "angry", "sad")
SPEAKERS = tuple(f"S{number}" for number in range(6))
GOEMOTIONS = """
admiration amusement anger annoyance approval caring confusion curiosity desire disappointment
disapproval disgust embarrassment excitement fear gratitude grief joy love nervousness
optimism pride realization relief remorse sadness surprise neutral
""".split()  # noqa: SIM905
KOTE = """
불평/불만 환영/호의 감동/감탄 지긋지긋 고마움 슬픔 화남/분노 존경 기대감 우쭐댐/무시함
안타까움/실망 비장함 의심/불신 뿌듯함 편안/쾌적 신기함/관심 아껴주는 부끄러움 공포/무서움
절망 한심함 역겨움/징그러움 짜증 어이없음 없음 패배/자기혐오 귀찮음 힘듦/지침 즐거움/신남
깨달음 죄책감 증오/혐오 흐뭇함(귀여움/예쁨) 당황/난처 경악 부담/안_내킴 서러움 재미없음
불쌍함/연민 놀람 행복 불안/걱정 기쁨 안심/신뢰
""".split()  # noqa: SIM905
_WORDS = {
    "neutral": ("the table is by the door", "오늘은 회의가 있습니다"),
    "joy": ("i am so happy and glad", "정말 기쁘고 행복해요"),
    "anger": ("i hate this so much", "너무 화가 나고 짜증나"),
    "sadness": ("i feel sad and lost", "슬프고 마음이 아파요"),
    "fear": ("i am scared and afraid", "무섭고 불안해요"),
    "disgust": ("that is disgusting and gross", "역겹고 더러워요"),
    "surprise": ("wow i did not expect that", "와 정말 놀랐어요"),
}


def make_data(folder: Path) -> Path:
    """Write speech/ and text/ into `folder` and return it."""
    _speech(folder / "speech")
    _goemotions(folder / "text" / "goemotions_en", 0)
    _goemotions(folder / "text" / "goemotions_ko", 1)
    _kote(folder / "text" / "kote")
    return folder


def _speech(folder: Path) -> None:
    folder.mkdir(parents=True)
    generator = np.random.default_rng(0)
    columns = ["path", "corpus", "subset", "speaker", "gender", "language", "emotion", "text"]
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*columns, "duration_s"])
        for speaker in SPEAKERS:
            for number, emotion in enumerate(CLASSES * 2):
                name = f"{speaker}_{number}.wav"
                _write(folder / name, _tone(120 + 40 * (number % 4), generator))
                text = "the table is by the door"
                row = [name, "tones", "", speaker, "F", "en", emotion, text, 0.8]
                writer.writerow(row)


def _tone(pitch: float, generator: np.random.Generator) -> np.ndarray:
    time = np.arange(int(0.8 * SAMPLE_RATE)) / SAMPLE_RATE
    tone = sum(np.sin(2 * np.pi * pitch * k * time) / k for k in (1, 2, 3))
    return 0.2 * tone * np.hanning(len(time)) + 0.003 * generator.normal(size=len(time))


def _write(path: Path, samples: np.ndarray) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes((samples * 32767).astype("<i2").tobytes())


def _goemotions(folder: Path, language: int) -> None:
    folder.mkdir(parents=True)
    (folder / "labels.txt").write_text("\n".join(GOEMOTIONS) + "\n", encoding="utf-8")
    for part, count in (("train", 210), ("dev", 42)):
        lines = []
        for row in range(count):
            label = list(_WORDS)[row % 7]
            text = f"{_WORDS[label][language]} {row}"
            lines.append(f"{text}\t{GOEMOTIONS.index(label)}\tid{row}")
        (folder / f"{part}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _kote(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "labels.txt").write_text("\n".join(KOTE) + "\n", encoding="utf-8")
    names = {"joy": "기쁨", "anger": "화남/분노", "sadness": "슬픔", "neutral": "없음"}
    lines = []
    for row in range(80):
        label = list(names)[row % 4]
        lines.append(f"{row}\t{_WORDS[label][1]} {row}\t{KOTE.index(names[label])}")
    (folder / "val.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
