"""Headless heart of Emoscope: audio, recognition, models, dialogue and the pipeline that joins them."""

__version__ = "0.1.0"
