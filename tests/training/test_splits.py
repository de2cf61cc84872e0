"""Splits by speaker and script, and the check for leaks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import CorpusError
from training.data.corpora.speech import Clip, read_manifest
from training.data.splits import (
    audio_digest,
    check_parts,
    normalise_script,
    script_groups,
    speaker_folds,
    split_by_speaker,
)

CLIP = Clip("a/0.wav", "a", "", "a/x", "F", "en", "happy", "Hello.", 1.0)


def clips() -> list[Clip]:
    return [
        replace(CLIP, path=f"{corpus}/{speaker}{n}.wav", corpus=corpus,
                speaker=f"{corpus}/{speaker}", gender="FM"[speaker % 2])
        for corpus in ("a", "b") for speaker in range(8) for n in range(3)
    ]  # fmt: skip


def test_every_speaker_is_in_one_part() -> None:
    split = split_by_speaker(clips(), ["a/1"], ["b/2", "a/2"])
    assert {c.speaker for c in split.held_out} == {"a/1"}
    assert {c.speaker for c in split.calibration} == {"a/2", "b/2"}
    assert len(split.train) + len(split.calibration) + len(split.held_out) == len(clips())


def test_an_unknown_speaker_is_refused() -> None:
    with pytest.raises(CorpusError, match="a/99"):
        split_by_speaker(clips(), ["a/99"], [])


def test_a_speaker_in_two_parts_is_refused() -> None:
    with pytest.raises(CorpusError, match="speaker a/x"):
        check_parts({"train": [CLIP], "test": [replace(CLIP, path="a/1.wav")]})
    with pytest.raises(CorpusError, match="a/1"):
        split_by_speaker(clips(), ["a/1"], ["a/1"])


def test_identical_audio_in_two_parts_is_refused() -> None:
    other = replace(CLIP, path="a/1.wav", speaker="a/y")
    same = audio_digest(np.zeros(9, np.float32))
    different = audio_digest(np.ones(9, np.float32))
    parts = {"train": [CLIP], "test": [other]}
    check_parts(parts, {CLIP.path: same, other.path: different})
    with pytest.raises(CorpusError, match="audio"):
        check_parts(parts, {CLIP.path: same, other.path: same})
    check_parts(
        {"train": [CLIP, replace(CLIP, path="a/1.wav")]}, {CLIP.path: same, "a/1.wav": same}
    )


def test_folds_deal_out_speakers_of_each_corpus_and_gender() -> None:
    folds = speaker_folds(clips(), 4)
    assert len(folds) == 16
    for corpus in "ab":
        mine = [folds[f"{corpus}/{speaker}"] for speaker in range(8)]
        assert sorted(mine) == [0, 0, 1, 1, 2, 2, 3, 3]
        for fold in range(4):
            genders = {"FM"[s % 2] for s in range(8) if mine[s] == fold}
            assert genders == {"F", "M"}


def test_spelling_and_punctuation_make_no_new_script() -> None:
    assert normalise_script("아니, 정말요?!") == normalise_script("아니 정말요")
    groups = script_groups(
        [
            "그 사람이 나를 속였어.",
            "그사람이 나를 속였어!!",
            "그 사람이 나를 속엿어",
            "오늘은 날씨가 참 좋네요.",
        ]
    )
    assert len(set(groups.values())) == 2
    assert groups["그 사람이 나를 속였어."] == groups["그 사람이 나를 속엿어"]


def test_a_manifest_without_a_column_names_it(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text("path,corpus,speaker\n", encoding="utf-8")
    with pytest.raises(CorpusError, match="emotion"):
        read_manifest(tmp_path)


def test_calm_counts_as_neutral_and_unknown_classes_stay(tmp_path: Path) -> None:
    rows = "path,corpus,speaker,emotion\nx.wav,r,A,calm\ny.wav,r,A,boredom\n"
    (tmp_path / "manifest.csv").write_text(rows, encoding="utf-8")
    calm, boredom = read_manifest(tmp_path)
    assert (calm.emotion, calm.label, calm.speaker) == ("neutral", 0, "r/A")
    assert (boredom.emotion, boredom.label) == ("boredom", None)
