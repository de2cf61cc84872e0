from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from core.audio.io import read_audio
from core.dialogue.wav import HEADER, GrowingWav, repair_wav, to_pcm, wav_parts
from core.types import WINDOW, FloatArray


def ramp(n: int, channels: int = 1) -> FloatArray:
    """A different value at every sample and channel, exact in 16 bit."""
    values = (np.arange(n * channels).reshape(n, channels).T % 20000 - 10000) / 32767.0
    return values.astype(np.float32)


def write_all(wav: GrowingWav, samples: FloatArray) -> None:
    for start in range(0, samples.shape[1], WINDOW):
        wav.append(start, samples[:, start : start + WINDOW])


@pytest.mark.parametrize("channels", [1, 2])
def test_what_was_heard_is_what_is_read(tmp_path: Path, channels: int) -> None:
    samples = ramp(5000, channels)
    wav = GrowingWav(tmp_path, channels)
    write_all(wav, samples)
    wav.close()
    with wave.open(str(tmp_path / "audio.wav")) as file:
        assert file.getnchannels() == channels
        assert file.getframerate() == 16000
        data = np.frombuffer(file.readframes(10**6), "<i2").reshape(-1, channels).T
    assert np.allclose(data / 32767.0, samples, atol=1e-6)


def test_the_file_is_readable_after_every_flush(tmp_path: Path) -> None:
    wav = GrowingWav(tmp_path, 1)
    for block in range(20):
        wav.append(block * WINDOW, ramp(WINDOW))
        wav.flush()
        assert read_audio(tmp_path / "audio.wav").shape[1] == (block + 1) * WINDOW
    wav.close()


def test_missing_blocks_become_silence_at_their_place(tmp_path: Path) -> None:
    wav = GrowingWav(tmp_path, 1)
    wav.append(0, np.full((1, 100), 0.5, np.float32))
    wav.append(1000, np.full((1, 100), 0.25, np.float32))
    wav.append(1050, np.full((1, 100), 0.1, np.float32))
    wav.close()
    samples = read_audio(tmp_path / "audio.wav")[0]
    assert samples.size == 1150
    assert np.allclose(samples[:100], 0.5, atol=1e-3)
    assert not samples[100:1000].any()
    assert np.allclose(samples[1000:1100], 0.25, atol=1e-3)
    assert np.allclose(samples[1100:], 0.1, atol=1e-3)


@pytest.mark.parametrize("channels", [1, 2])
def test_a_full_part_goes_on_in_another(tmp_path: Path, channels: int) -> None:
    samples = ramp(5000, channels)
    wav = GrowingWav(tmp_path, channels, largest=3001)
    write_all(wav, samples)
    assert wav.written == 0
    wav.flush()
    assert wav.written == 5000
    wav.close()
    parts = wav_parts(tmp_path)
    assert len(parts) == -(-5000 * 2 * channels // 3000)
    pieces = []
    for part in parts:
        with wave.open(str(part)) as file:
            pieces.append(np.frombuffer(file.readframes(10**6), "<i2").reshape(-1, channels).T)
    assert np.array_equal(np.concatenate(pieces, axis=1) / 32767.0, samples.astype(np.float64)) or (
        np.allclose(np.concatenate(pieces, axis=1) / 32767.0, samples, atol=1e-6)
    )


def test_a_gap_may_reach_over_several_parts(tmp_path: Path) -> None:
    wav = GrowingWav(tmp_path, 1, largest=1000)
    wav.append(0, ramp(10))
    wav.append(2200, ramp(10))
    wav.close()
    assert sum((p.stat().st_size - HEADER.size) // 2 for p in wav_parts(tmp_path)) == 2210
    assert wav.written == 2210


def test_a_failed_write_is_made_up_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = ramp(4096)
    wav = GrowingWav(tmp_path, 1)
    whole = wav._write_here
    calls = 0

    def half_then_fail(data: bytes) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            whole(data[:101])
            raise OSError(28, "No space left on device")
        whole(data)

    monkeypatch.setattr(wav, "_write_here", half_then_fail)
    write_all(wav, samples)
    with pytest.raises(OSError, match="No space"):
        wav.flush()
    wav.close()
    assert np.allclose(read_audio(tmp_path / "audio.wav"), samples, atol=1e-3)


@pytest.mark.parametrize("size", [0, 10, 43, 44, 45, 46, 47, 5000])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_file_cut_anywhere_is_repaired(tmp_path: Path, size: int, channels: int) -> None:
    wav = GrowingWav(tmp_path, channels)
    wav.append(0, ramp(4000, channels))
    wav._write(*wav._pending.pop())  # the header is never brought up to date
    wav._file.close()
    path = tmp_path / "audio.wav"
    with path.open("r+b") as file:
        file.truncate(size)
    samples = repair_wav(path, channels)
    assert samples == max(0, size - 44) // (2 * channels)
    with wave.open(str(path)) as reader:
        assert reader.getnframes() == samples
        assert len(reader.readframes(10**6)) == samples * 2 * channels


def test_loud_and_broken_samples_are_clipped() -> None:
    values = np.array([[2.0, -2.0, np.nan, 0.0, 1.0]], np.float32)
    assert np.frombuffer(to_pcm(values), "<i2").tolist() == [32767, -32767, 0, 0, 32767]
