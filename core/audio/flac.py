"""Mono sound as a FLAC file: 16 bits, 16 kHz."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.types import SAMPLE_RATE, FloatArray


def write_flac(path: Path, samples: FloatArray) -> None:
    """Write mono samples (n,) in [-1, 1]. Raises OSError, FFmpeg's own errors among them."""
    import av

    pcm = np.round(samples * 32767).clip(-32768, 32767).astype(np.int16)
    with av.open(str(path), "w", format="flac") as container:
        stream = container.add_stream("flac", rate=SAMPLE_RATE)
        stream.layout = "mono"
        stream.format = "s16"
        frame = av.AudioFrame.from_ndarray(pcm[None, :], format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
