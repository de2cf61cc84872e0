"""Streaming decode of every recording that PyAV (FFmpeg) opens, to 16 kHz float32.

An hour takes some tens of megabytes: one chunk is held at a time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np

from core.audio.channels import ChannelMode, select_channels
from core.audio.completeness import ogg_is_complete, stated_wav_bytes
from core.audio.resampling import Resampler
from core.errors import MediaError
from core.types import SAMPLE_RATE, FloatArray, Message

CHUNK_SECONDS = 1.0
"""Length of the pieces that are resampled at a time."""

SHORT_SECONDS = 0.15
"""A decode that misses more than this of the stated length is short (codecs round and pad)."""

ESTIMATED_SHARE = 0.05
"""What it may miss besides where the length is only estimated, from the first bit rate."""

ESTIMATING = ("mp3", "aac", "mpeg", "mpegts", "avi")
"""Containers without an exact length of their tracks."""

OFFSET_SECONDS = 0.1
"""A track that begins later than this after its container's start is preceded by silence."""


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What a recording's header says.

    `duration` is in seconds, None when the header is silent; `is_estimated` when it is a guess.
    """

    path: Path
    container: str
    codec: str
    sample_rate: int
    channels: int
    duration: float | None
    has_video: bool
    is_estimated: bool = False


def probe(path: str | os.PathLike[str]) -> MediaInfo:
    """Return what the header of a recording says. Raises MediaError."""
    with _opened(Path(path)) as (container, stream):
        return _info(Path(path), container, stream)


class AudioDecoder:
    """Decodes one recording, once; iterate to get chunks of shape (channels, n) at 16 kHz.

    Iterating raises MediaError where the data is damaged: a recording is never silently shortened.
    `messages` (after the end) says when it was shorter than its header states (`media_short`: name,
    decoded, stated) or stops without the mark of its end (`media_unfinished`: name, decoded).
    """

    def __init__(
        self, path: str | os.PathLike[str], channels: ChannelMode = ChannelMode.MONO
    ) -> None:
        self._path = Path(path)
        self._mode = channels
        self.info = probe(self._path)
        self.channels = channels.outputs(self.info.channels)
        self.decoded = 0
        self.messages: tuple[Message, ...] = ()

    def __iter__(self) -> Iterator[FloatArray]:
        resampler = Resampler(self.info.sample_rate, self.channels)
        for frames in self._gathered():
            yield from self._counted(resampler.process(frames))
        yield from self._counted(resampler.finish())
        if self.decoded == 0:
            raise MediaError(
                f"{self._path} contains no audio after its header.",
                "It is incomplete: record or copy it again.",
            )
        self.messages = self._shortness()

    def _counted(self, chunk: FloatArray) -> Iterator[FloatArray]:
        if chunk.shape[1]:
            self.decoded += chunk.shape[1]
            yield chunk

    def _gathered(self) -> Iterator[FloatArray]:
        """Yield selected channels at the native rate in pieces of about `CHUNK_SECONDS`."""
        wanted = int(self.info.sample_rate * CHUNK_SECONDS)
        pending: list[FloatArray] = []
        count = 0
        for frames in self._selected():
            pending.append(frames)
            count += frames.shape[1]
            if count >= wanted:
                yield np.concatenate(pending, axis=1)
                pending, count = [], 0
        if pending:
            yield np.concatenate(pending, axis=1)

    def _selected(self) -> Iterator[FloatArray]:
        with _opened(self._path) as (container, stream):
            stream.thread_type = "NONE"
            converter = av.AudioResampler(format="fltp")
            first = True
            for frame in self._frames(container, stream):
                if first:
                    first = False
                    yield from self._leading_silence(container, frame)
                for converted in self._converted(converter, frame):
                    yield select_channels(converted.to_ndarray(), self._mode)

    def _frames(self, container: Any, stream: Any) -> Iterator[Any]:
        position = 0.0
        try:
            for frame in container.decode(stream):
                yield frame
                position += frame.samples / frame.sample_rate
        except av.error.FFmpegError as error:
            stated = self.info.duration
            if stated is None or position < stated - SHORT_SECONDS:
                raise _damaged(self._path, position) from error
            # All of the sound is there; what follows it (tags, zeros) is not sound.

    def _converted(self, converter: Any, frame: Any) -> Any:
        try:
            return converter.resample(frame)
        except (ValueError, av.error.FFmpegError) as error:
            raise MediaError(
                f"{self._path} changes its sample rate or channels on the way.",
                "Convert it to WAV or FLAC first.",
            ) from error

    def _leading_silence(self, container: Any, frame: Any) -> Iterator[FloatArray]:
        """Keep the container's time line when the audio track begins later than the video."""
        begin = (container.start_time or 0) / av.time_base
        offset = (frame.time or 0.0) - begin
        if self.info.has_video and OFFSET_SECONDS < offset < (self.info.duration or 0.0):
            count = round(offset * self.info.sample_rate)
            yield np.zeros((self.channels, count), np.float32)

    def _shortness(self) -> tuple[Message, ...]:
        stated, decoded = self.info.duration, self.decoded / SAMPLE_RATE
        values = {"name": self._path.name, "decoded": f"{decoded:.1f}"}
        if stated is not None:
            share = ESTIMATED_SHARE if self.info.is_estimated else 0.0
            if stated - decoded > SHORT_SECONDS + share * stated:
                return (Message("media_short", {**values, "stated": f"{stated:.1f}"}),)
        if self.info.container == "ogg" and not ogg_is_complete(self._path):
            return (Message("media_unfinished", values),)
        return ()


