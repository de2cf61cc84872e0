"""`emoscope adapt` in the terminal, and `--personal` where recordings are analysed."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from core.batch.identity import identities
from core.batch.values import Options
from core.commands.adapt import main
from core.commands.analyze import main as analyze
from core.errors import ConfigError
from core.models.manifest import read_info
from core.personal import adapting
from core.personal.adapter_files import save_adapter
from core.personal.catalog import adapter_folder
from core.personal.clips import write_clip
from core.personal.corrections import CorrectionStore
from core.personal.folders import personal_folder
from core.personal.table import read_table, sound_of
from tests.checkpoints import make_checkpoint
from tests.personal.people import clip, make_adapter

LABELS = ("happy", "sad")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("models") / "tiny")


def write_table(folder: Path, rows: list[dict[str, object]]) -> Path:
    path = folder / "said.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(k for row in rows for k in row)))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def table(tmp_path) -> Path:
    rows = []
    for number in range(12):
        label = ("sad", "happy")[number % 2]
        write_clip(tmp_path / f"{number}.flac", clip(label, number))
        rows.append({"media": f"{number}.flac", "label": label, "said": "happy"})
    return write_table(tmp_path, rows)


def test_from_a_table_to_an_adapter_and_back(tmp_path, checkpoint, table, capsys, monkeypatch):
    monkeypatch.setattr(adapting, "LEAST_RIGHT", 0.0)
    folder = tmp_path / "personal"
    here = ["--folder", str(folder)]
    mina = ["--person", "Mina", "--model", str(checkpoint), *here]
    assert main([*mina, "--from", str(table)]) == 0
    shown = capsys.readouterr().out
    assert "12 corrections of Mina" in shown
    assert "Kept:" in shown
    assert "on 12 turns" in shown
    assert main(here) == 0
    assert "Mina" in capsys.readouterr().out
    store = CorrectionStore(folder)
    first = store.all("Mina")[0]
    assert main([*mina, "--list"]) == 0
    assert first.id[:8] in capsys.readouterr().out
    assert main([*mina, "--remove", first.id[:8]]) == 0
    assert len(store.all("Mina")) == 11
    assert main([*mina, "--remove-adapter"]) == 0
    assert not list(folder.glob("*/adapters/*"))
    assert main([*mina, "--clear"]) == 0
    assert store.persons() == ()


def test_taking_only_makes_no_adapter(tmp_path, checkpoint, table, capsys):
    here = ["--folder", str(tmp_path / "personal"), "--person", "Mina", "--model", str(checkpoint)]
    for _ in range(2):  # the same turns again
        assert main([*here, "--from", str(table), "--only-take"]) == 0
    assert len(CorrectionStore(tmp_path / "personal").all("Mina")) == 12
    assert "Kept" not in capsys.readouterr().out


def test_too_little_is_said_and_told_by_the_status(tmp_path, checkpoint, capsys):
    here = ["--folder", str(tmp_path), "--person", "Ann", "--model", str(checkpoint)]
    assert main(here) == 1
    assert "0 corrections of Ann can be used; it takes 10" in capsys.readouterr().out


def test_it_must_be_said_who_is_meant(tmp_path):
    with pytest.raises(ConfigError, match="--person"):
        main(["--clear", "--folder", str(tmp_path)])
    with pytest.raises(ConfigError, match="0 corrections"):
        main(["--person", "Ann", "--remove", "ff", "--folder", str(tmp_path)])


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"media": "a.wav", "label": "bored"}, "line 2: the checkpoint has no label 'bored'"),
        ({"media": "a.wav", "label": "sad", "start": "soon"}, "line 2: start is no number: 'soon'"),
        ({"media": "a.wav", "label": "sad", "start": "nan"}, "start is no number"),
        ({"media": "a.wav", "label": "sad", "start": "2", "end": "1"}, "before it begins"),
        ({"media": "a.wav", "label": "sad", "weight": "0"}, "weight"),
        ({"media": "a.wav", "emotion": "sad"}, "lacks the columns label"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused_by_line(tmp_path, row, said):
    with pytest.raises(ConfigError, match=said):
        read_table(write_table(tmp_path, [row]), LABELS)


def test_a_table_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.csv"):
        read_table(tmp_path / "none.csv", LABELS)


def test_turns_are_cut_from_recordings(tmp_path):
    whole = clip("sad", 1)
    write_clip(tmp_path / "talk.flac", whole)
    rows = [
        {"media": "talk.flac", "label": "Sad", "start": "0.25", "end": "0.5", "text": "안녕"},
        {"media": "talk.flac", "label": "sad", "start": "9", "end": "", "text": ""},
    ]
    first, beyond = read_table(write_table(tmp_path, rows), LABELS)
    assert (first.label, first.text, beyond.end, beyond.text) == ("sad", "안녕", None, None)
    assert abs(sound_of(first) - whole[4000:8000]).max() < 1e-4
    with pytest.raises(ConfigError, match="nothing at 9 s"):
        sound_of(beyond)


@pytest.fixture
def used(checkpoint):
    """An adapter of the user's that always says disgust."""
    base = read_info(checkpoint)
    path = adapter_folder(personal_folder(), "Mina", base.digest)
    return save_adapter(make_adapter(path, base, 1865))


def test_recordings_are_analysed_with_it(tmp_path, checkpoint, used):
    write_clip(tmp_path / "talk.flac", clip("sad", 3))
    (tmp_path / "talk.srt").write_text("1\n00:00:00,000 --> 00:00:00,800\nA: hello\n")
    out = tmp_path / "out"
    given = ["--out", str(out), "--model", str(checkpoint), "--whisper", "none"]
    given += ["--formats", "jsonl", "--context", "off", "--workers", "1"]
    assert analyze([str(tmp_path / "talk.flac"), *given, "--personal", "Mina"]) == 0
    lines = (out / "talk.jsonl").read_text().splitlines()
    turns = [record for line in lines if (record := json.loads(line)).get("label")]
    assert [t["label"] for t in turns] == ["disgust"]
    assert turns[0]["model"]["personal"] == "Mina"


def test_another_adapter_is_another_batch(checkpoint, used):
    plain = Options(model=str(checkpoint), context="off")
    mine = Options(model=str(checkpoint), context="off", personal="Mina")
    before = identities(mine)
    assert identities(plain) != before
    base = read_info(checkpoint)
    save_adapter(make_adapter(used.path, base, 1865, label="fear"))
    assert identities(mine) != before
    with pytest.raises(ConfigError, match="Ann"):
        identities(Options(model=str(checkpoint), personal="Ann"))
