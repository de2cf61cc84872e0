"""A batch that was interrupted goes on, and its results are those of one that was not."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from core.batch import models
from core.batch.engines import Workers
from core.batch.identity import identities
from core.batch.state import STATE
from core.batch.values import Options, Task
from core.commands import analyze
from core.dialogue.recording import Recording
from core.errors import JournalError
from core.pipeline.events import Notice, Severity
from core.pipeline.lifecycle import Listener
from core.pipeline.offline import Outcome
from core.types import Message
from tests.batch.corpus import comparable, write_talk, write_talks
from tests.fakes import FakeAnalyzer
from tests.pipeline.conftest import no_leaked_threads

__all__ = ["no_leaked_threads"]

Count = Callable[[], list[str]]


@pytest.fixture
def analysed(monkeypatch: pytest.MonkeyPatch) -> Count:
    """Returns the names of the recordings that were analysed since it was last asked."""
    from core.batch import analyst

    seen: list[str] = []
    real = analyst.analyze_file

    def counted(path: Path, *given: object, **named: object) -> Outcome:
        seen.append(path.name)
        return real(path, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(analyst, "analyze_file", counted)
    monkeypatch.setattr(models, "open_analyzer", lambda *named: FakeAnalyzer())

    def taken() -> list[str]:
        names = list(seen)
        seen.clear()
        return names

    return taken


def run(folder: Path, out: Path, *more: object) -> int:
    return analyze.main([str(a) for a in (folder, "--out", out, "--whisper", "none", *more)])


def test_only_what_is_missing_is_done_and_the_result_is_the_same(
    analysed: Count, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_talks(tmp_path / "in", 5)
    assert run(tmp_path / "in", tmp_path / "whole") == 0
    assert len(analysed()) == 5
    whole = comparable(tmp_path / "whole")
    out = tmp_path / "out"
    stop_after(2, out)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "in", out)
    assert len(analysed()) >= 2
    assert len((out / STATE).read_text().splitlines()) == 2
    said = capsys.readouterr()
    assert "Interrupted: 2 of 5 recordings are done" in said.err
    assert "--resume" in said.err
    resume_here()
    assert run(tmp_path / "in", out, "--resume") == 0
    assert len(analysed()) == 3
    assert comparable(out) == whole
    assert "2 of 5 recordings were done before." in capsys.readouterr().out
    assert run(tmp_path / "in", out, "--resume") == 0
    assert analysed() == []
    assert comparable(out) == whole
    summary = capsys.readouterr().out.splitlines()[-1]
    assert summary.startswith("5 of 5 recordings, 0:15 of audio")


_patches: list[pytest.MonkeyPatch] = []


def stop_after(count: int, out: Path) -> None:
    """Interrupt as Ctrl+C does, once so many recordings are written."""
    from core.batch import batch

    patch = pytest.MonkeyPatch()
    _patches.append(patch)
    real = batch.write_atomically

    def writing(path: Path, text: str, encoding: str) -> None:
        if len(list(out.rglob("*.html"))) == count:
            raise KeyboardInterrupt
        real(path, text, encoding)

    patch.setattr(batch, "write_atomically", writing)


def resume_here() -> None:
    while _patches:
        _patches.pop().undo()


@pytest.fixture(autouse=True)
def undone() -> object:
    yield
    resume_here()


def test_changed_recordings_options_and_new_ones_are_redone(
    analysed: Count, tmp_path: Path
) -> None:
    talks = write_talks(tmp_path / "in", 3)
    out = tmp_path / "out"
    assert run(tmp_path / "in", out) == 0
    assert len(analysed()) == 3
    write_talk(talks[1], 7, seconds=4.0)
    assert run(tmp_path / "in", out, "--resume") == 0
    assert analysed() == [talks[1].name]
    assert run(tmp_path / "in", out, "--resume", "--language", "ko") == 0
    assert len(analysed()) == 3
    write_talk(tmp_path / "in" / "new.wav", 9)
    (out / "talk0.html").unlink()
    assert run(tmp_path / "in", out, "--resume", "--language", "ko") == 0
    assert sorted(analysed()) == ["new.wav", "talk0.wav"]


def test_without_resume_everything_is_done_again(analysed: Count, tmp_path: Path) -> None:
    write_talks(tmp_path / "in", 2)
    for _ in range(2):
        assert run(tmp_path / "in", tmp_path / "out") == 0
        assert len(analysed()) == 2


def test_a_broken_recording_is_tried_again_and_said_again(
    analysed: Count, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_talks(tmp_path / "in", 2)
    (tmp_path / "in" / "broken.wav").write_bytes(b"RIFF nothing")
    for more in ((), ("--resume",), ("--resume",)):
        assert run(tmp_path / "in", tmp_path / "out", *more) == 1
        said = capsys.readouterr()
        assert said.err.count("broken.wav") == 1
        assert "failed" in said.out
        analysed()
    write_talk(tmp_path / "in" / "broken.wav", 3)
    assert run(tmp_path / "in", tmp_path / "out", "--resume") == 0
    assert analysed() == ["broken.wav"]


def test_where_nothing_can_be_written_nothing_is_analysed(analysed: Count, tmp_path: Path) -> None:
    write_talks(tmp_path / "in", 2)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(JournalError, match="Nothing can be written"):
        run(tmp_path / "in", tmp_path / "file" / "out")
    assert analysed() == []


def test_an_unforeseen_error_costs_one_recording(
    analysed: Count,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from core.batch import analyst

    write_talks(tmp_path / "in", 3)
    real = analyst.render

    def fails_once(recording: Recording, *given: str) -> str:
        if recording.metadata.source == "talk0.wav":
            raise ZeroDivisionError("no such luck")
        return real(recording, *given)

    monkeypatch.setattr(analyst, "render", fails_once)
    assert run(tmp_path / "in", tmp_path / "out") == 1
    assert len(analysed()) == 3
    said = capsys.readouterr()
    assert "talk0.wav: ZeroDivisionError: no such luck" in said.err
    assert "2 of 3 recordings" in said.out


@pytest.mark.parametrize("code", ["recognition_unavailable", "speakers_unavailable"])
def test_what_a_failed_model_is_missing_from_is_done_again(
    analysed: Count, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    from core.batch import analyst

    write_talks(tmp_path / "in", 3)
    real = analyst.analyze_file

    def without(
        path: Path, analyzer: object, transcriber: object, listener: Listener, **named: object
    ) -> Outcome:
        if path.name == "talk1.wav":
            listener(Notice(Message(code, {"reason": "it is broken"}), Severity.WARNING))
        return real(path, analyzer, transcriber, listener, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(analyst, "analyze_file", without)
    given = ["--no-transcript"]
    assert run(tmp_path / "in", tmp_path / "out", *given) == 0
    assert len(analysed()) == 3
    monkeypatch.setattr(analyst, "analyze_file", real)
    assert run(tmp_path / "in", tmp_path / "out", *given, "--resume") == 0
    assert sorted(analysed()) == ["talk1.wav", "talk2.wav"]
    assert run(tmp_path / "in", tmp_path / "out", *given, "--resume") == 0
    assert analysed() == []


def test_workers_are_chosen_for_what_is_left(
    analysed: Count, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: list[int] = []
    real = analyze.settle

    def noted(workers: Workers, tasks: Sequence[Task], options: Options) -> Workers:
        counts.append(len(tasks))
        return real(workers, tasks, options)

    monkeypatch.setattr(analyze, "settle", noted)
    write_talks(tmp_path / "in", 3)
    run(tmp_path / "in", tmp_path / "out")
    (tmp_path / "out" / "talk0.html").unlink()
    run(tmp_path / "in", tmp_path / "out", "--resume")
    assert counts == [3, 1]


def test_another_whisper_of_the_same_size_is_another_model(tmp_path: Path) -> None:
    for name in ("config.json", "tokenizer.json", "vocabulary.json", "model.bin"):
        (tmp_path / name).write_text("{}")
    options = Options(whisper=str(tmp_path), device="cpu", context="off")
    before = identities(options)
    assert identities(options) == before
    os.utime(tmp_path / "model.bin", (1.0, 1.0))
    assert identities(options) != before
