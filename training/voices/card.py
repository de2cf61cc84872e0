"""The card of a voice checkpoint: what it is good for, in figures. Mitchell et al. (2019)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.voices.report import CHANNEL, NETWORK, WHOLE

LARGEST_ERROR = 0.10
LEAST_RIGHT = 0.90
"""Above this equal-error rate, or below this share of right turns, a network is experimental."""

_INTRODUCTION = """\
# Emoscope's voice network

Tells who speaks: an utterance becomes a point on a sphere, near for equal voices; utterances are
clustered as they come, and speakers named S1, S2 ... in order of appearance. It knows nobody: no
name, no voice is stored, and all is forgotten when a session ends. Trained from scratch by
`python -m training.voices`; nothing was taken from another model. Code: Apache-2.0.
**The weights are derived from corpora under CC BY-NC-SA 4.0, one of them for research only: use
them for research and for yourself, not commercially.**

{verdict}
## Trained on

| corpus | what it is | licence |
|---|---|---|
| RAVDESS (Livingstone & Russo 2018) | English, acted, 20 speakers, two texts | CC BY-NC-SA 4.0 |
| nEMO (Christop 2024) | Polish, acted, 8 speakers, 90 sentences | CC BY-NC-SA 4.0 |
| EmotionTTS Open DB, Korean | Korean, acted, 12 speakers | CC BY-NC-SA 4.0, research only |

All {speakers} speakers trained the weights, in four to seven emotions each; pairs of clips of one
speaker differ in emotion. Copies at other speeds count as further voices.

## Measured

{method}.
The figures are those of networks that never heard the speakers; the weights here are of the same
recipe, trained on everybody. The recipe was chosen on these folds, so they are slightly optimistic.
"""

_EXPERIMENTAL = """\
**Experimental, and off unless you switch it on.** On speakers never heard, the equal-error rate is
{error} and {right} of the turns of two or three people get the right speaker. It tells a man from a
woman most of the time ({mixed} of turns right),
and is often wrong between two voices of one gender ({alike}):
turns of two people get one name, or one person gets two. Where each person
has a channel, or a transcript names them, use that.
"""

_USABLE = """\
On speakers never heard, the equal-error rate is {error} and {right} of the turns of two or three
people get the right speaker ({mixed} with a man and a woman, {alike} with two of one gender).
"""

_LIMITS = """\
## Limits

- Actors in quiet rooms, one voice at a time, sentences of two to six seconds. Overlapping speech,
  laughter, telephones and distant microphones are untested here, and will be worse.
- {speakers} speakers are very few for telling voices apart (others train on thousands). The
  intervals are wide, and the truth may lie outside.
- Noise and another filter on every utterance ("{channel}") raise the error: within a session,
  leave the microphone where it is.
- Not for identifying or verifying people.
"""


def is_experimental(report: Mapping[str, Any]) -> bool:
    """Return whether the figures are too poor for a network to be on by default."""
    error = report["equal_error_rate"][WHOLE][NETWORK]["all"]["value"]
    right = report["dialogues"][NETWORK]["2 and 3 voices"]["right"]["value"]
    return bool(error > LARGEST_ERROR or right < LEAST_RIGHT)


def voice_card(report: Mapping[str, Any]) -> str:
    """Return the card in Markdown; every figure in it comes from the report."""
    told = report["dialogues"][NETWORK]
    verdict = _EXPERIMENTAL if is_experimental(report) else _USABLE
    speakers = sum(len(names) for names in report["folds"])
    facts = {
        "error": _percent(report["equal_error_rate"][WHOLE][NETWORK]["all"]),
        "right": _percent(told["2 and 3 voices"]["right"]),
        "mixed": _percent(told.get("2 voices, mixed genders", {}).get("right")),
        "alike": _percent(told.get("2 voices, one gender", {}).get("right")),
    }
    return "\n".join(
        [
            _INTRODUCTION.format(
                verdict=verdict.format(**facts), speakers=speakers, method=report["method"]
            ),
            _rates(report["equal_error_rate"]),
            _dialogues(report["dialogues"]),
            _LIMITS.format(speakers=speakers, channel=CHANNEL),
        ]
    )


def _rates(conditions: Mapping[str, Any]) -> str:
    groups = list(conditions[WHOLE][NETWORK])
    lines = [
        "### Equal-error rate, %\n",
        f"| speech | judged by | {' | '.join(groups)} |",
        "|---|---|" + "---|" * len(groups),
    ]
    for condition, found in conditions.items():
        for name, rates in found.items():
            cells = [_cell(rates.get(group)) for group in groups]
            lines.append(f"| {condition} | {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _dialogues(found: Mapping[str, Any]) -> str:
    places = list(found[NETWORK]["2 and 3 voices"]["right_by_turn"])
    heads = [f"turns {place}" for place in places]
    lines = [
        "### Dialogues put together from clips of one corpus, online\n",
        "Share of turns with the right speaker under the best mapping, %; thresholds fitted on the"
        " speakers of other folds.\n",
        f"| dialogue | judged by | right | {' | '.join(heads)} | voices found | untold |",
        "|---|---|---|" + "---|" * len(heads) + "---|---|",
    ]
    for kind in found[NETWORK]:
        for name, kinds in found.items():
            told = kinds[kind]
            cells = [_cell(told["right"]), *(_cell(told["right_by_turn"][p]) for p in places)]
            tail = f"{told['voices_found']:.1f} | {100 * told['untold']:.0f}"
            lines.append(f"| {kind} | {name} | {' | '.join(cells)} | {tail} |")
    return "\n".join(lines) + "\n"


def _cell(rate: Mapping[str, float] | None) -> str:
    if rate is None:
        return ""
    return f"{100 * rate['value']:.1f} ({100 * rate['low']:.0f} to {100 * rate['high']:.0f})"


def _percent(rate: Mapping[str, float] | None) -> str:
    if rate is None:
        return "not measured"
    low, high = 100 * rate["low"], 100 * rate["high"]
    return f"{100 * rate['value']:.0f} % ({low:.0f} to {high:.0f})"
