"""Puts the window together: application, style, translators, exception hook, controller.

Nothing here imports torch or an audio library; models load on the session's own threads.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Sequence
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QApplication

from desktop import theme as themes
from desktop.theme import Theme

log = logging.getLogger(__name__)

FONT_FAMILIES = (
    "Pretendard",
    "Noto Sans KR",
    "Noto Sans CJK KR",
    "Apple SD Gothic Neo",
    "Malgun Gothic",
    "NanumGothic",
    "Segoe UI",
    "DejaVu Sans",
)
"""Families that draw Hangul and Latin alike, the first one that is installed wins."""


def style(application: QApplication, theme: Theme) -> None:
    """Give the application a theme: Qt's Fusion style, a palette, a style sheet."""
    if application.style().objectName().lower() != "fusion":
        application.setStyle("Fusion")
    application.setPalette(themes.make_palette(theme))
    application.setStyleSheet(themes.style_sheet(theme))


def set_font(application: QApplication) -> None:
    """Choose a font that renders Hangul."""
    font = QFont(application.font())
    font.setFamilies(list(FONT_FAMILIES))
    if font.pointSizeF() < 9.5:
        font.setPointSizeF(9.5)
    application.setFont(font)
