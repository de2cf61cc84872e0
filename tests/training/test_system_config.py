"""Impossible combinations are refused before a corpus is read or an encoder is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.errors import ConfigError
from core.models.systems.registry import SYSTEMS
from core.types import Modality
from training.system_config import SystemConfig

from .generated_kemdy import config

NOWHERE = Path("nowhere")
NOISE = {"waveform": {"noise": {"chance": 0.5}}}
MULTI = {
    "system": "add",
    "problem": "multi_label",
    "corpus": {"name": "kemdy20"},
    "split": {"labels": "all"},
    "loss": {"emotion": "multilabel_soft_margin"},
}


def made(**changes: Any) -> SystemConfig:
    return config(NOWHERE, **changes)


def test_what_makes_sense_is_accepted():
    assert made().is_cached
    assert made(**MULTI).is_multi_label
    assert not made(speech={"model": "a", "trainable": "top:2"}).is_cached


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"learning_rate": 1}, "learning_rate"),
        ({"trainer": {"epochs": 1, "epoch": 2}}, "trainer.epoch"),
        ({"system": "rsa_cfm"}, "rsa_cfm"),
        ({"corpus": {"name": "kemdy21"}}, "kemdy21"),
        ({"variant": "published"}, "variant"),
        ({"problem": "softmax"}, "problem"),
        ({"selection": "train"}, "selection"),
        ({"text": None}, "'text'"),
        ({"system": "speech"}, "takes no text"),
        ({"speech": {"model": "a", "kind": "wav2vec"}}, "kind"),
        ({"speech": {"model": "embedded", "kind": "compact"}}, "pretrained"),
        ({"text": {"model": "a", "languages": []}}, "languages"),
        ({"augment": NOISE}, "augment.waveform"),
        ({"augment": {"copies": 2}}, "copies"),
        ({"augment": {"masks": {}}, "features": {"sequence": "none"}}, "masks"),
        ({"loss": {"emotion": "multilabel_soft_margin"}}, "multilabel_soft_margin"),
        ({"loss": {"emotion": "cross_entropy", "affect": "ccc"}}, "affect"),
        ({"affect": True}, "affect"),
        ({"loss": {"emotion": "huber"}}, "emotion"),
        ({**MULTI, "split": {"labels": "single"}}, "split.labels"),
        ({**MULTI, "corpus": {"name": "kemdy20", "label_transform": True}}, "label_transform"),
        ({**MULTI, "loss": {"emotion": "bce", "paper_softmax": True}}, "paper_softmax"),
        ({"split": {"labels": "all"}}, "split.labels"),
        ({"split": {"validation": 0.0}}, "split.validation"),
        ({"selection": "test", "trainer": {"epochs": 2, "patience": 1}}, "patience"),
        ({"split": {"kind": "segments", "folds": 1}}, "folds"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        made(**changes)


def test_the_published_head_beside_trained_encoders_needs_small_batches() -> None:
    trained = {"speech": {"model": "a", "trainable": "all"}}
    with pytest.raises(ConfigError, match="328 million"):
        made(system="rsa_cfn", **trained, batches={"size": 16})
    made(system="rsa_cfn", **trained, batches={"size": 4})
    made(system="rsa_cfn", **trained, batches={"size": 16}, head={"projection": 64})
    made(system="rsa_cfn", batches={"size": 16})


def test_waveforms_may_be_altered_when_copies_are_cached_or_the_encoder_is_trained() -> None:
    made(augment={**NOISE, "copies": 2})
    made(augment=NOISE, speech={"model": "a", "trainable": "all"}, text={"model": "b"})


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_system_says_what_it_takes(name: str) -> None:
    taken = SYSTEMS[name].modalities
    absent = {m.value: None for m in (Modality.SPEECH, Modality.TEXT) if m not in taken}
    assert made(system=name, **absent).modalities == taken
