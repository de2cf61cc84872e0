"""Each protocol's split, what is kept apart, and what the check refuses."""

from __future__ import annotations

import itertools
import wave
from collections import Counter
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from core.audio.io import read_audio
from core.errors import ConfigError, CorpusError, MediaError
from training import config as configuration
from training.data.audio_identity import AudioDigests, drop_identical
from training.data.example import Example
from training.data.example_splits import (
    PROTOCOLS,
    Parts,
    SplitConfig,
    check,
    describe,
    fold_count,
    split,
    split_digest,
)
from training.data.plain_wav import plain_length, read_plain
from training.data.strata import group_folds, group_share, merge_rare, stratified_share

LABELS = ("neutral", "neutral", "neutral", "happy", "happy", "sad", "angry", "neutral")
GROUPED = [kind for kind in PROTOCOLS if PROTOCOLS[kind].speaker_independent]


def corpus(sessions: int = 10, turns: int = 24) -> list[Example]:
    """Two speakers in each session; every twelfth row ties between two labels."""
    return [
        Example(
            corpus="c", id=f"s{session:02}_{turn:03}", audio=Path(f"s{session:02}/{turn:03}.wav"),
            text=f"text {turn % 7}", speaker=f"c/{session}{'FM'[turn % 2]}",
            session=f"c/{session:02}", dialogue=f"c/{session:02}", gender="FM"[turn % 2],
            labels=("neutral", "happy") if turn % 12 == 11 else (LABELS[(turn // 2) % 8],),
        )
        for session in range(sessions) for turn in range(turns)
    ]  # fmt: skip


def speakers(examples: list[Example], rows: np.ndarray) -> set[str]:
    return {examples[row].speaker for row in rows}


def no_audio(examples: list[Example]) -> list[Example]:
    return [replace(e, audio=None) for e in examples]


# --- by segment -----------------------------------------------------------------------------------


def test_segments_are_scikit_learns_rows_of_the_list_sorted_by_file() -> None:
    examples = corpus()
    parts = split(list(reversed(examples)), SplitConfig("segments", validation=0.0))
    single = [e for e in examples if e.label]
    _, expected = train_test_split(
        [e.id for e in single], test_size=0.2, random_state=42, stratify=[e.label for e in single]
    )
    assert {examples[::-1][row].id for row in parts.test} == set(expected)
    assert len(parts.validation) == 0
    assert len(parts.train) + len(parts.test) == len(single)
    assert len(parts.spare) == len(examples) - len(single)


def test_segments_put_speakers_on_both_sides_and_say_so() -> None:
    examples = corpus()
    parts = split(examples, SplitConfig("segments"))
    assert speakers(examples, parts.train) & speakers(examples, parts.test)
    assert "same speakers are in every part" in PROTOCOLS["segments"].description
    assert not SplitConfig("segments").speaker_independent
    with pytest.raises(CorpusError, match=r"speaker c/\d[FM] is both in train and in"):
        check(no_audio(examples), parts, speakers=True)
    check(no_audio(examples), parts, speakers=False)


def test_classes_too_rare_to_be_split_are_no_error() -> None:
    examples = [replace(e, labels=("fear",)) if n == 3 else e for n, e in enumerate(corpus(2, 12))]
    parts = split(examples, SplitConfig("segments", folds=5, validation=0.2))
    assert min(len(rows) for _, rows in parts.items()) >= 4


# --- blocks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("fold", range(5))
def test_blocks_are_contiguous_fifths_in_the_order_read(fold: int) -> None:
    examples = corpus(7, 19)
    config = SplitConfig("blocks", folds=5, fold=fold, labels="all", validation=0.1)
    parts = split(examples, config)
    count = len(examples)
    assert parts.test.tolist() == list(
        range(int(count * fold * 0.2), int(count * (fold + 1) * 0.2))
    )
    assert len(parts.spare) == 0
    together = np.concatenate([rows for _, rows in parts.items()])
    assert sorted(together) == list(range(count))
    rest = np.setdiff1d(np.arange(count), parts.test)
    assert parts.validation.tolist() == rest[-len(parts.validation) :].tolist()
    assert len(parts.validation) == round(0.1 * len(rest))


def test_rows_of_several_labels_are_scored_only_where_asked() -> None:
    examples = corpus()
    single = split(examples, SplitConfig("blocks"))
    assert all(examples[row].label for _, rows in single.items() for row in rows)
    assert {examples[row].labels for row in single.spare} == {("neutral", "happy")}
    every = split(examples, SplitConfig("blocks", labels="all"))
    assert len(every.test) == 48 > len(single.test)


# --- whole speakers, sessions, scripts ------------------------------------------------------------


@pytest.mark.parametrize("kind", GROUPED)
def test_nobody_is_in_two_parts_and_everybody_is_tested_once(kind: str) -> None:
    examples = corpus()
    tested: Counter[int] = Counter()
    for fold in range(5):
        config = SplitConfig(kind, fold=fold)
        parts = split(examples, config)
        people = [speakers(examples, rows) for _, rows in parts.items()]
        assert all(a.isdisjoint(b) for a, b in itertools.combinations(people, 2))
        assert speakers(examples, parts.spare) <= people[0]
        assert 0.05 < len(parts.validation) / len(examples) < 0.25
        check(no_audio(examples), parts, speakers=config.speaker_independent)
        tested.update(parts.test.tolist())
    assert set(tested.values()) == {1}
    assert len(tested) == sum(e.label is not None for e in examples)


@pytest.mark.parametrize("kind", GROUPED)
def test_every_fold_has_its_share_of_classes_and_genders(kind: str) -> None:
    examples = corpus()
    for fold in range(5):
        parts = describe(split(examples, SplitConfig(kind, fold=fold)), examples)
        test = parts["test"]
        assert set(test["classes"]) == {"neutral", "happy", "sad", "angry"}
        assert set(test["genders"]) == {"F", "M"}


def test_corpora_are_spread_over_the_folds() -> None:
    other = [replace(e, corpus="d", speaker=e.speaker.replace("c/", "d/")) for e in corpus(10, 12)]
    examples = [*corpus(), *other]
    for fold in range(5):
        parts = split(examples, SplitConfig("speakers", fold=fold))
        assert {examples[row].corpus for row in parts.test} == {"c", "d"}


def test_each_session_may_be_left_out_once() -> None:
    examples = corpus(4)
    config = SplitConfig("sessions", folds=0)
    assert fold_count(examples, config) == 4
    for fold in range(4):
        parts = split(examples, replace(config, fold=fold))
        assert {examples[row].session for row in parts.test} == {f"c/{fold:02}"}
    with pytest.raises(CorpusError, match="no fold 4: this split has 4"):
        split(examples, replace(config, fold=4))


def test_the_same_seed_is_the_same_split() -> None:
    examples = corpus()
    first, again = (split(examples, SplitConfig("speakers")) for _ in range(2))
    assert split_digest(examples, first) == split_digest(examples, again)
    other = split(examples, SplitConfig("speakers", seed=1))
    assert split_digest(examples, first) != split_digest(examples, other)
    turned = list(reversed(examples))
    moved = Parts(*(np.sort(len(examples) - 1 - rows) for _, rows in first.items()))
    assert split_digest(turned, moved) == split_digest(examples, first)


def test_scripts_are_held_out_as_well() -> None:
    examples = corpus(6, 28)
    config = SplitConfig("speakers", folds=3, script_folds=2, validation=0.3)
    assert fold_count(examples, config) == 6
    tested: Counter[int] = Counter()
    for fold in range(6):
        parts = split(examples, replace(config, fold=fold))
        used = [(speakers(examples, rows), {examples[r].text for r in rows})
                for _, rows in parts.items()]  # fmt: skip
        for (one, said), (other, too) in itertools.combinations(used, 2):
            assert one.isdisjoint(other)
            assert said.isdisjoint(too)
        tested.update(parts.test.tolist())
    assert set(tested.values()) == {1}
    assert len(tested) == sum(e.label is not None for e in examples)


def test_spellings_of_a_script_stay_together() -> None:
    texts = [
        "그 사람이 나를 속였어.",
        "그사람이 나를 속였어!",
        "오늘 날씨가 좋네",
        "밥은 먹고 다니니",
    ]
    examples = [replace(e, text=texts[n % 4]) for n, e in enumerate(corpus(6, 24))]
    for fold in range(6):
        config = SplitConfig("speakers", folds=3, script_folds=2, validation=0.0, fold=fold)
        parts = split(examples, config)
        said = {examples[row].text for row in parts.test}
        assert (texts[0] in said) == (texts[1] in said)


def test_free_speech_has_no_scripts_to_hold_out() -> None:
    examples = [replace(e, text=f"{n} " * 3) for n, e in enumerate(corpus(10, 320))]
    with pytest.raises(CorpusError, match="no corpus of scripts"):
        split(examples, SplitConfig("speakers", script_folds=2))
    with pytest.raises(CorpusError, match="s00_000 has no text"):
        split([replace(examples[0], text=None), *examples[1:]],
              SplitConfig("speakers", script_folds=2))  # fmt: skip


@pytest.mark.parametrize("kind", GROUPED)
def test_an_example_of_nobody_is_named(kind: str) -> None:
    examples = corpus()
    examples[7] = replace(examples[7], speaker="", session="", source="t.csv:9")
    with pytest.raises(CorpusError, match=rf"1 examples have no {kind[:-1]}.*t\.csv:9"):
        split(examples, SplitConfig(kind))


def test_too_few_groups_are_refused() -> None:
    with pytest.raises(CorpusError, match="4 speakers can't be dealt into 5 parts"):
        split(corpus(2), SplitConfig("speakers"))
    with pytest.raises(CorpusError, match="1 sessions can't be dealt"):
        split(corpus(2), SplitConfig("sessions", folds=2))
    assert len(split(corpus(2), SplitConfig("sessions", folds=2, validation=0.0)).train)


# --- published parts ------------------------------------------------------------------------------


def published(*parts: str) -> list[Example]:
    return [replace(e, part=parts[n % len(parts)]) for n, e in enumerate(corpus())]


def test_published_parts_are_kept() -> None:
    examples = published("train", "train", "dev", "test")
    parts = split(examples, SplitConfig("published"))
    for rows, name in ((parts.train, "train"), (parts.validation, "dev"), (parts.test, "test")):
        assert {examples[row].part for row in rows} == {name}
    without = split(examples, SplitConfig("published", validation=0.0))
    assert {examples[row].part for row in without.train} == {"train"}


def test_whole_dialogues_are_validated_on_where_there_is_no_dev_part() -> None:
    examples = published("train", "test")
    parts = split(examples, SplitConfig("published", validation=0.2))
    ours, theirs = (
        {examples[row].dialogue for row in rows} for rows in (parts.train, parts.validation)
    )
    assert theirs
    assert not ours & theirs
    with pytest.raises(CorpusError, match="'test'"):
        split(published("train"), SplitConfig("published"))


# --- configuration --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "random"}, {"folds": 1}, {"kind": "blocks", "folds": 0}, {"labels": "some"},
        {"validation": 1.0}, {"kind": "segments", "script_folds": 2}, {"fold": -1}, {"share": 0.2},
        {"script_folds": 1},
    ],
)  # fmt: skip
def test_a_split_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=r"c\.yaml"):
        configuration.from_mapping(SplitConfig, wrong, Path("c.yaml"))


