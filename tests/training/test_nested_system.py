"""A nested head in a system that knows nothing of dialogues: trained, judged and stored by size."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score
from torch.nn import functional as F

from core.errors import ConfigError
from core.models.checkpoint import load_checkpoint
from core.models.nested import NestedConfig
from core.models.outputs import EmotionOutput, Encoded, Features
from core.models.specification import Problem
from core.models.systems.build import build_head
from core.models.systems.head import LOSS_LOGITS, HeadSizes, nested_key, nested_logits
from core.models.systems.nested_early import NestedEarlyHead
from training import config as configuration
from training.data.batch import Targets
from training.losses import LossConfig, class_weights, make_loss
from training.losses.matryoshka import MatryoshkaConfig
from training.progress import Reporter
from training.stages import StageContext
from training.system import run

from . import generated_kemdy

SPEECH, TEXT, CLASSES = 8, 12, 3
SIZES = HeadSizes(SPEECH, TEXT, CLASSES)


def encoded(pooled: torch.Tensor) -> Encoded:
    mask = torch.ones(len(pooled), 1, dtype=torch.bool)
    return Encoded(pooled[:, None], mask, pooled, pooled.new_zeros(len(pooled), 0))


def material(rows: int, seed: int) -> tuple[Encoded, Encoded, torch.Tensor]:
    """Speech that tells the first class from the rest, text that tells the others apart."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, CLASSES, (rows,), generator=generator)
    speech = torch.randn(rows, SPEECH, generator=generator)
    text = torch.randn(rows, TEXT, generator=generator)
    speech += 3 * (labels == 0)[:, None]
    text += 3 * (labels == 1)[:, None]
    return encoded(speech), encoded(text), labels


def targets_of(labels: torch.Tensor) -> Targets:
    nothing = torch.full((len(labels),), float("nan"))
    return Targets(F.one_hot(labels, CLASSES).float(), nothing, nothing, torch.ones(len(labels)))


def built(**options: object) -> NestedEarlyHead:
    torch.manual_seed(0)
    head = build_head("nested_early", SIZES, options=options)
    assert isinstance(head, NestedEarlyHead)
    return head


@pytest.mark.parametrize("shared", [False, True])
def test_it_learns_at_every_size_in_a_few_steps(shared: bool) -> None:
    head = built(shared=shared)
    criterion = make_loss(LossConfig(), Problem.SINGLE_LABEL)
    optimizer = torch.optim.Adam(head.parameters(), lr=0.05)
    speech, text, labels = material(256, seed=0)
    for _ in range(40):
        optimizer.zero_grad()
        criterion(head(speech, text), targets_of(labels))["loss"].backward()
        optimizer.step()
    speech, text, labels = material(256, seed=1)
    with torch.no_grad():
        said = nested_logits(head(speech, text).auxiliary)
    accuracy = {size: accuracy_score(labels, z.argmax(dim=1)) for size, z in said.items()}
    assert list(accuracy) == [20, 16, 8, 4, 2]
    assert accuracy[20] > 0.95
    assert accuracy[2] > 0.6  # one dimension of each modality; guessing reaches 0.33
    assert accuracy[2] < accuracy[20]


def test_a_size_sees_no_more_than_its_dimensions_of_the_normalised_vector() -> None:
    head = built(nested=[8, 4], layout="leading")
    x = torch.randn(5, 20)
    head.norm = torch.nn.Identity()
    first, second = x.split([SPEECH, TEXT], dim=1)
    whole = nested_logits(head(encoded(first), encoded(second)).auxiliary)
    changed = nested_logits(head(encoded(first), encoded(second + 1)).auxiliary)
    assert torch.equal(whole[8], changed[8])
    assert not torch.allclose(whole[20], changed[20])


def test_the_head_is_told_by_its_options() -> None:
    head = built(nested=[10, 4], layout="per_modality", shared=False)
    assert head.out.config == NestedConfig((10, 4), "per_modality", shared=False)
    with pytest.raises(ConfigError, match="7 can't be divided among 2"):
        built(nested=[7])


def logits_by_size() -> tuple[dict[int, torch.Tensor], Targets]:
    generator = torch.Generator().manual_seed(3)
    labels = torch.tensor([0, 1, 2, 2])
    nested = {size: torch.randn(4, CLASSES, generator=generator) for size in (8, 4, 2)}
    return nested, targets_of(labels)


def output_of(nested: Mapping[int, torch.Tensor], **more: torch.Tensor) -> EmotionOutput:
    return EmotionOutput(
        nested[8], auxiliary={**{nested_key(s): z for s, z in nested.items()}, **more}
    )


