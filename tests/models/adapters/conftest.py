"""Threads of torch: analyzers set them, and tiny encoders are faster with one."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)
