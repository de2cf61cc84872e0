"""What counts as done when a batch goes on."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.batch.state import STATE, BatchState, Neighbours, key_of, sweep
from core.batch.values import Options, Task
from tests.batch.corpus import write_talk

OPTIONS = Options(formats=("jsonl",))
MODELS = ("weights",)


@pytest.fixture
def talk(tmp_path: Path) -> Task:
    media = write_talk(tmp_path / "in" / "talk.wav", 1)
    target = tmp_path / "out" / "talk.jsonl"
    target.parent.mkdir()
    target.write_text("result")
    return Task(0, media, (target,), "talk.wav", 3.0)


def recorded(talk: Task, out: Path) -> None:
    BatchState(out, resume=False).record(key_of(talk, OPTIONS, MODELS), talk, 2, 3.0)


def is_done(
    talk: Task, out: Path, options: Options = OPTIONS, models: tuple[str, ...] = MODELS
) -> bool:
    state = BatchState(out, resume=True)
    return state.done(key_of(talk, options, models), talk) is not None


def test_what_was_recorded_is_done_and_only_to_whoever_resumes(talk: Task, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert not is_done(talk, out)
    recorded(talk, out)
    assert is_done(talk, out)
    key = key_of(talk, OPTIONS, MODELS)
    known = BatchState(out, resume=True).done(key, talk)
    assert known is not None
    assert (known.turns, known.seconds) == (2, 3.0)
    assert BatchState(out, resume=False).done(key, talk) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"language": "ko"},
        {"channels": "both"},
        {"context": "off"},
        {"runtime": "lossy"},
        {"formats": ("csv",)},
        {"whisper": "tiny"},
        {"beside": False},
    ],
)
def test_other_options_are_other_results(
    talk: Task, tmp_path: Path, changed: dict[str, object]
) -> None:
    recorded(talk, tmp_path / "out")
    assert not is_done(talk, tmp_path / "out", replace(OPTIONS, **changed))  # type: ignore[arg-type]


def test_another_model_is_another_result(talk: Task, tmp_path: Path) -> None:
    recorded(talk, tmp_path / "out")
    assert not is_done(talk, tmp_path / "out", models=("other weights",))


def test_a_changed_recording_or_transcript_is_not_done(talk: Task, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for changed in (talk.path, talk.path.with_suffix(".srt")):
        recorded(talk, out)
        assert is_done(talk, out)
        os.utime(changed, (1.0, 1.0))
        assert not is_done(talk, out)
    talk.path.with_suffix(".srt").unlink()
    assert not is_done(talk, out)


def test_a_result_that_is_gone_or_of_another_size_is_not_done(talk: Task, tmp_path: Path) -> None:
    recorded(talk, tmp_path / "out")
    talk.targets[0].write_text("half")
    assert not is_done(talk, tmp_path / "out")
    talk.targets[0].unlink()
    assert not is_done(talk, tmp_path / "out")


def test_a_recording_that_is_gone_has_no_key(talk: Task, tmp_path: Path) -> None:
    recorded(talk, tmp_path / "out")
    talk.path.unlink()
    assert key_of(talk, OPTIONS, MODELS) is None
    assert not is_done(talk, tmp_path / "out")


def test_a_torn_or_foreign_line_is_not_done_and_harms_no_other(talk: Task, tmp_path: Path) -> None:
    out = tmp_path / "out"
    recorded(talk, out)
    whole = (out / STATE).read_text()
    for cut in range(1, len(whole) - 1, 7):
        (out / STATE).write_text(whole[:cut])
        assert not is_done(talk, out)
    (out / STATE).write_text('nonsense\n{"key": 1}\n[]\n\n' + whole + whole[:30])
    assert is_done(talk, out)
    media, target = write_talk(tmp_path / "in" / "other.wav", 2), out / "other.jsonl"
    target.write_text("result")
    other = replace(talk, number=1, path=media, targets=(target,))
    state = BatchState(out, resume=True)
    state.record(key_of(other, OPTIONS, MODELS), other, 1, 1.0)
    assert is_done(talk, out)
    assert is_done(other, out)
    assert all(json.loads(line) for line in (out / STATE).read_text().splitlines())


def test_what_a_kill_left_half_written_is_swept_away(talk: Task, tmp_path: Path) -> None:
    out = tmp_path / "out"
    left = out / ".talk.jsonl.abcd1234"
    keep = [out / ".talk.jsonl", out / ".talk2.jsonl.abcd1234", talk.targets[0]]
    for path in (left, *keep):
        path.write_text("x")
    sweep([talk])
    assert not left.exists()
    assert all(path.exists() for path in keep)


def test_a_result_that_another_run_overwrote_is_not_done(talk: Task, tmp_path: Path) -> None:
    recorded(talk, tmp_path / "out")
    other = replace(OPTIONS, language="ko")
    state = BatchState(tmp_path / "out", resume=True)
    state.record(key_of(talk, other, MODELS), talk, 2, 3.0)  # by chance of the same size
    for known in (state, BatchState(tmp_path / "out", resume=True)):
        assert known.done(key_of(talk, other, MODELS), talk)
        assert not known.done(key_of(talk, OPTIONS, MODELS), talk)


def test_results_of_which_one_was_overwritten_are_not_done(talk: Task, tmp_path: Path) -> None:
    page = tmp_path / "out" / "talk.html"
    page.write_text("page")
    both = replace(talk, targets=(*talk.targets, page))
    recorded(both, tmp_path / "out")
    assert is_done(both, tmp_path / "out")
    state = BatchState(tmp_path / "out", resume=True)
    state.record(key_of(talk, OPTIONS, ("other",)), talk, 2, 3.0)
    assert not is_done(both, tmp_path / "out")


def count_listings(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return a list that every folder is added to whenever it is listed."""
    listed: list[Path] = []
    real = Path.iterdir

    def counted(folder: Path) -> Iterator[Path]:
        listed.append(folder)
        return real(folder)

    monkeypatch.setattr(Path, "iterdir", counted)
    return listed


def test_sweeping_lists_each_folder_once(
    talk: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = count_listings(monkeypatch)
    sweep([replace(talk, number=number) for number in range(50)])
    assert listed == [tmp_path / "out"]


def test_keys_of_many_recordings_list_their_folder_once(
    talk: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [write_talk(tmp_path / "in" / f"{n}.wav", n, 0.5) for n in range(20)]
    tasks = [replace(talk, path=path) for path in others]
    alone = [key_of(task, OPTIONS, MODELS) for task in tasks]
    listed = count_listings(monkeypatch)
    neighbours = Neighbours()
    assert [key_of(task, OPTIONS, MODELS, neighbours) for task in tasks] == alone
    assert listed == [tmp_path / "in"]
    others[3].with_suffix(".srt").unlink()
    assert key_of(tasks[3], OPTIONS, MODELS) != alone[3]
