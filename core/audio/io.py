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
from core.audio.resampling import Resampler
from core.errors import MediaError
from core.types import SAMPLE_RATE, FloatArray, Message

CHUNK_SECONDS = 1.0
"""Length of the pieces that are resampled at a time."""

SHORT_SECONDS = 0.5
SHORT_SHARE = 0.01
SHORT_SHARE_ESTIMATED = 0.05
"""A decode is short when more than both the seconds and the share of the stated length miss."""

OFFSET_SECONDS = 0.1
"""A track that begins later than this after its container's start is preceded by silence."""


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What a recording's header says. `duration` is in seconds, None when the header is silent."""

    path: Path
    container: str
    codec: str
    sample_rate: int
    channels: int
    duration: float | None
    has_video: bool


def probe(path: str | os.PathLike[str]) -> MediaInfo:
    """Return what the header of a recording says. Raises MediaError."""
    with _opened(Path(path)) as (container, stream):
        return _info(Path(path), container, stream)


class AudioDecoder:
    """Decodes one recording, once; iterate to get chunks of shape (channels, n) at 16 kHz.

    Iterating raises MediaError where the data is damaged: a recording is never silently shortened.
    `messages` (after the end) says when it was shorter than its header states.
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
            raise _damaged(self._path, position) from error

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
        if stated is None:
            return ()
        # An MP3 without a table of contents states a length guessed from its first bit rate.
        share = SHORT_SHARE_ESTIMATED if self.info.container == "mp3" else SHORT_SHARE
        if stated - decoded <= max(SHORT_SECONDS, share * stated):
            return ()
        values = {
            "name": self._path.name,
            "decoded": f"{decoded:.1f}",
            "stated": f"{stated:.1f}",
        }
        return (Message("media_short", values),)


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
        stream = container.streams.best("audio")
        if stream is None:
            raise MediaError(
                f"{path} has no audio track.", "Choose a recording in which somebody can be heard."
            )
        if not stream.codec_context.sample_rate or not stream.codec_context.channels:
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
    return MediaInfo(
        path=path,
        container=container.format.name,
        codec=stream.codec_context.name,
        sample_rate=stream.codec_context.sample_rate,
        channels=stream.codec_context.channels,
        duration=_duration(container, stream),
        has_video=any(_is_picture_track(video) for video in container.streams.video),
    )


def _is_picture_track(video: Any) -> bool:
    """Tell a film from the cover picture of a song."""
    return not video.disposition & av.stream.Disposition.attached_pic


def _duration(container: Any, stream: Any) -> float | None:
    """Return the stated length of the audio track in seconds.

    The container's own length counts only where no picture track can be longer than the sound.
    """
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    stated = stream.metadata.get("DURATION")
    if stated:  # Matroska keeps the length of a track as a tag, 00:01:02.345000000
        hours, minutes, rest = stated.split(":")
        return int(hours) * 3600 + int(minutes) * 60 + float(rest)
    if container.duration is None or any(map(_is_picture_track, container.streams.video)):
        return None
    return float(container.duration / av.time_base)
