"""`emoscope cut` lists the nested sizes of a dialogue checkpoint and writes one of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.commands.cut import main
from core.errors import CheckpointError, ConfigError
from core.models.context.checkpoint import load_dialogue_checkpoint, save_dialogue_checkpoint
from core.models.context.specification import DialogueSpecification, FeatureSize
from core.models.mglra import MGLRA
from core.models.mglra_config import MGLRAConfig
from core.models.nested import NestedConfig
from tests.checkpoints import make_checkpoint


@pytest.fixture
def checkpoint(tmp_path) -> Path:
    torch.manual_seed(0)
    specification = DialogueSpecification(("neutral", "happy"), {"text": FeatureSize(6)}, window=4)
    config = MGLRAConfig(dim=8, node=8, nested=NestedConfig((8, 4), shared=True))
    return save_dialogue_checkpoint(
        tmp_path / "whole",
        MGLRA(specification, config),
        name="tiny",
        architecture="mglra",
        training={},
        metrics={"nested": {"4": {"accuracy": 0.4}}},
        card="# Tiny\n",
    ).path


def test_without_a_size_the_sizes_are_listed(checkpoint, capsys):
    assert main([str(checkpoint)]) == 0
    first_cells = [line.split()[1] for line in capsys.readouterr().out.splitlines() if "│" in line]
    assert first_cells == ["16", "8", "4"]


def test_a_size_is_written_and_shown_beside_the_whole(checkpoint, tmp_path, capsys):
    out = tmp_path / "cut"
    assert main([str(checkpoint), "--size", "4", "--out", str(out), "--name", "small"]) == 0
    shown = capsys.readouterr().out
    rows = [line.split() for line in shown.splitlines() if "│" in line]
    assert [row[1] for row in rows] == ["16", "4"]
    assert rows[0][5] == "100%"
    small = load_dialogue_checkpoint(out)
    assert small.info.name == "small"
    assert f"{sum(p.numel() for p in small.model.parameters()):,}" == rows[1][3]
    assert "Answers as the nested size does" in shown
    share = int(rows[1][5].rstrip("%"))
    assert ("Hardly smaller" in shown) == (share > 80)
    assert "no figures" not in shown


def test_figures_that_are_not_known_are_missed(checkpoint, tmp_path, capsys):
    main([str(checkpoint), "--size", "8", "--out", str(tmp_path / "cut")])
    assert "no figures of this size" in capsys.readouterr().out


def test_half_a_request_is_refused(checkpoint, tmp_path):
    for half in (["--size", "4"], ["--out", str(tmp_path / "cut")]):
        with pytest.raises(ConfigError, match="go together"):
            main([str(checkpoint), *half])


def test_a_checkpoint_of_utterances_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="holds a model of single utterances"):
        main([str(make_checkpoint(tmp_path / "utterances"))])
