"""Sentences about personal adapters, in the language of the window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from PySide6.QtCore import QCoreApplication, QLocale

from core.personal.types import AdaptationReport, Gain
from desktop import names
from desktop.personal_work import Kept
from desktop.source_text import QT_TRANSLATE_NOOP

LEAST_CORRECTIONS = 10
"""Fewer are too few: as in `core.personal.adapting`, which a test compares."""

_REASONS: Mapping[str, str] = MappingProxyType(
    {
        "kept": QT_TRANSLATE_NOOP(
            "PersonalWords",
            "With the voice of “{person}” it did better on turns held back, and it is kept.",
        ),
        "no_gain": QT_TRANSLATE_NOOP(
            "PersonalWords",
            "It is not clear that it helps with the voice of “{person}”, so it is not kept. More "
            "corrections may change that.",
        ),
        "too_few": QT_TRANSLATE_NOOP(
            "PersonalWords",
            "There are too few corrections of “{person}” to learn from: {missing} more are needed.",
        ),
        "one_label": QT_TRANSLATE_NOOP(
            "PersonalWords",
            "All corrections of “{person}” name the same emotion: nothing can be told apart by "
            "them.",
        ),
        "only_wrong": QT_TRANSLATE_NOOP(
            "PersonalWords",
            "Nearly all that was said about “{person}” is that the model was wrong. Also mark "
            "turns that are right as they are: else what is right now would be lost.",
        ),
        "cancelled": QT_TRANSLATE_NOOP("PersonalWords", "Cancelled. Nothing was changed."),
    }
)


_WEIGHED = QT_TRANSLATE_NOOP(
    "PersonalWords",
    "Turns it got wrong count for less here, as they are corrected more often than they occur.",
)


def _translate(text: str) -> str:
    return QCoreApplication.translate("PersonalWords", text)


def outcome(report: AdaptationReport, person: str) -> str:
    """Return what came of adapting, with what it was worth and what could not be used."""
    text = _translate(_REASONS.get(report.reason, report.reason))
    missing = QLocale().toString(max(1, LEAST_CORRECTIONS - report.corrections))
    parts = [text.format(person=person, missing=missing)]
    if report.gain is not None:
        parts.append(worth(report.gain))
    if report.skipped:
        parts.append(
            _translate(
                QT_TRANSLATE_NOOP(
                    "PersonalWords",
                    "{count} corrections could not be used: their sound is gone, or the model does "
                    "not know the emotion.",
                )
            ).format(count=QLocale().toString(report.skipped))
        )
    return " ".join(parts)


def worth(gain: Gain) -> str:
    """Return how often the model was right before and after, on turns that were held back."""
    text = _translate(
        QT_TRANSLATE_NOOP(
            "PersonalWords",
            "On {count} turns it had not learned from: agreed with you in {before} before, "
            "{after} with it (difference {low} to {high} points).",
        )
    )
    if gain.weighed:
        text = f"{text} {_translate(_WEIGHED)}"
    return text.format(
        count=QLocale().toString(gain.judged),
        before=names.percent(gain.before),
        after=names.percent(gain.after),
        low=_points(gain.low),
        high=_points(gain.high),
    )


def used_for(person: str, on: bool, speakers: Sequence[str]) -> str:
    """Return whether an adapter is used, and for whom, as a sentence."""
    if not on:
        text = QT_TRANSLATE_NOOP("PersonalWords", "What was learned of “{person}” is not used.")
    elif speakers:
        text = QT_TRANSLATE_NOOP(
            "PersonalWords", "What was learned of “{person}” is used for {speakers}."
        )
    else:
        text = QT_TRANSLATE_NOOP(
            "PersonalWords", "What was learned of “{person}” is used for everybody who speaks."
        )
    return _translate(text).format(person=person, speakers=", ".join(speakers))


def whom(person: str, speakers: Sequence[str]) -> str:
    """Return "me", or "me (A)" where it is not used for everybody."""
    return f"{person} ({', '.join(speakers)})" if speakers else person


def kept(what: Kept) -> str:
    """Return how much is kept of a person."""
    if not what.corrections:
        return _translate(QT_TRANSLATE_NOOP("PersonalWords", "Nothing yet."))
    text = _translate(
        QT_TRANSLATE_NOOP(
            "PersonalWords",
            "{said} turns you spoke about ({confirmed} right as they are), {passed} left alone; "
            "{length} of sound, {size}.",
        )
    )
    locale = QLocale()
    size = locale.formattedDataSize(what.bytes, 1, QLocale.DataSizeFormat.DataSizeSIFormat)
    return text.format(
        said=locale.toString(what.said),
        confirmed=locale.toString(what.confirmed),
        passed=locale.toString(len(what.corrections) - what.said),
        length=names.clock(what.seconds),
        size=size,
    )


def readiness(corrections: int) -> str:
    """Return whether there is enough to learn from."""
    missing = LEAST_CORRECTIONS - corrections
    if missing > 0:
        text = QT_TRANSLATE_NOOP(
            "PersonalWords",
            "{missing} more are needed before anything can be learned; some tens are better. Mark "
            "turns that are right, too.",
        )
        return _translate(text).format(missing=QLocale().toString(missing))
    return _translate(
        QT_TRANSLATE_NOOP(
            "PersonalWords",
            "Enough to try. What is learned is judged on corrections held back, and kept only if "
            "it helps. It takes seconds to a few minutes; you can go on working.",
        )
    )


def _points(share: float) -> str:
    number = QLocale().toString(round(100 * share))
    return f"+{number}" if share > 0 and not number.startswith(("-", "\u2212", "0")) else number
