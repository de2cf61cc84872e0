"""Feature files in the published layouts: what comes out, and what is wrong with them."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import CorpusError
from core.models.context.specification import FeatureSize
from training.data.feature_files.published import CORPORA, read_published
from training.generated.dialogue_features import (
    GeneratedDialogues,
    feature_fields,
    write_feature_file,
)

SHAPE = GeneratedDialogues(train=5, test=3, turns=(2, 4))


def saved(path: Path, fields: Any, protocol: int = 4) -> Path:
    path.write_bytes(pickle.dumps(tuple(fields), protocol))
    return path


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
@pytest.mark.parametrize(("corpus", "audio"), [("iemocap", 1582), ("meld", 300)])
def test_a_published_file_comes_out_as_dialogues(tmp_path, corpus, audio, protocol):
    shape = GeneratedDialogues(train=4, test=3, turns=(2, 3), protocol=protocol)
    path = tmp_path / "features.pkl"
    write_feature_file(path, corpus, shape)
    found = read_published(path)
    fields = feature_fields(corpus, shape)
    assert found.corpus == corpus
    assert found.dialogues.classes == CORPORA[corpus].classes
    assert found.dialogues.sizes == {
        "speech": FeatureSize(audio), "text": FeatureSize(1024, 4), "vision": FeatureSize(342),
    }  # fmt: skip
    assert [d.part for d in found.dialogues.dialogues] == ["train"] * 4 + ["test"] * 3
    for dialogue, key in zip(found.dialogues.dialogues, fields[10] + fields[11], strict=True):
        assert dialogue.id == str(key)
        np.testing.assert_array_equal(dialogue.labels, fields[2][key])
        np.testing.assert_array_equal(dialogue.features["speech"], fields[7][key])
        np.testing.assert_array_equal(dialogue.features["vision"], fields[8][key])
        for layer in range(4):
            np.testing.assert_array_equal(
                dialogue.features["text"][:, layer], fields[3 + layer][key]
            )
        assert found.sentences[dialogue.id] == tuple(fields[9][key])
        assert all(present.all() for present in dialogue.present.values())


def test_speakers_are_letters_or_one_hot_vectors(tmp_path):
    for corpus, expected in (("iemocap", 2), ("meld", 9)):
        path = tmp_path / f"{corpus}.pkl"
        write_feature_file(path, corpus, SHAPE)
        found = read_published(path).dialogues
        fields = feature_fields(corpus, SHAPE)
        assert found.speakers == expected
        for dialogue, key in zip(found.dialogues, fields[10] + fields[11], strict=True):
            said = fields[1][key]
            index = [s.index(1) if isinstance(s, list) else "MF".index(s) for s in said]
            np.testing.assert_array_equal(dialogue.speakers, index)


def test_files_of_eleven_fields_lack_ids_or_sentences(tmp_path):
    path = tmp_path / "features.pkl"
    write_feature_file(path, "iemocap", SHAPE, ids=False)
    fields = feature_fields("iemocap", SHAPE)
    assert len(pickle.loads(path.read_bytes())) == 11
    without_ids = read_published(path)
    without_sentences = read_published(saved(path, [*fields[:9], *fields[10:]]))
    assert without_ids.dialogues.dialogues[0].utterances[0] == f"{fields[10][0]}_0"
    assert without_sentences.dialogues.dialogues[0].utterances == tuple(fields[0][fields[10][0]])
    assert not any(without_sentences.sentences.values())
    for one, other in zip(
        without_ids.dialogues.dialogues, without_sentences.dialogues.dialogues, strict=True
    ):
        np.testing.assert_array_equal(one.features["text"], other.features["text"])
        np.testing.assert_array_equal(one.labels, other.labels)


def test_a_last_field_that_lists_dialogues_is_the_validation_part(tmp_path):
    fields = list(feature_fields("meld", SHAPE))
    fields[12] = fields[10][1:3]
    found = read_published(saved(tmp_path / "x.pkl", fields)).dialogues
    assert [len(found.part(name).dialogues) for name in ("train", "dev", "test")] == [3, 2, 3]


@pytest.mark.parametrize("extra", [None, [], ["neutral", "joy"], {1: [0]}, "text"])
def test_any_other_last_field_is_not_used(tmp_path, extra):
    fields = list(feature_fields("meld", SHAPE))
    fields[12] = extra
    found = read_published(saved(tmp_path / "x.pkl", fields)).dialogues
    assert [len(found.part(name).dialogues) for name in ("train", "dev", "test")] == [5, 0, 3]


def test_arrays_sets_and_lists_of_numbers_are_all_read(tmp_path):
    fields = list(feature_fields("iemocap", SHAPE))
    plain = read_published(saved(tmp_path / "a.pkl", fields)).dialogues
    for place in (3, 4, 5, 6, 8):
        fields[place] = {key: np.array(rows) for key, rows in fields[place].items()}
    fields[7] = {key: [row.tolist() for row in rows] for key, rows in fields[7].items()}
    fields[8] = {key: [row[None] for row in rows] for key, rows in fields[8].items()}
    fields[2] = {key: np.array(labels) for key, labels in fields[2].items()}
    fields[10], fields[11] = set(fields[10]), np.array(fields[11])
    found = read_published(saved(tmp_path / "b.pkl", fields, protocol=2)).dialogues
    same = {d.id: d for d in plain.dialogues}
    assert {d.id for d in found.dialogues} == set(same)
    for dialogue in found.dialogues:
        for name, values in dialogue.features.items():
            np.testing.assert_array_equal(values, same[dialogue.id].features[name])


def first(fields: list[Any]) -> Any:
    return fields[10][2]


def drop_field(fields: list[Any]) -> None:
    del fields[9:11]


def put_nan(fields: list[Any]) -> None:
    fields[8][first(fields)][1][7] = np.nan


def short_audio(fields: list[Any]) -> None:
    fields[7][first(fields)].pop()


def narrow_audio(fields: list[Any]) -> None:
    fields[7][first(fields)] = [row[:100] for row in fields[7][first(fields)]]


def ragged_text(fields: list[Any]) -> None:
    fields[3][first(fields)][0] = fields[3][first(fields)][0][:5]


def narrow_layer(fields: list[Any]) -> None:
    fields[4][first(fields)] = [row[:9] for row in fields[4][first(fields)]]


def unknown_label(fields: list[Any]) -> None:
    fields[2][first(fields)][0] = 6


def half_label(fields: list[Any]) -> None:
    fields[2][first(fields)][0] = 1.5


def no_label(fields: list[Any]) -> None:
    fields[2][first(fields)] = []


def unknown_speaker(fields: list[Any]) -> None:
    fields[1][first(fields)][0] = "X"


def short_speakers(fields: list[Any]) -> None:
    fields[1][first(fields)].pop()


def short_ids(fields: list[Any]) -> None:
    fields[0][first(fields)].pop()


def unlisted(fields: list[Any]) -> None:
    del fields[8][first(fields)]


def both_parts(fields: list[Any]) -> None:
    fields[11].append(first(fields))


def texts_for_numbers(fields: list[Any]) -> None:
    fields[7][first(fields)] = ["loud"] * len(fields[2][first(fields)])


def no_dicts(fields: list[Any]) -> None:
    fields[5] = [1, 2]


def no_test(fields: list[Any]) -> None:
    fields[11] = []


FAULTS: dict[Callable[[list[Any]], None], str] = {
    drop_field: "10 fields instead of 11, 12 or 13",
    put_nan: "its visual hold NaN",
    short_audio: "rows of audio for",
    narrow_audio: "its speech features have another width",
    ragged_text: "rows of different widths",
    narrow_layer: "layers of text have different widths",
    unknown_label: "none of 6 classes",
    half_label: "none of 6 classes",
    no_label: "it has 0 utterances",
    unknown_speaker: "neither 'M' nor 'F'",
    short_speakers: "speakers for",
    short_ids: "utterance ids for",
    unlisted: "it has no visual",
    both_parts: "to train on as well as to test on",
    texts_for_numbers: "its audio are no list of numbers",
    no_dicts: "no dict by dialogue",
    no_test: "none to test on",
}


@pytest.mark.parametrize("fault", list(FAULTS), ids=lambda fault: fault.__name__)
def test_what_is_wrong_is_said_with_the_file_and_the_dialogue(tmp_path, fault):
    fields = list(feature_fields("iemocap", SHAPE))
    key = first(fields)
    fault(fields)
    with pytest.raises(CorpusError, match=FAULTS[fault]) as error:
        read_published(saved(tmp_path / "features.pkl", fields))
    assert "features.pkl" in str(error.value)
    if fault not in (drop_field, both_parts, no_dicts, no_test):
        assert repr(key) in str(error.value)


def test_nan_can_be_taken_as_a_modality_that_is_missing(tmp_path):
    fields = list(feature_fields("iemocap", SHAPE))
    put_nan(fields)
    fields[5][first(fields)][0][:] = np.inf
    found = read_published(saved(tmp_path / "x.pkl", fields), nan_is_missing=True).dialogues
    dialogue = next(d for d in found.dialogues if d.id == first(fields))
    assert not dialogue.present["vision"][1]
    assert not dialogue.present["text"][0]
    assert sum((~p).sum() for d in found.dialogues for p in d.present.values()) == 2
    assert all(np.isfinite(v).all() for d in found.dialogues for v in d.features.values())
    assert not dialogue.features["vision"][1].any()


def test_a_vector_that_marks_two_speakers_is_refused(tmp_path):
    fields = list(feature_fields("meld", SHAPE))
    for vector, message in (([1, 1] + [0] * 7, "exactly one"), ([0, 1], "different widths")):
        fields[1][first(fields)][0] = vector
        with pytest.raises(CorpusError, match=message):
            read_published(saved(tmp_path / "x.pkl", fields))


@pytest.mark.parametrize(("field", "name"), [(0, "utterance ids"), (9, "sentences")])
def test_lists_in_place_of_texts_are_refused(tmp_path, field, name):
    fields = list(feature_fields("iemocap", SHAPE))
    key = next(iter(fields[field]))
    fields[field][key] = [*fields[field][key][:-1], "put here"]
    content = pickle.dumps(tuple(fields), 2)
    nested = b"]" * 5000 + b"a" * 4999  # lists too deep to be written out
    path = tmp_path / "features.pkl"
    path.write_bytes(content.replace(b"X\x08\x00\x00\x00put here", nested))
    with pytest.raises(CorpusError, match=f"its {name} are no texts"):
        read_published(path)


def test_features_that_are_the_same_over_and_over_are_refused(tmp_path):
    keys, rows = [f"d{number}" for number in range(20)], [np.zeros(20_000, np.float32)] * 20
    each = (["id"] * 20, ["M"] * 20, [0] * 20, *[rows] * 6, ["said"] * 20)
    fields = [dict.fromkeys(keys, values) for values in each]
    with pytest.raises(CorpusError, match="over and over"):
        read_published(saved(tmp_path / "features.pkl", [*fields, keys[:15], keys[15:]]))


def test_a_wrong_corpus_is_not_believed(tmp_path):
    path = tmp_path / "features.pkl"
    write_feature_file(path, "meld", SHAPE)
    with pytest.raises(CorpusError, match="neither 'M' nor 'F'"):
        read_published(path, "iemocap")
    with pytest.raises(CorpusError, match="There is no corpus 'mosei'"):
        read_published(path, "mosei")


def test_another_pickle_is_no_feature_file(tmp_path):
    for content in ({"a": 1}, [], "text", 5, (1,) * 12, ({},) * 12):
        path = tmp_path / "x.pkl"
        path.write_bytes(pickle.dumps(content))
        with pytest.raises(CorpusError, match=r"x\.pkl: it has|x\.pkl: the field"):
            read_published(path)


def test_code_in_place_of_features_is_refused(tmp_path):
    class Runs:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'canary'}",)

    fields = list(feature_fields("iemocap", SHAPE))
    fields[7][first(fields)] = Runs()
    with pytest.raises(CorpusError, match="could run code"):
        read_published(saved(tmp_path / "x.pkl", fields))
    assert not (tmp_path / "canary").exists()
