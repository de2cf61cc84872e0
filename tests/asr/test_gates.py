"""The gates refuse what Whisper makes up, and let people's own words pass."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.asr.gates import GATES, rejection, sift
from core.asr.segments import Segment

SPOKEN = Segment("I can't believe you did that.", 0.2, 2.0, -0.25, 0.02, 0.9)


@pytest.mark.parametrize(
    ("changes", "gate"),
    [
        ({"average_log_probability": float("nan")}, "not_a_number"),
        ({"average_log_probability": float("-inf")}, "not_a_number"),
        ({"no_speech_probability": 0.95}, "no_speech"),
        ({"no_speech_probability": 0.7, "average_log_probability": -0.6}, "no_speech"),
        ({"average_log_probability": -1.2}, "low_log_probability"),
        ({"compression_ratio": 2.6}, "repetition"),
        ({"text": "I am so " * 6, "end": 9.0}, "loop"),
        ({"text": "Okay. " * 9, "end": 9.0}, "loop"),
        ({"text": "그래서 이제 " * 5, "end": 9.0}, "loop"),
        ({"text": "아" * 40, "end": 9.0}, "loop"),
        ({"text": "Thanks for watching!", "no_speech_probability": 0.4}, "known_phrase"),
        ({"text": "시청해주셔서 감사합니다.", "average_log_probability": -0.7}, "known_phrase"),
        ({"text": "구독과 좋아요 부탁드립니다!", "no_speech_probability": 0.3}, "known_phrase"),
        ({"text": "the quick brown fox jumps over a lazy dog " * 2, "end": 1.0}, "speaking_rate"),
        (
            {"text": "다음 주 월요일에 회의실에서 만나기로 약속했습니다", "end": 0.9},
            "speaking_rate",
        ),
    ],
)
def test_made_up_text_is_refused_by_the_gate_that_is_meant_for_it(
    changes: dict[str, object], gate: str
) -> None:
    assert rejection(replace(SPOKEN, **changes)) == gate  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"text": "No, no, no, no!"},
        {"text": "아니 아니 아니 그게 아니라", "end": 2.5},
        {"text": "진짜 진짜 진짜 화났어요.", "end": 2.5},
        {"text": "하하하하하"},
        {"text": "Thank you."},
        {"text": "감사합니다."},
        {"text": "I said I would come and I came, and you said you would come and you didn't."},
        {"no_speech_probability": 0.7},
        {"average_log_probability": -0.9},
        {"text": ""},
    ],
)
def test_what_people_say_passes_every_gate(changes: dict[str, object]) -> None:
    assert rejection(replace(SPOKEN, **changes)) is None  # type: ignore[arg-type]


def test_every_gate_has_its_own_name() -> None:
    assert len({name for name, _ in GATES}) == len(GATES)


def test_a_refused_segment_does_not_take_its_neighbours_with_it() -> None:
    invented = replace(SPOKEN, text="Thanks for watching", no_speech_probability=0.5)
    assert sift([invented, SPOKEN]) == ((SPOKEN,), None)


def test_an_utterance_of_refused_segments_names_the_first_reason() -> None:
    improbable = replace(SPOKEN, average_log_probability=-2.0)
    silent = replace(SPOKEN, no_speech_probability=0.99)
    assert sift([improbable, silent]) == ((), "low_log_probability")


def test_decoding_nothing_is_a_rejection_of_its_own() -> None:
    assert sift([]) == ((), "no_text")
