"""A nested head against the formulas, in both layouts and with own and shared classifiers."""

from __future__ import annotations

import json

import pytest
import torch

from core.errors import ConfigError
from core.models.nested import NestedConfig, NestedHead, published_sizes

SLICES = (8, 8, 8)
BOTH_LAYOUTS = pytest.mark.parametrize("layout", ["per_modality", "leading"])
BOTH_KINDS = pytest.mark.parametrize("shared", [False, True])


def make(
    config: NestedConfig | None, slices: tuple[int, ...] = SLICES, classes: int = 4
) -> NestedHead:
    torch.manual_seed(0)
    return NestedHead(slices, classes, config)


def vectors(width: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(2, 5, width, generator=torch.Generator().manual_seed(seed))


def test_the_published_sizes_are_halves_down_to_one_per_modality():
    assert published_sizes(3072, 3) == (3072, 1536, 768, 384, 192, 96, 48, 24, 12, 6, 3)
    assert published_sizes(8) == (8, 4, 2, 1)
    assert published_sizes(20, 2) == (20, 10, 4, 2)
    with pytest.raises(ConfigError, match="can't hold 3 modalities"):
        published_sizes(2, 3)


def test_without_sizes_of_its_own_a_head_has_the_published_ones():
    assert make(NestedConfig()).levels == (24, 12, 6, 3)
    assert make(NestedConfig(layout="leading"), (6, 2)).levels == (8, 4, 2, 1)
    assert make(NestedConfig(), (6, 10)).levels == (16, 12, 6, 2)  # 6, 3, 1 of each


@BOTH_KINDS
def test_each_modality_gives_its_leading_dimensions(shared):
    head = make(NestedConfig((12, 6, 3), shared=shared))
    x = vectors(24)
    nested = head(x).nested
    assert list(nested) == [24, 12, 6, 3]
    text, audio, visual = x[..., :8], x[..., 8:16], x[..., 16:]
    for size in (12, 6, 3):
        part = size // 3
        kept = torch.cat([text[..., :part], audio[..., :part], visual[..., :part]], dim=-1)
        layer = head.classifiers["24" if shared else str(size)]
        weight = layer.weight
        if shared:
            blocks = (weight[:, :part], weight[:, 8 : 8 + part], weight[:, 16 : 16 + part])
            weight = torch.cat(blocks, dim=1)
        assert torch.allclose(nested[size], kept @ weight.T + layer.bias, atol=1e-6)


@BOTH_KINDS
def test_the_leading_layout_takes_the_first_dimensions_of_the_whole(shared):
    head = make(NestedConfig((2, 9, 20), "leading", shared))
    x = vectors(24)
    nested = head(x).nested
    assert list(nested) == [24, 20, 9, 2]
    for size in (20, 9, 2):
        layer = head.classifiers["24" if shared else str(size)]
        wanted = x[..., :size] @ layer.weight[:, :size].T + layer.bias
        assert torch.allclose(nested[size], wanted, atol=1e-6)


@BOTH_LAYOUTS
@BOTH_KINDS
def test_dimensions_that_a_size_leaves_out_do_not_matter_to_it(layout, shared):
    head = make(NestedConfig((12, 6), layout, shared))
    x = vectors(24)
    for size in (12, 6):
        other = vectors(24, seed=9)
        other[..., head.kept(size)] = x[..., head.kept(size)]
        assert torch.equal(head(other).nested[size], head(x).nested[size])
        assert not torch.allclose(head(other).logits, head(x).logits)


def test_a_shared_classifier_is_one_weight_and_one_bias():
    efficient = make(NestedConfig((12, 6, 3), shared=True))
    own = make(NestedConfig((12, 6, 3)))
    assert sum(p.numel() for p in efficient.parameters()) == 24 * 4 + 4
    assert sum(p.numel() for p in own.parameters()) == (24 + 12 + 6 + 3) * 4 + 4 * 4


def test_the_logits_are_those_of_the_whole_representation():
    output = make(NestedConfig((12,)))(vectors(24))
    assert torch.equal(output.logits, output.nested[24])
    assert output.logits.shape == (2, 5, 4)


def test_without_a_config_it_is_a_linear_classifier_with_nothing_nested():
    head = make(None)
    x = vectors(24)
    output = head(x)
    layer = head.classifiers["24"]
    assert torch.allclose(output.logits, layer(x))
    assert output.nested == {}
    assert head.levels == (24,)


@BOTH_LAYOUTS
@BOTH_KINDS
def test_a_cut_head_answers_as_the_nested_size_and_all_smaller_ones(layout, shared):
    head = make(NestedConfig((12, 6, 3), layout, shared)).eval()
    x = vectors(24)
    whole = head(x).nested
    for size in head.levels:
        small = head.cut(size)
        answers = small(x[..., head.kept(size)])
        assert list(answers.nested) == [s for s in head.levels if s <= size]
        for level, logits in answers.nested.items():
            assert torch.allclose(logits, whole[level], atol=1e-6)
        assert sum(small.slices) == size
        assert not small.training


def test_cutting_twice_is_cutting_once():
    head = make(NestedConfig((12, 6, 3), shared=True))
    once, twice = head.cut(3), head.cut(12).cut(3)
    assert once.slices == twice.slices
    for a, b in zip(once.parameters(), twice.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_cut_is_a_copy_of_its_own_without_what_it_no_longer_needs():
    head = make(NestedConfig((12, 6, 3)))
    small = head.cut(6)
    assert sum(p.numel() for p in small.parameters()) == (6 + 3) * 4 + 2 * 4
    with torch.no_grad():
        small.classifiers["6"].weight.zero_()
    assert head.classifiers["6"].weight.abs().sum() > 0


def test_a_head_without_nested_sizes_can_only_be_cut_to_itself():
    head = make(None)
    assert torch.equal(head.cut(24)(vectors(24)).logits, head(vectors(24)).logits)
    with pytest.raises(ConfigError, match=r"no nested size 12.*There are: 24"):
        head.cut(12)


def test_the_leading_layout_may_drop_whole_modalities():
    head = make(NestedConfig((10,), "leading"))
    assert head.widths(10) == (8, 2, 0)
    assert head.cut(10).slices == (8, 2, 0)
    assert head.kept(10).tolist() == list(range(10))


def test_one_modality_is_enough():
    by_layout = [
        make(NestedConfig((4, 2), layout, shared=True), (8,))
        for layout in ("per_modality", "leading")
    ]
    x = vectors(8)
    first, second = (head(x).nested for head in by_layout)
    assert all(torch.equal(first[size], second[size]) for size in (8, 4, 2))


def test_modalities_may_be_of_different_widths():
    head = make(NestedConfig((8, 2)), (6, 10))
    assert head.levels == (16, 8, 2)
    assert head.kept(8).tolist() == [0, 1, 2, 3, 6, 7, 8, 9]
    assert head(vectors(16)).nested[2].shape == (2, 5, 4)


def test_a_config_survives_json_and_builds_the_same_head():
    config = NestedConfig((3, 6, 12), "leading", shared=True)
    stored = json.loads(json.dumps(config.to_dict()))
    assert NestedConfig.from_dict(stored) == config
    head = make(config).cut(6)
    again = NestedHead(head.slices, 4, NestedConfig.from_dict(head.config.to_dict()))
    again.load_state_dict(head.state_dict())
    assert again.levels == head.levels


@pytest.mark.parametrize(
    ("config", "slices", "problem"),
    [
        ({"sizes": (12, 3, 6)}, SLICES, "neither rise nor fall"),
        ({"sizes": (6, 6, 3)}, SLICES, "neither rise nor fall"),
        ({"sizes": (6, 0)}, SLICES, "above zero"),
        ({"sizes": (6, 4.5)}, SLICES, "above zero"),
        ({"sizes": (30, 6)}, SLICES, "30 is larger than the representation"),
        ({"sizes": (12, 4)}, SLICES, "4 can't be divided among 3 modalities"),
        ({"sizes": (12,)}, (4, 20), "takes 6 dimensions of each modality, but one has only 4"),
        ({"layout": "trailing"}, SLICES, "no nested layout 'trailing'"),
        ({"size": (6,)}, SLICES, "no option size"),
        ({"sizes": 6}, SLICES, "must be a list"),
        ({"shared": "yes"}, SLICES, "true or false"),
    ],
)
def test_sizes_that_make_no_sense_are_refused(config, slices, problem):
    with pytest.raises(ConfigError, match=problem):
        NestedHead(slices, 4, NestedConfig.from_dict(config))


@pytest.mark.parametrize(("slices", "classes"), [((), 4), ((0,), 4), ((4, -1), 4), ((4,), 0)])
def test_a_head_over_nothing_is_refused(slices, classes):
    with pytest.raises(ConfigError, match="No head can read"):
        NestedHead(slices, classes)
