"""Where the files that ship with Emoscope are, in a checkout and in an installed wheel."""

from __future__ import annotations

from pathlib import Path

_PARENT = Path(__file__).resolve().parents[1]


def assets_dir() -> Path:
    """Return the folder of shipped assets: `assets/` in a checkout, else `emoscope_assets/`."""
    checkout = _PARENT / "assets"
    return checkout if checkout.is_dir() else _PARENT / "emoscope_assets"


def embedded_checkpoint() -> Path:
    """Return the folder of the checkpoint that ships with Emoscope."""
    return assets_dir() / "checkpoints" / "embedded"


def dialogue_checkpoint() -> Path:
    """Return the folder of the dialogue checkpoint that ships with Emoscope."""
    return assets_dir() / "checkpoints" / "dialogue"


def voice_checkpoint() -> Path:
    """Return the folder of the voice checkpoint that ships with Emoscope."""
    return assets_dir() / "checkpoints" / "voices"


def sample_dialogue() -> Path:
    """Return the recording of the bundled synthetic dialogue; its transcript lies beside it."""
    return assets_dir() / "samples" / "dialogue.flac"
