from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.audio.io import read_audio
from core.dialogue.journal import Journal
from core.dialogue.session_lock import SessionLock
from core.dialogue.sessions import discard, find_unfinished, read_session, recover
from core.errors import JournalError
from core.pipeline.events import Event, Notice, Saved
from core.pipeline.session import Session
from core.pipeline.settings import SessionSettings
from core.types import SAMPLE_RATE, WINDOW, AudioBlock, TurnStatus
from tests.dialogue.conftest import judged
from tests.fakes import (
    FAKE_MODEL,
    FakeAnalyzer,
    FakeTranscriber,
    LoudnessCutter,
    ScriptedSource,
    conversation,
)

FACTS = {"source": "마이크", "speakers": [None], "language": "ko", "transcriber": "fake-whisper"}


def blocks(seconds: float, channels: int = 1) -> list[AudioBlock]:
    count = round(seconds * SAMPLE_RATE / WINDOW)
    values = np.sin(np.arange(count * WINDOW) / 20).astype(np.float32) * 0.5
    rows = np.stack([values] * channels)
    return [AudioBlock(rows[:, i * WINDOW : (i + 1) * WINDOW], i * WINDOW) for i in range(count)]


class Writing:
    """A journal that has begun, and what it told."""

    def __init__(self, root: Path, channels: int = 1) -> None:
        self.events: list[Event] = []
        self.journal = Journal(root)
        self.journal.describe_model(FAKE_MODEL)
        self.journal.begin(channels, FACTS, self.events.append)
        assert self.journal.folder is not None
        self.folder = self.journal.folder

    def write(self, seconds: float = 2.0, channels: int = 1) -> None:
        for block in blocks(seconds, channels):
            self.journal.write_audio(block)

    def notices(self) -> list[tuple[str, bool]]:
        return [(e.message.code, e.active) for e in self.events if isinstance(e, Notice)]

    def wait_for(self, condition: Callable[[], bool], timeout: float = 10.0) -> None:
        until = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < until, "it never happened"
            time.sleep(0.02)


@pytest.mark.parametrize("channels", [1, 2])
def test_a_whole_session_is_read_back(tmp_path: Path, channels: int) -> None:
    writing = Writing(tmp_path, channels)
    writing.write(2.0, channels)
    turns = [judged(0, 0.2, 1.0, "A", "안녕"), judged(1, 1.2, 1.9, None, "hello there")]
    for turn in turns:
        writing.journal.write_turn(turn)
    writing.journal.close()
    recording = read_session(writing.folder)
    assert [t.index for t in recording.turns] == [0, 1]
    assert [t.transcript.text for t in recording.turns if t.transcript] == ["안녕", "hello there"]
    assert recording.metadata.source == "마이크"
    assert recording.metadata.model is not None
    assert recording.metadata.model.digest == FAKE_MODEL.digest
    assert recording.duration == blocks(2.0)[-1].start + WINDOW
    assert recording.notes == ()
    assert find_unfinished(tmp_path) == ()
    facts = json.loads((writing.folder / "session.json").read_text(encoding="utf-8"))
    assert facts["model"]["name"] == "fake"
    assert facts["channels"] == channels
    assert isinstance(writing.events[-1], Saved)
    assert writing.events[-1].samples == recording.duration


def test_what_is_written_is_on_disk_within_a_second_or_so(tmp_path: Path) -> None:
    writing = Writing(tmp_path)
    writing.write(1.0)
    writing.journal.write_turn(judged(0, 0.2, 0.8, "A", "soon"))
    wav, lines = writing.folder / "audio.wav", writing.folder / "turns.jsonl"
    writing.wait_for(lambda: wav.stat().st_size == 44 + 2 * WINDOW * len(blocks(1.0)))
    writing.wait_for(lambda: lines.stat().st_size > 0)
    assert read_audio(wav).shape[1] == WINDOW * len(blocks(1.0))
    writing.wait_for(lambda: any(isinstance(e, Saved) for e in writing.events))
    writing.journal.close()


def test_a_session_that_is_being_recorded_is_not_lost(tmp_path: Path) -> None:
    writing = Writing(tmp_path)
    writing.write(2.0)
    writing.wait_for(lambda: any(isinstance(e, Saved) for e in writing.events))
    assert find_unfinished(tmp_path) == ()
    with pytest.raises(JournalError, match="still being recorded"):
        recover(writing.folder)
    with pytest.raises(JournalError, match="still being recorded"):
        discard(writing.folder)
    writing.journal.close()
    discard(writing.folder)
    assert not writing.folder.exists()


