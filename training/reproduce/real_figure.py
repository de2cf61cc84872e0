"""The figure of the RSA-CFN paper on real clips: maps of heads on clips they never saw."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from core.labels import EMOTIONS
from training.reproduce.figure import ProfileBuilder, save_profile
from training.reproduce.real_cells import Cell
from training.reproduce.real_heads import HeadData, HeadRecipe, train_head

_TITLE = "RSA on compact features: attention that a feature dimension receives"
_BATCH = 16


def draw_figure(data: HeadData, parts: Sequence[Cell], folder: Path) -> tuple[Path, ...]:
    """Train RSA's head in every cell and draw the median attention on the cell's test clips.

    Returns:
        what was written into `folder`.
    """
    assert data.speech is not None
    builder = ProfileBuilder(data.speech.pooled.shape[1])
    for cell in parts:
        model = train_head("rsa", data, cell.train, HeadRecipe(), seed=0)
        for start in range(0, len(cell.test), _BATCH):
            rows = cell.test[start : start + _BATCH]
            with torch.inference_mode():
                maps = model(*data.encoded(rows)).attentions["feature"].numpy()
            builder.add(maps, data.labels[rows] == EMOTIONS.index("neutral"))
    return save_profile(builder.profile(), folder, _TITLE)
