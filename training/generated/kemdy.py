"""Writes a small corpus in exactly the published layout of KEMDy20 or KEMDy19.

The real ones need an agreement with ETRI. With these, everything from reading to the paper's table
can be run and tested. Voices and sentences are made up: figures on them say that the way works, and
nothing about people.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import CorpusError
from training.generated.kemdy_segments import TAGGERS, GeneratedKemdy, Segment, make_segment, plan
from training.generated.kemdy_voice import Voice, sounds_of, speak
from training.generated.wave_files import write_wave

ODD_SESSION = 17
_GAP_SECONDS = 0.4
_MARK = "# Generated, not recorded"
_README = """{mark}

This folder has the layout of {name}, but nobody speaks in it and nobody was asked: voices,
sentences and evaluations are computed (seed {seed}, {sessions} sessions of {segments} segments).
It serves to try programs. Figures measured on it say nothing about people, and it is not {name},
which ETRI gives out under an agreement.
"""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A segment with its name, speaker and place in the session."""

    stem: str
    speaker: str
    segment: Segment
    start: float

    @property
    def end(self) -> float:
        return self.start + self.segment.seconds


def write_kemdy20(folder: Path, config: GeneratedKemdy | None = None) -> Path:
    """Write a corpus like KEMDy20 into `folder`, made if missing, and return it.

    The same config gives the same bytes; an earlier generated corpus there is replaced.

    Raises:
        CorpusError: there is another corpus in the folder.
    """
    config = config or GeneratedKemdy()
    _prepare(folder, "KEMDy20", config)
    for index, session in enumerate(_session_numbers(config)):
        speakers = (f"User{2 * session - 1:03}F", f"User{2 * session:03}M")
        entries = _entries(config, index, 20, "script{:02}", f"Sess{session:02}", speakers)
        files = folder / "wav" / f"Session{session:02}"
        _write_files(files, entries, config, [index, 20], "cp949")
        rows = [_row20(number, entry) for number, entry in enumerate(entries, start=1)]
        if config.odd and session == ODD_SESSION:
            for row in rows[1::2]:  # begins with another session than the folder and the file
                row[3] = f"Sess{session - 1:02}{row[3][6:]}"
        if config.odd and index == 0:
            _make_odd(files, entries, rows)
        _write_table(folder / "annotation" / f"Sess{session:02}_eval.csv", _header(()), rows)
    return folder


def write_kemdy19(folder: Path, config: GeneratedKemdy | None = None) -> Path:
    """Write a corpus like KEMDy19 into `folder`, made if missing, and return it.

    Each session has two tables, one per actor, with the same evaluations. The same config gives the
    same bytes; an earlier generated corpus there is replaced.

    Raises:
        CorpusError: there is another corpus in the folder.
    """
    config = config or GeneratedKemdy()
    _prepare(folder, "KEMDy19", config)
    for index in range(config.sessions):
        session = f"Sess{index + 1:02}"
        entries = _entries(config, index, 19, "script{:02}", session, ("F", "M"))
        files = folder / "wav" / f"Session{index + 1:02}"
        _write_files(files, entries, config, [index, 19], "utf-8")
        for actor in "FM":
            rows = [_row19(number, e, actor) for number, e in enumerate(entries, start=1)]
            if config.odd and index == 0 and actor == "F":
                _make_odd(files, entries, rows)
            header = _header(("ECG", "E4-EDA", "E4-TEMP"))
            _write_table(folder / "annotation" / f"{session}_{actor}_res.csv", header, rows)
    return folder


def _session_numbers(config: GeneratedKemdy) -> list[int]:
    numbers = list(range(1, config.sessions + 1))
    if config.odd and config.sessions < ODD_SESSION:
        numbers[-1] = ODD_SESSION
    return numbers


