"""That an encoder is exported, which takes long, is told while the model is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.models.runtimes import base, equip
from core.pipeline.analyzer import load_analyzer
from tests.checkpoints import make_speech_text_checkpoint


@pytest.mark.skipif(
    bool(base.missing(base.Mode("onnxruntime"))), reason="ONNX Runtime or onnx is not installed"
)
def test_exporting_is_told_the_first_time_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(equip, "default_cache", lambda: tmp_path / "cache")
    checkpoint = make_speech_text_checkpoint(tmp_path / "cat", system="cat", pretrained=True)
    told: list[str] = []
    for time in ("first", "second"):
        analyzer = load_analyzer(
            checkpoint, "cpu", "onnxruntime", exporting=lambda time=time: told.append(time)
        )
        assert not set(told) & {"second"}
        analyzer.warm_up()
        assert {info.name for info in analyzer.model.runtimes} == {"onnxruntime"}
    assert set(told) == {"first"}
