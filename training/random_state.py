"""The state of every random generator a training step may draw from, as plain tensors."""

from __future__ import annotations

import random
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor


def seed_all(seed: int) -> None:
    """Seed torch (on every device), numpy's global generator and Python's."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)


def capture() -> dict[str, Tensor]:
    """Return the state of all generators; shapes and types are always the same."""
    name, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)
    assert name == "MT19937"
    version, words, next_gauss = random.getstate()
    found = {
        "torch": torch.get_rng_state(),
        "numpy.keys": torch.from_numpy(np.asarray(keys).astype(np.int64)),
        "numpy.position": torch.tensor([position, has_gauss]),
        "numpy.gauss": torch.tensor([gauss], dtype=torch.float64),
        "python.words": torch.tensor([version, *words]),
        "python.gauss": torch.tensor(
            [next_gauss is not None, next_gauss or 0.0], dtype=torch.float64
        ),
    }
    if torch.cuda.is_available():
        found["cuda"] = torch.cuda.get_rng_state()
    return found


def restore(state: Mapping[str, Tensor]) -> None:
    """Take over what `capture` returned; a GPU's state only where there is a GPU."""
    torch.set_rng_state(state["torch"].to(torch.uint8))
    position, has_gauss = state["numpy.position"].tolist()
    keys = state["numpy.keys"].numpy().astype(np.uint32)
    gauss = float(state["numpy.gauss"])
    np.random.set_state(("MT19937", keys, int(position), int(has_gauss), gauss))
    version, *words = (int(word) for word in state["python.words"].tolist())
    has_next, next_gauss = state["python.gauss"].tolist()
    random.setstate((version, tuple(words), next_gauss if has_next else None))
    if "cuda" in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state["cuda"].to(torch.uint8))
