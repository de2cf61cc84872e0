from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.cli import COMMANDS
from core.errors import ConfigError, CorpusError
from training.data.corpora_command import main
from training.data.corpus_summary import group, speech_hours, summarise
from training.data.example import Example, Reading, RowProblem

from .recordings import write_table, write_wav

HEADER = ["path", "text", "speaker", "sex", "label", "arousal", "split", "remark"]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    for name in ("a", "b"):
        write_wav(tmp_path / f"{name}.wav", 1.8)
    rows = [
        *(["a.wav", "hi", "K", "F", "joy;surprise", 0.5, "train", ""],),
        *(["b.wav", "ho", "L", "M", "joy", "", "test", ""],),
        *(["", "hm", "", "", "sad", -0.5, "train", ""],),
        *(["gone.wav", "ha", "L", "M", "sad", 0, "test", ""],),
        *(["a.wav", "ha", "L", "M", "sad", 7, "test", ""],),
    ]
    write_table(tmp_path / "manifest.csv", [HEADER, *rows])
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_the_command_is_in_the_program() -> None:
    assert COMMANDS["corpus"][0] == "training.data.corpora_command:main"


def test_a_corpus_is_described(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "manifest", corpus, "--hours")
    assert status == 1
    assert "examples   3 (speech and text 2, text only 1)" in out
    assert "speech     0.00 hours" in out
    assert "speakers   2 (F 1, M 1)" in out
    assert "parts      train 2, test 1" in out
    assert "arousal    2 from -0.50 to +0.50, mean +0.00" in out
    assert "happy           2   66.7%" in out
    assert "Several labels: 1 examples." in out
    assert "Who always says happy is right in 66.7%." in out
    assert "No speaker is named in 1 of 3 examples" in out
    assert "Rows left out: 2" in out
    assert f"{corpus / 'manifest.csv'}:5: there is no recording gone.wav" in out
    assert "columns not read: remark" in err


def test_a_clean_corpus_ends_with_zero(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_table(corpus / "manifest.csv", [HEADER[:5], ["a.wav", "hi", "K", "F", "calm"]])
    status, out, _ = run(capsys, "manifest", corpus, "-o", "label_map={calm: neutral}")
    assert status == 0
    assert "No row had to be left out." in out
    assert "Classes without any example: happy" in out


def test_numbers_can_be_had_as_json(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "manifest", corpus, "--json", "-o", "check_audio=true")
    summary = json.loads(out)
    assert (summary["examples"], summary["problems"], summary["hours"]) == (3, 2, None)
    assert summary["labels"]["sad"] == 1


def test_options_and_strictness_reach_the_reader(corpus: Path) -> None:
    with pytest.raises(CorpusError, match="line 6: arousal: 7 lies outside"):
        main(["manifest", str(corpus), "--strict"])
    with pytest.raises(CorpusError, match=r"no such option: clases.*label_map"):
        main(["manifest", str(corpus), "-o", "clases=own"])
    with pytest.raises(ConfigError, match="KEY=VALUE"):
        main(["manifest", str(corpus), "-o", "strict"])
    with pytest.raises(ConfigError, match="can't be read"):
        main(["manifest", str(corpus), "-o", "classes=[a"])
    with pytest.raises(CorpusError, match="no corpus 'unheard'"):
        main(["unheard", str(corpus)])


def test_problems_are_grouped_without_their_particulars() -> None:
    reasons = [
        "there is no recording a.wav",
        "there is no recording b c/d.wav",
        "the label 'x' is none of this corpus's (a, b)",
        "the label 'y z' is none of this corpus's (a, b)",
        "it ends at 1.5 s but begins at 2 s",
    ]
    groups = group([RowProblem(f"f:{n}", reason) for n, reason in enumerate(reasons)])
    assert sorted(groups.values(), reverse=True)[:1] == [2]
    assert groups["the label … is none of this corpus's (a, b)"] == 2
    assert groups["it ends at … s but begins at … s"] == 1


def test_hours_come_from_times_where_there_are_some(tmp_path: Path) -> None:
    whole = write_wav(tmp_path / "a.wav", 1.8)
    damaged = tmp_path / "b.wav"
    damaged.write_bytes(b"nothing")
    examples = [
        Example("c", "1", whole),
        Example("c", "2", tmp_path / "never opened.wav", start=10.0, end=11.8),
        Example("c", "3", damaged),
        Example("c", "4", text="no sound"),
    ]
    assert speech_hours(examples) == pytest.approx(3.6 / 3600, abs=1e-6)


def test_small_and_single_classes_are_pointed_at() -> None:
    examples = tuple(Example("c", str(n), text="t", speaker="s", labels=("sad",)) for n in range(3))
    notes = " ".join(summarise(Reading(examples, classes=("sad", "glad"))).notes())
    assert "only one class" in notes
    assert "fewer than 10 examples: sad (3)" in notes
    assert "without any example: glad" in notes
