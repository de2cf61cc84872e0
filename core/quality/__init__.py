"""Whether faster but inexact ways to compute a model answer as the exact one does, and for whom.

`passed` is what the runtimes ask before they take a lossy mode; importing this needs no torch.
How verdicts come about is in `rule`, `comparison` and `check`; `emoscope quality` runs it.
"""

from __future__ import annotations

from core.quality.records import QualityRecord
from core.quality.rule import RULE, Rule
from core.quality.store import passed, store_folder

__all__ = ["RULE", "QualityRecord", "Rule", "passed", "store_folder"]
