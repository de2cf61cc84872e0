"""An encoder window as long as the speech: only when asked for, or found to change no words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.asr.decoder import DecoderChoice
from core.asr.encoding import MARGIN_FRAMES, window_frames
from core.asr.engine import Engine
from core.asr.settings import takes_speech_window
from core.asr.whisper import WhisperSettings, WhisperTranscriber
from core.asr.window_checks import WindowCheck, WindowChecks, default_path, model_hash
from core.errors import RecognitionError
from core.types import SAMPLE_RATE
from tests.asr.clips import MODEL, SpokenClip, in_order, utterance_of
from tests.asr.fake_decoder import FakeDecoder, Loader
from tests.asr.test_word_errors import a_check


@pytest.mark.parametrize(
    ("seconds", "frames"),
    [(0.0, 256), (1.0, 356), (4.0, 656), (4.001, 658), (27.44, 3000), (27.5, 3000), (60.0, 3000)],
)
def test_the_window_holds_the_speech_and_a_margin_in_whole_positions(
    seconds: float, frames: int
) -> None:
    assert window_frames(round(seconds * SAMPLE_RATE)) == frames
    assert MARGIN_FRAMES == 256


def test_a_short_window_encodes_only_the_speech_and_the_margin(
    known_clips: list[SpokenClip],
) -> None:
    clip = known_clips[0]
    costs = []
    for window in (False, True):
        engine = Engine(DecoderChoice(MODEL, "cpu", speech_window=window))
        engine.detect_language(clip.samples, ("ko", "en"))
        engine.decode_once(clip.samples, clip.language, word_times=True)
        costs.append(engine.encoded_seconds)
    assert costs[0] == 30.0
    assert clip.duration + 2.55 <= costs[1] <= clip.duration + 2.6


def test_most_sentences_are_heard_through_the_short_window_too(
    known_clips: list[SpokenClip],
) -> None:
    settings = WhisperSettings(
        model=str(MODEL), device="cpu", quick_finals=True, encoder_window="speech"
    )
    transcriber = WhisperTranscriber(settings)
    heard = [transcriber.final(utterance_of(c.samples, i)) for i, c in enumerate(known_clips)]
    right = [a.text == b.text for a, b in zip(heard, known_clips, strict=True)]
    assert sum(right) >= 20
    assert all(in_order(transcript) for transcript in heard)
    assert transcriber.lossy


def test_thorough_finals_take_the_full_window_whatever_was_asked_for(
    known_clips: list[SpokenClip],
) -> None:
    clip = known_clips[1]
    texts = [
        WhisperTranscriber(
            WhisperSettings(model=str(MODEL), device="cpu", encoder_window=window)
        ).final(utterance_of(clip.samples))
        for window in ("full", "speech")
    ]
    assert texts[0] == texts[1]


def test_more_than_a_window_of_speech_is_decoded_in_windows() -> None:
    engine = Engine(DecoderChoice(MODEL, "cpu", speech_window=True))
    engine.decode_once(np.zeros(31 * SAMPLE_RATE, np.float32), "en")
    assert engine.encoded_seconds >= 30.0


def test_the_full_window_is_the_default_and_nothing_is_lossy() -> None:
    settings = WhisperSettings(model=str(MODEL))
    assert settings.encoder_window == "full"
    transcriber = WhisperTranscriber(settings, load=Loader(FakeDecoder()))
    assert not transcriber.lossy
    transcriber.warm_up()
    assert not transcriber.lossy


def test_a_window_of_another_name_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(RecognitionError, match="speech"):
        WhisperTranscriber(WhisperSettings(encoder_window="tiny"))


@pytest.fixture
def no_checks_yet(user_folders: Path) -> None:
    assert default_path().is_relative_to(user_folders)
    default_path().unlink(missing_ok=True)


def keep(check: WindowCheck) -> None:
    WindowChecks().keep(check)


def test_auto_takes_the_short_window_only_after_a_check_that_passed(
    no_checks_yet: None,
) -> None:
    settings = WhisperSettings(model=str(MODEL), device="cpu", encoder_window="auto")
    assert not takes_speech_window(MODEL, settings)
    good = replace(a_check(), model_hash=model_hash(MODEL), compute_type="int8")
    keep(good)
    assert takes_speech_window(MODEL, settings)
    keep(replace(good, languages=(replace(good.languages[0], equal=0), *good.languages[1:])))
    assert not takes_speech_window(MODEL, settings)


@pytest.mark.parametrize(
    "changes",
    [
        {"compute_type": "float32"},
        {"languages": ("ko", "en", "de")},
        {"language": "de"},
    ],
    ids=["computing", "a language more", "another language"],
)
def test_a_check_says_nothing_about_what_it_did_not_look_at(
    no_checks_yet: None, changes: dict[str, object]
) -> None:
    keep(replace(a_check(), model_hash=model_hash(MODEL), compute_type="int8"))
    settings = WhisperSettings(model=str(MODEL), device="cpu", encoder_window="auto")
    assert takes_speech_window(MODEL, settings)
    changed = replace(settings, **changes)  # type: ignore[arg-type]
    assert not takes_speech_window(MODEL, changed)


def test_on_the_cpu_it_falls_back_to_the_gpus_verdict_does_not_count(
    no_checks_yet: None,
) -> None:
    check = replace(a_check(), model_hash=model_hash(MODEL), compute_type="int8_float16")
    keep(check)
    settings = WhisperSettings(
        model=str(MODEL), device="cuda", compute_type="int8_float16", encoder_window="auto"
    )
    loader = Loader(FakeDecoder(device="cuda", breaks=1), FakeDecoder())
    WhisperTranscriber(settings, load=loader).warm_up()
    assert [choice.speech_window for choice in loader.choices] == [True, False]
