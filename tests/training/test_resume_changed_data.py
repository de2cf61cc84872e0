"""A run is only gone on with, or kept, if it would still train on the same."""

from __future__ import annotations

import io
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console

from core.models.checkpoint import load_checkpoint
from core.models.specification import Problem
from tests.training import generated_kemdy
from tests.training.tiny_training import tiny_objective, weights
from training import system_training
from training.data.example_splits import Parts
from training.data.loading import AudioLoader
from training.generated.encoders import write_encoder
from training.generated.kemdy import write_kemdy20
from training.progress import Reporter
from training.stages import Recipe, Stage, StageContext, run_recipe
from training.system import fingerprint
from training.system_data import SystemData, load_examples, prepare
from training.system_encoders import load_encoders
from training.system_fingerprint import fingerprint_of
from training.trainer import Trainer, TrainerConfig

RESUMED, KEPT, CHANGED = "resuming after epoch 1", "finished before, kept", "has changed, training"


@pytest.fixture(scope="module")
def kemdy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus with encoders, and beside it, under `more`, the same one with more speakers."""
    folder = generated_kemdy.make(tmp_path_factory.mktemp("kemdy"))
    write_kemdy20(folder / "more" / "kemdy20", replace(generated_kemdy.SHAPE, sessions=8))
    return folder


def text_config(kemdy: Path, **changes: Any) -> Any:
    return generated_kemdy.config(kemdy, system="text", speech=None, **changes)


def go(config: Any, data: Path, out: Path) -> str:
    """Run the stage with `resume` and return what it told."""
    log = io.StringIO()
    context = StageContext("", data, out, 7, False, True, Reporter(Console(file=log, width=300)))
    run_recipe(Recipe("trial", 7, (Stage("system", config),)), context)
    return log.getvalue()


def interrupt(config: Any, data: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the stage until the second epoch is to be judged."""
    real, calls = system_training.validation_metrics, []

    def judged(*arguments: Any) -> dict[str, float]:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(system_training, "validation_metrics", judged)
        with pytest.raises(KeyboardInterrupt):
            go(config, data, out)


def go_afresh(config: Any, data: Path, out: Path, like: Path) -> None:
    """Run the stage in a folder that has the other's features: they are the same to the last bit
    only if the same batches were encoded."""
    shutil.copytree(like / "cache", out / "cache")
    go(config, data, out)


def trained_weights(out: Path) -> dict[str, torch.Tensor]:
    return dict(load_checkpoint(out / "system" / "checkpoint").model.state_dict())


def check_same_weights(one: Path, other: Path) -> None:
    found, expected = trained_weights(one), trained_weights(other)
    assert found.keys() == expected.keys()
    assert all(torch.equal(value, found[name]) for name, value in expected.items())


