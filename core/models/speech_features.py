"""Frame features and utterance statistics of speech; training and live analysis share this code.

Every frame depends only on the samples under its own window, so features of a growing utterance
can be extended, never recomputed, and a slice of the frames equals the frames of the slice.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from core.models.functionals import functional_names, utterance_functionals
from core.types import SAMPLE_RATE, FloatArray

PITCH, VOICING, ENERGY, TILT = range(4)
"""Order of the channels that follow the mel bands; see `SpeechFeatureExtractor.frames`."""

EXTRA_CHANNELS = 4


@dataclass(frozen=True)
class SpeechFeatureConfig:
    """How frames are cut and what is measured in them. Lengths in samples at 16 kHz."""

    hop: int = 256
    mel_window: int = 400
    pitch_window: int = 1024
    mel_bands: int = 64
    mel_low: float = 50.0
    mel_high: float = 7600.0
    mel_floor: float = 1e-9
    pitch_low: float = 60.0
    pitch_high: float = 600.0
    octave_cost: float = 0.02
    active_range: float = 35.0
    voiced_above: float = 0.5

    def to_dict(self) -> dict[str, float]:
        """Return the values for storage beside the weights."""
        return asdict(self)


class SpeechFeatureExtractor:
    """Turns samples into frames (T, F) and frames into statistics (S,)."""

    def __init__(self, config: SpeechFeatureConfig | None = None) -> None:
        self.config = config or SpeechFeatureConfig()
        c = self.config
        self._mel_size = 1 << (c.mel_window - 1).bit_length()
        self._pitch_size = 2 * c.pitch_window
        self._mel_taper = np.hanning(c.mel_window + 1)[:-1].astype(np.float32)
        self._pitch_taper = np.hanning(c.pitch_window + 1)[:-1].astype(np.float32)
        self._filters = mel_filters(c.mel_bands, self._mel_size, c.mel_low, c.mel_high)
        self._filters /= float(self._mel_taper.sum()) ** 2 / 4.0
        spectrum = np.abs(np.fft.rfft(self._pitch_taper, self._pitch_size)) ** 2
        correlation = np.fft.irfft(spectrum).astype(np.float32)
        self._lags = np.arange(int(SAMPLE_RATE / c.pitch_high), int(SAMPLE_RATE / c.pitch_low) + 2)
        self._taper_correlation = correlation / correlation[0]
        self._octave_penalty = c.octave_cost * np.log2(self._lags * c.pitch_low / SAMPLE_RATE)

    @property
    def frame_rate(self) -> float:
        """Frames per second."""
        return SAMPLE_RATE / self.config.hop

    @property
    def frame_dim(self) -> int:
        """F: mel bands and the four channels that follow them."""
        return self.config.mel_bands + EXTRA_CHANNELS

    @property
    def functional_dim(self) -> int:
        """S: how many statistics `functionals` returns."""
        return len(functional_names(self.config.mel_bands))

    def frame_count(self, samples: int) -> int:
        """Return T for a number of samples; anything shorter than one window gives one frame."""
        return max(1, 1 + (samples - self.config.pitch_window) // self.config.hop)

    def frames(self, samples: FloatArray) -> FloatArray:
        """Return un-normalised features (T, F) of mono samples (n,) in [-1, 1] at 16 kHz.

        Channels: log mel power; log2 F0 / 100 Hz; voicing strength in [0, 1]; log mean square;
        level of the first above the second harmonic (nepers of power). The pitch channels mean
        something only where voicing is high: see `frame_weights`.
        """
        c = self.config
        signal = np.asarray(samples, dtype=np.float32)
        if signal.size < c.pitch_window:
            signal = np.pad(signal, (0, c.pitch_window - signal.size))
        windows = np.lib.stride_tricks.sliding_window_view(signal, c.pitch_window)[:: c.hop]
        start = (c.pitch_window - c.mel_window) // 2
        mel = self._log_mel(windows[:, start : start + c.mel_window])
        return np.concatenate([mel, self._voice(windows)], axis=1)

    def functionals(self, frames: FloatArray) -> FloatArray:
        """Return statistics (S,) of frames (T, F); NaN where undefined (no voiced frame)."""
        return utterance_functionals(frames, self.frame_weights(frames), self.config.mel_bands)

    def frame_weights(self, frames: FloatArray) -> NDArray[np.bool_]:
        """Return (T, F): which entries of frames (T, F) describe speech.

        A frame counts when it is within `active_range` dB of the loud frames of the utterance;
        its pitch channels only when it is voiced as well.
        """
        c = self.config
        energy = frames[:, c.mel_bands + ENERGY]
        threshold = np.percentile(energy, 95) - c.active_range * np.log(10) / 10
        active = energy >= threshold
        voiced = active & (frames[:, c.mel_bands + VOICING] > c.voiced_above)
        weights = np.repeat(active[:, None], frames.shape[1], axis=1)
        weights[:, c.mel_bands + PITCH] = voiced
        weights[:, c.mel_bands + TILT] = voiced
        return weights

    def _log_mel(self, windows: FloatArray) -> FloatArray:
        spectrum = np.fft.rfft(windows * self._mel_taper, self._mel_size)
        power = spectrum.real**2 + spectrum.imag**2
        mel = power.astype(np.float32) @ self._filters + self.config.mel_floor
        return np.log(mel).astype(np.float32)

    def _voice(self, windows: FloatArray) -> FloatArray:
        """Return (T, 4) pitch, voicing, energy, tilt by Boersma (1993): the autocorrelation of the
        tapered frame divided by that of the taper, strongest lag, higher octaves preferred.
        """
        centred = windows - windows.mean(axis=1, keepdims=True)
        square = np.mean(centred**2, axis=1)
        spectrum = np.fft.rfft(centred * self._pitch_taper, self._pitch_size)
        power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
        correlation = np.fft.irfft(power, axis=1)[:, : self._lags[-1] + 2].astype(np.float32)
        correlation /= np.maximum(correlation[:, :1], 1e-12)
        correlation /= self._taper_correlation[: correlation.shape[1]]
        lag, strength = self._strongest_lag(correlation)
        pitch = np.log2(SAMPLE_RATE / lag / 100.0)
        loud = square > 1e-9
        return np.stack(
            [
                pitch,
                np.where(loud, np.clip(strength, 0.0, 1.0), 0.0),
                np.log(square + 1e-9),
                self._harmonic_tilt(power, lag),
            ],
            axis=1,
        ).astype(np.float32)

    def _strongest_lag(self, correlation: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return lag (samples, interpolated) and strength of the best local maximum per frame."""
        lags = self._lags
        here = correlation[:, lags]
        before, after = correlation[:, lags - 1], correlation[:, lags + 1]
        score = np.where((here >= before) & (here >= after), here - self._octave_penalty, -1.0)
        best = np.argmax(score, axis=1)[:, None]
        left, middle, right = (np.take_along_axis(a, best, 1)[:, 0] for a in (before, here, after))
        curvature = np.minimum(left - 2 * middle + right, -1e-6)
        shift = np.clip(0.5 * (left - right) / curvature, -0.5, 0.5)
        return lags[best[:, 0]] + shift, middle - 0.25 * (left - right) * shift

    def _harmonic_tilt(self, power: FloatArray, lag: FloatArray) -> FloatArray:
        """Return log power of the first harmonic above the second, each in its strongest bin."""
        bins = self._pitch_size / lag
        levels = []
        for harmonic in (1, 2):
            centre = np.rint(bins * harmonic).astype(int)[:, None] + np.arange(-1, 2)
            levels.append(np.take_along_axis(power, centre, 1).max(axis=1))
        return np.log((levels[0] + 1e-7) / (levels[1] + 1e-7))


def mel_filters(bands: int, size: int, low: float, high: float) -> FloatArray:
    """Return triangular filters (size // 2 + 1, bands) on the mel scale of O'Shaughnessy (1987)."""

    def to_mel(frequency: float) -> float:
        return 2595.0 * float(np.log10(1.0 + frequency / 700.0))

    points = 700.0 * (10.0 ** (np.linspace(to_mel(low), to_mel(high), bands + 2) / 2595.0) - 1.0)
    frequency = np.arange(size // 2 + 1)[:, None] * SAMPLE_RATE / size
    rising = (frequency - points[:-2]) / (points[1:-1] - points[:-2])
    falling = (points[2:] - frequency) / (points[2:] - points[1:-1])
    return np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32)
