"""Verdicts in words, for the terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from core.quality.records import QualityRecord
from core.quality.rule import DIFFERING, SHIFTED, SWITCHING, TOO_FEW, WORSE


def verdict(record: QualityRecord) -> str:
    """Return whether a mode passes, and if not, why not and what it would take."""
    if record.passed:
        return f"passes: at most {_percent(1.0 - record.surely_right)} of answers mislead"
    whys = (_OBJECTIONS[code](record) for code in record.objections)
    return "does not pass: " + "; ".join(whys)


def shift(value: float) -> str:
    """Return a difference of probabilities; a tiny one as a bound."""
    return f"{value:.4f}" if value >= 5e-5 else "<.0001"


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %"


def _too_few(record: QualityRecord) -> str:
    allowed = record.misleading <= (1.0 - record.rule.agreement) * record.clips
    needed = record.rule.clips_needed(record.misleading if allowed else 0)
    among = f"{record.misleading} of them" if allowed and record.misleading else "none of them"
    return f"{record.clips} clips prove too little, it takes {needed} with {among} misleading"


def _differing(record: QualityRecord) -> str:
    most = _percent(1.0 - record.rule.agreement)
    return (
        f"{record.misleading} of {record.clips} answers differ and are not marked as unsure, "
        f"{most} is the most"
    )


def _switching(record: QualityRecord) -> str:
    most = _percent(1.0 - record.rule.outright)
    return f"{record.clips - record.same} of {record.clips} labels differ, {most} may, with margin"


def _shifted(record: QualityRecord) -> str:
    moved = shift(record.largest_shift)
    return f"a probability moved by {moved}, {record.rule.shift:g} is the most"


def _worse(record: QualityRecord) -> str:
    highest = record.f1_loss_interval[1] if record.f1_loss_interval else 1.0
    return f"F1 may be lower by {highest:.3f}, {record.rule.f1_loss:g} is the most"


_OBJECTIONS: Mapping[str, Callable[[QualityRecord], str]] = MappingProxyType(
    {
        TOO_FEW: _too_few,
        DIFFERING: _differing,
        SWITCHING: _switching,
        SHIFTED: _shifted,
        WORSE: _worse,
    }
)
