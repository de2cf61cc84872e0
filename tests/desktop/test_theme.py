from __future__ import annotations

import pytest
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication

from core.labels import EMOTIONS
from desktop.theme import DARK, LIGHT, THEMES, Theme, choose, contrast, make_palette

TEXT = 4.5
GRAPHICS = 3.0


def test_contrast_agrees_with_the_standard() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21.0)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)
    assert contrast("#123456", "#123456") == pytest.approx(1.0)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_words_can_be_read_on_everything_they_stand_on(theme: Theme) -> None:
    grounds = ("window", "card", "sunken", "hover", "info", "warning", "error")
    for ground in grounds:
        assert contrast(theme.text, getattr(theme, ground)) >= TEXT, ground
    for ground in ("window", "card", "sunken", "hover"):
        assert contrast(theme.muted, getattr(theme, ground)) >= TEXT, ground
    for ground in ("window", "card"):
        assert contrast(theme.accent, getattr(theme, ground)) >= TEXT, ground
    assert contrast(theme.record, theme.card) >= TEXT
    assert contrast(theme.on_accent, theme.accent) >= TEXT


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_every_emotion_stands_out_by_its_colour_or_its_outline(theme: Theme) -> None:
    for label in EMOTIONS:
        colour = theme.emotion_colour(label).name()
        assert contrast(colour, theme.card) >= GRAPHICS or theme.needs_outline(label), label
    assert contrast(theme.text, theme.card) >= GRAPHICS  # the outline itself
    assert contrast(theme.wave, theme.card) >= GRAPHICS


def test_happy_and_surprise_are_outlined_on_white() -> None:
    assert LIGHT.needs_outline("happy")
    assert LIGHT.needs_outline("surprise")
    assert not LIGHT.needs_outline("sad")


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_the_palette_gives_disabled_words_a_readable_colour(qt: QApplication, theme: Theme) -> None:
    palette = make_palette(theme)
    group, role = QPalette.ColorGroup.Disabled, QPalette.ColorRole.ButtonText
    assert contrast(palette.color(group, role).name(), theme.card) >= TEXT


def test_a_theme_is_chosen_by_name_and_the_desktop_decides_otherwise(qt: QApplication) -> None:
    assert choose("dark") is DARK
    assert choose("light") is LIGHT
    assert choose("system") in THEMES.values()


def test_a_class_without_a_colour_is_grey_and_does_not_fail() -> None:
    assert LIGHT.emotion_colour("boredom").name() == "#666666"
