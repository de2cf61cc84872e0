from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.cli import main
from core.commands.quality_table import explanation, material_lines
from core.commands.quality_window import window_lines
from core.models.manifest import read_info
from core.models.runtimes.base import Mode, Precision
from core.quality.check import Checked
from core.quality.comparison import Comparison
from core.quality.material import RECORDINGS, Material
from core.quality.records import QualityRecord, make_record
from core.quality.rule import RULE
from core.quality.store import all_records
from core.quality.wording import verdict
from core.types import Modality
from tests.asr.clips import MODEL as MICRO_WHISPER
from tests.asr.clips import load_clips
from tests.checkpoints import make_speech_text_checkpoint, voice
from tests.quality.test_material import write_table, write_wav

BF16 = Mode("packed", Precision.BF16)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("command") / "checkpoint"
    return make_speech_text_checkpoint(folder, pretrained=True)


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """A folder of six labelled clips."""
    folder = tmp_path / "clips"
    for index in range(6):
        write_wav(folder / f"{index}.wav", voice(0.6, pitch=100.0 + 15 * index, seed=index))
    rows = [[f"{i}.wav", ("happy", "sad")[i % 2], "I am so happy today"] for i in range(6)]
    write_table(folder / "manifest.csv", ("file", "label", "text"), rows)
    return folder


def record(**changed: object) -> QualityRecord:
    values = {"clips": 400, "seconds": 1.0, "same": 400, "misleading": 0}
    values |= {"largest_shift": 0.01, "mean_shift": 0.0, **changed}
    found = Comparison(**values)  # type: ignore[arg-type]
    return make_record("ab" * 32, "speech", "packed:bf16", found, RULE, ("clips", "cd"))


def test_from_clips_to_a_table_a_file_and_verdicts(
    checkpoint: Path, clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, figures = tmp_path / "store", tmp_path / "figures.json"
    arguments = ["--model", str(checkpoint), "--data", str(clips), "--out", str(out)]
    status = main(["quality", *arguments, "--modes", "packed:bf16", "--json", str(figures)])
    said = capsys.readouterr().out
    assert status == 0
    assert "6 clips" in said
    assert "6 labelled" in said
    assert said.count("packed:bf16") == 2
    assert f"6 clips prove too little, it takes {RULE.clips_needed()}" in said
    assert 'The runtime "lossy" does the same as "auto"' in said
    written = json.loads(figures.read_text())
    assert [mode["modality"] for mode in written["modes"]] == ["speech", "text"]
    assert written["material"]["clips"] == 6
    kept = all_records(out)
    assert [one.to_dict() | {"problem": ""} for one in kept] == written["modes"]
    assert all(one.f1_exact is not None and not one.passed for one in kept)


def test_the_embedded_checkpoint_has_nothing_to_check_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["quality", "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "far too short to prove anything" in said
    assert "compact encoders" in said
    assert all_records(tmp_path) == ()


def test_whisper_is_checked_against_what_was_written_down(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "spoken"
    chosen = [clip for clip in load_clips(known=True) if clip.language == "en"][:3]
    for index, clip in enumerate(chosen):
        write_wav(folder / f"{index}.wav", clip.samples)
    rows = [(f"{i}.wav", "neutral", clip.text) for i, clip in enumerate(chosen)]
    write_table(folder / "manifest.csv", ("file", "label", "text"), rows)
    arguments = ["--data", str(folder), "--whisper", str(MICRO_WHISPER), "--language", "en"]
    figures = tmp_path / "figures.json"
    out = ["--out", str(tmp_path / "store"), "--json", str(figures)]
    assert main(["quality", *arguments, *out]) == 0
    said = capsys.readouterr().out
    assert "en, by word" in said
    assert "too little to tell" in said
    assert "goes on with windows of 30 s" in said
    (english,) = json.loads(figures.read_text())["whisper"]["languages"]
    assert english["utterances"] == 3
    assert english["full"] is not None
    assert list((tmp_path / "store").glob("*.json"))


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--modes", "torch"], "needs no check"),
        (["--most", "0"], "at least one clip"),
        (["--whisper", "/nowhere/model"], "Whisper can't be checked"),
        (["--model", "/nowhere/model"], "/nowhere/model"),
        (["--data", "/nowhere/clips"], "/nowhere/clips"),
    ],
)
def test_what_can_not_be_done_is_a_sentence(
    arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["quality", *arguments]) == 2
    assert problem in capsys.readouterr().err


def test_verdicts_say_what_is_missing_and_how_much_is_allowed() -> None:
    assert verdict(record()).startswith("passes")
    assert "0.75 %" in verdict(record())
    few = verdict(record(clips=400, same=399, misleading=1))
    assert "400 clips prove too little, it takes 473 with 1 of them misleading" in few
    many = verdict(record(same=380, misleading=20))
    assert "20 of 400 answers differ" in many
    assert "1 % is the most" in many
    assert "moved by 0.2000, 0.05 is the most" in verdict(record(largest_shift=0.2))


def test_the_explanation_names_what_lossy_may_now_do(checkpoint: Path) -> None:
    info = read_info(checkpoint)
    good = Checked(Modality.SPEECH, BF16, record())
    bad = Checked(Modality.TEXT, BF16, record(largest_shift=0.5))
    empty = Material(RECORDINGS, "voices", ())
    lines = " ".join(explanation(info, (Modality.SPEECH,), (good, bad), empty, None))
    assert 'The runtime "lossy" may now compute' in lines
    assert "speech by packed:bf16" in lines
    assert "text by packed:bf16" not in lines
    none = " ".join(explanation(info, (Modality.TEXT,), (bad,), empty, Path("/x")))
    assert "no mode passed" in none
    assert "Only 0 clips have a text" in none
    assert "/x" in none


def test_what_could_not_be_read_is_named_and_the_rest_counted() -> None:
    problems = tuple(f"file {i} is broken" for i in range(7))
    lines = material_lines(Material(RECORDINGS, "voices", (), problems))
    assert "Not read: file 4 is broken" in lines
    assert lines[-1] == "Not read: 2 more."
    assert not any("file 5" in line for line in lines)


def test_a_window_that_passes_is_said_with_its_languages() -> None:
    from core.asr.window_checks import LanguageErrors, WindowCheck

    english = LanguageErrors("en", 80, 80, 600, 0.0)
    korean = LanguageErrors("ko", 80, 40, 600, 0.2)
    check = WindowCheck("tiny", "ab", "int8", (english, korean), 5.0, "4", "cpu", "2026")
    (line,) = window_lines(check)
    assert "in en." in line
    assert "ko" not in line
