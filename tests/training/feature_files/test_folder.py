"""Features in a folder: converted ones, one's own, and what is wrong with them."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from core.errors import CorpusError
from core.models.context.specification import FeatureSize
from training.convert_features_command import main
from training.data.dialogues import batch_of
from training.data.feature_files.folder import (
    DIALOGUES,
    FEATURES,
    holds_features,
    read_features,
    write_features,
)
from training.data.feature_files.published import read_published
from training.generated.dialogue_features import GeneratedDialogues, write_feature_file

SHAPE = GeneratedDialogues(train=8, test=3, turns=(2, 4))


@pytest.fixture(params=["iemocap", "meld"])
def converted(request, tmp_path) -> tuple[Path, Path]:
    """A published file and the folder that it was converted into."""
    path = tmp_path / "features.pkl"
    write_feature_file(path, request.param, SHAPE)
    assert main([str(path), "--out", str(tmp_path / "folder")]) == 0
    return path, tmp_path / "folder"


def test_a_conversion_keeps_everything(converted):
    path, folder = converted
    before = read_published(path)
    after = read_features(folder)
    assert holds_features(folder)
    assert not holds_features(folder.parent)
    assert after.classes == before.dialogues.classes
    assert after.sizes == before.dialogues.sizes
    assert after.speakers == before.dialogues.speakers
    for one, other in zip(before.dialogues.dialogues, after.dialogues, strict=True):
        assert (one.id, one.corpus, one.utterances) == (other.id, other.corpus, other.utterances)
        np.testing.assert_array_equal(one.labels, other.labels)
        np.testing.assert_array_equal(one.speakers, other.speakers)
        for name, values in one.features.items():
            np.testing.assert_array_equal(values, other.features[name])
    said = json.loads((folder / DIALOGUES).read_text(encoding="utf-8"))["dialogues"]
    assert [tuple(e["sentences"]) for e in said] == [before.sentences[e["id"]] for e in said]
    batch = batch_of(after.dialogues)
    assert batch.inputs.features["text"].shape[2:] == (4, 1024)


def test_dialogues_to_choose_an_epoch_by_come_out_of_train_never_out_of_test(converted):
    path, folder = converted
    published = {d.id: d.part for d in read_published(path).dialogues.dialogues}
    drawn = []
    for seed in (0, 0, 1, 2, 3):
        found = read_features(folder, dev_share=0.25, seed=seed)
        parts = {d.id: d.part for d in found.dialogues}
        dev = {name for name, part in parts.items() if part == "dev"}
        assert len(dev) == 2
        assert all(published[name] == "train" for name in dev)
        assert all(parts[n] == "test" for n, part in published.items() if part == "test")
        drawn.append(frozenset(dev))
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) > 1


def test_a_dev_part_that_is_there_stays(tmp_path):
    found = own(tmp_path, parts=("train", "dev", "test"))
    assert [d.part for d in read_features(found).dialogues] == ["train", "dev", "test"]


def test_the_command_says_what_is_there(converted, capsys):
    path, folder = converted
    main([str(path), "--out", str(folder)])
    said = capsys.readouterr().out
    for expected in ("8 dialogues", "3 dialogues", "4 x 1024", "342", "no dev part", str(folder)):
        assert expected in said


def test_the_command_writes_nothing_of_a_file_with_code(tmp_path):
    class Runs:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'canary'}",)

    path = tmp_path / "features.pkl"
    path.write_bytes(pickle.dumps((Runs(),) * 12))
    with pytest.raises(CorpusError, match="could run code"):
        main([str(path), "--out", str(tmp_path / "out")])
    assert not (tmp_path / "canary").exists()
    assert not (tmp_path / "out").exists()


def own(folder: Path, parts: tuple[str, ...] = ("train", "train", "test"), **changes: Any) -> Path:
    """Write a small folder by hand, as the head of the module says."""
    about = {
        "format": "emoscope dialogue features",
        "version": 1,
        "corpus": "mine",
        "classes": ["calm", "tense"],
        "speakers": 2,
        "dialogues": [
            {
                "id": f"d{number}",
                "part": part,
                "labels": ["calm", None, "tense"],
                "names": ["Kim", "Lee", "Kim"],
            }
            for number, part in enumerate(parts)
        ],
    }
    about |= changes
    (folder / DIALOGUES).write_text(json.dumps(about), encoding="utf-8")
    rows = sum(len(d.get("labels", "?")) for d in about["dialogues"])
    rng = np.random.default_rng(0)
    tensors = {"speech": rng.normal(size=(rows, 5)).astype(np.float16)}
    tensors["present.speech"] = (np.arange(rows) != 1).astype(np.uint8)
    tensors["speech"][1:2] = np.nan
    save_file(tensors, folder / FEATURES)
    return folder


def test_features_of_ones_own(tmp_path):
    found = read_features(own(tmp_path))
    assert found.sizes == {"speech": FeatureSize(5)}
    assert found.origin == ""
    first = found.dialogues[0]
    assert first.labels.tolist() == [0, -1, 1]
    assert first.speakers.tolist() == [0, 1, 0]
    assert first.names == ("Kim", "Lee", "Kim")
    assert first.utterances == ("d0_0", "d0_1", "d0_2")
    assert first.present["speech"].tolist() == [True, False, True]
    assert not first.features["speech"][1].any()
    assert {d.part for d in found.dialogues} == {"train", "dev", "test"}
    folder = tmp_path / "again"
    write_features(folder, found, "mine", {})
    again = read_features(folder)
    for one, other in zip(found.dialogues, again.dialogues, strict=True):
        assert one.names == other.names
        np.testing.assert_array_equal(one.features["speech"], other.features["speech"])
        np.testing.assert_array_equal(one.labels, other.labels)


def entry(**changes: Any) -> dict[str, Any]:
    return {"id": "a", "part": "train", "labels": ["calm"], "speakers": [0]} | changes


MORE = [entry(id="b"), entry(id="c", part="test")]
FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "format": ({"format": "other"}, "no list of dialogues"),
    "version": ({"version": 2}, "format version 2"),
    "twice": ({"dialogues": [entry(), entry()]}, "occurs twice"),
    "part": ({"dialogues": [entry(part="validation"), *MORE]}, "no known part"),
    "label": ({"dialogues": [entry(labels=["sad"]), *MORE]}, "label 'sad'"),
    "speaker": ({"dialogues": [entry(speakers=[2]), *MORE]}, "speaker beyond 2"),
    "speakers": ({"dialogues": [entry(speakers=[0, 1]), *MORE]}, "2 speakers"),
    "names": ({"dialogues": [entry(names=["a", "b"]), *MORE]}, "2 names"),
    "key": ({"dialogues": [{"id": "a"}, *MORE]}, "labels"),
    "no train": ({"dialogues": [entry(part="test"), entry(id="b")]}, "fewer than two"),
    "classes": ({"classes": None}, "NoneType"),
    "a class twice": ({"classes": ["calm", "tense", "calm"]}, "one twice"),
    "nobody": ({"speakers": 0}, "no speakers"),
    "no dialogues": ({"dialogues": []}, "the features 0 rows|fewer than two"),
}


@pytest.mark.parametrize("name", list(FAULTS))
def test_what_is_wrong_with_a_folder_is_said(tmp_path, name):
    changes, message = FAULTS[name]
    with pytest.raises(CorpusError, match=message) as error:
        read_features(own(tmp_path, **changes))
    assert str(tmp_path) in str(error.value)


def test_what_is_wrong_with_the_numbers_is_said(tmp_path):
    folder = own(tmp_path)
    good = load_file(folder / FEATURES)
    wrong = {
        "ends at row 9": {"speech": good["speech"][2:]},
        "NaN": {"speech": good["speech"]},
        "shape": good | {"present.speech": good["present.speech"][1:]},
        "holds smell": {"smell": good["speech"]},
        "holds nothing": {"present.speech": good["present.speech"]},
        "different numbers of rows": good | {"text": np.zeros((3, 2), dtype=np.float32)},
    }
    for message, tensors in wrong.items():
        save_file(dict(tensors), folder / FEATURES)
        with pytest.raises(CorpusError, match=message.replace("nothing", "present.speech")):
            read_features(folder)
    (folder / FEATURES).write_bytes(b"half a file")
    with pytest.raises(CorpusError, match="has not the layout"):
        read_features(folder)
    (folder / FEATURES).unlink()
    with pytest.raises(CorpusError, match="has not the layout"):
        read_features(folder)
    (folder / DIALOGUES).write_text("{", encoding="utf-8")
    with pytest.raises(CorpusError, match="can't be read"):
        read_features(folder)
