"""`emoscope analyze` with a dialogue model, over tiny checkpoints."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from core import cli
from core.batch import models as batch_models
from core.commands import analyze, demo
from core.models.checkpoint import read_info
from core.pipeline import dialogue_context
from core.resources import sample_dialogue
from tests.checkpoints import make_checkpoint, make_dialogue_checkpoint
from tests.fakes import FakeSpeakers
from tests.pipeline.conftest import no_leaked_threads

__all__ = ["no_leaked_threads"]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    utterances = make_checkpoint(folder / "tiny")
    info = read_info(utterances)
    return {
        "utterances": utterances,
        "other": make_checkpoint(folder / "other", seed=3),
        "dialogues": make_dialogue_checkpoint(folder / "dialogues", utterance_model=info, window=4),
    }


@pytest.fixture
def sample() -> Path:
    media = sample_dialogue()
    if not media.is_file():
        pytest.skip("the sample dialogue is not there")
    return media


@pytest.fixture
def shipped(models: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialogue_context, "dialogue_checkpoint", lambda: models["dialogues"])


def run(media: Path, out: Path, *arguments: object, status: int = 0) -> list[dict[str, Any]]:
    given = [media, "--out", out, "--whisper", "none", "--formats", "jsonl,html", *arguments]
    assert analyze.main([str(argument) for argument in given]) == status
    text = (out / f"{media.stem}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_the_shipped_dialogue_model_reads_every_turn(
    models: dict[str, Path], shipped: None, sample: Path, tmp_path: Path
) -> None:
    rows = run(sample, tmp_path, "--model", models["utterances"])
    assert len(rows) > 5
    for place, row in enumerate(rows):
        assert row["context"]["turns"] == [r["index"] for r in rows[max(0, place - 3) : place + 1]]
        assert row["context"]["scope"] == "past"
        assert row["hindsight"]["scope"] == "later"
        assert "features" not in row
    page = (tmp_path / f"{sample.stem}.html").read_text(encoding="utf-8")
    assert "tiny-bilstm" in page


def test_it_can_be_left_out(
    models: dict[str, Path], shipped: None, sample: Path, tmp_path: Path
) -> None:
    rows = run(sample, tmp_path, "--model", models["utterances"], "--context", "off")
    assert all(row["context"] is None and row["hindsight"] is None for row in rows)


def test_one_that_does_not_fit_is_left_out_silently(
    models: dict[str, Path],
    shipped: None,
    sample: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = run(sample, tmp_path, "--model", models["other"])
    assert all(row["context"] is None for row in rows)
    assert "dialogue model" not in capsys.readouterr().out


def test_one_that_was_named_and_does_not_fit_is_said(
    models: dict[str, Path], sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # both tiny models bear the same name, so only that a sentence comes can be seen
    named = ("--context", models["dialogues"])
    rows = run(sample, tmp_path, "--model", models["other"], *named, status=1)
    assert rows
    assert all(row["context"] is None for row in rows)
    said = capsys.readouterr()
    assert "The dialogue model reads features of tiny" in said.out
    assert f"the dialogue model in {models['dialogues']} was not used" in said.out + said.err


def test_one_that_was_named_and_is_damaged_is_an_error_after_all_is_written(
    models: dict[str, Path], sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = shutil.copytree(models["dialogues"], tmp_path / "damaged")
    (damaged / "model.safetensors").write_bytes(b"nothing")
    named = ("--model", models["utterances"], "--context", damaged)
    rows = run(sample, tmp_path, *named, status=1)
    assert rows
    assert all(row["context"] is None for row in rows)
    said = capsys.readouterr()
    assert f"the dialogue model in {damaged} was not used" in said.out + said.err


def test_a_shipped_one_that_is_damaged_costs_nothing_but_context(
    models: dict[str, Path], sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = shutil.copytree(models["dialogues"], tmp_path / "damaged")
    (damaged / "model.safetensors").write_bytes(b"nothing")
    monkeypatch.setattr(dialogue_context, "dialogue_checkpoint", lambda: damaged)
    assert run(sample, tmp_path, "--model", models["utterances"])[0]["context"] is None


@pytest.mark.parametrize("context", ["auto", "off"])
def test_a_window_beyond_all_dialogues_is_refused(
    context: str,
    models: dict[str, Path],
    sample: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    wanted = ["--model", models["utterances"], "--context", context, "--context-turns", 257]
    arguments = ["analyze", sample, "--out", tmp_path, *wanted]
    assert cli.main([str(argument) for argument in arguments]) == cli.EXIT_ERROR
    said = capsys.readouterr().err
    assert "can't look at 257 turns" in said
    assert "256 or fewer" in said


def test_a_folder_and_a_window_can_be_named(
    models: dict[str, Path], sample: Path, tmp_path: Path
) -> None:
    named = ("--context", models["dialogues"], "--context-turns", 2)
    rows = run(sample, tmp_path, "--model", models["utterances"], *named)
    assert [len(row["context"]["turns"]) for row in rows[:3]] == [1, 2, 2]


def test_a_folder_that_holds_none_is_an_error(
    models: dict[str, Path], sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [sample, "--out", tmp_path, "--model", models["utterances"], "--context", tmp_path]
    assert cli.main(["analyze", *map(str, arguments)]) == cli.EXIT_ERROR
    assert str(tmp_path) in capsys.readouterr().err


def test_voices_name_the_speakers_where_nothing_else_does(
    models: dict[str, Path], sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker = FakeSpeakers()
    monkeypatch.setattr(
        batch_models, "open_speakers", lambda wanted: tracker if wanted != "auto" else None
    )
    model = ("--model", models["utterances"], "--context", "off")
    known = run(sample, tmp_path / "known", *model, "--speakers", "voices")
    assert len({row["speaker"] for row in known}) == 2
    assert not [call for call in tracker.calls if call[0] == "name"]
    told = run(sample, tmp_path / "told", *model, "--speakers", "voices", "--no-transcript")
    assert {row["speaker"] for row in told} == {"Voice 1", "Voice 2"}
    nobody = run(sample, tmp_path / "nobody", *model, "--no-transcript")
    assert {row["speaker"] for row in nobody} == {None}


def test_the_demo_reads_in_context_too(
    models: dict[str, Path],
    shipped: None,
    sample: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ["--out", tmp_path, "--fast", "--model", models["utterances"]]
    assert demo.main([str(argument) for argument in arguments]) == 0
    text = (tmp_path / f"{sample.stem}.jsonl").read_text(encoding="utf-8")
    assert all(json.loads(line)["context"] for line in text.splitlines())