def test_a_corpus_without_labels_is_refused() -> None:
    with pytest.raises(CorpusError, match="No example has a label"):
        split([Example("c", "1")], SplitConfig("speakers"))


def test_rows_without_label_are_in_no_part() -> None:
    examples = [replace(e, labels=()) if n % 5 == 0 else e for n, e in enumerate(corpus())]
    for kind in ("segments", "blocks", "speakers", "sessions"):
        parts = split(examples, SplitConfig(kind))
        rows = set(np.concatenate([rows for _, rows in parts.items()]))
        assert rows == {n for n, e in enumerate(examples) if e.label}
        assert all(examples[row].labels for row in parts.spare)


# --- leaks ----------------------------------------------------------------------------------------


def record(folder: Path, name: str, seed: int, frames: int = 4000) -> Path:
    path = folder / name
    samples = np.random.default_rng(seed).integers(-9000, 9000, frames)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(samples.astype("<i2").tobytes())
    return path


def recorded(folder: Path, seeds: list[int]) -> list[Example]:
    return [
        Example("c", str(n), audio=record(folder, f"{n}.wav", seed), speaker=f"c/{n}",
                labels=("happy",))
        for n, seed in enumerate(seeds)
    ]  # fmt: skip


PARTS = Parts(np.array([0, 1]), np.array([2]), np.array([3]))