def lost_session(root: Path) -> Path:
    """A session as a killed program leaves it: no mark, a stale header, half a line."""
    writing = Writing(root)
    writing.write(3.0)
    for index in range(3):
        writing.journal.write_turn(judged(index, index, index + 0.8, "A", f"turn {index}"))
    writing.journal.close()
    (writing.folder / "closed").unlink()
    lines = writing.folder / "turns.jsonl"
    lines.write_bytes(lines.read_bytes()[:-40])
    with (writing.folder / "audio.wav").open("r+b") as file:
        file.seek(40)
        file.write(b"\0\0\0\0")
        file.seek(0, os.SEEK_END)
        file.write(b"\x01")
    return writing.folder


def test_a_lost_session_is_offered_and_recovered(tmp_path: Path) -> None:
    folder = lost_session(tmp_path)
    (lost,) = find_unfinished(tmp_path)
    assert lost.folder == folder
    assert lost.source == "마이크"
    assert lost.duration == pytest.approx(3.0, abs=0.05)
    assert lost.turns == 2
    recording = recover(folder)
    assert [turn.index for turn in recording.turns] == [0, 1]
    assert recording.media == folder / "audio.wav"
    assert read_audio(recording.media).shape[1] == recording.duration
    assert find_unfinished(tmp_path) == ()
    assert all(json.loads(line) for line in (folder / "turns.jsonl").read_text().splitlines())
    assert read_session(folder).turns == recording.turns


def test_a_turn_without_its_text_yet_is_kept_with_a_note(tmp_path: Path) -> None:
    from dataclasses import replace

    writing = Writing(tmp_path)
    writing.write(3.0)
    first, second = judged(0, 0, 1, "A", "said"), judged(1, 1, 2, "A", "")
    writing.journal.write_turn(replace(first, status=TurnStatus.SPEECH, transcript=None))
    writing.journal.write_turn(replace(second, status=TurnStatus.SPEECH))
    writing.journal.write_turn(first)
    writing.journal.close()
    turns = read_session(writing.folder).turns
    assert len(turns) == 2
    assert turns[0].transcript is not None
    assert turns[0].notes == ("a_note",)
    assert turns[1].notes == ("a_note", "interrupted")


@pytest.mark.parametrize("damage", ["session.json", "turns.jsonl", "header"])
def test_a_session_is_recovered_whatever_else_is_damaged(tmp_path: Path, damage: str) -> None:
    folder = lost_session(tmp_path)
    if damage == "header":
        with (folder / "audio.wav").open("r+b") as file:
            file.write(b"\0" * 44)
    else:
        (folder / damage).write_bytes(b"\xff{nonsense")
    recording = recover(folder)
    assert recording.duration_seconds == pytest.approx(3.0, abs=0.05)
    assert read_audio(folder / "audio.wav").shape[1] == recording.duration
    assert len(recording.turns) == (0 if damage == "turns.jsonl" else 2)


def test_a_session_without_a_moment_of_sound_is_not_offered(tmp_path: Path) -> None:
    writing = Writing(tmp_path)
    writing.journal.close()
    (writing.folder / "closed").unlink()
    assert find_unfinished(tmp_path) == ()
    assert find_unfinished(tmp_path / "nowhere") == ()


