"""The generated IEMOCAP: as released, the same every time, and worth learning from."""

from __future__ import annotations

import hashlib
import itertools
import wave
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from core.errors import CorpusError
from training.data.corpora.registry import read_corpus
from training.data.example import Example
from training.generated.iemocap import write_iemocap
from training.generated.iemocap_turns import GeneratedIemocap
from training.generated.kemdy import write_kemdy20
from training.generated.kemdy_segments import GeneratedKemdy
from training.generated.kemdy_voice import MANNERS, PAUSE, Voice, sounds_of, speak

SMALL = GeneratedIemocap(utterances=64, odd=False)
TINY = GeneratedIemocap(sessions=2, utterances=12)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_iemocap(tmp_path_factory.mktemp("iemocap"), SMALL)


@pytest.fixture(scope="module")
def examples(small: Path) -> tuple[Example, ...]:
    return read_corpus("iemocap", small, classes=4, strict=True, check_audio=True).examples


@pytest.mark.parametrize("audio", ["sentences", "dialogs"])
def test_all_that_was_written_is_read(small: Path, audio: str) -> None:
    reading = read_corpus(
        "iemocap", small, strict=True, keep_unlabelled=True, audio=audio, check_audio=True
    )
    assert len(reading.examples) == SMALL.sessions * SMALL.utterances
    assert len({e.speaker for e in reading.examples}) == 2 * SMALL.sessions
    dialogues = Counter(e.dialogue for e in reading.examples)
    assert set(dialogues.values()) == {SMALL.utterances // 4}
    turns = [e.turn for e in reading.examples if e.dialogue == "iemocap/Ses03M_script01_1"]
    assert turns == list(range(SMALL.utterances // 4))
    speakers = {(e.speaker[-1], e.gender) for e in reading.examples}
    assert speakers == {("F", "F"), ("M", "M")}


def test_each_session_has_every_class_gender_and_style(examples: tuple[Example, ...]) -> None:
    for number in range(1, SMALL.sessions + 1):
        inside = [e for e in examples if e.session == f"iemocap/Session{number}"]
        assert {e.label for e in inside} == {"neutral", "happy", "angry", "sad"}
        assert {(e.gender, e.style) for e in inside} == set(
            itertools.product("FM", ("improvised", "scripted"))
        )


def test_what_is_odd_about_the_release_is_there_when_asked(tmp_path: Path) -> None:
    root = write_iemocap(tmp_path, TINY)
    reading = read_corpus("iemocap", root, keep_unlabelled=True)
    reasons = sorted(problem.reason for problem in reading.problems)
    assert len(reading.examples) == 2 * 12 - 2
    assert reasons[0].endswith("has no transcription")
    assert reasons[1].startswith("there is no recording")
    assert max(e.arousal or 0 for e in reading.examples) == 1.0  # 5.5 on a scale of 1 to 5
    text = (root / "Session1/dialog/transcriptions/Ses01F_impro01.txt").read_text("cp1252")
    assert "M: [LAUGHTER]" in text
    assert "FXX0" in text


def sound(example: Example) -> np.ndarray:
    """Log energies of 20 bands in five stretches of time, and their deviation in all of it."""
    with wave.open(str(example.audio)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    windows = np.lib.stride_tricks.sliding_window_view(samples, 512)[::256]
    power = np.abs(np.fft.rfft(windows * np.hanning(512))) ** 2 + 1e-8
    edges = np.geomspace(2, 256, 21).astype(int)
    logs = np.log(np.stack([power[:, a : b + 1].mean(1) for a, b in itertools.pairwise(edges)], 1))
    stretches = [part.mean(0) for part in np.array_split(logs, 5)]
    return np.concatenate([*stretches, logs.std(0)])


def last_word(example: Example) -> str:
    return (example.text or "").split()[-1]


@pytest.mark.parametrize(
    ("what", "least"),
    [
        (lambda e: e.label, 0.45),
        (lambda e: e.gender, 0.75),
        (lambda e: e.style, 0.8),
        (last_word, 0.3),
    ],
)
def test_strangers_can_be_told_by_ear(
    examples: tuple[Example, ...], what: Callable[[Example], str], least: float
) -> None:
    common = Counter(map(last_word, examples))
    chosen = [e for e in examples if common[last_word(e)] >= 15] if what is last_word else examples
    truth = np.array([what(e) for e in chosen])
    strangers = np.array([e.session == "iemocap/Session5" for e in chosen])
    heard = np.stack([sound(e) for e in chosen])
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000, C=0.1))
    said = model.fit(heard[~strangers], truth[~strangers]).predict(heard[strangers])
    assert recall_score(truth[strangers], said, average="macro", zero_division=0) > least


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*")) if path.is_file()
    }  # fmt: skip


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    first, again = write_iemocap(tmp_path / "a", TINY), write_iemocap(tmp_path / "b", TINY)
    assert digests(first) == digests(again)
    assert digests(write_iemocap(tmp_path / "a", TINY)) == digests(again)  # and in place
    assert digests(first) != digests(write_iemocap(tmp_path / "c", replace(TINY, seed=1)))


def test_nothing_that_was_not_generated_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "Session1").mkdir()
    (tmp_path / "Session1/real.txt").write_text("real", encoding="utf-8")
    with pytest.raises(CorpusError, match="not generated"):
        write_iemocap(tmp_path, TINY)
    assert (tmp_path / "Session1/real.txt").read_text("utf-8") == "real"


@pytest.mark.parametrize(
    "wrong", [{"sessions": 10}, {"utterances": 4}, {"shares": {"joy": 1.0}}, {"telling_texts": 2}]
)
def test_a_corpus_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"sessions|shares|telling"):
        GeneratedIemocap(**wrong)  # type: ignore[arg-type]


def test_vowels_of_english_and_korean_are_said_in_order() -> None:
    assert sounds_of("Put it on.") == (4, PAUSE, 2, PAUSE, 3)
    assert sounds_of("정말 네") == (3, 0, PAUSE, 1)
    assert sounds_of("...") == ()


def test_a_pause_is_quiet_and_vowels_differ() -> None:
    voice = Voice(120.0, 1.0, 0.0, 0.0, 1.0)
    said = [
        speak(voice, MANNERS["neutral"], 1.5, np.random.default_rng(0), sounds)
        for sounds in ((0, PAUSE, 2), (2, PAUSE, 0))
    ]
    for samples in said:
        first, between, last = (np.square(part).mean() for part in np.array_split(samples, 3))
        assert between < 0.01 * min(first, last)

    def low(part: np.ndarray) -> float:
        """Return the share of energy below 600 Hz, which an i has more of than an a."""
        power = np.abs(np.fft.rfft(part)) ** 2
        return float(power[:300].sum() / power.sum())

    assert low(said[0][:8000]) < low(said[1][:8000])


def test_free_talk_sounds_otherwise_than_acting(tmp_path: Path) -> None:
    shape = GeneratedKemdy(sessions=1, segments=10, seconds=(0.6, 0.8), spoken_texts=True)
    heard = []
    for number, free in enumerate((False, True)):
        write_kemdy20(tmp_path / str(number), replace(shape, odd=False, spontaneous=free))
        found = read_corpus("kemdy20", tmp_path / str(number), strict=True).examples
        heard.append(np.mean([sound(e)[:100] for e in found], axis=0).reshape(5, 20).mean(0))
    acted, free_talk = heard
    assert acted[-8:].mean() - acted[:8].mean() > free_talk[-8:].mean() - free_talk[:8].mean()
