"""The style sheet of a theme: cards, flat buttons, thin separators; a part for a kind of widget."""

from __future__ import annotations

from collections.abc import Callable

from desktop.theme import Theme


def style_sheet(theme: Theme) -> str:
    """Return the style sheet of a theme."""
    return "".join(part(theme) for part in _PARTS)


def _bars(t: Theme) -> str:
    """Style the bar at the top and the line at the bottom."""
    return f"""
    QToolBar {{ background: {t.card}; border: 0; border-bottom: 1px solid {t.border};
        padding: 5px 8px; spacing: 6px; }}
    QStatusBar {{ background: {t.card}; border-top: 1px solid {t.border}; color: {t.muted}; }}
    QStatusBar::item {{ border: 0; }}
    QStatusBar QLabel {{ color: {t.muted}; padding: 1px 4px; }}
    """


def _menus(t: Theme) -> str:
    """Style menus."""
    return f"""
    QMenuBar {{ background: {t.card}; color: {t.text}; padding: 1px 6px; }}
    QMenuBar::item {{ padding: 4px 8px; border-radius: 4px; background: transparent; }}
    QMenuBar::item:selected {{ background: {t.hover}; }}
    QMenu {{ background: {t.card}; border: 1px solid {t.border}; padding: 4px; }}
    QMenu::item {{ padding: 5px 26px 5px 22px; border-radius: 4px; }}
    QMenu#corrections::item {{ padding-left: 10px; }}
    QMenu#corrections::icon {{ padding-left: 8px; }}
    QMenu::item:selected {{ background: {t.hover}; color: {t.text}; }}
    QMenu::item:disabled {{ color: {t.muted}; }}
    QMenu::separator {{ height: 1px; background: {t.border}; margin: 4px 8px; }}
    """


def _docks(t: Theme) -> str:
    """Style docks, their tabs, and the cards in them."""
    return f"""
    QMainWindow::separator {{ background: transparent; width: 8px; height: 8px; }}
    QMainWindow::separator:hover {{ background: {t.border}; }}
    QDockWidget {{ color: {t.muted}; font-weight: 600; }}
    QDockWidget::title {{ background: transparent; padding: 2px 6px 3px 6px; text-align: left; }}
    QTabBar::tab {{ background: transparent; color: {t.muted}; padding: 4px 12px;
        border-bottom: 2px solid transparent; font-weight: 600; }}
    QTabBar::tab:selected {{ color: {t.text}; border-bottom-color: {t.accent}; }}
    QTabBar::tab:hover {{ background: {t.hover}; }}
    QFrame#card {{ background: {t.card}; border: 1px solid {t.border}; border-radius: 8px; }}
    """


def _buttons(t: Theme) -> str:
    """Style buttons, with text or with a picture."""
    return f"""
    QPushButton, QToolButton#choice {{ background: {t.card}; color: {t.text};
        border: 1px solid {t.border}; border-radius: 6px; padding: 5px 12px; }}
    QPushButton:hover {{ background: {t.hover}; }}
    QPushButton:focus, QComboBox:focus, QLineEdit:focus, QToolButton:focus {{
        border: 2px solid {t.accent}; padding: 4px 11px; }}
    QPushButton:disabled {{ color: {t.muted}; background: {t.sunken}; }}
    QPushButton:default, QPushButton#primary {{ background: {t.accent}; color: {t.on_accent};
        border-color: {t.accent}; font-weight: 600; }}
    QPushButton#primary:disabled {{ color: {t.muted}; background: {t.sunken}; }}
    QPushButton#small {{ padding: 2px 10px; }}
    QPushButton#small:focus {{ padding: 1px 9px; }}
    QPushButton#record {{ color: {t.record}; font-weight: 600; border-color: {t.record}; }}
    QToolButton {{ border: 1px solid transparent; border-radius: 6px; padding: 4px 8px;
        background: transparent; color: {t.text}; }}
    QToolButton:focus {{ padding: 3px 7px; }}
    QToolButton:hover, QToolButton:checked {{ background: {t.hover}; }}
    """


