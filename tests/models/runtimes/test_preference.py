from __future__ import annotations

import subprocess
import sys

import pytest

from core.errors import ConfigError
from core.models.runtimes import base
from core.models.runtimes.base import Mode, Precision, Preference, available, parse_preference


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("auto", Preference()),
        ("lossy", Preference(lossy=True)),
        (" Packed ", Preference(Mode("packed"))),
        ("openvino", Preference(Mode("openvino"))),
        ("openvino:fp32", Preference(Mode("openvino"))),
        ("openvino:bf16", Preference(Mode("openvino", Precision.BF16))),
        ("onnxruntime:int8", Preference(Mode("onnxruntime", Precision.INT8))),
    ],
)
def test_a_preference_is_read(text, expected):
    assert parse_preference(text) == expected
    assert parse_preference(str(expected)) == expected


@pytest.mark.parametrize("text", ["", "tensorrt", "openvino:int3", "torch:int8", "packed:", ":"])
def test_what_there_is_not_is_refused_with_what_there_is(text):
    with pytest.raises(ConfigError) as raised:
        parse_preference(text)
    for name in ("auto", "lossy", "torch", "packed", "onnxruntime:int8", "openvino:bf16"):
        assert name in raised.value.remedy


def test_only_modes_whose_packages_are_installed_are_available(monkeypatch):
    monkeypatch.setattr(base, "find_spec", lambda name: None if name == "openvino" else object())
    runtimes = {mode.runtime for mode in available()}
    assert runtimes == {"torch", "packed", "onnxruntime"}
    monkeypatch.setattr(base, "find_spec", lambda name: None)
    assert {mode.runtime for mode in available()} == {"torch", "packed"}


def test_asking_what_there_is_imports_nothing_heavy():
    code = (
        "import sys; from core.models.runtimes.base import available; import"
        " core.models.runtimes.equip; available();"
        " print([n for n in ('torch', 'onnxruntime', 'openvino', 'onnx') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
