from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.audio.channels import ChannelMode
from core.audio.io import AudioDecoder, probe, read_audio
from core.errors import MediaError
from core.types import SAMPLE_RATE, FloatArray
from tests.audio.media import CODECS, tone, write_media

RATE = 44_100


def pulses(seconds: int) -> FloatArray:
    """A tone that sounds for the second half of every second, so that time can be checked."""
    sound = tone(440, seconds, RATE)
    return sound * (np.arange(sound.size) % RATE >= RATE // 2)


def onset(samples: FloatArray) -> float:
    return float(np.flatnonzero(np.abs(samples) > 0.1)[0]) / SAMPLE_RATE


@pytest.mark.parametrize("kind", sorted(CODECS))
def test_every_format_is_decoded_to_16_khz_mono_of_the_right_length(
    kind: str, tmp_path: Path
) -> None:
    path = write_media(tmp_path / f"a.{kind}", pulses(3)[None], RATE)
    decoder = AudioDecoder(path)
    samples = np.concatenate(list(decoder), axis=1)
    assert samples.shape[0] == 1
    assert samples.dtype == np.float32
    assert samples.shape[1] == pytest.approx(3 * SAMPLE_RATE, abs=0.03 * SAMPLE_RATE)
    assert onset(samples[0]) == pytest.approx(0.5, abs=0.03)
    assert np.abs(samples[0, SAMPLE_RATE * 6 // 10 : SAMPLE_RATE]).max() == pytest.approx(
        0.3, abs=0.05
    )
    assert decoder.messages == ()
    assert probe(path).duration == pytest.approx(3.0, abs=0.05)


@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_two_channels_can_be_taken_apart(kind: str, tmp_path: Path) -> None:
    left, right = tone(300, 1, RATE), tone(700, 1, RATE, 0.1)
    path = write_media(tmp_path / f"a.{kind}", np.stack([left, right]), RATE)
    both = read_audio(path, ChannelMode.BOTH)
    assert both.shape[0] == 2
    np.testing.assert_array_equal(read_audio(path, ChannelMode.LEFT)[0], both[0])
    np.testing.assert_array_equal(read_audio(path, ChannelMode.RIGHT)[0], both[1])
    np.testing.assert_allclose(read_audio(path)[0], both.mean(axis=0), atol=1e-4)
    assert np.abs(both[0]).max() == pytest.approx(0.3, abs=0.02)
    assert np.abs(both[1]).max() == pytest.approx(0.1, abs=0.02)


def test_a_sound_track_that_begins_late_keeps_the_time_of_the_film(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mkv", pulses(2)[None], RATE, audio_delay=1.5)
    samples = read_audio(path)[0]
    assert onset(samples) == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("empty.wav", b"", "is empty"),
        ("random.mp3", bytes(np.random.default_rng(3).integers(0, 256, 5000, np.uint8)), "damaged"),
        ("text.flac", b"This is not a recording at all.\n" * 40, "damaged"),
    ],
)
def test_what_is_no_recording_is_said_with_a_remedy(
    name: str, content: bytes, problem: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(MediaError, match=problem) as caught:
        read_audio(path)
    assert name in caught.value.problem
    assert caught.value.remedy


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="does not exist"):
        probe(tmp_path / "gone.wav")
    with pytest.raises(MediaError, match="is a folder"):
        probe(tmp_path)


def test_a_file_that_may_not_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_media(tmp_path / "a.wav", tone(440, 1, RATE)[None], RATE)

    def refuse(*_: object) -> None:  # root, who may run the tests, may read everything
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(MediaError, match="may not be read"):
        probe(path)


def test_a_film_without_sound_has_no_audio_track(tmp_path: Path) -> None:
    import av

    path = tmp_path / "silent.mp4"
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=25)
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))
        container.mux(video.encode(frame))
        container.mux(video.encode(None))
    with pytest.raises(MediaError, match="no audio track"):
        read_audio(path)


@pytest.mark.parametrize("kind", sorted(CODECS))
def test_a_header_alone_is_refused_or_called_short(kind: str, tmp_path: Path) -> None:
    whole = write_media(tmp_path / f"a.{kind}", pulses(3)[None], RATE).read_bytes()
    path = tmp_path / f"header.{kind}"
    path.write_bytes(whole[:44] if kind == "wav" else whole[:200])
    with pytest.raises(MediaError):
        read_audio(path)


@pytest.mark.parametrize("kind", sorted(CODECS))
def test_a_truncated_recording_is_never_taken_for_the_whole(kind: str, tmp_path: Path) -> None:
    path = write_media(tmp_path / f"a.{kind}", pulses(4)[None], RATE)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    decoded, codes = decode_or_refuse(path)
    assert decoded < 4 * SAMPLE_RATE
    assert codes in (["refused"], ["media_short"], ["media_unfinished"])


def decode_or_refuse(path: Path) -> tuple[int, list[str]]:
    try:
        decoder = AudioDecoder(path)
        count = sum(chunk.shape[1] for chunk in decoder)
    except MediaError:
        return 0, ["refused"]
    return count, [message.code for message in decoder.messages]


@pytest.mark.parametrize("suffix", ["wav", "mp3", "ogg", "bin"])
def test_random_bytes_are_refused_whatever_they_are_called(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"random.{suffix}"
    for seed in range(10):
        path.write_bytes(bytes(np.random.default_rng(seed).integers(0, 256, 20_000, np.uint8)))
        assert decode_or_refuse(path) == (0, ["refused"])


@pytest.mark.parametrize("kind", ["mp3", "mkv", "m4a"])
def test_damage_on_the_way_is_an_error_that_says_where(kind: str, tmp_path: Path) -> None:
    path = write_media(tmp_path / f"a.{kind}", pulses(3)[None], RATE)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3000] = bytes(
        np.random.default_rng(0).integers(0, 256, 3000, np.uint8)
    )
    path.write_bytes(content)
    with pytest.raises(MediaError, match=r"damaged after 1\.\d s"):
        read_audio(path)


def test_what_hangs_on_behind_the_sound_does_no_harm(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mp3", pulses(3)[None], RATE)
    path.write_bytes(path.read_bytes() + b"not sound " * 100)
    assert decode_or_refuse(path) == (3 * SAMPLE_RATE, [])


MEMORY_PROBE = """
import sys, resource
from core.audio.io import AudioDecoder
count = sum(chunk.shape[1] for chunk in AudioDecoder(sys.argv[1]))
first = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
count += sum(chunk.shape[1] for chunk in AudioDecoder(sys.argv[2]))
print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - first)
"""


def test_a_long_recording_takes_no_more_memory_than_a_short_one(
    tmp_path: Path, project: Path
) -> None:
    short = write_media(tmp_path / "short.flac", tone(200, 10, 22_050)[None], 22_050)
    long = write_media(tmp_path / "long.flac", tone(200, 600, 22_050)[None], 22_050)
    answer = subprocess.run(
        [sys.executable, "-c", MEMORY_PROBE, str(short), str(long)],
        cwd=project,
        capture_output=True,
        text=True,
        check=True,
    )
    count, growth_kib = map(int, answer.stdout.split())
    assert count == 610 * SAMPLE_RATE
    assert growth_kib < 20_000  # ten minutes of float32 at 16 kHz are 37 MB
