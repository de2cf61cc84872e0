"""Recordings in every format, made on the spot."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

from core.types import FloatArray

CODECS = {
    "wav": "pcm_s16le",
    "mp3": "libmp3lame",
    "flac": "flac",
    "m4a": "aac",
    "ogg": "libopus",
    "opus": "libopus",
    "mp4": "aac",
    "mkv": "aac",
    "webm": "libopus",
}
VIDEO_CODECS = {"mp4": "mpeg4", "mkv": "mpeg4", "webm": "libvpx"}

FRAMES = 5
"""Pictures a second."""


def write_media(path: Path, samples: FloatArray, rate: int, audio_delay: float = 0.0) -> Path:
    """Write samples, shape (channels, n), in the format of the name, with pictures where usual.

    `audio_delay` (s) is where the sound begins on the time line of a film.
    """
    kind = path.suffix[1:]
    codec, layout = CODECS[kind], "mono" if len(samples) == 1 else "stereo"
    coded_rate = 48_000 if codec == "libopus" else rate
    with av.open(str(path), "w") as container:
        video = (
            container.add_stream(VIDEO_CODECS[kind], rate=FRAMES) if kind in VIDEO_CODECS else None
        )
        audio = container.add_stream(codec, rate=coded_rate)
        audio.layout = layout
        if video is not None:
            video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
            video.options = {"deadline": "realtime"} if kind == "webm" else {}
            for number in range(int(FRAMES * (samples.shape[1] / rate + audio_delay))):
                picture = np.full((64, 64, 3), number % 250, np.uint8)
                container.mux(video.encode(av.VideoFrame.from_ndarray(picture)))
            container.mux(video.encode(None))
        position = round(audio_delay * coded_rate)
        for frame in _frames(samples, rate, coded_rate, layout, audio):
            frame.pts = position
            position += frame.samples
            container.mux(audio.encode(frame))
        container.mux(audio.encode(None))
    return path


def _frames(samples: FloatArray, rate: int, coded_rate: int, layout: str, audio) -> list:  # type: ignore[no-untyped-def, type-arg]
    whole = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), "fltp", layout)
    whole.sample_rate = rate
    resampler = av.AudioResampler(audio.format.name, layout, coded_rate)
    queue = av.AudioFifo()
    for frame in resampler.resample(whole) + resampler.resample(None):
        frame.pts = None
        queue.write(frame)
    frames = []
    while (frame := queue.read(audio.codec_context.frame_size or 1024, partial=True)) is not None:
        frames.append(frame)
    return frames


def tone(frequency: float, seconds: float, rate: int, amplitude: float = 0.3) -> FloatArray:
    """Return a sine, shape (n,)."""
    time = np.arange(round(seconds * rate)) / rate
    return (amplitude * np.sin(2 * np.pi * frequency * time)).astype(np.float32)
