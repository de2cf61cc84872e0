"""From the labels of somebody's classifier to the classes of this project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from core.errors import ConfigError

LabelMap = Mapping[str, str | None]
"""Label of a model -> class, or None: this label has none and is left out."""

_SMALLEST = 1e-6


def label_matrix(names: Sequence[str], labels: LabelMap, classes: Sequence[str]) -> Tensor:
    """Return (labels, classes) of zeros and ones.

    Args:
        names: the model's labels in the order of its outputs.
        labels: names every one of them; several may be one class.
        classes: of the result.

    Raises:
        ConfigError: a label of the model is not named, a name is not one of its labels, a class
            does not exist, or not one label has a class.
    """
    problems = []
    if unnamed := [name for name in names if name not in labels]:
        problems.append(f"no class is given for {', '.join(map(repr, unnamed))}")
    if unknown := [name for name in labels if name not in names]:
        problems.append(f"the model has no label {', '.join(map(repr, unknown))}")
    if strange := sorted({c for c in labels.values() if c is not None and c not in classes}):
        problems.append(f"there is no class {', '.join(map(repr, strange))}")
    if not any(labels.values()):
        problems.append("not one label has a class")
    if problems:
        raise ConfigError(
            f"The labels do not fit the model: {'; '.join(problems)}.",
            f"The model's labels are: {', '.join(names)}; the classes: {', '.join(classes)}.",
        )
    rows = [[float(labels[name] == one) for one in classes] for name in names]
    return torch.tensor(rows)


def class_log_probabilities(logits: Tensor, matrix: Tensor, *, multi_label: bool) -> Tensor:
    """Add up what a model gives to the labels of each class.

    Args:
        logits: (B, labels) of the model.
        matrix: (labels, classes), see `label_matrix`. What has no class is left out and the rest
            brought to a sum of one.
        multi_label: the model's labels do not exclude one another (sigmoid).

    Returns:
        (B, classes) logarithms; a class without any label has the smallest there is.
    """
    shares = torch.sigmoid(logits) if multi_label else logits.softmax(dim=-1)
    kept = shares @ matrix.to(shares)
    probabilities = kept / kept.sum(dim=-1, keepdim=True).clamp(min=torch.finfo(kept.dtype).tiny)
    return probabilities.clamp(min=_SMALLEST).log()
