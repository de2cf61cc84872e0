"""Writes a small corpus in exactly the layout in which IEMOCAP is released.

The real one needs a signed form. With this, everything from reading to the paper's tables can be
run and tested. Voices and sentences are made up: emotion, gender and style can be heard, and the
vowels of the words; figures on them say that the way works, and nothing about people.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.errors import CorpusError
from core.types import SAMPLE_RATE, FloatArray
from training.generated.iemocap_turns import (
    RATERS,
    STYLES,
    WORDS,
    GeneratedIemocap,
    Turn,
    dealt,
    turns_of,
)
from training.generated.kemdy_voice import Voice, speak
from training.generated.wave_files import write_wave

_HEADER = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n"
_LEAKAGE = 0.2
"""Of a voice in the channel of the other one."""
_MARK = "# Generated, not recorded"
_README = """{mark}

This folder has the layout of IEMOCAP, but nobody speaks in it and nobody was asked: voices,
sentences and ratings are computed (seed {seed}, {sessions} sessions of {utterances} utterances).
It serves to try programs. Figures measured on it say nothing about people, and it is not IEMOCAP,
which USC gives out on request.
"""


def write_iemocap(folder: Path, config: GeneratedIemocap | None = None) -> Path:
    """Write a corpus like IEMOCAP into `folder`, made if missing, and return it.

    The same config gives the same bytes; an earlier generated corpus there is replaced.

    Raises:
        CorpusError: there is another corpus in the folder.
    """
    config = config or GeneratedIemocap()
    _prepare(folder, config)
    for number in range(1, config.sessions + 1):
        _write_session(folder / f"Session{number}", number, config)
    return folder


def _write_session(folder: Path, number: int, config: GeneratedIemocap) -> None:
    generator = np.random.default_rng([config.seed, 31, number])
    voices = {gender: Voice.of(gender, generator) for gender in "FM"}
    names = [f"Ses{number:02}{wearer}_{kind}" for wearer in "FM" for kind in STYLES]
    codes = dealt(config.shares, config.utterances, generator)
    for place, name in enumerate(names):
        turns = turns_of(name, codes[place :: len(names)], voices, config, generator)
        sounds = [speak(voices[t.speaker], t.manner, t.seconds, generator, t.sounds) for t in turns]
        _write_recordings(folder, name, turns, sounds)
        _write_evaluation(folder, name, turns, odd=config.odd)
        _write_transcription(folder, name, turns, odd=config.odd)
    if config.odd and number == 1:
        _make_odd(folder, names[0])


def _write_recordings(
    folder: Path, dialogue: str, turns: Sequence[Turn], sounds: Sequence[FloatArray]
) -> None:
    """Write a file per utterance, and the dialogue with its marked actor in the left channel."""
    sentences = folder / "sentences" / "wav" / dialogue
    whole = folder / "dialog" / "wav" / f"{dialogue}.wav"
    sentences.mkdir(parents=True, exist_ok=True)
    whole.parent.mkdir(parents=True, exist_ok=True)
    both = np.zeros((2, round((turns[-1].end + 0.5) * SAMPLE_RATE)), np.float32)
    for turn, samples in zip(turns, sounds, strict=True):
        write_wave(sentences / f"{turn.id}.wav", samples)
        first = round(turn.start * SAMPLE_RATE)
        own = 0 if turn.speaker == dialogue[5] else 1
        both[own, first : first + len(samples)] = samples
        both[1 - own, first : first + len(samples)] = _LEAKAGE * samples
    write_wave(whole, both)


def _write_evaluation(folder: Path, dialogue: str, turns: Sequence[Turn], *, odd: bool) -> None:
    """Write the summaries, each above the votes that led to it, and the votes of a rater alone."""
    path = folder / "dialog" / "EmoEvaluation" / f"{dialogue}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    blocks = [_block(turn, beyond=odd and place == 2) for place, turn in enumerate(turns)]
    path.write_text(_HEADER + "\n".join(blocks), encoding="cp1252")
    votes = "".join(f"{turn.id} :{WORDS[turn.code]}; ()\n" for turn in turns)
    alone = path.parent / "Categorical" / f"{dialogue}_e2_cat.txt"
    alone.parent.mkdir(exist_ok=True)
    alone.write_text(votes, encoding="cp1252")


def _block(turn: Turn, *, beyond: bool) -> str:
    valence, activation, dominance = turn.affect
    affect = (valence, 5.5 if beyond else activation, dominance)
    means = ", ".join(f"{value:.4f}" for value in affect)
    lines = [f"[{turn.start:.4f} - {turn.end:.4f}]\t{turn.id}\t{turn.code}\t[{means}]"]
    lines += [f"{rater}:\t{WORDS[turn.code]};\t()" for rater in RATERS]
    rounded = [min(5, round(value)) for value in affect]
    rated = "val {}; act {}; dom  {};".format(*rounded)
    lines += [f"{rater.replace('C', 'A', 1)}:\t{rated}\t()" for rater in RATERS]
    return "\n".join(lines) + "\n"


def _write_transcription(folder: Path, dialogue: str, turns: Sequence[Turn], *, odd: bool) -> None:
    path = folder / "dialog" / "transcriptions" / f"{dialogue}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{t.id} [{t.start:08.4f}-{t.end:08.4f}]: {t.text}" for t in turns]
    if odd:
        end = turns[-1].end
        lines.insert(1, "M: [LAUGHTER]")
        lines.append(f"{dialogue}_FXX0 [{end:08.4f}-{end + 0.3:08.4f}]: (BREATHING)")
    path.write_text("\n".join(lines) + "\n", encoding="cp1252")


def _make_odd(folder: Path, dialogue: str) -> None:
    """Take away a recording and a line of the transcription."""
    (folder / "sentences" / "wav" / dialogue / f"{dialogue}_F000.wav").unlink()
    path = folder / "dialog" / "transcriptions" / f"{dialogue}.txt"
    lines = path.read_text(encoding="cp1252").splitlines()
    kept = [line for line in lines if not line.startswith(f"{dialogue}_M000")]
    path.write_text("\n".join(kept) + "\n", encoding="cp1252")


def _prepare(folder: Path, config: GeneratedIemocap) -> None:
    """Empty a folder of an earlier generated corpus, and say in it what it is."""
    readme = folder / "README.md"
    mine = readme.is_file() and readme.read_text("utf-8", "replace").startswith(_MARK)
    for session in sorted(folder.glob("Session[0-9]")):
        if not mine:
            raise CorpusError(
                f"{session} exists and was not generated.", "Choose an empty folder to generate in."
            )
        shutil.rmtree(session)
    folder.mkdir(parents=True, exist_ok=True)
    text = _README.format(
        mark=_MARK, seed=config.seed, sessions=config.sessions, utterances=config.utterances
    )
    readme.write_text(text, encoding="utf-8")
