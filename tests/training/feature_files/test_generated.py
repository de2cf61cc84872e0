"""Made-up feature files: the published layouts to the number, and something to learn in them."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from training.data.feature_files.published import CORPORA, read_published
from training.generated.dialogue_features import (
    SHARES,
    GeneratedDialogues,
    feature_fields,
    write_feature_file,
)


@pytest.mark.parametrize(("corpus", "count", "audio"), [("iemocap", 12, 1582), ("meld", 13, 300)])
def test_the_layout_is_the_published_one(tmp_path, corpus, count, audio):
    path = tmp_path / "x.pkl"
    write_feature_file(path, corpus, GeneratedDialogues(train=5, test=3, turns=(2, 4)))
    fields = pickle.loads(path.read_bytes())  # our own file
    assert isinstance(fields, tuple)
    assert len(fields) == count
    key = fields[10][2]
    length = len(fields[2][key])
    assert all(set(field) == set(fields[0]) for field in fields[:10])
    widths = [np.array(fields[n][key]).shape for n in range(3, 9)]
    assert widths == [(length, 1024)] * 4 + [(length, audio), (length, 342)]
    assert (len(fields[10]), len(fields[11])) == (5, 3)
    assert set(fields[10]) | set(fields[11]) == set(fields[0])
    speaker = fields[1][key][0]
    assert speaker in ("M", "F") if corpus == "iemocap" else sum(speaker) == 1 == speaker.count(1)
    lengths = [len(labels) for labels in fields[2].values()]
    assert min(lengths) == 1
    assert max(lengths) == 12


@pytest.mark.parametrize("corpus", list(CORPORA))
def test_classes_are_as_unequal_as_in_the_corpus(corpus):
    fields = feature_fields(corpus, GeneratedDialogues(train=150, test=3))
    labels = np.concatenate([np.array(each) for each in fields[2].values()])
    found = np.bincount(labels, minlength=len(SHARES[corpus])) / len(labels)
    np.testing.assert_allclose(found, np.array(SHARES[corpus]) / sum(SHARES[corpus]), atol=0.05)


def test_the_turn_before_and_every_modality_say_something(tmp_path):
    path = tmp_path / "x.pkl"
    write_feature_file(path, "iemocap", GeneratedDialogues(train=80, test=30))
    found = read_published(path).dialogues
    accuracy = {name: judged(found, (name,)) for name in found.sizes}
    accuracy["all"] = judged(found, tuple(found.sizes))
    accuracy["with the label before"] = judged(found, tuple(found.sizes), before=True)
    train = np.concatenate([d.labels for d in found.part("train").dialogues])
    truth = np.concatenate([d.labels for d in found.part("test").dialogues])
    majority = float(np.mean(truth == np.bincount(train).argmax()))
    assert all(accuracy[name] > majority + 0.05 for name in found.sizes)
    assert accuracy["all"] > max(accuracy[name] for name in found.sizes) + 0.02
    assert accuracy["with the label before"] > accuracy["all"] + 0.02
    assert accuracy["with the label before"] < 0.99


def judged(found, modalities, before=False) -> float:
    def rows(part):
        x, y = [], []
        for dialogue in found.part(part).dialogues:
            vectors = [np.atleast_2d(dialogue.features[m].reshape(len(dialogue), -1)[:, :40])
                       for m in modalities]  # fmt: skip
            if before:
                vectors.append(np.eye(7)[np.concatenate([[6], dialogue.labels[:-1]])])
            x.append(np.concatenate(vectors, axis=1))
            y.append(dialogue.labels)
        return np.concatenate(x), np.concatenate(y)

    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.2).fit(*rows("train"))
    return float(model.score(*rows("test")))
