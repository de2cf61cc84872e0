from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from core.audio.channels import ChannelMode, select_channels
from core.audio.sources import ArraySource, FileSource
from core.errors import MediaError
from core.pipeline.protocols import AudioSource, EndOfSource
from core.types import SAMPLE_RATE, WINDOW, FloatArray
from tests.audio.media import tone, write_media
from tests.audio.voices import next_block


def everything(source: AudioSource) -> FloatArray:
    """Return all samples, having checked that the blocks follow each other."""
    parts, position = [], 0
    while (block := next_block(source)) is not None:
        assert block.start == position
        assert block.samples.shape == (source.channels, WINDOW)
        parts.append(block.samples)
        position += WINDOW
    return np.concatenate(parts, axis=1)


def test_a_recording_comes_in_blocks_the_last_one_padded_with_silence(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.flac", tone(440, 1.01, 48_000)[None], 48_000)
    source = FileSource(path)
    source.start()
    assert source.description == "a.flac"
    samples = everything(source)
    assert source.total_samples == round(1.01 * SAMPLE_RATE)
    assert samples.shape[1] % WINDOW == 0
    assert not samples[0, source.total_samples :].any()
    with pytest.raises(EndOfSource):
        source.read(0)


def test_two_channels_of_a_recording_stay_apart_and_one_stays_one(tmp_path: Path) -> None:
    stereo = np.stack([tone(300, 0.5, 16_000), tone(500, 0.5, 16_000, 0.1)])
    source = FileSource(write_media(tmp_path / "two.wav", stereo, 16_000), channels="both")
    source.start()
    assert source.channels == 2
    np.testing.assert_allclose(everything(source)[:, : stereo.shape[1]], stereo, atol=1e-4)
    mono = FileSource(write_media(tmp_path / "one.wav", stereo[:1], 16_000), channels="both")
    mono.start()
    assert mono.channels == 1


def test_a_truncated_recording_says_so_once_at_its_end(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.wav", tone(440, 4, 16_000)[None], 16_000)
    path.write_bytes(path.read_bytes()[:60_000])
    source = FileSource(path)
    source.start()
    assert source.take_messages() == ()
    everything(source)
    (message,) = source.take_messages()
    assert message.code == "media_short"
    assert dict(message.values) == {"name": "a.wav", "decoded": "1.9", "stated": "4.0"}
    assert source.take_messages() == ()


def test_a_bad_recording_fails_at_start(tmp_path: Path) -> None:
    with pytest.raises(MediaError):
        FileSource(tmp_path / "gone.wav").start()


def test_a_source_can_be_started_again(tmp_path: Path) -> None:
    source = FileSource(write_media(tmp_path / "a.wav", tone(440, 1, 16_000)[None], 16_000))
    source.start()
    first = everything(source)
    source.start()
    np.testing.assert_array_equal(everything(source), first)


def test_stop_ends_a_source_at_once() -> None:
    source = ArraySource(np.zeros(SAMPLE_RATE, np.float32))
    source.start()
    source.read(0)
    source.stop()
    with pytest.raises(EndOfSource):
        source.read(0)


def test_seconds_can_be_repeated_to_hours_without_a_seam() -> None:
    piece = np.arange(1, 1001, dtype=np.float32)
    source = ArraySource(piece, repeats=5)
    source.start()
    np.testing.assert_array_equal(everything(source)[0, :5000], np.tile(piece, 5))
    assert source.total_samples == 5000


def test_in_real_time_nothing_comes_before_it_is_heard() -> None:
    source = ArraySource(np.zeros(10 * WINDOW, np.float32), realtime=True)
    began = time.monotonic()
    source.start()
    assert source.read(0.0) is None
    everything(source)
    assert time.monotonic() - began >= 10 * WINDOW / SAMPLE_RATE


@pytest.mark.parametrize(
    ("mode", "available", "expected"),
    [
        (ChannelMode.MONO, 2, [[0.5]]),
        (ChannelMode.LEFT, 2, [[0.0]]),
        (ChannelMode.RIGHT, 2, [[1.0]]),
        (ChannelMode.BOTH, 4, [[0.0], [1.0]]),
        (ChannelMode.RIGHT, 1, [[0.0]]),
        (ChannelMode.BOTH, 1, [[0.0]]),
    ],
)
def test_channels_are_selected(
    mode: ChannelMode, available: int, expected: list[list[float]]
) -> None:
    frames = np.arange(available, dtype=np.float32)[:, None]
    selected = select_channels(frames, mode)
    np.testing.assert_allclose(selected, expected)
    assert mode.outputs(available) == len(expected)
