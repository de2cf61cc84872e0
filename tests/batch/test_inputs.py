"""What counts as a recording of a batch, and where its results go."""

from __future__ import annotations

import os
from pathlib import Path

import av
import pytest

from core.batch.engines import Workers, parse_workers, settle
from core.batch.inputs import MEDIA, find_inputs
from core.batch.one_core import one_core
from core.batch.plan import longest_first, plan
from core.batch.values import Options
from core.cores import cores
from core.errors import ConfigError
from tests.batch.corpus import task, write_talks


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


def names(folder: Path, *named: object, out: Path = Path("out")) -> list[str]:
    inputs = find_inputs([str(name) for name in named], out)
    return [found.path.relative_to(folder).as_posix() for found in inputs.recordings]


def test_a_folder_stands_for_all_recordings_below_it(tmp_path: Path) -> None:
    for name in ("b.wav", "a.MP3", "deep/er/c.mkv", "notes.txt", "a.srt", ".hidden.wav", "x/d.wav"):
        touch(tmp_path / name)
    inputs = find_inputs([tmp_path], tmp_path / "out")
    assert [found.path.name for found in inputs.recordings] == ["a.MP3", "b.wav", "c.mkv", "d.wav"]
    assert [found.folder.as_posix() for found in inputs.recordings] == [".", ".", "deep/er", "x"]
    assert [path.name for path in inputs.skipped] == ["notes.txt"]


def test_earlier_results_are_no_input(tmp_path: Path) -> None:
    for name in ("a.wav", "out/a.wav", "out/a.html"):
        touch(tmp_path / name)
    assert names(tmp_path, tmp_path, out=tmp_path / "out") == ["a.wav"]
    assert names(tmp_path, tmp_path, out=tmp_path) == ["a.wav", "out/a.wav"]


def test_what_is_named_twice_is_analysed_once_but_for_a_file_that_was_named(tmp_path: Path) -> None:
    media = touch(tmp_path / "a.wav")
    touch(tmp_path / "b.wav")
    assert names(tmp_path, media, tmp_path) == ["a.wav", "b.wav"]
    assert names(tmp_path, tmp_path, tmp_path) == ["a.wav", "b.wav"]
    assert names(tmp_path, media, media) == ["a.wav", "a.wav"]


def test_links_in_a_circle_harm_no_other_recording(tmp_path: Path) -> None:
    touch(tmp_path / "c.wav")
    for name, target in (("a.wav", "b.wav"), ("b.wav", "a.wav"), ("again", ".")):
        try:
            (tmp_path / name).symlink_to(target)
        except OSError:
            pytest.skip("no links can be made here")
    assert names(tmp_path, tmp_path, tmp_path / "a.wav") == ["a.wav", "b.wav", "c.wav", "a.wav"]


def test_a_list_names_recordings_from_its_own_folder(tmp_path: Path) -> None:
    touch(tmp_path / "in" / "a.wav")
    touch(tmp_path / "in" / "more" / "b.flac")
    text = "\ufeff# mine\na.wav\n\n  more \nmissing.ogg\n"
    (tmp_path / "in" / "list.txt").write_text(text, encoding="utf-8")
    found = names(tmp_path, f"@{tmp_path / 'in' / 'list.txt'}")
    assert found == ["in/a.wav", "in/more/b.flac", "in/missing.ogg"]


def test_nothing_to_analyse_is_an_error(tmp_path: Path) -> None:
    touch(tmp_path / "notes.txt")
    with pytest.raises(ConfigError, match="no recordings"):
        find_inputs([tmp_path], tmp_path / "out")
    with pytest.raises(ConfigError, match=r"nolist\.txt"):
        find_inputs([f"@{tmp_path / 'nolist.txt'}"], tmp_path / "out")


def test_a_folder_without_recordings_among_others_is_named(tmp_path: Path) -> None:
    touch(tmp_path / "full" / "a.wav")
    (tmp_path / "empty").mkdir()
    inputs = find_inputs([tmp_path / "full", tmp_path / "empty"], tmp_path / "out")
    assert inputs.skipped == (tmp_path / "empty",)


