from __future__ import annotations

import subprocess
import sys

import pytest

from core.errors import CheckpointError
from core.models.base import EmotionModel
from core.models.registry import architecture_class, architectures


def test_listing_imports_no_torch():
    code = (
        "import sys; from core.models.registry import architectures; "
        "assert architectures(); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", architectures())
def test_every_name_leads_to_a_model(name):
    assert issubclass(architecture_class(name), EmotionModel)


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(CheckpointError, match="bimodal"):
        architecture_class("os:system")
