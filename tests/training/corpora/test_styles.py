"""How something is spoken, as each corpus says it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from training.data.corpora.registry import read_corpus

from .kemdy_factory import HEADER_19, HEADER_20, row_19, row_20, write_pair, write_table
from .recordings import manifest, write_wav


def styles(name: str, root: Path) -> dict[str, str]:
    reading = read_corpus(name, root, strict=True)
    return {Path(example.id).stem: example.style for example in reading.examples}


def test_kemdy19_is_acted_and_kemdy20_spontaneous(tmp_path: Path) -> None:
    old, new = "Sess01_script01_F001", "Sess01_script01_User001F_001"
    write_table(tmp_path / "19", "Sess01_F_res.csv", HEADER_19, [row_19(old)])
    write_pair(tmp_path / "19", 1, old)
    write_table(tmp_path / "20", "Sess01_eval.csv", HEADER_20, [row_20(new)])
    write_pair(tmp_path / "20", 1, new)
    assert styles("kemdy19", tmp_path / "19") == {old: "acted"}
    assert styles("kemdy20", tmp_path / "20") == {new: "spontaneous"}


NORMAL, STRONG = "03-01-05-01-01-01-12", "03-01-05-02-01-01-12"
CUT_HEADER = ["path", "corpus", "subset", "speaker", "gender", "language", "emotion", "text"]


def test_the_intensity_of_ravdess_stands_in_the_name(tmp_path: Path) -> None:
    for name in (NORMAL, STRONG):
        write_wav(tmp_path / "Actor_12" / f"{name}.wav")
    assert styles("ravdess", tmp_path) == {NORMAL: "normal", STRONG: "strong"}


def test_also_where_the_corpus_was_cut_and_has_a_manifest(tmp_path: Path) -> None:
    rows = []
    for name in (NORMAL, STRONG, "renamed"):
        write_wav(tmp_path / "ravdess" / f"{name}.wav")
        path = f"ravdess/{name}.wav"
        rows.append([path, "ravdess", "", "A12", "F", "en", "angry", "Kids."])
    manifest(tmp_path, *rows, header=CUT_HEADER)
    found = {NORMAL: "normal", STRONG: "strong", "renamed": ""}
    assert styles("ravdess", tmp_path) == found


def test_the_level_of_crema_d_stands_in_the_name(tmp_path: Path) -> None:
    names = {"1001_IEO_HAP_LO": "low", "1001_IEO_HAP_MD": "medium", "1001_IEO_HAP_HI": "high",
             "1001_DFA_ANG_XX": ""}  # fmt: skip
    for name in names:
        write_wav(tmp_path / "AudioWAV" / f"{name}.wav")
    assert styles("crema_d", tmp_path) == names


@pytest.mark.parametrize("header", [CUT_HEADER, [c for c in CUT_HEADER if c != "subset"]])
def test_the_style_of_the_korean_clips_is_their_subset(tmp_path: Path, header: list[str]) -> None:
    write_wav(tmp_path / "emotiontts_ko" / "ema00201.wav")
    path = "emotiontts_ko/ema00201.wav"
    row = dict(zip(CUT_HEADER, [path, "emotiontts_ko", "plain-to-emotional", "ema", "F", "ko",
                                "sad", "가"], strict=True))  # fmt: skip
    manifest(tmp_path, [row[column] for column in header], header=header)
    subset = "plain-to-emotional" if "subset" in header else ""
    assert styles("emotiontts_ko", tmp_path) == {"ema00201": subset}


def test_a_manifest_may_have_a_column_of_it(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav")
    write_wav(tmp_path / "b.wav")
    manifest(tmp_path, ["a.wav", "sad", "sung"], ["b.wav", "sad", ""],
             header=["path", "label", "Speaking Style"])  # fmt: skip
    assert styles("manifest", tmp_path) == {"a": "sung", "b": ""}


@pytest.mark.real_data
def test_the_shared_ravdess_is_strong_but_for_neutral(shared_data: Path) -> None:
    examples = read_corpus("ravdess", shared_data / "speech", classes="own").examples
    counts = Counter((e.style, e.label == "neutral") for e in examples)
    assert counts == {("normal", True): 80, ("normal", False): 560, ("strong", False): 560}