def _fields(t: Theme) -> str:
    """Style boxes to choose from and lines to type in."""
    return f"""
    QComboBox, QLineEdit {{ background: {t.card}; color: {t.text}; border: 1px solid {t.border};
        border-radius: 6px; padding: 4px 8px; min-height: 18px;
        selection-background-color: {t.accent}; selection-color: {t.on_accent}; }}
    QComboBox:focus, QLineEdit:focus {{ padding: 3px 7px; }}
    QComboBox:hover {{ background: {t.hover}; }}
    QComboBox:disabled {{ color: {t.muted}; background: {t.sunken}; }}
    QComboBox::drop-down {{ border: 0; width: 18px; }}
    QComboBox QAbstractItemView {{ background: {t.card}; border: 1px solid {t.border};
        selection-background-color: {t.hover}; selection-color: {t.text}; outline: 0; }}
    """


def _lists(t: Theme) -> str:
    """Style lists and what scrolls them."""
    return f"""
    QTableView {{ background: transparent; border: 0; gridline-color: transparent;
        selection-background-color: transparent; outline: 0; }}
    QTreeWidget {{ background: {t.sunken}; border: 1px solid {t.border}; border-radius: 6px;
        outline: 0; }}
    QTreeWidget:focus {{ border: 2px solid {t.accent}; }}
    QTreeWidget::item {{ padding: 3px 4px; }}
    QTreeWidget::item:selected {{ background: {t.hover}; color: {t.text}; }}
    QHeaderView::section {{ background: {t.sunken}; color: {t.muted}; border: 0; padding: 4px 6px;
        border-bottom: 1px solid {t.border}; }}
    QScrollBar:vertical {{ background: transparent; width: 10px; margin: 2px; }}
    QScrollBar::handle:vertical {{ background: {t.border}; border-radius: 3px; min-height: 28px; }}
    QScrollBar::handle:vertical:hover {{ background: {t.muted}; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; width: 0; }}
    QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
    QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 2px; }}
    QScrollBar::handle:horizontal {{ background: {t.border}; border-radius: 3px;
        min-width: 28px; }}
    """


def _small(t: Theme) -> str:
    """Style what says a little: progress, tooltips, labels."""
    return f"""
    QProgressBar {{ background: {t.sunken}; border: 1px solid {t.border}; border-radius: 5px;
        text-align: center; color: {t.text}; min-height: 14px; }}
    QProgressBar::chunk {{ background: {t.hover}; border-radius: 4px; }}
    QToolTip {{ background: {t.card}; color: {t.text}; border: 1px solid {t.border};
        padding: 4px; }}
    QLabel#muted, QLabel#caption {{ color: {t.muted}; }}
    QLabel#heading {{ font-weight: 600; }}
    """


def _engine(t: Theme) -> str:
    """Style what is said about the engine, in the line at the bottom and above it."""
    return f"""
    QStatusBar QToolButton#engine {{ color: {t.muted}; padding: 1px 6px; }}
    QStatusBar QToolButton#engine:focus {{ padding: 0px 5px; }}
    QStatusBar QLabel#delay[late="true"] {{ background: {t.warning}; color: {t.text};
        border-radius: 4px; padding: 1px 6px; }}
    QFrame#enginePage {{ background: {t.card}; border: 1px solid {t.border}; }}
    QFrame#enginePage QLabel {{ color: {t.text}; }}
    QFrame#enginePage QLabel#caption {{ color: {t.muted}; }}
    """


def _banners(t: Theme) -> str:
    """Style pages of a dialog and banners."""
    return f"""
    QTabWidget::pane {{ border: 0; border-top: 1px solid {t.border}; }}
    QDialogButtonBox {{ dialogbuttonbox-buttons-have-icons: 0; }}
    QFrame#banner {{ border: 1px solid {t.border}; border-radius: 8px; }}
    QFrame#outcome[severity="info"], QFrame#outcome[severity="warning"] {{
        border: 1px solid {t.border}; border-radius: 8px; }}
    QFrame#outcome[severity="info"] {{ background: {t.info}; }}
    QFrame#outcome[severity="warning"] {{ background: {t.warning}; }}
    QFrame#banner[severity="info"] {{ background: {t.info}; }}
    QFrame#banner[severity="warning"] {{ background: {t.warning}; }}
    QFrame#banner[severity="error"] {{ background: {t.error}; }}
    """


_PARTS: tuple[Callable[[Theme], str], ...] = (
    _bars,
    _menus,
    _docks,
    _buttons,
    _fields,
    _lists,
    _small,
    _engine,
    _banners,
)
"""In this order: of two rules that fit equally well, the later one counts."""
