"""Dialogue models on the CPU: features of turns in, arrays out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

import core.models.context.nested_sizes as sizes_module
from core.models.context.checkpoint import load_dialogue_checkpoint
from core.models.context.inference import (
    DialogueInference,
    TurnFeatures,
    WindowJudgement,
    inputs_of,
)
from core.models.context.inputs import UNKNOWN_SPEAKER, DialogueInputs, DialogueOutput
from core.models.context.nested_sizes import nested_sizes
from core.models.context.speakers import by_appearance
from core.models.context.specification import FeatureSize
from tests.checkpoints import make_dialogue_checkpoint

SIZES = {"speech": FeatureSize(16), "text": FeatureSize(16)}


@pytest.fixture(scope="module")
def inference(tmp_path_factory: pytest.TempPathFactory) -> DialogueInference:
    folder = make_dialogue_checkpoint(tmp_path_factory.mktemp("models") / "tiny", temperature=2.0)
    loaded = load_dialogue_checkpoint(folder)
    return DialogueInference(loaded.model, loaded.info.temperature)


def turns(count: int, seed: int = 0) -> list[TurnFeatures]:
    noise = np.random.default_rng(seed)
    return [
        TurnFeatures({n: noise.normal(size=16).astype(np.float32) for n in SIZES}, "AB"[i % 2])
        for i in range(count)
    ]


def test_a_window_is_judged_the_same_whatever_is_in_the_batch(inference: DialogueInference) -> None:
    windows = [turns(5), turns(2, seed=1), turns(9, seed=2)]
    together = inference(windows)
    for window, among in zip(windows, together, strict=True):
        (alone,) = inference([window])
        assert among.probabilities.shape == (len(window), 7)
        assert among.probabilities == pytest.approx(alone.probabilities, abs=1e-6)
        assert among.probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_long_windows_are_judged_in_small_batches(
    inference: DialogueInference, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = []
    forward = inference.model.forward

    def counted(inputs: DialogueInputs, *, attention: bool = False) -> DialogueOutput:
        rows.append(tuple(inputs.mask.shape))
        return forward(inputs, attention=attention)

    windows = [turns(length, seed=length) for length in (8, 8, 3, 20, 2, 2)]
    together = inference(windows)
    monkeypatch.setattr(inference.model, "forward", counted)
    monkeypatch.setattr("core.models.context.inference._PAIRS", 2 * 8 * 8)
    for found, expected in zip(inference(windows), together, strict=True):
        assert found.probabilities == pytest.approx(expected.probabilities, abs=1e-6)
    assert rows == [(2, 8), (1, 3), (1, 20), (2, 2)]


def test_nested_sizes_are_timed_on_no_more_than_a_window_of_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_dialogue_checkpoint(tmp_path / "mglra", architecture="mglra", window=5)
    whole = DialogueInference(load_dialogue_checkpoint(folder).model)
    lengths = set()

    class Seen(DialogueInference):
        def __call__(
            self, windows: Sequence[Sequence[TurnFeatures]], *, attention: bool = False
        ) -> tuple[WindowJudgement, ...]:
            lengths.update(map(len, windows))
            return super().__call__(windows, attention=attention)

    monkeypatch.setattr(sizes_module, "DialogueInference", Seen)
    assert len(nested_sizes(whole, 256)) == 3
    assert lengths == {5, 1}
    lengths.clear()
    nested_sizes(whole, 2)
    assert lengths == {2, 1}


def test_the_temperature_divides_the_logits(inference: DialogueInference) -> None:
    window = turns(3)
    inputs = inputs_of([window], SIZES, 4)
    logits = inference.model(inputs).logits[0]
    (found,) = inference([window])
    assert found.probabilities == pytest.approx(torch.softmax(logits / 2.0, -1).numpy(), abs=1e-6)


def test_inputs_say_what_is_there(inference: DialogueInference) -> None:
    text_only = TurnFeatures({"text": np.ones(16, np.float32)}, None)
    inputs = inputs_of([[*turns(2), text_only], turns(1)], SIZES, 4)
    assert inputs.mask.tolist() == [[True, True, True], [True, False, False]]
    assert inputs.present["speech"].tolist() == [[True, True, False], [True, False, False]]
    assert inputs.present["text"].tolist() == [[True, True, True], [True, False, False]]
    assert inputs.speakers.tolist() == [[0, 1, UNKNOWN_SPEAKER], [0, -1, -1]]
    assert not inputs.features["speech"][0, 2].any()
    assert not inputs.features["text"][1, 1:].any()


def test_layers_of_an_encoder_stay_apart() -> None:
    layered = TurnFeatures({"text": np.ones((4, 8), np.float32)})
    inputs = inputs_of([[layered]], {"text": FeatureSize(8, layers=4)}, 2)
    assert inputs.features["text"].shape == (1, 1, 4, 8)
    with pytest.raises(ValueError, match="text features"):
        inputs_of([[layered]], {"text": FeatureSize(8)}, 2)


def test_what_makes_no_sense_is_refused(inference: DialogueInference) -> None:
    for windows in ([], [[]], [turns(1), []]):
        with pytest.raises(ValueError, match="without turns"):
            inference(windows)
    with pytest.raises(ValueError, match="speech features"):
        inference([[TurnFeatures({"speech": np.zeros(3, np.float32)})]])


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["B", "A", "B", "C", "D", "A"], [0, 1, 0, 2, 2, 1]),
        ([None, "A", "", "B"], [-1, 0, -1, 1]),
        ([None], [-1]),
        (["X"] * 3, [0, 0, 0]),
    ],
)
def test_speakers_are_numbered_by_appearance(names: list[str | None], expected: list[int]) -> None:
    assert by_appearance(names, 3).tolist() == expected
    inputs = inputs_of([[TurnFeatures({}, name) for name in names]], SIZES, 3)
    assert inputs.speakers[0].tolist() == expected
