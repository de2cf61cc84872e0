"""Logits of fine-tuned encoders: nobody is judged by an encoder that read the answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from training.context import fine_tuning
from training.context.features import DialogueCorpus, dialogue_set
from training.context.fine_tuning import FineTuningConfig, fine_tuned
from training.context.parts import DialogueParts, split_parts
from training.context.stage_config import PartsConfig
from training.context.utterance_features import UtteranceEncoder, load_utterance_encoder
from training.data.example import Example
from training.trainer_config import TrainerConfig

CLASSES = ("neutral", "happy")
WORDS = {"neutral": "the bus leaves at nine", "happy": "wonderful great hooray"}
QUICK = FineTuningConfig(
    folds=2,
    batch=16,
    dropout=0.0,
    trainer=TrainerConfig(epochs=2, learning_rate=2e-3, ema_decay=0.0, keep="last"),
)


@pytest.fixture(scope="module")
def encoder() -> UtteranceEncoder:
    return load_utterance_encoder("embedded")


def corpus_of(name: str, count: int, flip: frozenset[int] = frozenset()) -> DialogueCorpus:
    """Dialogues of four lines whose words give the label, but those of `flip`, where they lie."""
    generator = np.random.default_rng(3)
    dialogues = []
    for number in range(count):
        part = "test" if number % 5 == 4 else "train"
        labels = [CLASSES[int(k)] for k in generator.integers(0, 2, 4)]
        said = [CLASSES[1 - CLASSES.index(x)] if number in flip else x for x in labels]
        dialogues.append(
            tuple(
                Example(
                    name,
                    f"{number}/{turn}",
                    text=f"{WORDS[word]} {number}",
                    speaker=f"{name}/x",
                    dialogue=f"{name}/{number}",
                    turn=turn,
                    language="en",
                    labels=(label,),
                    part=part,
                )
                for turn, (word, label) in enumerate(zip(said, labels, strict=True))
            )
        )
    return DialogueCorpus(tuple(dialogues), CLASSES)


def parts_of(corpus: DialogueCorpus, encoder: UtteranceEncoder) -> DialogueParts:
    return split_parts(dialogue_set(corpus, encoder, ("text",)), PartsConfig())


def logits_of(parts: DialogueParts, width: int) -> dict[str, np.ndarray]:
    return {
        d.id: d.features["text"][:, -width:]
        for part in (parts.train, parts.validation, parts.test)
        for d in part.dialogues
    }


def accuracy(parts: DialogueParts, width: int) -> float:
    found = logits_of(parts, width)
    hits = [found[d.id].argmax(axis=1) == d.labels for p in (parts.test,) for d in p.dialogues]
    return float(np.concatenate(hits).mean())


def test_logits_stand_beside_the_frozen_vectors_and_tell_unread_lines(
    encoder: UtteranceEncoder,
) -> None:
    corpus = corpus_of("one", 40)
    parts = parts_of(corpus, encoder)
    found = fine_tuned({"one": (corpus, parts)}, encoder, QUICK)["one"]

    width = parts.train.sizes["text"].dim
    assert found.train.sizes["text"].dim == width + len(CLASSES)
    for before, after in zip(parts.test.dialogues, found.test.dialogues, strict=True):
        np.testing.assert_array_equal(after.features["text"][:, :width], before.features["text"])
    assert accuracy(found, len(CLASSES)) > 0.9


def test_an_encoder_never_read_the_labels_of_the_fold_it_speaks_of(
    encoder: UtteranceEncoder,
) -> None:
    """Where labels of one dialogue change, its own logits stay; those of the other fold do not."""
    corpus = corpus_of("one", 24)
    parts = parts_of(corpus, encoder)
    first = parts.train.dialogues[0]
    changed = replace(first, labels=1 - first.labels)
    other = replace(
        parts, train=replace(parts.train, dialogues=(changed, *parts.train.dialogues[1:]))
    )
    before = logits_of(fine_tuned({"one": (corpus, parts)}, encoder, QUICK)["one"], 2)
    after = logits_of(fine_tuned({"one": (corpus, other)}, encoder, QUICK)["one"], 2)

    np.testing.assert_array_equal(before[first.id], after[first.id])
    second = parts.train.dialogues[1].id
    assert np.abs(before[second] - after[second]).max() > 1e-4


def test_corpora_share_an_encoder_and_each_has_its_own_classes(encoder: UtteranceEncoder) -> None:
    both = {name: corpus_of(name, 20) for name in ("one", "two")}
    given = {name: (corpus, parts_of(corpus, encoder)) for name, corpus in both.items()}
    found = fine_tuned(given, encoder, QUICK)
    width = given["one"][1].train.sizes["text"].dim
    assert {p.test.sizes["text"].dim for p in found.values()} == {width + 2 * len(CLASSES)}


def test_finished_folds_are_kept_and_other_data_is_not_taken_for_them(
    encoder: UtteranceEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = corpus_of("one", 15)
    parts = parts_of(corpus, encoder)
    first = logits_of(
        fine_tuned({"one": (corpus, parts)}, encoder, QUICK, cache=tmp_path)["one"], 2
    )

    def refused(*_: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(fine_tuning, "Trainer", refused)
    again = logits_of(
        fine_tuned({"one": (corpus, parts)}, encoder, QUICK, cache=tmp_path)["one"], 2
    )
    for name, values in first.items():
        np.testing.assert_array_equal(values, again[name])
    other = corpus_of("one", 15, flip=frozenset({1}))
    given = {"one": (other, parts_of(other, encoder))}
    with pytest.raises(AssertionError, match="trained again"):
        fine_tuned(given, encoder, QUICK, cache=tmp_path)
