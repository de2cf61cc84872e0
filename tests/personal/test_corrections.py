"""Corrections are kept whole, whoever writes them and however the program ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import ConfigError, JournalError, MediaError
from core.personal.corrections import LEFT_ALONE, CorrectionStore
from core.personal.folders import CORRECTIONS, person_folder
from core.personal.locking import writing
from tests.checkpoints import voice


@pytest.fixture
def store(tmp_path) -> CorrectionStore:
    return CorrectionStore(tmp_path / "personal")


def say(store: CorrectionStore, person: str = "Mina", start: float = 0.0, **more):
    given = {"label": "sad", "said": "happy", "source": "talk.wav", "end": start + 1.0, **more}
    return store.add(voice(0.5, seed=int(start)), person=person, start=start, **given)


def lines_of(store: CorrectionStore, person: str) -> Path:
    return person_folder(store.folder, person) / CORRECTIONS


def test_what_was_said_is_there_again_with_its_sound(store):
    said = say(store, text="안녕", language="ko", digest="d" * 64)
    again = CorrectionStore(store.folder)
    assert again.all("Mina") == (said,)
    assert not said.confirms
    assert np.abs(again.clip(said.id) - voice(0.5)).max() < 1e-4  # 16 bits
    assert again.persons() == ("Mina",)


def test_correcting_the_same_turn_again_replaces_it_and_its_clip(store):
    first = say(store)
    second = say(store, label="happy")
    assert store.all("Mina") == (second,)
    assert second.confirms
    with pytest.raises(MediaError, match=first.id):
        store.clip(first.id)
    assert len(list(store.folder.glob("*/clips/*"))) == 1


def test_a_turn_given_to_another_person_leaves_the_first(store):
    say(store, "Mina")
    moved = say(store, "Jun")
    assert store.all("Mina") == ()
    assert store.of_source("talk.wav") == (moved,)


def test_other_turns_and_recordings_are_other_corrections(store):
    kept = [say(store), say(store, start=3.0), say(store, source="other.wav")]
    assert set(store.all("Mina")) == set(kept)


def test_a_turn_that_was_left_alone_never_replaces_what_was_said(store):
    said = say(store)
    assert say(store, label="happy", weight=LEFT_ALONE) == said
    assert store.all("Mina") == (said,)
    weak = say(store, start=5.0, label="happy", weight=LEFT_ALONE)
    strong = say(store, start=5.0)
    assert store.all("Mina") == (said, strong)
    assert weak.weight < strong.weight == 1.0


def test_a_label_can_be_changed_without_the_sound(store):
    said = say(store, weight=LEFT_ALONE)
    changed = store.relabel(said, "angry")
    assert store.all("Mina") == (replace(said, label="angry", weight=1.0, made=changed.made),)
    store.remove(said)
    with pytest.raises(JournalError, match="removed"):
        store.relabel(said, "sad")


def test_removing_and_clearing_leave_nothing_behind(store):
    first, second = say(store), say(store, start=3.0)
    say(store, "Jun", start=9.0)
    store.remove(first)
    store.remove(first)
    assert store.all("Mina") == (second,)
    assert [p.stem for p in person_folder(store.folder, "Mina").glob("clips/*")] == [second.id]
    store.clear("Mina")
    assert not person_folder(store.folder, "Mina").exists()
    assert store.persons() == ("Jun",)
    store.clear("Nobody")


def test_sizes_are_told(store):
    say(store)
    say(store, start=2.0, label="happy")
    summary = store.summary("Mina")
    assert (summary.corrections, summary.confirmed, summary.seconds) == (2, 1, 2.0)
    assert summary.bytes == sum(p.stat().st_size for p in store.folder.glob("*/clips/*"))


def test_bad_lines_are_told_of_kept_and_do_no_harm(store):
    said = say(store)
    path = lines_of(store, "Mina")
    bad = (
        '{"id": "..", "person"',
        '{"id": "' + "a" * 32 + '"}',
        "\udcff".encode("utf-8", "replace").decode(),
    )
    path.write_text(path.read_text() + "\n".join(bad) + "\n")
    assert store.all("Mina") == (said,)
    problems = store.problems("Mina")
    assert [p.values["line"] for p in problems] == ["2", "3", "4"]
    assert {p.code for p in problems} == {"correction_unreadable"}
    assert "lacks" in problems[1].values["reason"]
    other = say(store, start=4.0)
    assert store.all("Mina") == (said, other)
    assert len(store.problems("Mina")) == 3


@pytest.mark.parametrize("id", ["../../etc/passwd", "A" * 32, "", "a" * 31])
def test_an_id_that_could_name_another_file_is_a_bad_line(store, id):
    said = say(store)
    path = lines_of(store, "Mina")
    path.write_text(path.read_text().replace(said.id, id))
    assert store.all("Mina") == ()
    assert len(store.problems("Mina")) == 1


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "a\x00b"])
def test_a_person_needs_a_name(store, name):
    with pytest.raises(ConfigError, match="can't be called"):
        say(store, name)


@pytest.mark.parametrize("name", ["김민아", "../up", "a/b", "CON", "Ä b", ".hidden"])
def test_any_name_is_one_folder_of_its_own(store, name):
    said = say(store, name)
    assert store.persons() == (said.person,)
    assert [p.parent for p in store.folder.glob("*/corrections.jsonl")] == [
        person_folder(store.folder, name)
    ]


@pytest.mark.parametrize(
    "samples", [np.zeros(0), np.full(10, np.nan), np.zeros((2, 8)), np.zeros(121 * 16_000)]
)
def test_only_a_turn_can_be_kept(store, samples):
    with pytest.raises(ConfigError, match="turn"):
        store.add(samples.astype(np.float32), person="Mina", label="sad")
    assert not list(store.folder.glob("*/clips/*"))


def test_a_damaged_clip_is_named(store):
    said = say(store)
    clip = next(store.folder.glob("*/clips/*"))
    clip.write_bytes(b"no sound")
    with pytest.raises(MediaError, match=said.id):
        store.clip(said.id)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="file"):
        say(CorrectionStore(tmp_path / "file"))


def test_who_waits_too_long_is_told(store):
    with (
        writing(store.folder),
        pytest.raises(JournalError, match="another program"),
        writing(store.folder, patience=0.02),
    ):
        pass


_WRITER = """
import sys, numpy as np
from pathlib import Path
from core.personal.corrections import CorrectionStore
store = CorrectionStore(Path(sys.argv[1]))
print("ready", flush=True)
for i in range(int(sys.argv[3])):
    store.add(np.ones(1600, np.float32) * 0.1, person="Mina", label="sad", source=sys.argv[2],
              start=float(i), end=i + 1.0)
