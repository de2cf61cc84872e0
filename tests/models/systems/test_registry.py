"""Systems by name: every one can be made, and listing them costs nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from core.errors import ConfigError
from core.models.systems.head import SystemHead
from core.models.systems.registry import SYSTEMS, head_class, system
from core.types import Modality


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system_has_a_head(name: str) -> None:
    assert issubclass(head_class(name), SystemHead)
    assert head_class(name).__doc__
    assert set(system(name).modalities) <= {Modality.SPEECH, Modality.TEXT}


def test_an_unknown_system_is_refused_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match="There are: speech, text, early"):
        system("telepathy")


def test_listing_systems_needs_no_torch() -> None:
    code = (
        "import sys, core.models.systems.registry, core.models.registry;"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
