"""A tiny generated KEMDy20 and encoders, made once per session, and a configuration for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from training import config as configuration
from training.generated.encoders import write_encoder
from training.generated.kemdy import write_kemdy20
from training.generated.kemdy_segments import GeneratedKemdy
from training.system_config import SystemConfig

SHAPE = GeneratedKemdy(sessions=6, segments=16, seconds=(0.5, 0.9), ties=0.1)


def make(folder: Path) -> Path:
    """Write `kemdy20`, `speech` and `text` into a folder."""
    write_kemdy20(folder / "kemdy20", SHAPE)
    write_encoder("wav2vec2_large_like", folder / "speech", width=16, layers=1, features=16)
    write_encoder("klue_roberta_like", folder / "text", width=16, layers=1)
    return folder


def mapping(folder: Path, **changes: Any) -> dict[str, Any]:
    """Return the keys of a YAML for what `make` wrote."""
    return {
        "name": "trial",
        "system": "early",
        "corpus": {
            "name": "kemdy20", "path": "kemdy20", "label_transform": True, "licence": "generated",
        },
        "speech": {"model": str(folder / "speech")},
        "text": {"model": str(folder / "text")},
        "loss": {"emotion": "cross_entropy"},
        "trainer": {
            "epochs": 3, "learning_rate": 0.01, "ema_decay": 0.0, "metric": "f1_macro",
            "device": "cpu",
        },
        "split": {"folds": 3, "validation": 0.3},
        "features": {"sequence": "float32"},
        "half": False,
        **changes,
    }  # fmt: skip


def config(folder: Path, **changes: Any) -> SystemConfig:
    """Return the configuration."""
    return configuration.from_mapping(SystemConfig, mapping(folder, **changes), Path("x.yaml"))