def test_a_folder_that_is_no_session_is_refused(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("keep")
    for action in (recover, discard, read_session):
        with pytest.raises(JournalError):
            action(tmp_path)
    assert (tmp_path / "precious.txt").exists()


def test_two_sessions_of_one_second_do_not_meet(tmp_path: Path) -> None:
    first, second = Writing(tmp_path), Writing(tmp_path)
    assert first.folder != second.folder
    first.journal.close()
    second.journal.close()


def test_a_folder_that_cannot_be_made_is_said_and_does_no_harm(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    events: list[Event] = []
    journal = Journal(blocked / "sessions")
    journal.begin(1, FACTS, events.append)
    journal.write_audio(blocks(0.1)[0])
    journal.write_turn(judged(0, 0, 1, None, ""))
    journal.close()
    (notice,) = events
    assert isinstance(notice, Notice)
    assert notice.message.code == "journal_failed"


def test_a_full_disk_is_said_and_made_up_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing = Writing(tmp_path)
    wav = writing.journal._wav
    assert wav is not None
    whole = wav._write_here

    def refuse(data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(wav, "_write_here", refuse)
    writing.write(2.0)
    writing.wait_for(lambda: ("journal_failed", True) in writing.notices())
    monkeypatch.setattr(wav, "_write_here", whole)
    writing.wait_for(lambda: ("journal_failed", False) in writing.notices())
    writing.journal.close()
    assert writing.notices().count(("journal_failed", True)) == 1
    assert read_session(writing.folder).duration_seconds == pytest.approx(2.0, abs=0.05)


def test_a_disk_that_is_nearly_full_is_said_and_withdrawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    free = [10 * 2**20]
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(0, 0, free[0]))
    writing = Writing(tmp_path)
    writing.wait_for(lambda: ("disk_nearly_full", True) in writing.notices())
    free[0] = 2**40
    writing.wait_for(lambda: ("disk_nearly_full", False) in writing.notices())
    writing.journal.close()


def test_a_session_of_the_pipeline_is_journalled_with_its_turns(tmp_path: Path) -> None:
    samples = conversation(1.0, 1.5, 0.9)
    events: list[Event] = []
    journal = Journal(tmp_path)
    session = Session(
        ScriptedSource(samples, live=True),
        SessionSettings(language="ko"),
        FakeAnalyzer(),
        FakeTranscriber({1: "가운데"}),
        events.append,
        journal,
        cutter=LoudnessCutter,
    )
    session.start()
    assert session.join(20)
    assert journal.folder is not None
    recording = read_session(journal.folder)
    kept = session.history.snapshot()
    assert [(t.start, t.end) for t in recording.turns] == [(t.start, t.end) for t in kept]
    assert recording.turns[1].transcript is not None
    assert recording.turns[1].transcript.text == "가운데"
    assert all("interrupted" not in turn.notes for turn in recording.turns)
    heard = read_audio(journal.folder / "audio.wav")[0]
    assert np.allclose(heard[: samples.size], samples, atol=1e-4)


RECORDER = """
import sys, threading
from pathlib import Path
from core.dialogue.journal import Journal
from core.pipeline.events import AudioHeard
from core.pipeline.session import Session
from core.pipeline.settings import SessionSettings
from tests.fakes import FakeAnalyzer, FakeTranscriber, LoudnessCutter, ScriptedSource, conversation

def tell(event):
    if isinstance(event, AudioHeard) and event.block.start % 2048 == 0:
        print(event.block.start + 512, flush=True)

source = ScriptedSource(conversation(*[0.6] * 40, pause=0.5), realtime=True)
session = Session(source, SessionSettings(), FakeAnalyzer(), FakeTranscriber(), tell,
                  Journal(Path(sys.argv[1])), cutter=LoudnessCutter)
session.start()
session.join()
"""


def heard_before_kill(root: Path, seconds: float) -> int:
    """Record in a process of its own, kill it, and return up to which sample it had heard."""
    process = subprocess.Popen(
        [sys.executable, "-c", RECORDER, str(root)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        text=True,
    )
    assert process.stdout is not None
    heard = 0
    while heard < seconds * SAMPLE_RATE:
        heard = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    rest = process.stdout.read().split()
    process.wait()
    process.stdout.close()
    return int(rest[-1]) if rest else heard


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9 on Windows")
@pytest.mark.parametrize("trial", range(int(os.environ.get("EMOSCOPE_KILLS", "3"))))
def test_a_killed_recording_loses_two_seconds_at_most(tmp_path: Path, trial: int) -> None:
    heard = heard_before_kill(tmp_path, random.Random(trial).uniform(1.5, 6.0))
    (lost,) = find_unfinished(tmp_path)
    recording = recover(lost.folder)
    assert recording.duration > heard - 2 * SAMPLE_RATE
    assert recording.media is not None
    assert read_audio(recording.media).shape[1] == recording.duration
    said = conversation(*[0.6] * 40, pause=0.5)[: recording.duration]
    assert np.allclose(read_audio(recording.media)[0], said, atol=1e-4)
    # Every utterance that had ended two seconds before is there: one begins each 1.1 s.
    ended = sum(1 for i in range(40) if 1.1 * i + 1.1 + 0.4 < heard / SAMPLE_RATE - 2.0)
    assert len(recording.turns) >= ended
    assert find_unfinished(tmp_path) == ()


def test_a_lock_is_let_go_with_its_holder(tmp_path: Path) -> None:
    first, second = SessionLock(tmp_path), SessionLock(tmp_path)
    assert first.acquire()
    assert not second.acquire()
    first.release()
    assert second.acquire()
    second.release()
