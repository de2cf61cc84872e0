"""What later turns say of earlier ones, in the journal: lines of their own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from core.dialogue.sessions import find_unfinished, read_session, recover
from core.labels import EMOTIONS
from core.types import ContextResult, ContextScope
from tests.dialogue.conftest import judged
from tests.dialogue.test_journal import Writing
from tests.fakes import FAKE_CONTEXT


def said(label: str, turns: tuple[int, ...], scope: ContextScope) -> ContextResult:
    """What a dialogue model says of a turn, at the length it has in a real session."""
    sure = tuple(0.94 if name == label else 0.01 for name in EMOTIONS)
    nested = {2 * size: sure for size in (4, 8, 16, 32, 64)}
    attention = tuple([1 / len(turns)] * len(turns))
    return ContextResult(EMOTIONS, sure, scope, sure, turns, attention, FAKE_CONTEXT, nested, 0.004)


def revised_session(root: Path) -> Path:
    """A closed session of two turns; later ones changed the label of the first twice."""
    writing = Writing(root)
    writing.write(3.0)
    past, later = ContextScope.PAST, ContextScope.LATER
    first = replace(judged(0, 0, 1, "A", "said " * 12), context=said("happy", (0,), past))
    writing.journal.write_turn(first)
    writing.journal.write_hindsight(0, said("sad", (0, 1), later))
    writing.journal.write_turn(judged(1, 1, 2, "B", "more"))
    writing.journal.write_hindsight(0, said("fear", (0, 1), later))
    writing.journal.close()
    return writing.folder


def test_hindsight_is_a_short_line_of_its_own_and_the_newest_counts(tmp_path: Path) -> None:
    folder = revised_session(tmp_path)
    lines = (folder / "turns.jsonl").read_bytes().splitlines()
    assert json.loads(lines[1]).keys() == {"index", "hindsight"}
    assert len(lines[1]) < len(lines[0]) / 2
    first, second = read_session(folder).turns
    assert first.transcript is not None
    assert (first.context and first.context.label) == "happy"
    assert (first.hindsight and first.hindsight.label) == "fear"
    assert second.hindsight is None
    assert json.loads((folder / "closed").read_text())["turns"] == 2


@pytest.mark.parametrize("cut", [40, 1])
def test_a_session_lost_while_hindsight_was_written_is_recovered(tmp_path: Path, cut: int) -> None:
    folder = revised_session(tmp_path)
    (folder / "closed").unlink()
    path = folder / "turns.jsonl"
    path.write_bytes(path.read_bytes()[:-cut])
    (lost,) = find_unfinished(tmp_path)
    assert lost.turns == 2
    first, _ = recover(folder).turns
    assert (first.hindsight and first.hindsight.label) == ("sad" if cut > 1 else "fear")
    assert read_session(folder).notes == ()
    assert len(path.read_bytes().splitlines()) == (3 if cut > 1 else 4)


def test_hindsight_of_a_turn_that_is_damaged_harms_nothing(tmp_path: Path) -> None:
    folder = revised_session(tmp_path)
    path = folder / "turns.jsonl"
    broken = b'{"index": 1, "hindsight": null}\n{"index": 1, "hindsight": {"turns": 3}}\n'
    path.write_bytes(b"{" + path.read_bytes() + broken)
    recording = read_session(folder)
    assert [turn.index for turn in recording.turns] == [1]
    assert recording.notes == ("3 line(s) of turns.jsonl could not be read.",)


def test_journals_that_repeat_a_turn_for_its_hindsight_are_still_read(tmp_path: Path) -> None:
    writing = Writing(tmp_path)
    writing.write(2.0)
    turn = replace(judged(0, 0, 1, "A", "said"), context=said("happy", (0,), ContextScope.PAST))
    writing.journal.write_turn(turn)
    later = said("sad", (0, 1), ContextScope.LATER)
    writing.journal.write_turn(replace(turn, hindsight=later))
    writing.journal.close()
    (read,) = read_session(writing.folder).turns
    assert (read.hindsight and read.hindsight.label) == "sad"
