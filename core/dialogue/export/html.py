"""The report: one page that needs nothing else, with the timeline drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from core.dialogue.export.in_context import ContextView
from core.dialogue.export.shapes import (
    CURVES,
    LANE,
    MARGIN,
    NOT_SURE,
    WIDTH,
    Share,
    affect_dots,
    shares,
    timeline,
)
from core.dialogue.export.wording import (
    clock,
    emotion_phrase,
    emotion_word,
    given_words,
    note_phrase,
    span,
    words,
)
from core.dialogue.recording import Recording
from core.palette import colours_for
from core.types import EmotionResult, TranscriptSource, Turn, seconds


def write(recording: Recording, language: str) -> str:
    """Return the page in "en" or "ko"; everything that was said is escaped."""
    labels = _labels(recording.turns)
    length = max([recording.duration_seconds, *(seconds(t.end) for t in recording.turns)])
    speakers = recording.speakers()
    return _template().render(
        language=language,
        words=words(language),
        recording=recording,
        created=_moment(recording.metadata.created),
        length=clock(length),
        speakers=speakers,
        colours=_colours(labels, language),
        rows=timeline(recording.turns, speakers, labels, length),
        shares=[(s, _shares(recording.turns, s, labels)) for s in speakers],
        dots=affect_dots(recording.turns),
        plane_note=_plane_note(recording.turns, language),
        independent=any(t.emotion is not None and not t.emotion.exclusive for t in recording.turns),
        words_by=_words_by(recording, language),
        context=ContextView(recording.turns, language),
        view=_View(labels, language, any(t.transcript for t in recording.turns)),
        geometry={"width": WIDTH, "lane": LANE, "curves": CURVES, "margin": MARGIN},
    )


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("core.dialogue.export"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2")


@dataclass(frozen=True, slots=True)
class _Colour:
    """A class's colours; `name` is its word and `key` its CSS class (labels may hold anything)."""

    key: str
    name: str
    light: str
    dark: str

    @property
    def on_light(self) -> str:
        """Colour of a word written on `light`."""
        return ink_on(self.light)

    @property
    def on_dark(self) -> str:
        """Colour of a word written on `dark`."""
        return ink_on(self.dark)


def ink_on(colour: str) -> str:
    """Return black or white, whichever contrasts more with "#rrggbb" (WCAG 2.2, luminance)."""
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if (luminance + 0.05) ** 2 > 0.05 * 1.05 else "#ffffff"


def _colours(labels: Sequence[str], language: str) -> list[_Colour]:
    light, dark = colours_for(labels), colours_for(labels, dark=True)
    return [
        _Colour(f"e{i}", emotion_word(label, language), light[label], dark[label])
        for i, label in enumerate(labels)
    ]


