"""Light and dark: one set of colours, a QPalette and a small style sheet for each.

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


def style_sheet(theme: Theme) -> str:
    """Return the style sheet of a theme: cards, flat buttons, thin separators."""
    t = theme
    return f"""
    QToolBar {{ background: {t.card}; border: 0; border-bottom: 1px solid {t.border};
        padding: 5px 8px; spacing: 6px; }}
    QStatusBar {{ background: {t.card}; border-top: 1px solid {t.border}; color: {t.muted}; }}
    QStatusBar::item {{ border: 0; }}
    QStatusBar QLabel {{ color: {t.muted}; padding: 1px 4px; }}
    QMenuBar {{ background: {t.card}; color: {t.text}; padding: 1px 6px; }}
    QMenuBar::item {{ padding: 4px 8px; border-radius: 4px; background: transparent; }}
    QMenuBar::item:selected {{ background: {t.hover}; }}
    QMenu {{ background: {t.card}; border: 1px solid {t.border}; padding: 4px; }}
    QMenu::item {{ padding: 5px 26px 5px 22px; border-radius: 4px; }}
    QMenu::item:selected {{ background: {t.hover}; color: {t.text}; }}
    QMenu::item:disabled {{ color: {t.muted}; }}
    QMenu::separator {{ height: 1px; background: {t.border}; margin: 4px 8px; }}
    QMainWindow::separator {{ background: transparent; width: 8px; height: 8px; }}
    QMainWindow::separator:hover {{ background: {t.border}; }}
    QDockWidget {{ color: {t.muted}; font-weight: 600; }}
    QDockWidget::title {{ background: transparent; padding: 2px 6px 3px 6px; text-align: left; }}
    QTabBar::tab {{ background: transparent; color: {t.muted}; padding: 4px 12px;
        border-bottom: 2px solid transparent; font-weight: 600; }}
    QTabBar::tab:selected {{ color: {t.text}; border-bottom-color: {t.accent}; }}
    QTabBar::tab:hover {{ background: {t.hover}; }}
    QFrame#card {{ background: {t.card}; border: 1px solid {t.border}; border-radius: 8px; }}
    QPushButton, QToolButton#choice {{ background: {t.card}; color: {t.text};
        border: 1px solid {t.border}; border-radius: 6px; padding: 5px 12px; }}
    QPushButton:hover {{ background: {t.hover}; }}
    QPushButton:focus, QComboBox:focus, QLineEdit:focus, QToolButton:focus {{
        border: 2px solid {t.accent}; padding: 4px 11px; }}
    QPushButton:disabled {{ color: {t.muted}; background: {t.sunken}; }}
    QPushButton:default, QPushButton#primary {{ background: {t.accent}; color: {t.on_accent};
        border-color: {t.accent}; font-weight: 600; }}
    QPushButton#primary:disabled {{ color: {t.muted}; background: {t.sunken}; }}
    QPushButton#record {{ color: {t.record}; font-weight: 600; border-color: {t.record}; }}
    QToolButton {{ border: 1px solid transparent; border-radius: 6px; padding: 4px 8px;
        background: transparent; color: {t.text}; }}
    QToolButton:focus {{ padding: 3px 7px; }}
    QToolButton:hover, QToolButton:checked {{ background: {t.hover}; }}
    QComboBox, QLineEdit {{ background: {t.card}; color: {t.text}; border: 1px solid {t.border};
        border-radius: 6px; padding: 4px 8px; min-height: 18px;
        selection-background-color: {t.accent}; selection-color: {t.on_accent}; }}
    QComboBox:focus, QLineEdit:focus {{ padding: 3px 7px; }}
    QComboBox:hover {{ background: {t.hover}; }}
    QComboBox:disabled {{ color: {t.muted}; background: {t.sunken}; }}
    QComboBox::drop-down {{ border: 0; width: 18px; }}
    QComboBox QAbstractItemView {{ background: {t.card}; border: 1px solid {t.border};
        selection-background-color: {t.hover}; selection-color: {t.text}; outline: 0; }}
    QTableView {{ background: transparent; border: 0; gridline-color: transparent;
        selection-background-color: transparent; outline: 0; }}
    QScrollBar:vertical {{ background: transparent; width: 10px; margin: 2px; }}
    QScrollBar::handle:vertical {{ background: {t.border}; border-radius: 3px; min-height: 28px; }}
    QScrollBar::handle:vertical:hover {{ background: {t.muted}; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; width: 0; }}
    QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
    QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 2px; }}
    QScrollBar::handle:horizontal {{ background: {t.border}; border-radius: 3px;
        min-width: 28px; }}
    QProgressBar {{ background: {t.sunken}; border: 1px solid {t.border}; border-radius: 5px;
        text-align: center; color: {t.text}; min-height: 14px; }}
    QProgressBar::chunk {{ background: {t.hover}; border-radius: 4px; }}
    QToolTip {{ background: {t.card}; color: {t.text}; border: 1px solid {t.border};
        padding: 4px; }}
    QLabel#muted, QLabel#caption {{ color: {t.muted}; }}
    QLabel#heading {{ font-weight: 600; }}
    QStatusBar QToolButton#engine {{ color: {t.muted}; padding: 1px 6px; }}
    QStatusBar QToolButton#engine:focus {{ padding: 0px 5px; }}
    QStatusBar QLabel#delay[late="true"] {{ background: {t.warning}; color: {t.text};
        border-radius: 4px; padding: 1px 6px; }}
    QFrame#enginePage {{ background: {t.card}; border: 1px solid {t.border}; }}
    QFrame#enginePage QLabel {{ color: {t.text}; }}
    QFrame#enginePage QLabel#caption {{ color: {t.muted}; }}
    QTabWidget::pane {{ border: 0; border-top: 1px solid {t.border}; }}
    QFrame#banner {{ border: 1px solid {t.border}; border-radius: 8px; }}
    QFrame#banner[severity="info"] {{ background: {t.info}; }}
    QFrame#banner[severity="warning"] {{ background: {t.warning}; }}
    QFrame#banner[severity="error"] {{ background: {t.error}; }}
    """
