"""`emoscope reproduce mrl-mkd` on made-up feature files in the published layouts."""

from __future__ import annotations

import json
import os
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from sklearn.metrics import accuracy_score, f1_score

from core.errors import ConfigError, CorpusError
from training.convert_features_command import main as convert
from training.data.feature_files.folder import read_features
from training.generated.dialogue_features import FILES, GeneratedDialogues, write_feature_file
from training.reproduce import mrl_mkd, mrl_mkd_data, published
from training.reproduce.command import main
from training.reproduce.mrl_mkd_data import sources
from training.reproduce.mrl_mkd_recipes import published_recipe, quick_recipe
from training.reproduce.mrl_mkd_systems import SYSTEMS, DialogueRecipe, as_system
from training.reproduce.options import ReproduceOptions
from training.reproduce.protocols import layout_of

SHAPE = GeneratedDialogues(train=14, test=5, turns=(2, 5))


def tiny(corpus: str, variant: str) -> DialogueRecipe:
    recipe = quick_recipe(corpus, variant)
    trainer = replace(recipe.training.trainer, epochs=2)
    options = {**recipe.model.options, "dim": 8, "node": 8, "layers": 1}
    return DialogueRecipe(
        replace(recipe.training, trainer=trainer), replace(recipe.model, options=options)
    )


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shrink what --quick makes even more."""
    monkeypatch.setattr(mrl_mkd_data, "QUICK", SHAPE)
    monkeypatch.setattr(mrl_mkd, "quick_recipe", tiny)


def reproduced(out: Path, *arguments: str) -> dict:
    status = main(["mrl-mkd", "--quick", "--out", str(out), *arguments])
    assert status == 0
    return json.loads((out / "results.json").read_text(encoding="utf-8"))


def data_folder(folder: Path) -> Path:
    folder.mkdir()
    for corpus, name in FILES.items():
        write_feature_file(folder / name, corpus, SHAPE)
    return folder


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, Path]:
    """All twelve rows, once."""
    out = tmp_path_factory.mktemp("mrl_mkd")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mrl_mkd_data, "QUICK", SHAPE)
        patch.setattr(mrl_mkd, "quick_recipe", tiny)
        return reproduced(out, "--generated"), out


def test_all_six_rows_of_both_corpora_stand_beside_the_published_ones(everything):
    found, out = everything
    assert [len(table["rows"]) for table in found["tables"]] == [6, 6]
    rows = {row["name"]: row for table in found["tables"] for row in table["rows"]}
    assert list(rows) == [row.name for row in published.MRL_MKD_ROWS]
    assert rows["iemocap-mrl-e+mkd"]["published"]["figures"] == {
        "accuracy": 0.7215, "f1_weighted": 0.716,
    }  # fmt: skip
    assert rows["meld-mglra"]["published"]["figures"] == {
        "accuracy": 0.6686, "f1_weighted": 0.6533,
    }  # fmt: skip
    for row in rows.values():
        assert sum(row["counts"]) == row["rows"] == sum(row["occurring"])
        assert row["train_rows"] > row["rows"]
        assert set(row["majority"]) >= {"accuracy", "f1_weighted"}
    page = (out / "report.html").read_text(encoding="utf-8")
    for expected in ("72.15", "71.60", "held out", "generated", "bootstrap resamples of the test"):
        assert expected in page
    assert not (out / "states").exists()


def test_what_the_table_says_is_what_the_models_said(everything):
    found, out = everything
    for place, corpus in enumerate(("iemocap", "meld")):
        test = read_features(out / "features" / corpus).part("test")
        truth = np.concatenate([d.labels for d in test.dialogues])
        said = [
            logits.argmax(axis=1)
            for path in sorted((out / "trainings").iterdir())
            if (logits := load_file(path)["logits"][0]).shape[1] == len(test.classes)
        ]
        expected = sorted(
            (accuracy_score(truth, one), f1_score(truth, one, average="weighted", zero_division=0))
            for one in said
        )
        figures = [row["figures"] for row in found["tables"][place]["rows"]]
        shown = sorted((f["accuracy"]["value"], f["f1_weighted"]["value"]) for f in figures)
        np.testing.assert_allclose(shown, expected)
        assert len(set(shown)) > 1


def test_an_interrupted_run_goes_on_and_ends_with_the_same_figures(tmp_path, capsys):
    arguments = ("--generated", "--rows", "meld-mglra,meld-mkd", "--seeds", "2")
    first = reproduced(tmp_path, *arguments)
    kept = sorted((tmp_path / "trainings").iterdir())
    assert len(kept) == 4
    kept[0].write_bytes(b"half a file")
    kept[1].unlink()
    capsys.readouterr()
    again = reproduced(tmp_path, *arguments, "--resume")
    assert capsys.readouterr().err.count("finished before") == 2
    capsys.readouterr()
    reproduced(tmp_path, *arguments)
    assert "finished before" not in capsys.readouterr().err
    for one, other in zip(first["tables"][0]["rows"], again["tables"][0]["rows"], strict=True):
        for name in ("figures", "majority", "counts", "parameters", "rows", "seeds", "notes"):
            assert one[name] == other[name], name


def test_several_seeds_give_a_mean_and_a_spread(tmp_path):
    found = reproduced(tmp_path, "--generated", "--rows", "iemocap-mrl", "--seeds", "3")
    row = found["tables"][0]["rows"][0]
    assert row["seeds"] == [1475, 1476, 1477]
    each = [float(note.rpartition(" ")[2]) for note in row["notes"]]
    assert row["figures"]["f1_weighted"]["value"] == pytest.approx(np.mean(each), abs=1e-4)
    spread = row["figures"]["f1_weighted_spread"]
    assert spread["value"] == pytest.approx(np.std(each, ddof=1), abs=1e-4)
    assert (spread["low"], spread["high"]) == pytest.approx((min(each), max(each)), abs=1e-4)


def test_published_files_are_converted_and_converted_folders_are_taken_as_they_are(tmp_path):
    data = data_folder(tmp_path / "data")
    assert layout_of(data, "mrl-mkd") == "features"
    of_pickles = reproduced(tmp_path / "a", "--data", str(data), "--rows", "mglra")
    converted = tmp_path / "converted"
    for corpus, name in FILES.items():
        convert([str(data / name), "--out", str(converted / corpus)])
    assert sources(converted) == {c: converted / c for c in ("iemocap", "meld")}
    of_folders = reproduced(tmp_path / "b", "--data", str(converted), "--rows", "mglra")
    for one, other in zip(of_pickles["tables"], of_folders["tables"], strict=True):
        assert one["rows"][0]["figures"] == other["rows"][0]["figures"]


def test_a_corpus_that_is_not_there_is_left_out_and_said(tmp_path, capsys):
    data = data_folder(tmp_path / "data")
    (data / FILES["iemocap"]).unlink()
    found = reproduced(tmp_path / "out", "--data", str(data))
    assert [table["rows"][0]["corpus"] for table in found["tables"]] == ["meld"]
    assert "iemocap was left out" in found["differences"][0]
    arguments = ["--data", str(data), "--rows", "iemocap-mrl", "--out", str(tmp_path / "o")]
    assert main(["mrl-mkd", *arguments]) == 2
    assert FILES["iemocap"] in capsys.readouterr().err


def test_a_feature_file_with_code_ends_the_run_before_anything_is_trained(tmp_path, capsys):
    class Runs:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'canary'}",)

    data = data_folder(tmp_path / "data")
    (data / FILES["iemocap"]).write_bytes(pickle.dumps((Runs(),) * 12))
    assert main(["mrl-mkd", "--data", str(data), "--quick", "--out", str(tmp_path / "out")]) == 2
    assert "could run code" in capsys.readouterr().err
    assert not (tmp_path / "canary").exists()
    assert not (tmp_path / "out" / "trainings").exists()


def test_the_epoch_is_chosen_on_the_test_part_only_where_the_paper_is_asked_for(tmp_path):
    folder = tmp_path / "data"
    data_folder(folder)
    for corpus, name in FILES.items():
        convert([str(folder / name), "--out", str(tmp_path / corpus)])
    dialogues = read_features(tmp_path / "meld")
    options = ReproduceOptions("mrl-mkd", tmp_path)
    usual = mrl_mkd.parts_of(dialogues, options)
    ids = {name: {d.id for d in getattr(usual, name).dialogues}
           for name in ("train", "validation", "test")}  # fmt: skip
    assert not ids["train"] & ids["validation"]
    assert not ids["test"] & (ids["train"] | ids["validation"])
    paper = mrl_mkd.parts_of(dialogues, replace(options, protocol="paper"))
    assert {d.id for d in paper.validation.dialogues} == ids["test"]
    assert {d.id for d in paper.train.dialogues} == ids["train"] | ids["validation"]
    arguments = ("--generated", "--rows", "meld-mglra", "--protocol", "paper")
    found = reproduced(tmp_path / "out", *arguments)
    assert any("on the test part, as published" in note for note in found["tables"][0]["notes"])


def test_both_variants_of_mglra_are_there_and_no_others(tmp_path, capsys):
    arguments = ("--generated", "--rows", "iemocap-mglra")
    sizes = [
        reproduced(tmp_path / name, *arguments, "--variant", name)["tables"][0]["rows"][0]
        for name in ("full", "released")
    ]
    assert sizes[0]["parameters"] != sizes[1]["parameters"]
    command = ["mrl-mkd", "--out", str(tmp_path), *arguments, "--variant", "corrected"]
    assert main(command) == 2
    assert "has no variant 'corrected'" in capsys.readouterr().err
    assert main(["knu", "--generated", "--out", str(tmp_path), "--variant", "full"]) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--rows", "mrl-x"], "There is no row mrl-x."),
        (["--folds", "2"], "--folds means nothing"),
        (["--text", "x"], "--text means nothing"),
        (["--figure"], "--figure means nothing"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path, capsys, arguments, said):
    assert main(["mrl-mkd", "--generated", "--out", str(tmp_path), *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_folder_without_features_is_told(tmp_path):
    with pytest.raises(CorpusError, match="neither a feature file of IEMOCAP or MELD"):
        layout_of(tmp_path, "mrl-mkd")
    (tmp_path / "text" / "meld").mkdir(parents=True)
    assert layout_of(tmp_path, "mrl-mkd") == "texts"


def test_published_hyper_parameters_are_the_default():
    for corpus, width, seed in (("iemocap", 512, 1475), ("meld", 1024, 67137)):
        recipe = published_recipe(corpus, "released")
        trainer = recipe.training.trainer
        assert (trainer.learning_rate, trainer.weight_decay) == (1e-4, 3e-5)
        assert (trainer.epochs, trainer.seed, recipe.training.batches.size) == (60, seed, 16)
        assert recipe.model.options == {"variant": "released", "dim": width, "node": 512}
        assert recipe.training.windows.cut == "whole"
        assert recipe.training.speakers == "given"
    weights = published_recipe("iemocap", "full").training.loss.weights
    assert weights[0] == pytest.approx(1 / 0.086747, rel=1e-5)
    meld = published_recipe("meld", "full").training.loss
    assert (meld.kind, meld.gamma) == ("focal_published", 2.5)


def test_a_row_adds_its_losses_and_nothing_else():
    plain = published_recipe("iemocap", "full")
    for name, system in SYSTEMS.items():
        recipe = as_system(name, plain)
        nested = recipe.model.options.get("nested")
        assert (recipe.training.matryoshka is not None) == bool(system.nested)
        assert nested == ({"shared": system.nested == "shared"} if system.nested else None)
        assert (recipe.training.distillation is not None) == system.distilled
        assert recipe.model.options.get("students", False) == system.distilled
        assert recipe.training.trainer == plain.training.trainer


def test_the_published_table_agrees_with_itself():
    rows = published.MRL_MKD_ROWS
    assert [row.corpus for row in rows] == ["iemocap"] * 6 + ["meld"] * 6
    for corpus in ("iemocap", "meld"):
        mine = [row for row in rows if row.corpus == corpus]
        best = max(mine, key=lambda row: row.figures["f1_weighted"])
        assert best.system == "mrl-e+mkd"
        assert {row.system for row in mine} == set(SYSTEMS)
        assert all(row.figures["f1_weighted"] < row.figures["accuracy"] for row in mine)


def test_options_of_other_papers_are_refused_by_the_function_too(tmp_path):
    with pytest.raises(ConfigError, match="--task, --frozen means nothing"):
        mrl_mkd.run(ReproduceOptions("mrl-mkd", tmp_path, task="regression", frozen=True))