def test_every_kind_that_is_looked_for_is_known_to_the_decoder() -> None:
    known = set()
    for name in av.formats_available:
        known.add(name)
        for mode in ("r", "w"):
            try:
                known |= set(av.format.ContainerFormat(name, mode).extensions)
            except ValueError:
                continue  # a format that can only be read, or only written
    aliases = {"aifc": "aiff", "snd": "au", "weba": "webm", "m2ts": "mts", "ra": "rm"}
    unknown = {kind for kind in MEDIA if aliases.get(kind, kind) not in known}
    # FFmpeg tells these by their content and lists no suffix
    assert unknown <= {"wv", "opus", "wma", "wmv", "vob", "spx", "sph", "gsm"}, unknown


def test_results_lie_as_the_recordings_do(tmp_path: Path) -> None:
    write_talks(tmp_path / "in", 4)
    out = tmp_path / "out"
    tasks = plan(find_inputs([tmp_path / "in"], out).recordings, out, ("jsonl", "csv"))
    assert [t.label for t in tasks] == ["talk0.wav", "talk1.wav", "talk3.wav", "below/talk2.wav"]
    assert tasks[3].targets == (out / "below" / "talk2.jsonl", out / "below" / "talk2.csv")
    assert all(t.seconds == pytest.approx(3.0) for t in tasks)


def test_the_longest_go_first_and_those_of_unknown_length_before_them() -> None:
    tasks = [task(0, 5.0), task(1, 50.0), task(2, None), task(3, 5.0)]
    assert [t.number for t in longest_first(tasks)] == [2, 1, 0, 3]


@pytest.mark.parametrize(
    ("text", "workers"),
    [
        ("auto", Workers("processes", None)),
        ("1", Workers("here", 1)),
        ("3", Workers("processes", 3)),
        ("ray", Workers("ray")),
        ("ray://head:10001", Workers("ray", None, "ray://head:10001")),
    ],
)
def test_workers_are_chosen_by_a_word(text: str, workers: Workers) -> None:
    assert parse_workers(text) == workers


@pytest.mark.parametrize("text", ["0", "-2", "many", "1.5", ""])
def test_what_is_no_number_of_workers_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="number of workers"):
        parse_workers(text)


def test_processes_are_started_where_the_work_is_worth_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("core.batch.engines.cores", lambda: 8)
    monkeypatch.setattr("core.batch.engines.free_bytes", lambda: 5 << 30)
    options = Options(device="cpu")
    short = [task(n, 20.0) for n in range(10)]
    long = [task(n, 3600.0) for n in range(10)]
    assert settle(Workers(), short, options) == Workers("here", 1)
    assert settle(Workers(), long, options) == Workers("processes", 5)  # as memory lasts
    assert settle(Workers(), long[:3], options) == Workers("processes", 3)
    assert settle(Workers("processes", 6), short, options) == Workers("processes", 6)
    assert settle(Workers("processes", 6), short[:1], options) == Workers("here", 1)
    monkeypatch.setattr("core.batch.engines._uses_gpu", lambda: True)
    assert settle(Workers(), long, Options(device="auto")) == Workers("here", 1)


def test_workers_that_recognise_speech_need_room_for_its_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "model.bin").open("wb") as weights:
        weights.truncate(3 << 30)  # nothing but a hole
    for name in ("config.json", "tokenizer.json", "vocabulary.json"):
        (tmp_path / name).write_text("{}")
    monkeypatch.setattr("core.batch.engines.cores", lambda: 8)
    monkeypatch.setattr("core.batch.engines.free_bytes", lambda: 8 << 30)
    long = [task(n, 3600.0) for n in range(10)]
    options = Options(device="cpu", whisper=str(tmp_path))
    assert settle(Workers(), long, options) == Workers("processes", 2)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no choice of cores here")
def test_a_worker_among_others_chooses_its_threads_as_on_one_core() -> None:
    before = os.sched_getaffinity(0)
    with one_core():
        assert cores() == 1
    assert os.sched_getaffinity(0) == before