"""


def writer(store: CorrectionStore, name: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(store.folder), name, str(count)],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_several_processes_lose_nothing_of_each_other(store):
    writers = [writer(store, name, 12) for name in ("a", "b", "c")]
    assert [w.communicate()[0] for w in writers] == ["ready\n"] * 3
    assert [len(store.of_source(name)) for name in ("a", "b", "c")] == [12] * 3
    assert {c.id for c in store.all("Mina")} == {
        p.stem for p in store.folder.glob("*/clips/*.flac")
    }


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_a_killed_process_leaves_whole_corrections(store):
    for attempt in range(3):
        process = writer(store, f"talk{attempt}", 10_000)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.1 + 0.07 * attempt)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        found = store.all("Mina")
        assert not store.problems("Mina")
        assert all(store.clip(c.id).size == 1600 for c in found)
    last = say(store, start=77.0)  # nobody holds the lock, and what was begun is swept
    clips = {p.name for p in person_folder(store.folder, "Mina").glob("clips/*")}
    assert clips == {f"{c.id}.flac" for c in store.all("Mina")}
    assert last in store.all("Mina")


def test_what_a_killed_process_left_goes_with_the_next_change(store):
    kept, gone = (say(store, start=float(i)) for i in range(2))
    folder = next(store.folder.glob("mina-*"))
    (folder / ".corrections.jsonl.tmp123").write_text(gone.label)
    (folder / "clips" / f".{gone.id}.tmp123.flac").write_bytes(b"half")
    store.remove(gone)
    left = sorted(p.name for p in folder.rglob("*") if p.is_file())
    assert left == sorted(["corrections.jsonl", f"{kept.id}.flac"])
