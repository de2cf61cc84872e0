from __future__ import annotations

import wave
from pathlib import Path

import pytest

from core.bench import trained
from core.bench.material import load_dialogue
from core.bench.options import Options
from core.bench.subjects import Subjects
from core.dialogue.wav import to_pcm


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Three labelled clips with texts."""
    audio = load_dialogue()[0]
    rows = ["file,label,text,language"]
    for number, label in enumerate(("neutral", "happy", "sad")):
        with wave.open(str(tmp_path / f"{number}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(16_000)
            file.writeframes(to_pcm(audio[None, 20_000 * (number + 1) :][:, :16_000]))
        rows.append(f"{number}.wav,{label},정말 너무 좋아,ko")
    (tmp_path / "manifest.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return tmp_path


def test_every_lossy_mode_is_held_against_the_exact_one(
    subjects: Subjects, labelled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trained, "_lossy_modes", lambda: ["packed:bf16"])
    options = Options(True, subjects.checkpoint, labelled)
    said, encoders, *_ = trained.measure(options)
    assert "3 clips" in said.notes[0]
    found = {m.name: m for m in encoders.measurements}
    shift = found["packed:bf16: largest shift of a probability"]
    assert 0 < shift.value < 0.1
    assert "of 3 answers the same" in shift.note
    assert -1 <= found["packed:bf16: F1, exact less lossy"].value <= 1


def test_the_model_that_ships_has_no_lossy_mode() -> None:
    _, encoders, *_ = trained.measure(Options(quick=True))
    assert encoders.measurements == ()
    assert "no lossy mode" in encoders.notes[0]