def test_the_same_audio_under_two_names_is_found(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"1\.wav and .*3\.wav are the same audio"):
        check(recorded(tmp_path, [0, 1, 2, 1]), PARTS, speakers=True)
    check(recorded(tmp_path, [0, 1, 2, 3]), PARTS, speakers=True)
    check(recorded(tmp_path, [0, 0, 2, 3]), PARTS, speakers=True)  # both in training


@pytest.mark.parametrize(("name", "codec"), [("copy.mka", "pcm_s16le"), ("copy.flac", "flac")])
def test_a_copy_in_another_format_is_found(tmp_path: Path, name: str, codec: str) -> None:
    examples = recorded(tmp_path, [0, 1, 2, 3])
    copy = tmp_path / name
    with av.open(str(examples[1].audio)) as source, av.open(str(copy), "w") as target:
        stream = target.add_stream(codec, rate=16000, layout="mono")
        for frame in source.decode(audio=0):
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    examples[3] = replace(examples[3], audio=copy)
    with pytest.raises(CorpusError, match=r"copy\."):
        check(examples, PARTS, speakers=True)


def test_the_same_stretch_of_one_recording_is_found(tmp_path: Path) -> None:
    long = record(tmp_path, "long.wav", 5, 16000)
    cuts = [(0.0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8)]
    examples = [Example("c", str(n), audio=long, start=a, end=b) for n, (a, b) in enumerate(cuts)]
    check(examples, PARTS, speakers=False)
    examples[3] = replace(examples[3], start=0.2, end=0.4)
    with pytest.raises(CorpusError, match=r"long\.wav from 0\.20 s and"):
        check(examples, PARTS, speakers=False)


