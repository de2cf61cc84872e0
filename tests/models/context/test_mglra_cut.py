"""An MGLRA cut to a nested size says what that size said, with less."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from core.errors import ConfigError
from core.models.context.inputs import DialogueInputs
from core.models.mglra import MGLRA
from core.models.size import number_of_parameters
from tests.models.context.mglra_cases import SIZES, VARIANTS, dialogues, model, specification

LENGTHS = (6, 3)


def said(made: MGLRA, inputs: DialogueInputs) -> dict[int, torch.Tensor]:
    with torch.no_grad():
        output = made(inputs)
    return {**output.nested, output.representation.shape[-1]: output.logits}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("order", ["encoder_first", "graph_first"])
@pytest.mark.parametrize("layout", ["per_modality", "leading"])
@pytest.mark.parametrize("shared", [False, True])
def test_a_cut_model_gives_the_logits_of_its_size_with_fewer_parameters(
    variant: str, order: str, layout: str, shared: bool
) -> None:
    nested = {"sizes": [], "layout": layout, "shared": shared}
    made = model(variant, order=order, nested=nested, students=True)
    inputs = dialogues(LENGTHS)
    whole = said(made, inputs)
    counts = []
    for size, logits in whole.items():
        cut = made.cut(size)
        found = said(cut, inputs)
        torch.testing.assert_close(found[size], logits, rtol=0, atol=1e-5)
        for smaller in (s for s in whole if s < size):
            torch.testing.assert_close(found[smaller], whole[smaller], rtol=0, atol=1e-5)
        counts.append(number_of_parameters(cut))
    assert counts == sorted(counts, reverse=True)
    assert len(set(counts)) == len(counts)
    assert counts[0] < number_of_parameters(made)  # no students, no reconstruction


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_cut_model_is_built_again_from_its_config(variant: str) -> None:
    made = model(variant, nested={"sizes": []})
    inputs = dialogues(LENGTHS)
    for size in said(made, inputs):
        cut = made.cut(size)
        again = MGLRA.from_config(specification(), cut.config()).eval()
        again.load_state_dict(cut.state_dict())
        assert torch.equal(said(again, inputs)[size], said(cut, inputs)[size])
        smallest = min(said(cut, inputs))
        torch.testing.assert_close(
            said(cut.cut(smallest), inputs)[smallest], said(made, inputs)[smallest]
        )


def parts(made: MGLRA) -> set[str]:
    return {name.split(".")[0] for name in made.state_dict()}


@pytest.mark.parametrize("variant", VARIANTS)
def test_sizes_up_to_half_of_the_published_order_hold_no_graph(variant: str) -> None:
    made = model(variant, nested={"sizes": []})  # 48 of three times 16, half of each fc
    assert "graph" in parts(made.cut(48))
    for size, rows in ((24, 8), (12, 4), (3, 1)):
        cut = made.cut(size)
        assert "graph" not in parts(cut)
        assert cut.fc.weight.shape == (rows, 16)


def test_sizes_of_the_other_order_need_all_of_it() -> None:
    made = model("full", nested={"sizes": []}, order="graph_first", reconstruction=False)
    cut, head = made.cut(3), made.head.cut(3)
    spared = number_of_parameters(made.head) - number_of_parameters(head)
    assert number_of_parameters(made) - number_of_parameters(cut) == spared


def test_modalities_that_nothing_kept_depends_on_go() -> None:
    options: dict[str, Any] = {"nested": {"sizes": [16, 8], "layout": "leading"}}
    released, full = (model(variant, **options) for variant in VARIANTS[::-1])
    assert tuple(released.cut(8).encoder.inputs) == ("text",)
    assert set(released.cut(16).encoder.inputs) == set(SIZES)  # the graph joins them
    assert set(full.cut(8).encoder.inputs) == set(SIZES)  # the alignment does


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_cut_model_shows_what_it_drew_on(variant: str) -> None:
    inputs = dialogues(LENGTHS)
    with torch.no_grad():
        attention = model(variant, nested={"sizes": []}).cut(6)(inputs, attention=True).attention
    torch.testing.assert_close(attention.sum(dim=-1), inputs.mask.float())


def test_a_cut_leaves_the_model_as_it_was() -> None:
    made = model("full", nested={"sizes": []})
    before = {name: values.clone() for name, values in made.state_dict().items()}
    cut = made.cut(6)
    with torch.no_grad():
        for parameter in cut.parameters():
            parameter.zero_()
    assert all(torch.equal(values, before[name]) for name, values in made.state_dict().items())
    assert not cut.training
    assert made.train().cut(6).training


def test_a_size_that_is_not_there_is_refused() -> None:
    with pytest.raises(ConfigError, match="no nested size 5"):
        model("full", nested={"sizes": []}).cut(5)