@pytest.mark.parametrize("emotion", ["cross_entropy", "focal"])
def test_the_loss_of_a_system_is_the_weighted_sum_over_its_sizes(emotion: str) -> None:
    nested, targets = logits_by_size()
    weights = class_weights(targets.labels, "inverse")
    config = LossConfig(emotion=emotion, matryoshka=MatryoshkaConfig({"2": 0.25}))
    plain = make_loss(LossConfig(emotion=emotion), Problem.SINGLE_LABEL, weights)
    parts = {s: plain(EmotionOutput(z), targets)["loss"] for s, z in nested.items()}
    with torch.no_grad():
        found = make_loss(config, Problem.SINGLE_LABEL, weights)(output_of(nested), targets)
    assert torch.isclose(found["loss"], parts[8] + parts[4] + 0.25 * parts[2])


def test_several_labels_are_summed_over_sizes_too() -> None:
    nested, targets = logits_by_size()
    criterion = make_loss(LossConfig(emotion="bce"), Problem.MULTI_LABEL)
    parts = [criterion(EmotionOutput(z), targets)["loss"] for z in nested.values()]
    assert torch.isclose(criterion(output_of(nested), targets)["loss"], sum(parts))


def test_a_subset_is_drawn_in_training_from_what_a_resumed_run_restores() -> None:
    nested, targets = logits_by_size()
    config = LossConfig(matryoshka=MatryoshkaConfig(subset=1))
    criterion = make_loss(config, Problem.SINGLE_LABEL)

    def losses() -> list[float]:
        return [criterion(output_of(nested), targets)["loss"].item() for _ in range(12)]

    torch.manual_seed(4)
    state = torch.get_rng_state()
    first = losses()
    torch.set_rng_state(state)
    assert losses() == first
    assert len(set(first)) == 2
    with torch.no_grad():
        assert len(set(losses())) == 1  # judged by all sizes


def test_probes_and_published_logits_are_trained_as_before() -> None:
    nested, targets = logits_by_size()
    criterion = make_loss(LossConfig(), Problem.SINGLE_LABEL)
    published = {LOSS_LOGITS: nested[4]}
    found = criterion(output_of(nested, **published), targets)
    assert torch.isclose(found["loss"], criterion(EmotionOutput(nested[4]), targets)["loss"])
    alone = criterion(output_of(nested, text_alone=nested[2]), targets)
    whole = criterion(output_of(nested), targets)["loss"]
    probe = criterion(EmotionOutput(nested[2]), targets)["loss"]
    assert torch.isclose(alone["loss"], whole + probe)


def test_importances_for_a_system_without_sizes_are_refused(tmp_path: Path) -> None:
    changes: dict[str, Any] = {"loss": {"matryoshka": {"subset": 2}}}
    with pytest.raises(ConfigError, match="early has no nested sizes"):
        generated_kemdy.config(tmp_path, **changes)
    generated_kemdy.config(tmp_path, system="nested_early", **changes)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = generated_kemdy.make(tmp_path_factory.mktemp("kemdy"))
    config = generated_kemdy.config(
        folder, system="nested_early", head={"nested": [16, 4], "shared": False},
        features={"sequence": "none"},
        loss={"matryoshka": {"importance": {4: 2.0}}},
    )  # fmt: skip
    out = tmp_path_factory.mktemp("out")
    (out / "system").mkdir()
    run(config, StageContext("system", folder, out, 7, False, False, Reporter(silent=True)))
    return out / "system"


def test_the_stage_states_what_every_size_reached(stage: Path) -> None:
    metrics = json.loads((stage / "checkpoint" / "metrics.json").read_text(encoding="utf-8"))
    assert list(metrics["nested"]) == ["32", "16", "4"]
    whole = metrics["nested"].pop("32")["test"]
    assert whole["f1_macro"]["value"] == pytest.approx(metrics["test"]["f1_macro"]["value"])
    for found in metrics["nested"].values():
        assert 0 <= found["test"]["uar"]["low"] <= found["test"]["uar"]["value"] <= 1


def test_the_stored_system_still_answers_from_every_size(stage: Path) -> None:
    model = load_checkpoint(stage / "checkpoint").model
    rows = 4
    features = Features(encoded(torch.randn(rows, 16)), encoded(torch.randn(rows, 16)))
    output = model(features)
    nested = nested_logits(output.auxiliary)
    assert list(nested) == [32, 16, 4]
    np.testing.assert_array_equal(nested[32], output.logits)
    assert {"speech_alone", "text_alone"} <= set(output.auxiliary)


def test_its_recipe_is_early_fusion_but_for_the_head() -> None:
    folder = Path(configuration.__file__).parent / "configs" / "rsa_cfn"
    nested, plain = (
        configuration.read_yaml(folder / f"{name}.yaml") for name in ("nested_early", "early")
    )
    changed = {key for key in plain if nested[key] != plain[key]}
    assert changed == {"name", "system", "head", "loss"}
    assert {k: v for k, v in nested["loss"].items() if k != "matryoshka"} == plain["loss"]