def test_audio_of_a_row_to_spare_counts_as_training(tmp_path: Path) -> None:
    examples = [*recorded(tmp_path, [0, 1, 2, 3, 3])]
    with pytest.raises(CorpusError, match="same audio"):
        check(examples, replace(PARTS, spare=np.array([4])), speakers=False)
    examples[4] = replace(examples[4], speaker="c/3", audio=None)
    with pytest.raises(CorpusError, match=r"speaker c/3 .* train .* test"):
        check(examples, replace(PARTS, spare=np.array([4])), speakers=True)


def test_only_recordings_of_equal_length_are_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    examples = recorded(tmp_path, [0, 1, 2, 3])
    for number, frames in enumerate((4000, 5000, 6000, 5000)):
        record(tmp_path, f"{number}.wav", number, frames)
    decoded: list[str] = []
    digests = AudioDigests()
    genuine = digests.digest
    monkeypatch.setattr(digests, "digest", lambda e: (decoded.append(e.id), genuine(e))[1])
    check(examples, PARTS, speakers=True, audio_digests=digests)
    assert sorted(decoded) == ["1", "3"]


def test_an_example_in_two_parts_is_refused() -> None:
    examples = no_audio(corpus())
    with pytest.raises(CorpusError, match="c/s00_001 is both in train and in test"):
        check(examples, replace(PARTS, test=np.array([1])), speakers=False)
    examples[3] = replace(examples[3], id="s00_000")
    with pytest.raises(CorpusError, match="c/s00_000"):
        check(examples, PARTS, speakers=False)


def test_copies_can_be_left_out(tmp_path: Path) -> None:
    examples = recorded(tmp_path, [0, 1, 0, 0])
    kept, problems = drop_identical(examples)
    assert [e.id for e in kept] == ["0", "1"]
    assert len(problems) == 2
    assert "2.wav is the same audio as" in problems[0].reason


def test_a_plain_recording_is_read_as_the_decoder_does(tmp_path: Path) -> None:
    path = record(tmp_path, "plain.wav", 4)
    plain = read_plain(path)
    assert plain is not None
    assert np.array_equal(plain, read_audio(path)[0])
    assert plain_length(path) == len(plain) == 4000


def test_what_is_no_plain_recording_is_left_to_the_decoder(tmp_path: Path) -> None:
    path = record(tmp_path, "cut.wav", 4)
    path.write_bytes(path.read_bytes()[:-6000])
    assert read_plain(path) is None
    with wave.open(str(tmp_path / "stereo.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(b"\1\0" * 800)
    (tmp_path / "not.wav").write_bytes(b"RIFF")
    for name in ("stereo.wav", "not.wav", "missing.wav"):
        assert read_plain(tmp_path / name) is None
        assert plain_length(tmp_path / name) is None
    examples = recorded(tmp_path, [0, 1, 2, 3])
    examples[1] = replace(examples[1], audio=path)
    examples[3] = replace(examples[3], audio=record(tmp_path, "other.wav", 4))
    with pytest.raises(MediaError, match=r"cut\.wav"):
        check(examples, PARTS, speakers=True)


# --- strata ---------------------------------------------------------------------------------------


def test_only_rare_keys_are_joined() -> None:
    keys = ["a"] * 5 + ["b"] * 3 + ["c", "d"]
    merged = merge_rare(keys, 2)
    assert merged[:8].tolist() == keys[:8]
    assert merged[8] == merged[9]
    assert set(merge_rare(["a", "b", "b"], 2)) == {merge_rare(["a", "b", "b"], 2)[0]}
    assert len(set(merge_rare(list("abcdabcd"), 2, most=3))) == 3


def test_folds_keep_groups_whole_and_shares_near() -> None:
    groups = [f"g{n % 9}" for n in range(180)]
    keys = ["x" if n % 3 else "y" for n in range(180)]
    folds = group_folds(groups, keys, 4, 0)
    assert len({(g, f) for g, f in zip(groups, folds, strict=True)}) == 9
    assert set(folds) == {0, 1, 2, 3}
    chosen = group_share(groups, keys, 0.25, 0)
    assert 30 <= len(chosen) <= 60
    assert len(stratified_share(keys, 0.25, 0)) == 45
    with pytest.raises(CorpusError, match="can't be split"):
        stratified_share(["a"], 0.5, 0)
