"""Features of a reproduction are made on the device that training uses, like all others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.training import generated_kemdy
from training import system
from training.data.encoded_bank import EncodedBank
from training.data.feature_cache import FeatureBank
from training.distributed import alone
from training.progress import Reporter
from training.reproduce.kemdy_lab import KemdyLab
from training.reproduce.options import ReproduceOptions
from training.system_encoders import Encoders, load_encoders


class Traveller(nn.Module):
    """An encoder that notes where it is brought."""

    def __init__(self) -> None:
        super().__init__()
        self.places: list[str] = []

    def to(self, *args: Any, **kwargs: Any) -> Traveller:
        """Note it, as there is no such device in a test."""
        self.places.append(str(args[0]))
        return self


def encode(
    speech: Traveller | None, text: Traveller | None, processor: object, examples: Any, **_: Any
) -> FeatureBank:
    """Encode nothing, but only where the encoders have been brought to the device."""
    count = len(examples)
    made = EncodedBank(
        tuple(torch.zeros(1, 2) for _ in range(count)), torch.zeros(count, 2), torch.zeros(count, 0)
    )
    for encoder in (speech, text):
        assert encoder is None or len(encoder.places) == 1
    return FeatureBank(made if speech else None, made if text else None, count)


@pytest.mark.parametrize(("asked", "found"), [("auto", "cuda:0"), ("cpu", "cpu")])
def test_a_lab_encodes_on_the_training_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str, found: str
) -> None:
    kemdy = generated_kemdy.make(tmp_path)
    config = generated_kemdy.config(kemdy)
    config = replace(config, trainer=replace(config.trainer, device=asked))
    options = ReproduceOptions("rsa-cfn", tmp_path / "out", reporter=Reporter(silent=True))
    lab = KemdyLab(replace(config.corpus, path=""), kemdy / "kemdy20", options)
    monkeypatch.setattr(system, "current", lambda: alone(torch.device("cuda", 0)))
    monkeypatch.setattr(system, "feature_bank", encode)
    encoders = Encoders(Traveller(), Traveller(), load_encoders(config).processor)
    source = lab._source(config, lab.data(config), encoders)
    assert len(source.lengths) == len(lab.corpus.examples)
    for encoder in (encoders.speech, encoders.text):
        assert isinstance(encoder, Traveller)
        assert encoder.places == [found, "cpu"]  # there for as long as it encodes
