"""Generated corpora: in the published layout, the same every time, and worth learning from."""

from __future__ import annotations

import csv
import hashlib
import itertools
import wave
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from core.errors import CorpusError
from core.labels import EMOTIONS
from training.data.corpora.registry import read_corpus
from training.data.example import Example, Reading
from training.generated.kemdy import write_kemdy19, write_kemdy20
from training.generated.kemdy_segments import KEMDY20_SHARES, GeneratedKemdy, plan
from training.generated.kemdy_voice import MANNERS, Voice, speak

SMALL = GeneratedKemdy(sessions=6, segments=40, seconds=(0.8, 1.6))
WRITERS = {"kemdy20": write_kemdy20, "kemdy19": write_kemdy19}
TINY = GeneratedKemdy(sessions=2, segments=8, seconds=(0.3, 0.5))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_kemdy20(tmp_path_factory.mktemp("kemdy20"), SMALL)


@pytest.fixture(scope="module")
def reading(small: Path) -> Reading:
    return read_corpus("kemdy20", small)


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*")) if path.is_file()
    }  # fmt: skip


def test_what_is_read_is_what_was_written(reading: Reading) -> None:
    count = SMALL.sessions * SMALL.segments
    assert len(reading.examples) == count - 2  # one without recording, one without text
    reasons = " ".join(problem.reason for problem in reading.problems)
    assert len(reading.problems) == 3
    for odd in ("no wav file", "no txt file", "expected at least 7 columns"):
        assert odd in reasons
    assert len({e.speaker for e in reading.examples}) == 2 * SMALL.sessions
    assert {e.gender for e in reading.examples} == {"F", "M"}
    assert {label for e in reading.examples for label in e.labels} == set(EMOTIONS)
    compound = [e.labels for e in reading.examples if len(e.labels) > 1]
    assert len(compound) == pytest.approx(SMALL.ties * count, abs=2)
    assert any("neutral" not in labels for labels in compound)


def test_names_of_session_17_begin_with_another_in_its_table(small: Path) -> None:
    table = (small / "annotation/Sess17_eval.csv").read_text("utf-8")
    assert "Sess16_script01" in table
    assert "Sess17_script01" in table
    assert not list((small / "wav/Session17").glob("Sess16*"))


def test_tables_spell_disgust_as_the_real_ones(small: Path) -> None:
    tables = " ".join(p.read_text("utf-8") for p in (small / "annotation").glob("*.csv"))
    assert "disqust" in tables
    assert "disgust" not in tables


def test_ten_taggers_agree_with_the_row(small: Path) -> None:
    with (small / "annotation/Sess02_eval.csv").open(encoding="utf-8", newline="") as file:
        above, below, *rows = list(csv.reader(file))
    assert above[3] == "Segment ID"
    assert below[4:7] == ["Emotion", "Valence", "Arousal"]
    assert len(rows) == SMALL.segments
    for row in rows:
        votes, valence, arousal = row[7::3], row[8::3], row[9::3]
        assert len(votes) == len(valence) == 10
        most = max(Counter(votes).values())
        winners = {name for name, count in Counter(votes).items() if count == most}
        assert set(row[4].split(";")) == winners
        assert float(row[5]) == pytest.approx(np.mean([int(v) for v in valence]), abs=0.006)
        assert float(row[6]) == pytest.approx(np.mean([int(a) for a in arousal]), abs=0.006)


