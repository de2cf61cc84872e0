"""`emoscope reproduce mrl-mkd` on the words of small corpora laid out as MELD and EmoryNLP are."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from training.context.answers import Answers
from training.reproduce import mrl_mkd_text
from training.reproduce.command import main
from training.reproduce.dialogue_lab import Run
from training.reproduce.mrl_mkd_recipes import TITLES, TextRecipe, text_recipe

SAID = {
    "neutral": "I will be there at eight.", "joy": "This is wonderful, thank you so much!",
    "anger": "How dare you, get out of here!", "sadness": "I miss him every single day.",
    "surprise": "Oh my God, I can't believe it!", "fear": "Please don't, I am so scared.",
    "disgust": "That smells horrible.",
}  # fmt: skip
AS_EMORYNLP = {
    "neutral": "Neutral", "joy": "Joyful", "anger": "Mad", "sadness": "Sad", "fear": "Scared",
    "surprise": "Powerful", "disgust": "Peaceful",
}  # fmt: skip


def write_rows(path: Path, rows: list[dict[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def turns(count: int, seed: int) -> list[tuple[int, int, str, str]]:
    """Return (dialogue, turn, speaker, emotion)."""
    rng = np.random.default_rng(seed)
    names = list(SAID)
    return [
        (dialogue, turn, ("Kim", "Lee")[turn % 2], names[int(rng.integers(len(names)))])
        for dialogue in range(count)
        for turn in range(int(rng.integers(1, 6)))
    ]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dialogues")
    for part, count in (("train", 12), ("dev", 5)):
        said = turns(count, seed=len(part))
        write_rows(
            folder / "text" / "meld" / f"{part}_sent_emo.csv",
            [
                {"Utterance": SAID[emotion], "Speaker": speaker, "Emotion": emotion,
                 "Dialogue_ID": dialogue, "Utterance_ID": turn}
                for dialogue, turn, speaker, emotion in said
            ],
        )  # fmt: skip
        write_rows(
            folder / "text" / "emorynlp" / f"emorynlp_{part}_final.csv",
            [
                {"Utterance": SAID[emotion], "Speaker": f"['{speaker}']",
                 "Emotion": AS_EMORYNLP[emotion], "Scene_ID": dialogue, "Utterance_ID": turn,
                 "Season": 1, "Episode": 1}
                for dialogue, turn, speaker, emotion in said
            ],
        )  # fmt: skip
    return folder


def small(corpus: str) -> TextRecipe:
    config = text_recipe(corpus).config
    options = {**config.model.options, "dim": 8, "node": 8, "layers": 1, "heads": 2}
    return TextRecipe(replace(config, model=replace(config.model, options=options)))


def reproduced(data: Path, out: Path, *arguments: str) -> dict:
    command = ["mrl-mkd", "--data", str(data), "--quick", "--out", str(out), *arguments]
    assert main(command) == 0
    return json.loads((out / "results.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def found(data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """Every row of both corpora, two seeds, once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mrl_mkd_text, "_QUICK_EVERY", 1)
        patch.setattr(mrl_mkd_text, "text_recipe", small)
        return reproduced(data, tmp_path_factory.mktemp("out"), "--seeds", "2")


def test_every_system_stands_beside_the_majority_the_utterance_and_the_lstm(found):
    meld, emorynlp, above = found["tables"]
    for table, corpus in ((meld, "meld"), (emorynlp, "emorynlp")):
        assert [row["name"] for row in table["rows"]] == [f"{corpus}-{name}" for name in TITLES]
        assert len(table["classes"]) == 7
        for row in table["rows"]:
            assert row["seeds"] == [7, 8]
            for name in ("causal_f1_weighted", "causal_accuracy", "full_f1_weighted"):
                figure = row["figures"][name]
                assert 0 <= figure["low"] <= figure["value"] <= figure["high"] <= 1
            assert 0 < row["majority"]["causal_f1_weighted"]["value"] < 1
            assert not row["published"]["figures"]
    assert [row["name"] for row in above["rows"]] == [
        name for name in TITLES if name != "utterance"
    ]