def _entries(
    config: GeneratedKemdy,
    index: int,
    corpus: int,
    dialogue: str,
    session: str,
    speakers: Sequence[str],
) -> list[_Entry]:
    """Return a session: six topics one after the other, speakers in turn."""
    generator = np.random.default_rng([config.seed, corpus, index])
    kinds = plan(config)[index]
    entries: list[_Entry] = []
    counts: dict[str, int] = {}
    start = 1.0
    for number, kind in enumerate(kinds):
        topic = dialogue.format(1 + number * 6 // len(kinds))
        speaker = speakers[int(generator.random() < 0.5) if number % 3 else number % 2]
        counts[topic + speaker] = turn = counts.get(topic + speaker, 0) + 1
        segment = make_segment(kind, config, generator)
        stem = f"{session}_{topic}_{speaker}{'_' if corpus == 20 else ''}{turn:03}"
        entries.append(_Entry(stem, speaker, segment, round(start, 2)))
        start += segment.seconds + _GAP_SECONDS
    return entries


def _write_files(
    folder: Path, entries: Sequence[_Entry], config: GeneratedKemdy, key: list[int], encoding: str
) -> None:
    generator = np.random.default_rng([config.seed, 2, *key])
    voices = {e.speaker: Voice.of("F" if "F" in e.speaker else "M", generator) for e in entries}
    for number, entry in enumerate(entries):
        # KEMDy19 keeps each dialogue in a folder of its own
        inside = folder if encoding == "cp949" else folder / entry.stem.rpartition("_")[0]
        inside.mkdir(parents=True, exist_ok=True)
        segment = entry.segment
        said = sounds_of(segment.text) if config.spoken_texts else ()
        samples = speak(voices[entry.speaker], segment.manner, segment.seconds, generator, said)
        write_wave(inside / f"{entry.stem}.wav", samples)
        marks = "n/ " if config.odd and number % 9 == 4 else ""
        text = f"{marks}{segment.text}\n"
        (inside / f"{entry.stem}.txt").write_bytes(text.encode(encoding))


def _make_odd(folder: Path, entries: Sequence[_Entry], rows: list[list[str]]) -> None:
    """Take away a recording and a text, and put in a row that breaks off."""
    for entry, suffix in ((entries[0], ".wav"), (entries[1], ".txt")):
        next(folder.rglob(entry.stem + suffix)).unlink()
    rows.insert(2, rows[2][:3])


def _row20(number: int, entry: _Entry) -> list[str]:
    return [str(number), f"{entry.start:.2f}", f"{entry.end:.2f}", entry.stem, *_evaluated(entry)]


def _row19(number: int, entry: _Entry, actor: str) -> list[str]:
    """Return a row; the body signals differ between the two tables, and nothing reads them."""
    offset = 0.0 if actor == "F" else 1.0
    times = [f"{time + offset:.2f}" for _ in range(3) for time in (entry.start, entry.end)]
    own = [f"{entry.start:.2f}", f"{entry.end:.2f}"]
    return [str(number), *own, *times, entry.stem, *_evaluated(entry)]


def _evaluated(entry: _Entry) -> list[str]:
    """Return emotion, valence and arousal: of all taggers together, then of each."""
    tagged = entry.segment.tagged
    cells = [tagged.label, f"{np.mean(tagged.valence):.2f}", f"{np.mean(tagged.arousal):.2f}"]
    for vote, valence, arousal in zip(tagged.votes, tagged.valence, tagged.arousal, strict=True):
        cells += [vote, str(valence), str(arousal)]
    return [cell.replace("disgust", "disqust") for cell in cells]  # as the real tables spell it


def _header(signals: Sequence[str]) -> list[list[str]]:
    """Return the two header rows."""
    above = ["Numb", "Wav", "", *(cell for name in signals for cell in (name, ""))]
    below = ["", "start", "end", *("start", "end") * len(signals)]
    above += ["Segment ID", "Total Evaluation", "", ""]
    below += ["", "Emotion", "Valence", "Arousal"]
    for tagger in range(1, TAGGERS + 1):
        above += [f"Eval{tagger:02}{'FM'[tagger % 2]}", "", ""]
        below += ["Emotion", "Valence", "Arousal"]
    return [above, below]


def _write_table(path: Path, header: list[list[str]], rows: list[list[str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([*header, *rows])


def _prepare(folder: Path, name: str, config: GeneratedKemdy) -> None:
    """Empty a folder of an earlier generated corpus, and say in it what it is."""
    readme = folder / "README.md"
    mine = readme.is_file() and readme.read_text("utf-8", "replace").startswith(_MARK)
    for inside in (folder / "annotation", folder / "wav"):
        if inside.exists() and not mine:
            raise CorpusError(
                f"{inside} exists and was not generated.", "Choose an empty folder to generate in."
            )
        shutil.rmtree(inside, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    text = _README.format(
        mark=_MARK,
        name=name,
        seed=config.seed,
        sessions=config.sessions,
        segments=config.segments,
    )
    readme.write_text(text, encoding="utf-8")
