"""What `emoscope quality --json` writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.asr.window_checks import WindowCheck
from core.quality.check import Checked
from core.quality.material import Material
from core.quality.rule import RULE


def as_json(
    digest: str, material: Material, checked: Sequence[Checked], window: WindowCheck | None
) -> dict[str, Any]:
    """Return everything that was found as plain JSON values."""
    return {
        "digest": digest,
        "rule": RULE.to_dict(),
        "material": {
            "kind": material.kind,
            "description": material.description,
            "hash": material.digest,
            "clips": len(material.clips),
            "seconds": round(material.seconds, 2),
            "texts": material.texts,
            "problems": list(material.problems),
        },
        "modes": [_mode(one) for one in checked],
        "whisper": None if window is None else {**window.to_dict(), "passed": window.passed},
    }


def _mode(one: Checked) -> dict[str, Any]:
    if one.record is not None:
        return {**one.record.to_dict(), "problem": ""}
    return {"modality": str(one.modality), "mode": str(one.mode), "problem": one.problem}