class _View:
    """How the template names and formats what belongs to a turn."""

    def __init__(self, labels: Sequence[str], language: str, has_words: bool) -> None:
        # Where nothing was recognised at all, that is said once and not beside every turn.
        self._silent = () if has_words else ("speech_only",)
        self._keys = {label: f"e{i}" for i, label in enumerate(labels)}
        self._language = language
        self._words = words(language)

    def key(self, label: str | None) -> str:
        """CSS class of an emotion, or of none that is given or sure."""
        return self._keys[label] if label else "none"

    def turn_key(self, turn: Turn) -> str:
        """CSS class of a turn's strongest emotion; none when it gives none or was not judged."""
        return self.key(next(iter(turn.emotion.given), None)) if turn.emotion else "none"

    def turn_word(self, turn: Turn) -> str:
        """The words of a turn's emotions."""
        return given_words(turn.emotion, self._language) if turn.emotion else ""

    def word(self, label: str | None) -> str:
        """An emotion's word."""
        if label is NOT_SURE:
            return self._words["not_sure"]
        return emotion_word(label, self._language) if label else self._words["none_given"]

    def clock(self, second: float) -> str:
        """A time."""
        return clock(second)

    def span(self, duration: float) -> str:
        """A length of time."""
        return span(duration)

    def start(self, turn: Turn) -> str:
        """When a turn begins."""
        return clock(seconds(turn.start))

    def speaker(self, speaker: str | None) -> str:
        """A speaker's name."""
        return speaker or self._words["nobody"]

    def text(self, turn: Turn) -> str:
        """What was said, or nothing."""
        return turn.transcript.text if turn.transcript else ""

    def phrase(self, turn: Turn) -> str:
        """The emotion with its probability."""
        if turn.emotion is None:
            return self._words["no_emotion"]
        return emotion_phrase(turn.emotion, self._language)

    def tooltip(self, turn: Turn) -> str:
        """Everything about a turn in a line."""
        parts = (self.start(turn), self.speaker(turn.speaker), self.phrase(turn), self.text(turn))
        return " · ".join(part for part in parts if part)

    def fits(self, turn: Turn, width: float) -> bool:
        """Whether the emotion's word has room on a block of this width."""
        if turn.emotion is None:
            return False
        word = self.turn_word(turn)
        return width > 8 + sum(7.0 if character.isascii() else 12.0 for character in word)

    def ranked(self, emotion: EmotionResult) -> list[tuple[str, float]]:
        """Every class with its probability, the likeliest first."""
        pairs = zip(emotion.labels, emotion.probabilities, strict=True)
        return sorted(pairs, key=lambda pair: -pair[1])

    def independent(self, emotion: EmotionResult) -> list[tuple[str, float, float, bool]]:
        """(label, width, threshold, given) of a bar each, 100 wide, in the order of the classes."""
        rows = zip(emotion.labels, emotion.probabilities, emotion.thresholds, strict=True)
        return [
            (label, round(100 * p, 2), round(100 * threshold, 2), label in emotion.given)
            for label, p, threshold in rows
        ]

    def stacked(self, emotion: EmotionResult) -> list[tuple[str, float, float]]:
        """(label, x, width) of a bar 100 wide, in the order of the classes."""
        parts, x = [], 0.0
        for label, p in zip(emotion.labels, emotion.probabilities, strict=True):
            parts.append((label, round(x, 2), round(100 * p, 2)))
            x += 100 * p
        return parts

    def remarks(self, turn: Turn) -> list[str]:
        """Why a result is uncertain, what it rests on, and what went wrong, as phrases."""
        emotion = turn.emotion
        found = [self._words[doubt.value] for doubt in emotion.doubts] if emotion else []
        if emotion is not None and len(emotion.modality_share) > 1:
            share = (
                f"{self._words[f'share_{modality.value}']} {100 * part:.0f} %"
                for modality, part in emotion.modality_share.items()
            )
            found.append(" + ".join(share))
        codes = (*turn.notes, *(emotion.notes if emotion else ()))
        wanted = (code for code in dict.fromkeys(codes) if code not in self._silent)
        return found + [note_phrase(code, self._language) for code in wanted]


def _labels(turns: Sequence[Turn]) -> tuple[str, ...]:
    """Return every class that occurs, in the order of the models."""
    results = [r for t in turns for r in (t.emotion, t.context, t.hindsight) if r is not None]
    return tuple(dict.fromkeys(label for result in results for label in result.labels))


def _shares(turns: Sequence[Turn], speaker: str | None, labels: Sequence[str]) -> tuple[Share, ...]:
    return shares([turn for turn in turns if turn.speaker == speaker], labels)


def _plane_note(turns: Sequence[Turn], language: str) -> str:
    """Say where the positions on the plane come from; nothing where some differ from others."""
    placed = {
        t.emotion.affect_derived for t in turns if t.emotion and t.emotion.arousal is not None
    }
    if len(placed) != 1:
        return ""
    return words(language)["plane_derived" if placed.pop() else "plane_measured"]


def _moment(created: str) -> str:
    try:
        return datetime.fromisoformat(created).strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return created


def _words_by(recording: Recording, language: str) -> str:
    """Say where the words came from."""
    sources = {t.transcript.source for t in recording.turns if t.transcript}
    if TranscriptSource.RECOGNITION in sources:
        return recording.metadata.transcriber or "Whisper"
    return words(language)["annotated" if sources else "speech_only"]
