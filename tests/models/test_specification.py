from __future__ import annotations

import json

import pytest

from core.errors import CheckpointError
from core.models.specification import Problem, Specification
from core.types import Modality

SPECIFICATION = Specification(
    labels=("neutral", "happy"),
    modalities=(Modality.SPEECH, Modality.TEXT),
    languages=("en", "ko"),
    problem=Problem.MULTI_LABEL,
    required=(Modality.SPEECH,),
    affect=True,
)


def test_it_survives_json():
    assert Specification.from_dict(json.loads(json.dumps(SPECIFICATION.to_dict()))) == SPECIFICATION


def test_only_labels_and_modalities_must_be_said():
    found = Specification.from_dict({"labels": ["a", "b"], "modalities": ["speech"]})
    assert found.problem is Problem.SINGLE_LABEL
    assert found.sample_rate == 16_000
    assert found.required == ()


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"labels": []}, "no labels"),
        ({"labels": ["a", "a"]}, "twice"),
        ({"modalities": []}, "no modality"),
        ({"modalities": ["smell"]}, "smell"),
        ({"modalities": ["text"]}, "requires"),
        ({"problem": "guess"}, "guess"),
        ({"sample_rate": 0}, "sample rate"),
        ({"labels": None}, "can't be read"),
    ],
)
def test_nonsense_is_refused_and_named(change, names):
    with pytest.raises(CheckpointError, match=names):
        Specification.from_dict(SPECIFICATION.to_dict() | change)
