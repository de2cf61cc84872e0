"""A dialogue checkpoint cut to a nested size says what that size said, and where it is from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import yaml

from core.errors import CheckpointError, ConfigError
from core.models.context.bilstm import BiLSTM
from core.models.context.checkpoint import (
    LoadedDialogue,
    load_dialogue_checkpoint,
    save_dialogue_checkpoint,
)
from core.models.context.cutting import cut_checkpoint, sizes_of
from core.models.context.inputs import DialogueInputs
from core.models.context.specification import DialogueSpecification, FeatureSize
from core.models.mglra import MGLRA
from core.models.mglra_config import MGLRAConfig
from core.models.nested import NestedConfig, NestedHead
from core.models.size import number_of_parameters
from core.models.stored_weights import is_half

SPECIFICATION = DialogueSpecification(
    ("neutral", "happy", "sad"),
    {"text": FeatureSize(6), "speech": FeatureSize(5), "vision": FeatureSize(4, layers=2)},
    window=4,
    speakers=3,
)
METRICS = {
    "dev": {"accuracy": 0.6},
    "nested": {"48": {"dev": {"accuracy": 0.6}}, "12": {"dev": {"accuracy": 0.5}}, "3": {}},
}


def make_model(config: NestedConfig | None) -> MGLRA:
    torch.manual_seed(0)
    return MGLRA(SPECIFICATION, MGLRAConfig(dim=8, node=8, nested=config, students=True))


def saved(folder: Path, model, architecture: str = "mglra", **options) -> LoadedDialogue:
    facts = {"training": {"seed": 3}, "metrics": METRICS, "card": "# Whole\n", "temperature": 1.3}
    save_dialogue_checkpoint(
        folder, model, name="tiny", architecture=architecture, **{**facts, **options}
    )
    return load_dialogue_checkpoint(folder)


@pytest.fixture
def whole(tmp_path) -> LoadedDialogue:
    return saved(tmp_path / "whole", make_model(NestedConfig((24, 12, 6, 3), shared=True)))


def dialogues() -> DialogueInputs:
    torch.manual_seed(9)
    mask = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    features = {
        "text": torch.randn(2, 5, 6),
        "speech": torch.randn(2, 5, 5),
        "vision": torch.randn(2, 5, 2, 4),
    }
    present = {"text": mask, "speech": mask & (torch.rand(2, 5) > 0.5), "vision": mask}
    return DialogueInputs(features, present, torch.tensor([0, 1, 0, 2, 1]).expand(2, -1), mask)


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("layout", ["per_modality", "leading"])
def test_the_cut_checkpoint_answers_as_the_nested_size_did(tmp_path, layout, shared):
    model = make_model(NestedConfig((24, 12, 3), layout, shared))
    whole = saved(tmp_path / "whole", model, half=False)
    inputs = dialogues()
    said = whole.model(inputs).nested
    for size in sizes_of(whole):
        cut = cut_checkpoint(whole, size, tmp_path / str(size))
        small = load_dialogue_checkpoint(tmp_path / str(size))
        answers = small.model(inputs)
        assert torch.allclose(answers.logits, said[size], atol=1e-5)
        assert answers.representation.shape[-1] == size
        assert sizes_of(small) == tuple(s for s in sizes_of(whole) if s <= size)
        assert cut.difference <= 1e-5


def test_the_smaller_checkpoint_is_smaller_and_needs_no_students(whole, tmp_path):
    cut = cut_checkpoint(whole, 6, tmp_path / "cut")
    small = load_dialogue_checkpoint(tmp_path / "cut")
    assert number_of_parameters(small.model) < number_of_parameters(whole.model)
    assert small.model(dialogues()).students == {}
    before, after = cut.megabytes()
    assert 0 < after < before


def test_a_cut_keeps_the_temperature_the_precision_and_what_was_trained_on(whole, tmp_path):
    info = cut_checkpoint(whole, 12, tmp_path / "cut").info
    assert info.temperature == 1.3
    assert info.specification == SPECIFICATION
    assert info.name == "tiny-12"
    assert is_half(info.path / "model.safetensors")
    training = yaml.safe_load((info.path / "training.yaml").read_text(encoding="utf-8"))
    assert training["seed"] == 3
    assert training["cut_from"]["sha256"] == whole.info.digest
    assert training["cut_from"]["cut_to"] == 12


def test_full_precision_stays_full_precision(tmp_path):
    whole = saved(tmp_path / "whole", make_model(NestedConfig((24,))), half=False)
    info = cut_checkpoint(whole, 24, tmp_path / "cut", name="half the width").info
    assert not is_half(info.path / "model.safetensors")
    assert info.name == "half the width"


def test_the_figures_of_the_size_are_kept_and_those_of_larger_ones_are_not(whole, tmp_path):
    cut = cut_checkpoint(whole, 12, tmp_path / "cut")
    metrics = json.loads((cut.info.path / "metrics.json").read_text(encoding="utf-8"))
    assert cut.has_figures
    assert "dev" not in metrics  # of the whole
    assert metrics["measured"] == {"dev": {"accuracy": 0.5}}
    small = load_dialogue_checkpoint(cut.info.path).model
    assert metrics["parameters"] == number_of_parameters(small)
    assert set(metrics["nested"]) == {"12", "3"}
    assert metrics["cut_from"]["size"] == 48


def test_figures_that_nobody_measured_are_not_made_up(whole, tmp_path):
    cut = cut_checkpoint(whole, 24, tmp_path / "cut")
    metrics = json.loads((cut.info.path / "metrics.json").read_text(encoding="utf-8"))
    assert not cut.has_figures
    assert metrics["measured"] is None
    assert "Nobody has measured this size" in (cut.info.path / "README.md").read_text("utf-8")


def test_the_card_says_what_it_was_cut_from(whole, tmp_path):
    card = (cut_checkpoint(whole, 12, tmp_path / "cut").info.path / "README.md").read_text("utf-8")
    assert card.startswith("# tiny-12\n")
    assert f"sha256 of its weights {whole.info.digest}" in card
    assert "from 48 to 12 dimensions" in card
    assert "figure in the card below is of the whole model" in card
    assert card.endswith("# Whole\n")


def test_what_has_no_nested_sizes_can_not_be_cut(tmp_path):
    plain = saved(tmp_path / "plain", make_model(None))
    lstm = saved(tmp_path / "lstm", BiLSTM.from_config(SPECIFICATION, {"hidden": 4}), "bilstm")
    for loaded in (plain, lstm):
        with pytest.raises(ConfigError, match="has no nested sizes"):
            cut_checkpoint(loaded, 12, tmp_path / "cut")
    assert not (tmp_path / "cut").exists()


def test_a_size_that_is_not_there_is_refused_with_those_that_are(whole, tmp_path):
    with pytest.raises(ConfigError, match=r"no nested size 7\. Choose one of 48, 24, 12, 6, 3"):
        cut_checkpoint(whole, 7, tmp_path / "cut")


def test_nothing_but_a_dialogue_checkpoint_is_overwritten(whole, tmp_path):
    with pytest.raises(ConfigError, match="would be lost"):
        cut_checkpoint(whole, 12, whole.info.path)
    other = tmp_path / "holiday"
    other.mkdir()
    (other / "picture.png").write_bytes(b"x")
    with pytest.raises(ConfigError, match="something other than a dialogue checkpoint"):
        cut_checkpoint(whole, 12, other)
    assert (other / "picture.png").exists()
    cut_checkpoint(whole, 12, tmp_path / "cut")
    assert cut_checkpoint(whole, 6, tmp_path / "cut").info.name == "tiny-6"


class Forgetful(MGLRA):
    """Cuts itself wrongly."""

    def cut(self, size: int) -> MGLRA:
        small = super().cut(size)
        assert isinstance(small.head, NestedHead)
        with torch.no_grad():
            for layer in small.head.classifiers.values():
                layer.bias.add_(0.5)
        return small


def test_a_model_that_cuts_itself_wrongly_is_not_written(whole, tmp_path):
    model = Forgetful(SPECIFICATION, MGLRAConfig.from_dict(whole.info.model_config)).eval()
    with pytest.raises(CheckpointError, match="answers otherwise"):
        cut_checkpoint(LoadedDialogue(model, whole.info), 12, tmp_path / "cut")
    assert not (tmp_path / "cut").exists()
