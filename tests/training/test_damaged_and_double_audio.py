"""One damaged recording and one recording held twice do not stop the training of a system."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import ConfigError, CorpusError
from core.models.specification import Problem
from core.types import Modality
from training import config as configuration
from training.data.audio_identity import drop_identical
from training.data.example import Example
from training.data.example_splits import PROTOCOLS, SplitConfig
from training.data.loading import AudioLoader
from training.progress import Reporter
from training.system_config import CorpusConfig
from training.system_data import LoadedCorpus, SystemData, load_examples, prepare

from .corpora.recordings import write_table
from .sounds import voice, write_wav

COUNT = 12
SPLIT = SplitConfig(kind="published", validation=0.3)
SPEECH, TEXT = (Modality.SPEECH,), (Modality.TEXT,)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a corpus of twelve rows: the first nine to train on, the last three to test."""
    for number in range(COUNT):
        write_wav(tmp_path / f"{number}.wav", voice(0.3, seed=number))
    rows = [
        [f"{number}.wav", f"words {number}", ("happy", "sad")[number % 2], f"s{number}",
         "train" if number < 9 else "test"]
        for number in range(COUNT)
    ]  # fmt: skip
    write_table(tmp_path / "m.csv", [["path", "text", "label", "speaker", "part"], *rows])
    return tmp_path


def load(folder: Path, modalities: tuple[Modality, ...], **settings: object) -> LoadedCorpus:
    config = configuration.from_mapping(
        CorpusConfig, {"name": "manifest", "path": "m.csv", **settings}, Path("x.yaml")
    )
    return load_examples(config, folder, modalities, Reporter(silent=True))


def split(corpus: LoadedCorpus) -> SystemData:
    return prepare(corpus, SPLIT, Problem.SINGLE_LABEL)


def damage(folder: Path, number: int) -> None:
    path = folder / f"{number}.wav"
    path.write_bytes(path.read_bytes()[:-6000])


def test_a_system_of_text_opens_no_recording(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damage(folder, 2)
    (folder / "10.wav").write_bytes(b"no sound at all")
    shutil.copy(folder / "0.wav", folder / "11.wav")
    monkeypatch.setattr(AudioLoader, "samples", lambda *_: pytest.fail("a recording was opened"))
    data = split(load(folder, TEXT))
    assert len(data.examples) == COUNT
    assert sum(len(rows) for _, rows in data.parts.items()) == COUNT


def test_what_can_not_be_decoded_is_a_row_problem_of_a_system_that_hears(folder: Path) -> None:
    damage(folder, 2)
    (folder / "10.wav").write_bytes(b"no sound at all")
    for duplicates in ("refuse", "drop"):
        corpus = load(folder, SPEECH, duplicates=duplicates)
        assert len(split(corpus).examples) == COUNT - 2
        assert ["2.wav" in p.reason or "10.wav" in p.reason for p in corpus.problems] == [True] * 2


def test_a_strict_run_stops_at_what_can_not_be_decoded(folder: Path) -> None:
    damage(folder, 2)
    with pytest.raises(CorpusError, match=r"2\.wav is incomplete"):
        load(folder, SPEECH, strict=True, duplicates="drop")


def test_the_same_audio_in_two_parts_is_refused_with_the_key_that_helps(folder: Path) -> None:
    shutil.copy(folder / "0.wav", folder / "11.wav")
    with pytest.raises(CorpusError, match="are the same audio") as caught:
        split(load(folder, SPEECH))
    assert "corpus.duplicates to drop" in caught.value.remedy


@pytest.mark.parametrize("strict", [False, True])
def test_later_copies_are_dropped_counted_and_told(
    folder: Path, strict: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    for copy in (4, 11):
        shutil.copy(folder / "0.wav", folder / f"{copy}.wav")
    config = CorpusConfig("manifest", path="m.csv", strict=strict, duplicates="drop")
    corpus = load_examples(config, folder, SPEECH, Reporter())
    assert "10 rows, 2 can't be used" in "".join(capsys.readouterr())
    kept = [Path(str(e.audio)).stem for e in corpus.examples]
    assert kept == [str(n) for n in range(COUNT) if n not in (4, 11)]
    assert [p.source for p in corpus.problems] == [f"{folder / 'm.csv'}:{n + 2}" for n in (4, 11)]
    assert all("is the same audio as" in p.reason for p in corpus.problems)
    data = split(corpus)
    assert [len(rows) for _, rows in data.parts.items()][2] == 2
    assert np.concatenate([rows for _, rows in data.parts.items()]).max() == len(kept) - 1


def test_a_row_without_label_is_never_kept_for_one_with_a_label(folder: Path) -> None:
    first, second = (Example("c", n, audio=folder / "0.wav", labels=("sad",)) for n in "ab")
    kept, problems = drop_identical([replace(first, labels=()), first, second])
    assert [e.labels for e in kept] == [(), ("sad",)]
    assert len(problems) == 1


def test_another_way_with_copies_is_refused() -> None:
    with pytest.raises(ConfigError, match="duplicates must be refuse or drop, not 'keep'"):
        configuration.from_mapping(
            CorpusConfig, {"name": "ravdess", "duplicates": "keep"}, Path("x.yaml")
        )


def test_every_split_that_does_not_keep_speakers_apart_says_so() -> None:
    for kind, protocol in PROTOCOLS.items():
        assert protocol.speaker_independent or "speakers" in protocol.description, kind


def test_the_guide_and_every_configuration_of_a_system_name_the_key(project: Path) -> None:
    guide = (project / "docs" / "corpora.md").read_text(encoding="utf-8")
    ravdess = guide[guide.index("## RAVDESS") : guide.index("## nEMO")]
    assert "`duplicates: drop`" in ravdess
    configs = project / "training" / "configs"
    paths = [
        *configs.glob("rsa_cfn/*.yaml"),
        *configs.glob("knu/*.yaml"),
        configs / "own_data.yaml",
    ]
    for path in paths:
        assert "\n  duplicates: refuse  # " in path.read_text(encoding="utf-8"), path
