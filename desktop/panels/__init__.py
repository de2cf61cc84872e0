"""The panels of the window, in a table: one dock, one file each."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from desktop.panels.panel import Panel


@dataclass(frozen=True, slots=True)
class PanelEntry:
    """Name (also in the stored layout), class, side, and share of the height of that side.

    `behind` names the panel whose place this one shares, as a tab behind it.
    """

    name: str
    target: str
    left: bool
    share: int = 0
    behind: str = ""

    def load(self) -> type[Panel]:
        """Import the class of the panel."""
        module, name = self.target.split(":")
        panel: type[Panel] = getattr(import_module(module), name)
        return panel


PANELS: tuple[PanelEntry, ...] = (
    PanelEntry("sound", "desktop.panels.sound:SoundPanel", left=True, share=20),
    PanelEntry("curves", "desktop.panels.curves:CurvesPanel", left=True, share=40),
    PanelEntry("dialogue", "desktop.panels.dialogue:DialoguePanel", left=True, behind="curves"),
    PanelEntry("transcript", "desktop.panels.transcript:TranscriptPanel", left=True, share=40),
    PanelEntry("now", "desktop.panels.now:NowPanel", left=False, share=32),
    PanelEntry("affect", "desktop.panels.affect:AffectPanel", left=False, share=26),
    PanelEntry("why", "desktop.panels.why:WhyPanel", left=False, share=42),
)
