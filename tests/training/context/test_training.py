"""Training of dialogue models on generated dialogues."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import ConfigError
from core.models.context.speakers import by_appearance
from tests.training.context.dialogues import generated
from training.context.answers import answers
from training.context.config import ContextTraining, ModelChoice
from training.context.scores import scored, values
from training.context.training import TrainedDialogue, build_model, train_dialogue
from training.context.windows import WindowConfig
from training.data.buckets import BucketConfig
from training.data.dialogues import batch_of
from training.trainer import TrainerConfig

TRAIN, VALIDATION, TEST = generated(80, 1), generated(20, 2), generated(40, 3, part="test")
TRAINER = TrainerConfig(
    epochs=12, learning_rate=1e-2, ema_decay=0.0, metric="causal_f1_weighted", device="cpu"
)
CONFIG = ContextTraining(
    WindowConfig(length=6, draws=2), batches=BucketConfig(size=16), trainer=TRAINER
)


OPTIONS: Mapping[str, Mapping[str, object]] = {
    "utterance": {"hidden": 32},
    "bilstm": {"hidden": 32},
    "mglra": {"dim": 16, "node": 16, "heads": 2, "layers": 1, "iterations": 1},
}


def choice(architecture: str, **options: object) -> ModelChoice:
    return ModelChoice(architecture, {"dropout": 0.0, **OPTIONS[architecture], **options}, window=6)


def trained(architecture: str, config: ContextTraining = CONFIG) -> TrainedDialogue:
    model = build_model(choice(architecture), TRAIN, seed=4)
    return train_dialogue(config, model, TRAIN, VALIDATION, score={"test": TEST})


def test_context_is_learned_where_labels_need_it() -> None:
    found = {name: trained(name) for name in OPTIONS}
    for reading in ("causal", "full"):
        f1 = {n: values(scored(t.scored["test"][reading]))["f1_weighted"] for n, t in found.items()}
        assert f1["bilstm"] > 0.85
        assert f1["mglra"] > 0.75
        assert f1["utterance"] < 0.6
    assert found["bilstm"].outcome.history[-1]["train_emotion"] < 0.5


def test_the_same_seed_trains_the_same_weights() -> None:
    short = replace(CONFIG, trainer=replace(TRAINER, epochs=2))
    one, other = (trained("bilstm", short).model.state_dict() for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_killed_training_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    config = replace(CONFIG, trainer=replace(TRAINER, epochs=3))
    whole = trained("bilstm", config).model.state_dict()

    class KilledError(Exception):
        pass

    model = build_model(choice("bilstm"), TRAIN, seed=4)
    calls = 0

    def dies(module: torch.nn.Module, inputs: object) -> None:
        nonlocal calls
        calls += module.training
        if calls > 14:
            raise KilledError

    hook = model.register_forward_pre_hook(dies)
    saving = replace(config, trainer=replace(config.trainer, save_every=3))
    with pytest.raises(KilledError):
        train_dialogue(saving, model, TRAIN, VALIDATION, run_dir=tmp_path)
    hook.remove()
    again = build_model(choice("bilstm"), TRAIN, seed=99)  # its own weights do not matter
    resumed = train_dialogue(saving, again, TRAIN, VALIDATION, run_dir=tmp_path, resume=True)
    assert len(resumed.outcome.history) == 3
    state = resumed.model.state_dict()
    assert all(torch.equal(whole[name], state[name]) for name in whole)


@pytest.mark.parametrize("architecture", OPTIONS)
def test_causal_answers_are_those_of_windows_one_by_one(architecture: str) -> None:
    model = build_model(choice(architecture), TRAIN, seed=4).eval()
    said = answers(model, TEST, "causal")
    row = 0
    for dialogue in TEST.dialogues[:8]:
        for turn in range(len(dialogue)):
            window = dialogue.cut(max(0, turn - 5), turn + 1)
            window = replace(window, speakers=by_appearance(window.names, 9))
            with torch.no_grad():
                alone = model(batch_of([window]).inputs).logits[0, -1].numpy()
            np.testing.assert_allclose(said.logits[row], alone, rtol=0, atol=1e-5)
            row += 1


def test_the_full_reading_sees_what_follows_and_the_causal_one_does_not() -> None:
    model = build_model(choice("bilstm"), TRAIN, seed=4).eval()
    causal, full = answers(model, TEST, "causal", window=0), answers(model, TEST, "full")
    last = np.flatnonzero(np.diff([*causal.dialogue, -1]))
    np.testing.assert_allclose(causal.logits[last], full.logits[last], rtol=0, atol=1e-5)
    inner = np.setdiff1d(np.arange(len(causal.truth)), last)
    assert np.abs(causal.logits[inner] - full.logits[inner]).max() > 1e-3


def test_a_set_of_other_classes_is_refused() -> None:
    model = build_model(choice("bilstm"), TRAIN)
    other = replace(VALIDATION, classes=("a", "b", "c"))
    with pytest.raises(ConfigError, match="validation"):
        train_dialogue(CONFIG, model, TRAIN, other)


def test_a_part_without_labels_is_refused() -> None:
    model = build_model(choice("bilstm"), TRAIN)
    with pytest.raises(ConfigError, match="no labelled turn"):
        train_dialogue(CONFIG, model, TRAIN, replace(VALIDATION, dialogues=()))


def test_an_option_the_architecture_does_not_have_is_refused() -> None:
    with pytest.raises(ConfigError, match="depth"):
        build_model(choice("bilstm", depth=3), TRAIN)
