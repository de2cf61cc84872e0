"""Gates that refuse text which a recogniser made up.

Whisper writes fluent text for breaths, noise and music. Each gate looks at one segment and says
whether that is evidence enough to refuse it; `rejection` names the first that does. The thresholds
of no-speech, log-probability and compression are those of Radford et al. (2022), section 4.5; known
phrases and speaking rate follow Koenecke et al. (2024), "Careless Whisper", and reports by users.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

from core.asr.segments import Segment

NO_SPEECH = 0.6
CERTAIN_NO_SPEECH = 0.9
WEAK_NO_SPEECH = 0.2
LOG_PROBABILITY = -1.0
WEAK_LOG_PROBABILITY = -0.5
COMPRESSION_RATIO = 2.4
HANGUL_PER_SECOND = 14.0
"""Syllables; fast Korean speech has about nine a second."""
LETTERS_PER_SECOND = 32.0
"""Fast English speech has about twenty letters a second."""
_RATE_MARGIN = 0.3
"""Seconds added to a segment before its speaking rate is judged: its edges are uncertain."""
_REPEATS = {1: 8, 2: 5, 3: 4}
"""Consecutive repetitions of an n-gram that no speaker makes; longer n-grams: as for three."""
_LONGEST_NGRAM = 12

KNOWN_PHRASES = frozenset(
    {
        "시청해주셔서 감사합니다",
        "시청해 주셔서 감사합니다",
        "끝까지 시청해주셔서 감사합니다",
        "지금까지 시청해주셔서 감사합니다",
        "구독과 좋아요 부탁드립니다",
        "구독과 좋아요 알림 설정 부탁드립니다",
        "다음 영상에서 만나요",
        "다음 시간에 만나요",
        "다음 영상에서 뵙겠습니다",
        "한글자막 by 한효정",
        "자막 제공 및 광고를 포함하고 있습니다",
        "mbc 뉴스 김수진입니다",
        "mbc 뉴스 이덕영입니다",
        "thanks for watching",
        "thank you for watching",
        "thank you so much for watching",
        "thanks for watching and see you next time",
        "please subscribe",
        "please subscribe to my channel",
        "like and subscribe",
        "subtitles by the amara org community",
        "i'll see you in the next video",
        "see you in the next video",
        "you",
        "bye",
        "thank you",
        "감사합니다",
    }
)
"""What Whisper writes over silence: closing words of videos. Real people say some of them too, so
they are refused only when something else is suspicious."""


def is_not_a_number(segment: Segment) -> bool:
    """The audio held NaN, or the model is damaged."""
    return not math.isfinite(segment.average_log_probability)


def is_no_speech(segment: Segment) -> bool:
    """The model itself says that nobody speaks, and is not sure of its words."""
    probability = segment.no_speech_probability
    unsure = segment.average_log_probability < WEAK_LOG_PROBABILITY
    return probability > CERTAIN_NO_SPEECH or (probability > NO_SPEECH and unsure)


def is_improbable(segment: Segment) -> bool:
    """The words are guesses."""
    return segment.average_log_probability < LOG_PROBABILITY


def is_compressible(segment: Segment) -> bool:
    """The text repeats itself so much that it shrinks to less than half."""
    return segment.compression_ratio > COMPRESSION_RATIO


def is_loop(segment: Segment) -> bool:
    """The same words, or the same syllables, come over and over."""
    text = _normalised(segment.text)
    return _loops(text.split()) or _loops(list(text.replace(" ", "")), shortest_repeat=12)


def is_known_phrase(segment: Segment) -> bool:
    """A phrase that Whisper is known to make up, with weak evidence for it."""
    weak = (
        segment.no_speech_probability > WEAK_NO_SPEECH
        or segment.average_log_probability < WEAK_LOG_PROBABILITY
    )
    return weak and _normalised(segment.text) in KNOWN_PHRASES


def is_too_fast(segment: Segment) -> bool:
    """Nobody can speak that many letters in that time."""
    hangul = sum("가" <= character <= "힣" for character in segment.text)
    letters = sum(character.isalnum() for character in segment.text) - hangul
    least = hangul / HANGUL_PER_SECOND + letters / LETTERS_PER_SECOND
    return least > segment.end - segment.start + _RATE_MARGIN


GATES: tuple[tuple[str, Callable[[Segment], bool]], ...] = (
    ("not_a_number", is_not_a_number),
    ("no_speech", is_no_speech),
    ("low_log_probability", is_improbable),
    ("repetition", is_compressible),
    ("loop", is_loop),
    ("known_phrase", is_known_phrase),
    ("speaking_rate", is_too_fast),
)
"""Name of the rejection -> test, in the order they are asked."""


def rejection(segment: Segment) -> str | None:
    """Return the name of the first gate that refuses a segment, None when it may pass."""
    return next((name for name, refuses in GATES if refuses(segment)), None)


def sift(segments: Sequence[Segment]) -> tuple[tuple[Segment, ...], str | None]:
    """Return the segments that may pass, and the first rejection when none may.

    Decoding nothing at all is a rejection too: "no_text".
    """
    verdicts = [(segment, rejection(segment)) for segment in segments]
    passed = tuple(segment for segment, refused in verdicts if refused is None)
    if passed:
        return passed, None
    return (), next((refused for _, refused in verdicts if refused), "no_text")


def _normalised(text: str) -> str:
    """Return lower-case words without punctuation."""
    return " ".join(re.sub(r"[^\w\s']", " ", text.casefold()).split())


def _loops(items: Sequence[str], shortest_repeat: int = 0) -> bool:
    """Whether an n-gram repeats more often, in a row, than speakers do."""
    for size in range(1, min(_LONGEST_NGRAM, len(items) // 2) + 1):
        limit = max(_REPEATS[min(size, 3)], shortest_repeat)
        if len(items) >= size * limit and _longest_run(items, size) >= limit:
            return True
    return False


def _longest_run(items: Sequence[str], size: int) -> int:
    """Return how often in a row the most repeated n-gram of `size` items occurs."""
    longest = matching = 0
    for index in range(size, len(items)):
        matching = matching + 1 if items[index] == items[index - size] else 0
        longest = max(longest, matching)
    return longest // size + 1
