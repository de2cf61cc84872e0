"""The plain values that a two-stage checkpoint says of its heads."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from core.errors import ConfigError
from core.models.adapters.config import AdapterConfig, BottleneckConfig, LoraConfig
from core.models.two_stage_config import TaskHeads, TwoStageConfig

HEADS = TaskHeads(("F", "M"), ("acted", "spontaneous"), (" ", "ᄀ", "ᅡ"), 2, 64, True, 0.1)


@pytest.mark.parametrize(
    "config",
    [
        TwoStageConfig({"kind": "compact", "dim": 16}),
        TwoStageConfig({"kind": "pretrained"}, HEADS, AdapterConfig()),
        TwoStageConfig({}, HEADS, AdapterConfig(LoraConfig(8, 16.0, 0.1), None)),
        TwoStageConfig({}, TaskHeads(), AdapterConfig(None, BottleneckConfig(256))),
    ],
)
def test_it_comes_back_from_json_as_it_was(config):
    assert TwoStageConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_tasks_are_those_with_a_head():
    assert TaskHeads().tasks == ("emotion",)
    assert HEADS.tasks == ("emotion", "recognition", "gender", "style")
    assert TaskHeads(style=("a", "b")).tasks == ("emotion", "style")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"speech": {}, "text": {}}, "no text"),
        ({}, "speech"),
        ({"speech": None}, "made of this"),
        ({"speech": {}, "heads": {"pitch": ["high"]}}, "pitch"),
        ({"speech": {}, "heads": {"steps": 0}}, "steps"),
        ({"speech": {}, "heads": {"fusion": True}}, "fusion needs"),
        ({"speech": {}, "heads": {"dropout": 1.0}}, "dropout"),
        ({"speech": {}, "heads": {"symbols": ["a", "a"]}}, "twice"),
        ({"speech": {}, "heads": {"adapter": -1}}, "adapter"),
        ({"speech": {}, "adapters": {}}, "lora, bottleneck"),
        ({"speech": {}, "adapters": {"prefix": {}}}, "no prefix"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(values, words):
    with pytest.raises(ConfigError, match=words):
        TwoStageConfig.from_dict(values)


def test_reading_it_needs_no_torch():
    code = "import sys, core.models.two_stage_config; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
