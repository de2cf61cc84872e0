"""Light and dark: one set of colours and a QPalette for each; `style_sheet` has the rest.

Qt's own colour scheme does nothing on a bare X server, so both palettes are shipped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication, QPalette

from core import palette

UNSURE = 0.6
"""Opacity of an emotion that is not sure."""

OUTLINE_BELOW = 3.0
"""A chip or curve with less contrast than this to its background is drawn with an outline."""


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours as #RRGGBB; `emotion` maps a class to its colour."""

    name: str
    window: str
    card: str
    sunken: str
    border: str
    text: str
    muted: str
    accent: str
    on_accent: str
    hover: str
    record: str
    clip: str
    info: str
    warning: str
    error: str
    wave: str
    emotion: Mapping[str, str]

    @property
    def is_dark(self) -> bool:
        """True for light text on a dark background."""
        return luminance(self.window) < 0.2

    def for_labels(self, labels: Sequence[str]) -> Theme:
        """Return this theme with a colour for every class of a model, its own ones too."""
        base = palette.DARK if self.is_dark else palette.LIGHT
        return replace(self, emotion={**base, **palette.colours_for(labels, self.is_dark)})

    def emotion_colour(self, label: str) -> QColor:
        """Return the colour of a class, grey for one this version does not know."""
        return QColor(self.emotion.get(label, palette.UNKNOWN))

    def needs_outline(self, label: str) -> bool:
        """True when the colour of `label` is too close to the background of a card."""
        return contrast(self.emotion_colour(label).name(), self.card) < OUTLINE_BELOW


LIGHT = Theme(
    name="light",
    window="#EEF0F3",
    card="#FFFFFF",
    sunken="#F5F6F8",
    border="#D3D8DF",
    text="#1A1F26",
    muted="#56606C",
    accent="#1F5FBF",
    on_accent="#FFFFFF",
    hover="#E3EAF5",
    record="#C02B37",
    clip="#C02B37",
    info="#E4EDFA",
    warning="#FFF0CC",
    error="#FBE0E0",
    wave="#3D6DA8",
    emotion=palette.LIGHT,
)
DARK = Theme(
    name="dark",
    window="#0F1216",
    card="#191E25",
    sunken="#12161B",
    border="#323A45",
    text="#E9ECEF",
    muted="#A6AFBA",
    accent="#7DB4FF",
    on_accent="#0B1320",
    hover="#27303C",
    record="#FF6B74",
    clip="#FF6B74",
    info="#1D2F48",
    warning="#443613",
    error="#4C2226",
    wave="#6FA3E0",
    emotion=palette.DARK,
)
THEMES: Mapping[str, Theme] = {LIGHT.name: LIGHT, DARK.name: DARK}


def luminance(colour: str) -> float:
    """Return the relative luminance of #RRGGBB (WCAG 2.2, "relative luminance")."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def ink_on(colour: str) -> str:
    """Return black or white, whichever is easier to read on #RRGGBB."""
    return max(("#FFFFFF", "#10151C"), key=lambda ink: contrast(ink, colour))


def choose(name: str) -> Theme:
    """Return the theme called `name`; "system" asks the desktop and falls back to light."""
    if name in THEMES:
        return THEMES[name]
    hints = QGuiApplication.styleHints()
    return DARK if hints is not None and hints.colorScheme() == Qt.ColorScheme.Dark else LIGHT


def make_palette(theme: Theme) -> QPalette:
    """Return the Qt palette of a theme."""
    role = QPalette.ColorRole
    colours = {
        role.Window: theme.window,
        role.WindowText: theme.text,
        role.Base: theme.card,
        role.AlternateBase: theme.sunken,
        role.Text: theme.text,
        role.Button: theme.card,
        role.ButtonText: theme.text,
        role.BrightText: theme.record,
        role.ToolTipBase: theme.card,
        role.ToolTipText: theme.text,
        role.PlaceholderText: theme.muted,
        role.Highlight: theme.accent,
        role.HighlightedText: theme.on_accent,
        role.Link: theme.accent,
        role.LinkVisited: theme.accent,
        role.Mid: theme.border,
        role.Midlight: theme.hover,
        role.Dark: theme.border,
        role.Light: theme.card,
        role.Shadow: theme.border,
        role.Accent: theme.accent,
    }
    result = QPalette()
    for key, colour in colours.items():
        result.setColor(key, QColor(colour))
    for key in (role.Text, role.WindowText, role.ButtonText):
        result.setColor(QPalette.ColorGroup.Disabled, key, QColor(theme.muted))
    return result