def test_an_interrupted_run_does_not_go_on_with_more_speakers(
    kemdy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = text_config(kemdy)
    interrupt(config, kemdy, tmp_path / "run", monkeypatch)
    told = go(config, kemdy / "more", tmp_path / "run")
    assert CHANGED in told
    assert RESUMED not in told
    go_afresh(config, kemdy / "more", tmp_path / "fresh", tmp_path / "run")
    check_same_weights(tmp_path / "run", tmp_path / "fresh")


def test_an_interrupted_run_goes_on_with_the_same_data(
    kemdy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = text_config(kemdy)
    interrupt(config, kemdy, tmp_path / "run", monkeypatch)
    told = go(config, kemdy, tmp_path / "run")
    assert RESUMED in told
    assert CHANGED not in told


def test_a_finished_run_is_kept_only_with_the_same_data(kemdy: Path, tmp_path: Path) -> None:
    config = text_config(kemdy)
    go(config, kemdy, tmp_path / "run")
    moved = tmp_path / "moved"
    shutil.copytree(kemdy / "kemdy20", moved / "kemdy20")
    assert KEPT in go(config, moved, tmp_path / "run")  # where it lies plays no role
    told = go(config, kemdy / "more", tmp_path / "run")
    assert KEPT not in told
    assert "system: what it trains on has changed, training again" in told
    go_afresh(config, kemdy / "more", tmp_path / "fresh", tmp_path / "run")
    check_same_weights(tmp_path / "run", tmp_path / "fresh")
    assert KEPT in go(config, kemdy / "more", tmp_path / "run")


def test_an_encoder_whose_weights_changed_is_noticed(
    kemdy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = tmp_path / "encoder"
    config = text_config(kemdy, text={"model": str(encoder)})
    write_encoder("klue_roberta_like", encoder, width=16, layers=1)
    go(config, kemdy, tmp_path / "finished")
    interrupt(config, kemdy, tmp_path / "interrupted", monkeypatch)
    shutil.rmtree(encoder)
    write_encoder("klue_roberta_like", encoder, width=16, layers=1, seed=5)
    for run in ("finished", "interrupted"):
        told = go(config, kemdy, tmp_path / run)
        assert CHANGED in told, run
        assert RESUMED not in told, run
        assert KEPT not in told, run


def other_label(data: SystemData) -> SystemData:
    row = int(data.parts.test[0])
    (label,) = data.examples[row].labels
    other = next(name for name in data.classes if name != label)
    return with_example(data, row, labels=(other,))


def with_example(data: SystemData, row: int, **changes: Any) -> SystemData:
    examples = list(data.examples)
    examples[row] = replace(examples[row], **changes)
    return replace(data, examples=tuple(examples))


CHANGES = {
    "a label": other_label,
    "a text": lambda data: with_example(data, int(data.parts.train[0]), text="다른 말"),
    "a value": lambda data: with_example(data, int(data.parts.train[0]), valence=0.123),
    "a recording": lambda data: with_example(
        data, int(data.parts.train[0]), audio=data.examples[int(data.parts.train[1])].audio
    ),
    "the classes": lambda data: replace(data, classes=tuple(reversed(data.classes))),
    "the order": lambda data: replace(
        data, parts=replace(data.parts, train=np.flip(data.parts.train).copy())
    ),
    "the parts": lambda data: replace(
        data, parts=Parts(data.parts.test, data.parts.validation, data.parts.train)
    ),
}


@pytest.fixture(scope="module")
def prepared(kemdy: Path) -> tuple[Any, SystemData, AudioLoader]:
    config = generated_kemdy.config(kemdy)
    loader = AudioLoader()
    corpus = load_examples(config.corpus, kemdy, config.modalities, Reporter(silent=True), loader)
    return config, prepare(corpus, config.split, Problem(config.problem), True), loader


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_the_fingerprint_tells_what_has_changed(
    prepared: tuple[Any, SystemData, AudioLoader], change: Any
) -> None:
    config, data, loader = prepared
    before = fingerprint_of(data, load_encoders(config), loader, config.modalities)
    changed = fingerprint_of(change(data), load_encoders(config), loader, config.modalities)
    assert changed != before
    again = fingerprint_of(data, load_encoders(config), loader, config.modalities)
    assert again == before


def test_the_fingerprint_of_a_stage_is_the_same_every_time(kemdy: Path, tmp_path: Path) -> None:
    config = generated_kemdy.config(kemdy)
    context = StageContext("system", kemdy, tmp_path, 7, False, True, Reporter(silent=True))
    assert fingerprint(config, context) == fingerprint(config, context)


def fit(run: Path, epochs: int, fingerprint: str) -> tuple[dict[str, torch.Tensor], str]:
    objective, log = tiny_objective(), io.StringIO()
    config = TrainerConfig(epochs=epochs, learning_rate=0.01, metric="accuracy", keep="last")
    reporter = Reporter(Console(file=log, width=300))
    Trainer(config, objective, run, reporter, fingerprint).fit(resume=True)
    return weights(objective), log.getvalue()


@pytest.mark.parametrize(("before", "now"), [("one", "other"), ("", "other"), ("one", "")])
def test_a_trainer_starts_again_on_something_else(tmp_path: Path, before: str, now: str) -> None:
    fit(tmp_path / "run", 1, before)
    found, told = fit(tmp_path / "run", 2, now)
    expected, _ = fit(tmp_path / "fresh", 2, now)
    assert CHANGED in told
    assert all(torch.equal(value, found[name]) for name, value in expected.items())
    _, told = fit(tmp_path / "run", 3, now)
    assert "resuming after epoch 2" in told
