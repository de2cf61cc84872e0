from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import ConfigError
from core.models.outputs import Encoded, Features, ModelInputs
from core.types import SAMPLE_RATE, Modality
from tests.training.sounds import voice
from training.config import from_mapping
from training.data.augment.config import (
    AugmentConfig,
    GainConfig,
    MaskConfig,
    ModalityDropoutConfig,
    NoiseConfig,
    RecognitionErrorsConfig,
    ReverbConfig,
    SpeedConfig,
    WaveformConfig,
)
from training.data.augment.features import (
    alter_features,
    alter_inputs,
    drawn_rows,
    hidden,
    mask_encoded,
)
from training.data.augment.text import confused, with_recognition_errors
from training.data.augment.waveform import (
    alter_waveform,
    at_speed,
    coloured_noise,
    impulse_response,
    in_room,
    louder,
    with_noise,
)

BOTH = (Modality.SPEECH, Modality.TEXT)
ALWAYS = WaveformConfig(SpeedConfig(1.0), ReverbConfig(1.0), NoiseConfig(1.0), GainConfig(1.0))


def seeded(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_noise_comes_at_the_ratio_asked_for() -> None:
    sound = voice(1)
    for snr in (0.0, 10.0, 30.0):
        noise = with_noise(sound, coloured_noise(len(sound), 1.0, seeded()), snr) - sound
        measured = 10 * np.log10(
            np.mean(sound.astype(float) ** 2) / np.mean(noise.astype(float) ** 2)
        )
        assert measured == pytest.approx(snr, abs=0.05)


def test_silence_stays_silent() -> None:
    silence = np.zeros(SAMPLE_RATE, np.float32)
    np.testing.assert_array_equal(
        with_noise(silence, coloured_noise(16000, 0, seeded()), 5), silence
    )


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0])
def test_the_colour_of_noise_is_its_slope(exponent: float) -> None:
    power = np.abs(np.fft.rfft(coloured_noise(2**16, exponent, seeded()))) ** 2
    frequency = np.fft.rfftfreq(2**16, 1 / SAMPLE_RATE)
    inside = (frequency > 50) & (frequency < 7000)
    slope = np.polyfit(np.log(frequency[inside]), np.log(power[inside]), 1)[0]
    assert slope == pytest.approx(-exponent, abs=0.05)


def test_speed_shifts_pitch_and_length_together() -> None:
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    tone = np.sin(2 * np.pi * 400 * time).astype(np.float32)
    faster = at_speed(tone, 1.25)
    assert len(faster) == SAMPLE_RATE / 1.25
    spectrum = np.abs(np.fft.rfft(faster * np.hanning(len(faster))))
    assert np.argmax(spectrum) * SAMPLE_RATE / len(faster) == pytest.approx(500, abs=2)


def test_a_room_decays_by_sixty_decibels_in_its_time() -> None:
    response = impulse_response(0.4, 0.5, seeded())
    assert np.sum(response.astype(float) ** 2) == pytest.approx(1, rel=1e-3)
    early = np.sqrt(np.mean(response[400:1400] ** 2))
    late = np.sqrt(np.mean(response[-1000:] ** 2))
    span = (len(response) - 500 - 900) / len(response)
    assert 20 * np.log10(early / late) == pytest.approx(60 * span, abs=2)


def test_reverberation_is_a_convolution_that_keeps_the_length() -> None:
    sound, response = voice(0.1), impulse_response(0.05, 0.4, seeded())
    expected = np.convolve(sound, response)[: len(sound)]
    np.testing.assert_allclose(in_room(sound, response), expected, atol=1e-5)


def test_gain_stops_before_clipping() -> None:
    sound = voice(0.5)
    np.testing.assert_allclose(louder(sound, -6.0206), sound / 2, rtol=1e-4)
    assert np.abs(louder(sound, 60)).max() == pytest.approx(0.999, abs=1e-3)
    loud = sound * 20
    np.testing.assert_array_equal(louder(loud, 6), loud)  # never softer than it was


