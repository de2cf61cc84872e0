"""One colour per emotion, told apart by colour-blind readers; always shown with the word."""

from __future__ import annotations

from collections.abc import Mapping
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

UNKNOWN = "#666666"
"""For a class a checkpoint knows and the palette does not."""
