"""KEMDy folders written row by row, independent of the generator."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from pathlib import Path

HEADER_20 = (
    "Numb,Wav,,Segment ID,Total Evaluation,,,Eval01F,,",
    ",start,end,,Emotion,Valence,Arousal,Emotion,Valence,Arousal",
)
HEADER_19 = (
    "Numb,Wav,,ECG,,E4-EDA,,E4-TEMP,,Segment ID,Total Evaluation,,,Eval01F,,",
    ",start,end,start,end,start,end,start,end,,Emotion,Valence,Arousal,Emotion,Valence,Arousal",
)


def row_20(stem: str, emotion: str = "neutral", valence: str = "3", arousal: str = "3") -> str:
    return f"1,10.5,12.25,{stem},{emotion},{valence},{arousal},neutral,3,3"


def row_19(stem: str, emotion: str = "neutral", valence: str = "3", arousal: str = "3") -> str:
    return f"1,0.5,2.25,1,2,3,4,5,6,{stem},{emotion},{valence},{arousal},neutral,3,3"


def write_table(root: Path, name: str, header: Sequence[str], rows: Sequence[str]) -> Path:
    path = root / "annotation" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\r\n".join([*header, *rows]) + "\r\n", encoding="utf-8")
    return path


def write_pair(
    root: Path, session: int, stem: str, text: bytes = b"", inside: str = "", frames: int = 800
) -> Path:
    """Write `wav/SessionNN/[inside/]<stem>.wav` and its text."""
    folder = root / "wav" / f"Session{session:02}" / inside
    folder.mkdir(parents=True, exist_ok=True)
    with wave.open(str(folder / f"{stem}.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(b"\1\0" * frames)
    (folder / f"{stem}.txt").write_bytes(text or "안녕하세요\n".encode("cp949"))
    return folder / f"{stem}.wav"