def test_a_model_of_single_utterances_says_the_same_live_and_in_hindsight(found):
    alone = found["tables"][0]["rows"][0]["figures"]
    assert alone["causal_accuracy"] == alone["full_accuracy"]


def test_the_comparison_is_left_out_where_the_utterance_is(data, tmp_path, monkeypatch):
    monkeypatch.setattr(mrl_mkd_text, "_QUICK_EVERY", 1)
    found = reproduced(data, tmp_path, "--rows", "meld-mglra")
    assert [len(table["rows"]) for table in found["tables"]] == [1]


def test_the_dev_part_is_judged_and_nothing_is_chosen_or_tuned_by_it(data, tmp_path, monkeypatch):
    monkeypatch.setattr(mrl_mkd_text, "_QUICK_EVERY", 1)
    seen = []
    real = mrl_mkd_text.DialogueLab

    def lab(parts, options):
        seen.append(parts)
        return real(parts, options)

    monkeypatch.setattr(mrl_mkd_text, "DialogueLab", lab)
    reproduced(data, tmp_path, "--rows", "meld-utterance", "--frozen")
    reproduced(data, tmp_path, "--rows", "utterance")
    frozen, tuned = (parts.train.sizes["text"].dim for parts in seen[:2])
    assert tuned == frozen + 7 + 7  # what a fine-tuned encoder says of the classes of both corpora
    assert {d.part for d in seen[0].test.dialogues} == {"dev"}
    assert {d.part for d in seen[0].train.dialogues} == {"train"}
    assert {d.part for d in seen[0].validation.dialogues} == {"train"}
    ids = [{d.id for d in part.dialogues} for part in (seen[0].train, seen[0].validation)]
    assert not ids[0] & ids[1]


def test_the_difference_is_that_of_the_pooled_figures():
    rng = np.random.default_rng(0)

    def answers(corpus: str, classes: int, right: float) -> Answers:
        generator = np.random.default_rng(len(corpus))
        truth = generator.integers(0, classes, 60)
        said = np.where(rng.random(60) < right, truth, rng.integers(0, classes, 60))
        names = tuple(f"c{n}" for n in range(classes))
        return Answers(
            names, np.eye(classes)[said], truth, np.repeat(np.arange(12), 5), (corpus,) * 12,
            ("",) * 60,
        )  # fmt: skip

    def runs(corpus: str, classes: int, right: float) -> list[Run]:
        return [Run(dict.fromkeys(("causal", "full"), answers(corpus, classes, right)), 1, 0.0)
                for _ in range(2)]  # fmt: skip

    corpora = (("meld", 7), ("emorynlp", 5))
    judged = {
        name: mrl_mkd_text._Judged(
            None, {"utterance": runs(name, n, 0.2), "mglra": runs(name, n, 0.7)}
        )
        for name, n in corpora
    }
    found = mrl_mkd_text.above_alone(judged, "mglra")

    def figures(system: str, run: int) -> tuple[float, float]:
        truth, said = [], []
        for place, (name, _) in enumerate(corpora):
            one = judged[name].runs[system][run].answers["causal"]
            truth.append(one.truth + 10 * place)
            said.append(one.chosen + 10 * place)
        truth, said = np.concatenate(truth), np.concatenate(said)
        f1 = f1_score(truth, said, average="weighted", zero_division=0)
        return accuracy_score(truth, said), f1

    ours, alone = (np.mean([figures(s, r) for r in (0, 1)], axis=0) for s in ("mglra", "utterance"))
    assert found["causal_accuracy"].value == pytest.approx(ours[0] - alone[0])
    assert found["causal_f1_weighted"].value == pytest.approx(ours[1] - alone[1])
    assert found["causal_accuracy"].low > 0


def test_options_that_mean_nothing_for_texts_are_refused(data, tmp_path, capsys):
    command = ["mrl-mkd", "--data", str(data), "--out", str(tmp_path), "--protocol", "paper"]
    assert main(command) == 2
    assert "--protocol means nothing" in capsys.readouterr().err
