"""Marks texts that are translated where they are shown; `lupdate` finds them by the name."""

from __future__ import annotations


def QT_TRANSLATE_NOOP(context: str, text: str) -> str:
    """Return `text`; Qt's own function of this name is typed as returning any object."""
    return text
