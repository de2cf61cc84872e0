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


def test_what_makes_sense_is_accepted() -> None:
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
        (
            {"system": "mlp_mixer", "features": {"sequence": "none"}},
            r"features\.sequence: none.*set features\.sequence to float16",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        made(**changes)


def test_the_published_head_beside_trained_encoders_needs_small_batches() -> None:
    trained = {"speech": {"model": "a", "trainable": "all"}}
    with pytest.raises(ConfigError, match=r"328 million.*trainer\.accumulate .*head\.projection"):
        made(system="rsa_cfn", **trained, batches={"size": 16})
    made(system="rsa_cfn", **trained, batches={"size": 4})
    made(system="rsa_cfn", **trained, batches={"size": 16}, head={"projection": 64})
    made(system="rsa_cfn", batches={"size": 16})


def test_the_heavy_voter_of_a_hybrid_has_its_options_under_its_name() -> None:
    hybrid = {"system": "hybrid", "speech": {"model": "a", "trainable": "all"}}
    for head in ({}, {"projection": 64}, {"voters": {"late": {"projection": 64}}}):
        with pytest.raises(ConfigError, match=r"head\.voters\.rsa_cfn\.projection to 64"):
            made(**hybrid, head=head, batches={"size": 16})
    made(**hybrid, head={"voters": {"rsa_cfn": {"projection": 64}}}, batches={"size": 16})


def test_the_remedies_name_keys_that_there_are() -> None:
    made(trainer={"epochs": 1, "accumulate": 4})


def test_only_cached_features_must_keep_sequences_for_a_system_that_looks_at_them() -> None:
    pooled = {"features": {"sequence": "none"}}
    assert [name for name, found in SYSTEMS.items() if found.sequences] == ["mlp_mixer"]
    made(system="mlp_mixer", features={"sequence": "float16"})
    made(system="mlp_mixer", **pooled, speech={"model": "a", "trainable": "all"})
    made(system="late", **pooled)


COMPACT = {"model": "embedded", "kind": "compact"}


@pytest.mark.parametrize(
    ("modality", "changes"),
    [
        ("speech", {"pooling": "last"}),
        ("speech", {"output": "extract_features"}),
        ("speech", {"respect_padding": False}),
        ("speech", {"longest_seconds": 2.0, "overlong": "cut"}),
        ("speech", {"normalise": False}),
        ("speech", {"dropout": False}),
        ("speech", {"layerdrop": 0.1, "mask_time": 0.1, "mask_feature": 0.1}),
        ("text", {"pooling": "cls"}),
        ("text", {"pad_to": 256}),
        ("text", {"respect_padding": False, "max_tokens": 64}),
        ("text", {"dropout": False}),
    ],
)
def test_what_a_compact_encoder_would_ignore_is_refused_by_name(
    modality: str, changes: dict[str, Any]
) -> None:
    given: dict[str, dict[str, Any]] = {
        "speech": COMPACT,
        "text": {**COMPACT, "languages": ["en", "ko"]},
    }
    made(**given)
    with pytest.raises(ConfigError, match=f"{modality}.*{', '.join(changes)} would have no effect"):
        made(**{**given, modality: {**given[modality], **changes}})


def test_waveforms_may_be_altered_when_copies_are_cached_or_the_encoder_is_trained() -> None:
    made(augment={**NOISE, "copies": 2})
    made(augment=NOISE, speech={"model": "a", "trainable": "all"}, text={"model": "b"})


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_system_says_what_it_takes(name: str) -> None:
    taken = SYSTEMS[name].modalities
    absent = {m.value: None for m in (Modality.SPEECH, Modality.TEXT) if m not in taken}
    assert made(system=name, **absent).modalities == taken
