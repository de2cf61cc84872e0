"""One colour per emotion, told apart by colour-blind readers; always shown with the word."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType

# After Okabe & Ito (2008), Color Universal Design.
LIGHT: Mapping[str, str] = MappingProxyType(
    {
        "neutral": "#8C8C8C",
        "happy": "#E69F00",
        "angry": "#D55E00",
        "surprise": "#C9B400",
        "sad": "#0072B2",
        "fear": "#CC79A7",
        "disgust": "#009E73",
    }
)
DARK: Mapping[str, str] = MappingProxyType({**LIGHT, "surprise": "#F0E442", "sad": "#56A5E0"})

OWN_LIGHT: tuple[str, ...] = (
    "#9457C8",
    "#12A5BD",
    "#9E1B45",
    "#7F9300",
    "#7B4B2A",
    "#22246E",
    "#C2189B",
    "#36505C",
)
OWN_DARK: tuple[str, ...] = (
    "#C9A2FF",
    "#5FE0F0",
    "#E0486F",
    "#A9C11C",
    "#B98455",
    "#6468E6",
    "#F25FD0",
    "#B9CBD6",
)
"""For classes that only a checkpoint of the user's own knows: purple, cyan, wine, olive, brown,
indigo, magenta, slate."""

UNKNOWN = "#666666"
"""For a class whose model is not known, and for no class at all."""


def colours_for(labels: Sequence[str], dark: bool = False) -> dict[str, str]:
    """Return a colour for every label: our own classes keep theirs, others get one each.

    A label's colour hardly depends on its company: its name chooses, and only where two choose the
    same does one of them move on. Beyond eight such labels colours repeat.
    """
    known, own = (DARK, OWN_DARK) if dark else (LIGHT, OWN_LIGHT)
    colours = {label: known[label] for label in labels if label in known}
    taken: set[int] = set()
    for label in sorted(set(labels) - known.keys()):
        slot = _slot(label, len(own))
        while slot in taken and len(taken) < len(own):
            slot = (slot + 1) % len(own)
        taken.add(slot)
        colours[label] = own[slot]
    return colours


def _slot(label: str, count: int) -> int:
    return hashlib.sha256(label.encode()).digest()[0] % count