def read_audio(
    path: str | os.PathLike[str], channels: ChannelMode = ChannelMode.MONO
) -> FloatArray:
    """Return a whole (short) recording, shape (channels, n) at 16 kHz. Raises MediaError."""
    return np.concatenate(list(AudioDecoder(path, channels)), axis=1)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, Any]]:
    """Open a recording and its best audio track, or raise MediaError with a remedy."""
    _check_file(path)
    try:
        container = av.open(str(path), mode="r", metadata_errors="replace")
    except (av.error.FFmpegError, OSError) as error:
        raise _unreadable(path) from error
    try:
        if container.format.name == "tty":  # FFmpeg takes any text for a picture of letters
            raise _unreadable(path)
        stream = container.streams.best("audio")
        if stream is None and not container.streams.audio:
            raise MediaError(
                f"{path} has no audio track.", "Choose a recording in which somebody can be heard."
            )
        codec = stream.codec_context if stream is not None else None
        if codec is None or not codec.sample_rate or not codec.channels:
            raise _unreadable(path)
        yield container, stream
    finally:
        container.close()


def _check_file(path: Path) -> None:
    try:
        if path.is_dir():
            raise MediaError(f"{path} is a folder.", "Choose the recordings inside it.")
        with path.open("rb") as file:
            if not file.read(1):
                raise MediaError(f"{path} is empty.", "Record or copy it again.")
    except FileNotFoundError as error:
        raise MediaError(f"{path} does not exist.", "Check the name and the folder.") from error
    except PermissionError as error:
        raise MediaError(
            f"{path} may not be read.", "Give yourself permission to read it, or copy it."
        ) from error
    except OSError as error:
        raise MediaError(
            f"{path} can't be read ({error.strerror}).", "Copy it to this computer first."
        ) from error


def _unreadable(path: Path) -> MediaError:
    return MediaError(
        f"{path} is damaged, incomplete, or not a recording.",
        "Check that it plays elsewhere; WAV, MP3, FLAC, M4A, OGG, Opus, MP4, MKV and WebM work.",
    )


def _damaged(path: Path, position: float) -> MediaError:
    return MediaError(
        f"{path} is damaged after {position:.1f} s.",
        "Copy it again, or repair it by converting it to WAV, and analyse that.",
    )


def _info(path: Path, container: Any, stream: Any) -> MediaInfo:
    duration = _stated_duration(path, container, stream)
    has_video = any(map(_is_picture_track, container.streams.video))
    estimated = container.format.name in ESTIMATING
    if duration is None and container.duration is not None and not has_video:
        duration, estimated = float(container.duration / av.time_base), True
    return MediaInfo(
        path=path,
        container=container.format.name,
        codec=stream.codec_context.name,
        sample_rate=stream.codec_context.sample_rate,
        channels=stream.codec_context.channels,
        duration=duration,
        has_video=has_video,
        is_estimated=estimated,
    )


def _is_picture_track(video: Any) -> bool:
    """Tell a film from the cover picture of a song."""
    return not video.disposition & av.stream.Disposition.attached_pic


def _stated_duration(path: Path, container: Any, stream: Any) -> float | None:
    """Return the length of the audio track in seconds where the file states just that.

    (The container's own length is that of its longest track.)
    """
    if container.format.name == "wav" and stream.codec_context.name.startswith("pcm_"):
        size = stated_wav_bytes(path)  # FFmpeg gives what is left of a truncated file
        if size is not None and stream.codec_context.bit_rate:
            return size * 8 / float(stream.codec_context.bit_rate)
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    stated = stream.metadata.get("DURATION")
    if stated:  # Matroska keeps the length of a track as a tag, 00:01:02.345000000
        hours, minutes, rest = stated.split(":")
        return int(hours) * 3600 + int(minutes) * 60 + float(rest)
    return None
