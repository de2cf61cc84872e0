"""The check of the short window: what is counted, what passes, what is kept."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from core.asr.whisper import WhisperSettings
from core.asr.word_errors import (
    LanguageErrors,
    WindowCheck,
    WindowChecks,
    check_short_encoder,
    compare_texts,
    model_hash,
)
from core.errors import RecognitionError
from core.quality.records import processor
from tests.asr.clips import MODEL, SpokenClip, utterance_of

ENGLISH = LanguageErrors("en", utterances=100, equal=99, units=700, between=0.004)
KOREAN = LanguageErrors("ko", 80, 70, 900, 0.03, full=0.12, short=0.125, highest_rise=0.015)


def a_check() -> WindowCheck:
    from core.asr.window_checks import library

    return WindowCheck(
        model="micro",
        model_hash="a" * 64,
        compute_type="int8",
        languages=(ENGLISH, KOREAN),
        speedup=3.0,
        library=library(),
        machine=processor(),
        created="2026-01-01T00:00:00+00:00",
    )


def test_english_is_compared_by_word_and_korean_by_syllable() -> None:
    english = compare_texts("en", ["I was there", "yes"], ["I was here", "Yes."], None)
    assert (english.equal, english.units) == (1, 4)
    assert english.between == pytest.approx(1 / 4)
    korean = compare_texts("ko", ["비가 왔어요"], ["비가왔어유"], None)
    assert (korean.equal, korean.units) == (0, 5)
    assert korean.between == pytest.approx(1 / 5)


def test_case_punctuation_and_korean_spaces_are_no_errors() -> None:
    assert compare_texts("en", ["Well, it's late!"], ["well its late"], None).between == 0
    assert compare_texts("ko", ["갈 거예요."], ["갈거예요"], None).equal == 1


def test_text_that_only_one_window_finds_is_an_error() -> None:
    lost = compare_texts("en", ["I was there", ""], ["", ""], None)
    assert lost.between == 1.0
    invented = compare_texts("en", ["", "yes"], ["thank you", "yes"], None)
    assert invented.between == 2.0
    assert invented.equal == 1


def test_with_references_the_rise_of_the_error_rate_counts() -> None:
    said = ["one two three four five"] * 20
    full = ["one two three four nine", *said[1:]]
    short = ["one two three four five", *said[1:19], "one two seven four nine"]
    found = compare_texts("en", full, short, said)
    assert found.full == pytest.approx(0.01)
    assert found.short == pytest.approx(0.02)
    assert found.rise == pytest.approx(0.01)
    assert found.highest_rise is not None
    assert 0.01 < found.highest_rise < 0.1
    assert found.units == 100


def test_a_short_window_that_errs_elsewhere_but_no_more_often_passes_by_its_references() -> None:
    assert KOREAN.objections == ()
    assert "texts_differ" in replace(KOREAN, full=None, short=None).objections


@pytest.mark.parametrize(
    ("base", "changes", "objection"),
    [
        (ENGLISH, {"equal": 97}, "texts_differ"),
        (ENGLISH, {"between": 0.011}, "words_differ"),
        (ENGLISH, {"utterances": 49, "equal": 49}, "too_few_utterances"),
        (ENGLISH, {"units": 299}, "too_few_utterances"),
        (KOREAN, {"short": 0.131}, "more_errors"),
        (KOREAN, {"highest_rise": 0.021}, "more_errors"),
    ],
)
def test_every_limit_keeps_a_model_from_passing(
    base: LanguageErrors, changes: dict[str, float], objection: str
) -> None:
    assert base.objections == ()
    assert replace(base, **changes).objections == (objection,)  # type: ignore[arg-type]


def test_one_bad_language_does_not_spoil_another_but_the_whole() -> None:
    check = replace(a_check(), languages=(ENGLISH, replace(KOREAN, short=0.3)))
    assert not check.passed
    assert check.covers(["en"])
    assert not check.covers(["en", "ko"])
    assert not check.covers(["de"])
    assert not replace(check, languages=()).passed


def test_a_verdict_is_kept_and_found_again(tmp_path: Path) -> None:
    checks = WindowChecks(tmp_path / "deep" / "checks.json")
    assert checks.find("a" * 64) is None
    checks.keep(a_check())
    checks.keep(replace(a_check(), compute_type="float32", speedup=2.0))
    again = WindowChecks(tmp_path / "deep" / "checks.json")
    assert again.find("a" * 64) == a_check()
    assert again.passed("a" * 64) == a_check()
    assert again.passed("a" * 64, languages=["de"]) is None
    assert again.passed("b" * 64) is None
    checks.keep(replace(a_check(), speedup=9.0))
    found = again.find("a" * 64)
    assert found is not None
    assert found.speedup == 9.0


@pytest.mark.parametrize("changes", [{"library": "0"}, {"machine": "another"}, {"revision": 0}])
def test_a_verdict_from_before_a_change_does_not_count(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    checks = WindowChecks(tmp_path / "checks.json")
    checks.keep(replace(a_check(), **changes))  # type: ignore[arg-type]
    assert checks.find("a" * 64) is not None
    assert checks.passed("a" * 64) is None


@pytest.mark.parametrize("content", ["", "[]", "{", '{"' + "a" * 64 + ':int8": {"model": 1}}'])
def test_a_damaged_store_counts_as_none_and_is_written_anew(tmp_path: Path, content: str) -> None:
    path = tmp_path / "checks.json"
    path.write_text(content)
    checks = WindowChecks(path)
    assert checks.passed("a" * 64) is None
    checks.keep(a_check())
    assert checks.passed("a" * 64) == a_check()


def test_the_hash_of_a_model_is_that_of_its_files_and_of_nothing_else(tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    shutil.copytree(MODEL, copy, ignore=shutil.ignore_patterns("clips", "README.md"))
    assert model_hash(copy) == model_hash(MODEL)
    with (copy / "model.bin").open("ab") as file:
        file.write(b"x")
    assert model_hash(copy) != model_hash(MODEL)


def test_the_check_runs_both_windows_over_real_speech(known_clips: list[SpokenClip]) -> None:
    utterances = [utterance_of(clip.samples, i) for i, clip in enumerate(known_clips)]
    told: list[tuple[int, int]] = []
    settings = WhisperSettings(device="cpu", cpu_threads=1)
    check = check_short_encoder(
        MODEL,
        utterances,
        [clip.text for clip in known_clips],
        settings,
        progress=lambda done, total: told.append((done, total)),
    )
    assert told == [(number, 24) for number in range(1, 25)]
    assert [one.language for one in check.languages] == ["en", "ko"]
    assert [one.utterances for one in check.languages] == [12, 12]
    assert all(one.full is not None and one.full < 0.1 for one in check.languages)
    assert all("too_few_utterances" in one.objections for one in check.languages)
    assert not check.passed
    assert check.model_hash == model_hash(MODEL)
    assert check.compute_type == "int8"
    assert check.speedup > 1.2
    assert not check.outdated
    assert WindowCheck.from_dict(check.to_dict()) == check


def test_the_check_refuses_what_it_can_not_compare(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="references"):
        check_short_encoder(MODEL, [], ["too many"])
    with pytest.raises(RecognitionError, match="nowhere"):
        check_short_encoder(tmp_path / "nowhere", [])
