"""The stage `dialogue`: what it writes loads, and says what it reported."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from core.errors import ConfigError
from core.models.calibration import softmax
from core.models.context.checkpoint import load_dialogue_checkpoint
from core.models.context.speakers import by_appearance
from core.models.manifest import read_info
from tests.checkpoints import make_checkpoint
from tests.training.context.dialogues import CLASSES, generated
from tests.training.corpora.recordings import write_table
from training.context.config import ContextTraining, ModelChoice
from training.context.features import CorpusChoice, dialogue_set, read_dialogues
from training.context.parts import parts_digest, split_parts
from training.context.stage import PREDICTIONS, fingerprint, run
from training.context.stage_config import DialogueConfig, PartsConfig, SourceConfig
from training.context.teachers import TeacherChoice
from training.context.utterance_features import load_utterance_encoder
from training.context.windows import WindowConfig
from training.data.buckets import BucketConfig
from training.data.dialogues import DialogueSet, batch_of
from training.data.feature_files.folder import write_features
from training.losses.distillation import DistillationConfig
from training.losses.matryoshka import MatryoshkaConfig
from training.progress import Reporter
from training.stages import Recipe, Stage, StageContext, run_recipe
from training.trainer import TrainerConfig

HEADER = ["Utterance", "Speaker", "Emotion", "Dialogue_ID", "Utterance_ID"]
WORDS = {
    "joy": ("I am so happy", "so happy to see you"),
    "anger": ("why are you angry with me", "you are angry"),
    "neutral": ("it is nothing", "the train is late"),
}
TRAINING = ContextTraining(
    WindowConfig(length=4),
    batches=BucketConfig(size=8),
    trainer=TrainerConfig(
        epochs=2, learning_rate=1e-2, ema_decay=0.0, metric="causal_f1_weighted", device="cpu"
    ),
)


def write_part(folder: Path, part: str, dialogues: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    rows: list[list[object]] = [[*HEADER]]
    for dialogue in range(dialogues):
        for turn in range(int(generator.integers(2, 7))):
            emotion = str(generator.choice(list(WORDS)))
            text = str(generator.choice(WORDS[emotion]))
            rows.append([text, ("Joey", "Rachel")[turn % 2], emotion, dialogue, turn])
    write_table(folder / f"{part}_sent_emo.csv", rows)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_part(folder / "meld", "train", 20, 1)
    write_part(folder / "meld", "dev", 8, 2)
    make_checkpoint(
        folder / "tiny", trained_on={"texts": [{"corpus": "goemotions_en", "part": "train"}]}
    )
    return folder


def corpus_config(data: Path, **changes: object) -> DialogueConfig:
    source = SourceConfig(
        (CorpusChoice("meld", "meld", licence="GPL-3.0"),), str(data / "tiny"), ("text",)
    )
    return replace(
        DialogueConfig(
            "tiny-dialogue", source,
            ModelChoice("bilstm", {"hidden": 16}, window=4, speakers=4),
            PartsConfig(test_parts=("dev",), validation=0.2),
            TRAINING,
            {"utterance": {"hidden": 8}},
        ),
        **changes,  # type: ignore[arg-type]
    )  # fmt: skip


def context(data: Path, out: Path, *, resume: bool = False, quick: bool = False) -> StageContext:
    return StageContext("dialogue", data, out, 7, quick, resume, Reporter(silent=True))


@pytest.fixture(scope="module")
def finished(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out")
    found = context(data, out)
    found.folder.mkdir(parents=True)
    run(corpus_config(data), found)
    return found.folder


def test_the_checkpoint_says_what_was_reported(data: Path, finished: Path) -> None:
    loaded = load_dialogue_checkpoint(finished / "checkpoint")
    corpus = read_dialogues([CorpusChoice("meld", "meld")], data)
    encoder = load_utterance_encoder(str(data / "tiny"))
    dev = dialogue_set(corpus, encoder, ["text"], speakers=4).part("dev")
    with (finished / PREDICTIONS).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == dev.utterances
    labels = loaded.specification.labels
    place = 0
    for dialogue in dev.dialogues:
        for turn in range(len(dialogue)):
            row = rows[place]
            assert (row["dialogue"], row["utterance"]) == (dialogue.id, dialogue.utterances[turn])
            views = {"full": dialogue, "causal": dialogue.cut(max(0, turn - 3), turn + 1)}
            for reading, view in views.items():
                view = replace(view, speakers=by_appearance(view.names, 4))
                with torch.no_grad():
                    logits = loaded.model(batch_of([view]).inputs).logits[0].double().numpy()
                said = softmax(logits / loaded.info.temperature)[turn if reading == "full" else -1]
                reported = [float(row[f"{reading}_{label}"]) for label in labels]
                np.testing.assert_allclose(reported, said, rtol=0, atol=1e-5)
            place += 1


def test_the_checkpoint_names_what_it_reads_and_was_trained_on(data: Path, finished: Path) -> None:
    info = load_dialogue_checkpoint(finished / "checkpoint").info
    assert info.specification.utterance_model == read_info(data / "tiny").digest
    assert info.specification.utterance_name == "tiny"
    assert (info.specification.window, info.specification.languages) == (4, ("en",))
    training = yaml.safe_load((finished / "checkpoint" / "training.yaml").read_text())
    texts = {(entry["corpus"], entry["part"]) for entry in training["trained_on"]["texts"]}
    assert texts == {("meld", "train"), ("goemotions_en", "train")}
    assert training["config"]["model"]["architecture"] == "bilstm"


def test_figures_of_the_card_are_those_of_the_metrics(finished: Path) -> None:
    metrics = json.loads((finished / "checkpoint" / "metrics.json").read_text())
    card = (finished / "checkpoint" / "README.md").read_text(encoding="utf-8")
    for reading in ("causal", "full"):
        found = metrics["test"]["meld"][reading]
        assert set(found) == {"model", "utterance", "majority"}
        value = found["model"]["f1_weighted"]
        assert f"{value['value']:.3f} ({value['low']:.3f} to {value['high']:.3f})" in card
        difference = (
            found["model"]["f1_weighted"]["value"] - found["utterance"]["f1_weighted"]["value"]
        )
        above = found["utterance"]["model_above"]["f1_weighted"]["value"]
        assert above == pytest.approx(difference)
        assert f"{above:+.3f}" in card
    assert "GPL-3.0" in card
    assert len(metrics["history"]) == 2


def test_the_test_part_and_the_held_out_dialogues_are_not_trained_on(
    data: Path, finished: Path
) -> None:
    metrics = json.loads((finished / "checkpoint" / "metrics.json").read_text())
    counts = {name: part["dialogues"] for name, part in metrics["parts"].items()}
    assert counts == {"train": 16, "validation": 4, "test": 8}


def test_a_finished_stage_is_kept_until_its_data_change(data: Path, tmp_path: Path) -> None:
    config = corpus_config(data, baselines={})
    lines: list[str] = []

    class Listening(Reporter):
        def say(self, line: str) -> None:
            lines.append(line)

    def again(resume: bool) -> None:
        found = replace(context(data, tmp_path, resume=resume), reporter=Listening(silent=True))
        run_recipe(Recipe("tiny", 7, (Stage("dialogue", config),)), found)

    again(resume=False)
    again(resume=True)
    assert lines[-1] == "dialogue: finished before, kept"
    table = data / "meld" / "dev_sent_emo.csv"
    kept = table.read_text(encoding="utf-8")
    table.write_text(kept.replace("it is nothing", "it is late"), encoding="utf-8")
    again(resume=True)
    table.write_text(kept, encoding="utf-8")
    assert any("what it trains on has changed" in line for line in lines)
    assert lines[-1].startswith("dialogue: done")


def test_published_features_train_nested_sizes_with_teachers(tmp_path: Path) -> None:
    parts = [generated(14, 1), generated(5, 2, part="test")]
    made = DialogueSet(
        tuple(d for part in parts for d in part.dialogues), CLASSES, parts[0].sizes, 2
    )
    write_features(tmp_path / "features", made, "generated", {})
    options = {"dim": 16, "node": 8, "layers": 1, "heads": 2, "students": True,
               "nested": {"sizes": [8, 4]}}  # fmt: skip
    config = DialogueConfig(
        "nested",
        SourceConfig(folder="features", licence="made up"),
        ModelChoice("mglra", options, window=8, speakers=2),
        PartsConfig(validation_part="dev"),
        replace(
            TRAINING,
            matryoshka=MatryoshkaConfig(),
            distillation=DistillationConfig(),
            teachers=TeacherChoice(modalities=("text", "speech")),
            speakers="given",
        ),
    )
    found = context(tmp_path, tmp_path / "out")
    found.folder.mkdir(parents=True)
    assert run(config, found) == fingerprint(config, found)
    loaded = load_dialogue_checkpoint(found.folder / "checkpoint")
    metrics = json.loads((found.folder / "checkpoint" / "metrics.json").read_text())
    assert list(metrics["nested"]) == ["32", "8", "4"]
    whole = metrics["nested"]["32"]["causal"]["f1_weighted"]
    model = metrics["test"]["generated"]["causal"]["model"]["f1_weighted"]["value"]
    assert whole == pytest.approx(model)
    assert loaded.specification.utterance_model == ""
    assert "made up" in (found.folder / "checkpoint" / "README.md").read_text(encoding="utf-8")


def test_quick_takes_a_part_of_the_dialogues(data: Path, tmp_path: Path) -> None:
    many = tmp_path / "meld"
    write_part(many, "train", 300, 1)
    write_part(many, "dev", 60, 2)
    found = context(tmp_path, tmp_path / "out", quick=True)
    found.folder.mkdir(parents=True)
    trainer = replace(TRAINING.trainer, epochs=30)
    config = corpus_config(data, training=replace(TRAINING, trainer=trainer), baselines={})
    run(config, found)
    metrics = json.loads((found.folder / "checkpoint" / "metrics.json").read_text())
    assert len(metrics["history"]) == 2
    assert sum(part["dialogues"] for part in metrics["parts"].values()) <= 130


def test_parts_are_of_whole_dialogues_and_the_same_share_of_each_corpus() -> None:
    one, two = generated(40, 1), generated(20, 2, corpus="other")
    both = replace(one, dialogues=(*one.dialogues, *two.dialogues))
    config = PartsConfig(test_parts=("test",), validation=0.25)
    test = generated(5, 3, part="test")
    found = split_parts(replace(both, dialogues=(*both.dialogues, *test.dialogues)), config)
    held = [d.corpus for d in found.validation.dialogues]
    assert (held.count("generated"), held.count("other")) == (10, 5)
    ids = [{(d.corpus, d.id) for d in p.dialogues} for p in (found.train, found.validation)]
    assert not ids[0] & ids[1]
    assert len(found.test.dialogues) == 5
    changed = replace(test.dialogues[0], labels=test.dialogues[0].labels[::-1].copy())
    other = replace(found, test=replace(found.test, dialogues=(changed,)))
    assert parts_digest(other) != parts_digest(found)
    with pytest.raises(ConfigError, match="'test' has no dialogues"):
        split_parts(both, config)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": ModelChoice("gru")}, "no architecture gru"),
        ({"baselines": {"gru": {}}}, "no architecture gru"),
        ({"training": replace(TRAINING, speakers="given")}, "published features"),
    ],
)
def test_what_can_not_work_is_refused(data: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        corpus_config(data, **changes)


def test_a_source_is_corpora_or_a_folder() -> None:
    for wrong in ({}, {"corpora": (CorpusChoice("meld"),), "folder": "x"}):
        with pytest.raises(ValueError, match="one of the two"):
            SourceConfig(**wrong)  # type: ignore[arg-type]