def test_recordings_are_as_long_as_the_table_says(small: Path) -> None:
    with (small / "annotation/Sess03_eval.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[2:]
    for row in rows[:10]:
        with wave.open(str(small / "wav/Session03" / f"{row[3]}.wav")) as recording:
            assert recording.getframerate() == 16000
            seconds = recording.getnframes() / 16000
        assert seconds == pytest.approx(float(row[2]) - float(row[1]), abs=0.011)


def test_affect_fits_the_emotion(reading: Reading) -> None:
    def mean(label: str, what: str) -> float:
        chosen = [e for e in reading.examples if e.label == label]
        return float(np.mean([getattr(e, what) for e in chosen]))

    assert mean("happy", "valence") > 0.4 > mean("neutral", "valence") > mean("sad", "valence")
    assert mean("angry", "arousal") > 0.3 > mean("neutral", "arousal") > mean("sad", "arousal")


def samples(example: Example) -> np.ndarray:
    with wave.open(str(example.audio)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768


def sound(example: Example) -> np.ndarray:
    """Log energies of 20 bands: mean and deviation."""
    windows = np.lib.stride_tricks.sliding_window_view(samples(example), 512)[::256]
    power = np.abs(np.fft.rfft(windows * np.hanning(512))) ** 2 + 1e-8
    edges = np.geomspace(2, 256, 21).astype(int)
    bands = [power[:, a : b + 1].mean(1) for a, b in itertools.pairwise(edges)]
    logs = np.log(np.stack(bands, 1))
    return np.concatenate([logs.mean(0), logs.std(0)])


def test_voice_and_words_tell_the_emotion_of_strangers(reading: Reading) -> None:
    chosen = [e for e in reading.examples if e.label is not None]
    labels = np.array([e.label for e in chosen])
    held_out = np.array([e.session in ("kemdy20/Sess02", "kemdy20/Sess04") for e in chosen])
    sounds = np.stack([sound(e) for e in chosen])
    texts = TfidfVectorizer().fit_transform([e.text or "" for e in chosen])
    for features in (sounds, texts):
        model = make_pipeline(
            StandardScaler(with_mean=False),
            LogisticRegression(max_iter=2000, class_weight="balanced"),
        )
        model.fit(features[~held_out], labels[~held_out])
        said = model.predict(features[held_out])
        uar = recall_score(labels[held_out], said, average="macro", zero_division=0)
        assert 0.3 < uar < 0.95  # seven classes: chance is 0.143, and neither tells everything


@pytest.mark.parametrize(
    ("name", "write"), [("kemdy20", write_kemdy20), ("kemdy19", write_kemdy19)]
)
def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, name: str, write) -> None:  # type: ignore[no-untyped-def]
    first, again = write(tmp_path / "a", TINY), write(tmp_path / "b", TINY)
    assert digests(first) == digests(again)
    assert digests(write(tmp_path / "a", TINY)) == digests(again)  # and in place
    other = write(tmp_path / "c", replace(TINY, seed=1))
    assert digests(first).keys() != digests(other).keys() or digests(first) != digests(other)
    assert len(read_corpus(name, first).examples) == 14


def test_kemdy19_has_a_table_per_actor_and_a_folder_per_dialogue(tmp_path: Path) -> None:
    root = write_kemdy19(tmp_path, replace(TINY, odd=False))
    tables = sorted(path.name for path in (root / "annotation").iterdir())
    assert tables == [
        "Sess01_F_res.csv",
        "Sess01_M_res.csv",
        "Sess02_F_res.csv",
        "Sess02_M_res.csv",
    ]
    assert (root / "wav/Session01/Sess01_script01").is_dir()
    reading = read_corpus("kemdy19", root, strict=True)
    assert len(reading.examples) == 16
    assert {e.speaker for e in reading.examples} == {
        f"kemdy19/Sess0{n}_{g}" for n in (1, 2) for g in "FM"
    }


def test_it_says_that_it_is_no_real_corpus(tmp_path: Path) -> None:
    root = write_kemdy20(tmp_path / "new", TINY)
    text = (root / "README.md").read_text("utf-8")
    assert "Generated, not recorded" in text
    assert "it is not KEMDy20" in text


def test_nothing_that_was_not_generated_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "annotation").mkdir()
    (tmp_path / "annotation/Sess01_eval.csv").write_text("real", encoding="utf-8")
    with pytest.raises(CorpusError, match="not generated"):
        write_kemdy20(tmp_path, TINY)
    assert (tmp_path / "annotation/Sess01_eval.csv").read_text("utf-8") == "real"


def test_the_real_corpus_imbalance_can_be_asked_for() -> None:
    config = GeneratedKemdy(sessions=10, segments=100, shares=KEMDY20_SHARES, ties=0.046)
    kinds = Counter(kind for session in plan(config) for kind in session)
    single = sum(count for kind, count in kinds.items() if len(kind) == 1)
    assert kinds["neutral",] / single == pytest.approx(0.867, abs=0.002)
    assert single == 954


@pytest.mark.parametrize(
    "wrong",
    [{"sessions": 0}, {"shares": {"bored": 1.0}}, {"ties": 1.5}, {"seconds": (2.0, 1.0)}],
)
def test_a_corpus_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        replace(TINY, **wrong)  # type: ignore[arg-type]


def test_pitch_and_loudness_follow_the_manner() -> None:
    generator = np.random.default_rng(3)
    voice = Voice.of("F", generator)
    loud, quiet = (speak(voice, MANNERS[name], 2.0, generator) for name in ("angry", "sad"))
    assert loud.dtype == np.float32
    assert len(loud) == 32_000
    assert np.abs(loud).max() <= 0.99
    assert np.std(loud) > 2 * np.std(quiet)

    def pitch(said: np.ndarray) -> float:
        padded = np.abs(np.fft.rfft(said.astype(float), 2**17)) ** 2
        return 16000 / (40 + int(np.argmax(np.fft.irfft(padded)[40:200])))

    high, low = (speak(voice, MANNERS[name], 2.0, generator) for name in ("surprise", "neutral"))
    assert pitch(high) > 1.15 * pitch(low)
    assert pitch(low) == pytest.approx(voice.pitch, rel=0.15)