def test_waveforms_are_altered_as_the_seed_says_and_the_original_stays() -> None:
    sound = voice(0.5)
    kept = sound.copy()
    first, again = (alter_waveform(sound, ALWAYS, seeded(1)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    other = alter_waveform(sound, ALWAYS, seeded(2))
    assert len(other) != len(first) or not np.allclose(other, first)
    np.testing.assert_array_equal(sound, kept)
    assert first.dtype == np.float32
    assert np.isfinite(first).all()


def test_what_is_not_configured_or_has_no_chance_changes_nothing() -> None:
    sound = voice(0.2)
    never = WaveformConfig(SpeedConfig(0.0), ReverbConfig(0.0), NoiseConfig(0.0), GainConfig(0.0))
    for config in (WaveformConfig(), never):
        np.testing.assert_array_equal(alter_waveform(sound, config, seeded()), sound)


def letters(syllable: str) -> tuple[int, int, int]:
    number = ord(syllable) - 0xAC00
    return number // 588, number // 28 % 21, number % 28


def test_a_korean_syllable_is_confused_in_one_letter_only() -> None:
    generator = seeded()
    seen: dict[str, set[str]] = {}
    for _ in range(60):
        for syllable in "가달밥싸정눈의해값":
            heard = confused(syllable, generator)
            assert "가" <= heard <= "힣"
            different = [a != b for a, b in zip(letters(syllable), letters(heard), strict=True)]
            assert sum(different) == 1, f"{syllable} became {heard}"
            seen.setdefault(syllable, set()).add(heard)
    assert {"카", "까"} <= seen["가"]  # lax, aspirated and tense stops
    assert "혜" in seen["해"]  # vowels that merged
    assert "갑" not in seen["값"]  # a cluster that is confused with nothing stays


def test_marks_spaces_and_unknown_letters_are_left_alone() -> None:
    certain = RecognitionErrorsConfig(
        chance=1.0, rate=0.99, substitute=1.0, delete=0.0, insert=0.0, drop_word=0.0
    )
    assert with_recognition_errors("?!, ...", certain, seeded()) == "?!, ..."
    assert confused("7", seeded()) == "7"
    assert confused("B", seeded()) == "P"


def test_errors_come_at_the_rate_asked_for() -> None:
    text = "오늘 날씨가 정말 좋아서 기분이 좋다 " * 40
    config = RecognitionErrorsConfig(
        chance=1.0, rate=0.1, substitute=1.0, delete=0.0, insert=0.0, drop_word=0.0
    )
    altered = with_recognition_errors(text, config, seeded())
    pairs = [(a, b) for a, b in zip(text.strip(), altered, strict=True) if a != " "]
    assert np.mean([a != b for a, b in pairs]) == pytest.approx(0.1, abs=0.03)


@pytest.mark.parametrize(
    ("shares", "change"),
    [((0.0, 1.0, 0.0), -0.2), ((0.0, 0.0, 1.0), 0.2)],
)
def test_letters_are_lost_and_added(shares: tuple[float, float, float], change: float) -> None:
    text = "the weather is lovely today " * 40
    config = RecognitionErrorsConfig(1.0, 0.2, *shares, drop_word=0.0)
    length = len(with_recognition_errors(text, config, seeded()).replace(" ", ""))
    assert length / len(text.replace(" ", "")) - 1 == pytest.approx(change, abs=0.05)


def test_words_go_missing_but_never_all_of_them() -> None:
    config = RecognitionErrorsConfig(
        chance=1.0, rate=0.0, substitute=1.0, delete=0.0, insert=0.0, drop_word=0.5
    )
    text = " ".join(f"word{n}" for n in range(200))
    kept = with_recognition_errors(text, config, seeded()).split()
    assert 70 < len(kept) < 130
    assert set(kept) <= set(text.split())
    for seed in range(30):
        assert with_recognition_errors("응", RecognitionErrorsConfig(1.0, 0.9), seeded(seed))


def encoded(rows: int = 3, length: int = 40, dim: int = 20) -> Encoded:
    lengths = torch.tensor([length, length // 2, length // 4][:rows])
    mask = torch.arange(length)[None] < lengths[:, None]
    sequence = torch.ones(rows, length, dim) * mask[..., None]
    return Encoded(sequence, mask, torch.ones(rows, dim), torch.empty(rows, 0))


def test_masks_zero_stretches_within_each_row() -> None:
    config = MaskConfig(time_masks=2, time_share=0.2, feature_masks=1, feature_share=0.2)
    given = encoded()
    hit_time = hit_features = 0
    for seed in range(20):
        masked = mask_encoded(given, config, seeded(seed))
        for row, length in enumerate((40, 20, 10)):
            valid = masked.sequence[row, :length]
            silent = (valid == 0).all(dim=1).sum().item()
            assert silent <= 2 * (0.2 * length + 1)
            gone = (valid == 0).all(dim=0)
            assert gone.sum().item() <= 0.2 * 20 + 1
            torch.testing.assert_close(masked.pooled[row] == 0, gone)
            hit_time += silent
            hit_features += gone.sum().item()
    assert hit_time > 0
    assert hit_features > 0
    assert (given.sequence.sum(), given.pooled.sum()) == (70 * 20, 60)  # the cached ones stay


def test_a_hidden_modality_is_zeros_with_one_valid_position() -> None:
    result = hidden(encoded(), torch.tensor([False, True, False]))
    assert result.mask.sum(dim=1).tolist() == [40, 1, 10]
    assert result.sequence[1].abs().sum() == 0
    assert result.pooled.sum(dim=1).tolist() == [20, 0, 20]


def test_modalities_are_hidden_at_their_chances_and_never_both() -> None:
    no_speech, no_text = drawn_rows(10_000, ModalityDropoutConfig(0.3, 0.1), seeded())
    assert no_speech.double().mean().item() == pytest.approx(0.3, abs=0.02)
    assert no_text.double().mean().item() == pytest.approx(0.1, abs=0.02)
    assert not (no_speech & no_text).any()


def test_features_are_altered_as_configured() -> None:
    features = Features(encoded(), encoded())
    untouched = alter_features(features, AugmentConfig(), seeded())
    torch.testing.assert_close(untouched.speech.sequence, features.speech.sequence)  # type: ignore[union-attr]
    config = AugmentConfig(modality_dropout=ModalityDropoutConfig(1.0, 0.0))
    altered = alter_features(features, config, seeded())
    assert altered.speech is not None
    assert altered.text is not None
    assert altered.speech.pooled.abs().sum() == 0
    assert altered.text.pooled.sum() == 60


def test_inputs_lose_frames_and_modalities() -> None:
    mask = torch.ones(2, 50, dtype=torch.bool)
    inputs = ModelInputs(
        speech=torch.ones(2, 50, 8), speech_mask=mask, functionals=torch.ones(2, 5),
        tokens=torch.full((2, 4), 9), token_mask=torch.ones(2, 4, dtype=torch.bool),
    )  # fmt: skip
    masked = alter_inputs(inputs, AugmentConfig(masks=MaskConfig(time_share=0.4)), seeded())
    assert masked.speech is not None
    assert masked.speech.sum() < inputs.speech.sum()  # type: ignore[union-attr]
    silent = alter_inputs(
        inputs, AugmentConfig(modality_dropout=ModalityDropoutConfig(1.0, 0.0)), seeded()
    )
    assert silent.speech is not None
    assert silent.functionals is not None
    assert silent.speech.sum() == silent.functionals.sum() == 0
    speechless = alter_inputs(
        inputs, AugmentConfig(modality_dropout=ModalityDropoutConfig(0.0, 1.0)), seeded()
    )
    assert speechless.token_mask is not None
    assert speechless.token_mask.sum(dim=1).tolist() == [1, 1]


@pytest.mark.parametrize(
    ("config", "modalities", "cached", "told"),
    [
        (AugmentConfig(waveform=ALWAYS), BOTH, BOTH, "augment.waveform can't alter"),
        (
            AugmentConfig(recognition_errors=RecognitionErrorsConfig()), BOTH, BOTH,
            "augment.recognition_errors can't alter",
        ),
        (AugmentConfig(waveform=ALWAYS), (Modality.TEXT,), (), "does not take"),
        (AugmentConfig(copies=2), BOTH, BOTH, "augment.copies"),
        (AugmentConfig(waveform=ALWAYS, copies=2), BOTH, (), "augment.copies"),
        (AugmentConfig(masks=MaskConfig()), BOTH, (), "augment.masks"),
        (
            AugmentConfig(modality_dropout=ModalityDropoutConfig()), (Modality.TEXT,), (),
            "augment.modality_dropout",
        ),
    ],
)  # fmt: skip
def test_impossible_combinations_are_refused_before_anything_loads(
    config: AugmentConfig,
    modalities: tuple[Modality, ...],
    cached: tuple[Modality, ...],
    told: str,
) -> None:
    with pytest.raises(ConfigError, match=told):
        config.check(modalities, cached=cached)


def test_possible_combinations_pass() -> None:
    everything = AugmentConfig(
        ALWAYS, RecognitionErrorsConfig(), MaskConfig(), ModalityDropoutConfig(), copies=3
    )
    everything.check(BOTH, cached=BOTH)
    AugmentConfig(ALWAYS, RecognitionErrorsConfig()).check(BOTH, cached=())
    AugmentConfig(masks=MaskConfig()).check(BOTH, cached=(), frames=True)
    with pytest.raises(ConfigError, match=r"augment\.masks"):
        everything.check(BOTH, cached=BOTH, sequence=False)


@pytest.mark.parametrize(
    "values",
    [
        {"waveform": {"speed": {"chance": 2.0}}},
        {"waveform": {"noise": {"lowest": 9.0, "highest": 3.0}}},
        {"waveform": {"reverb": {"shortest": 0.0}}},
        {"masks": {"time_share": 0.9}},
        {"recognition_errors": {"substitute": 0.9}},
        {"modality_dropout": {"speech": 0.8, "text": 0.8}},
        {"copies": -1},
        {"waveform": {"echo": None}},
    ],
)
def test_values_that_make_no_sense_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        from_mapping(AugmentConfig, values, Path("train.yaml"), "augment.")
