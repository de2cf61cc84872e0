"""Headless heart of Emoscope: audio, recognition, models, dialogue, and what joins them."""

__version__ = "0.1.0"
