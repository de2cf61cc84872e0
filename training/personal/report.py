"""What simulated corrections came to, over speakers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from training.personal.trials import CARELESS, SHUFFLED, TRUE, Outcome

_RESAMPLES = 2000


def summary(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Return a row for each corpus and number of corrections, in their order.

    Accuracies and UAR are means over speakers of means over draws; intervals (95 %) come from
    resampling speakers. `kept_gain` is over what was kept; `harm` the share of draws in which a
    kept adapter is worse on the rest; `false_keep` the share that was kept with shuffled labels;
    `told_covers` the share of draws in which the interval that the user would be told holds the
    difference on the rest, `kept_told` what they would be told of what was kept.
    """
    keys = dict.fromkeys((o.corpus, o.corrections) for o in outcomes)
    return [_row([o for o in outcomes if (o.corpus, o.corrections) == key], *key) for key in keys]


def _row(outcomes: Sequence[Outcome], corpus: str, corrections: int) -> dict[str, Any]:
    true = [o for o in outcomes if o.labels == TRUE]
    kept = [o for o in true if o.kept]
    return {
        "corpus": corpus,
        "corrections": corrections,
        "speakers": len({o.speaker for o in true}),
        "draws": len(true),
        "accuracy_before": _over_speakers(true, lambda o: o.before)[0],
        "accuracy_gain": _over_speakers(true, lambda o: o.after - o.before),
        "uar_before": _over_speakers(true, lambda o: o.uar_before)[0],
        "uar_gain": _over_speakers(true, lambda o: o.uar_after - o.uar_before),
        "told_gain": _mean([o.told.after - o.told.before for o in true]),
        "told_covers": _mean([_covered(o) for o in true]),
        "kept_told": _mean([o.told.after - o.told.before for o in kept]),
        "keep": _mean([o.kept for o in true]),
        "kept_gain": _mean([o.after - o.before for o in kept]),
        "harm": _mean([o.kept and o.after < o.before for o in true]),
        "gain_as_used": _over_speakers(true, lambda o: (o.after - o.before) * o.kept),
        "false_keep": _mean([o.kept for o in outcomes if o.labels == SHUFFLED]),
        "careless_keep": _mean([o.kept for o in outcomes if o.labels == CARELESS]),
        "careless_kept_gain": _mean(
            [o.after - o.before for o in outcomes if o.labels == CARELESS and o.kept]
        ),
    }


def _covered(outcome: Outcome) -> bool:
    return outcome.told.low <= outcome.after - outcome.before <= outcome.told.high


def _over_speakers(
    outcomes: Sequence[Outcome], value: Callable[[Outcome], float]
) -> tuple[float, float, float]:
    """Return a mean over speakers and its 95 % interval."""
    by_speaker: dict[str, list[float]] = {}
    for one in outcomes:
        by_speaker.setdefault(one.speaker, []).append(value(one))
    means = np.array([np.mean(values) for values in by_speaker.values()])
    random = np.random.default_rng(0)
    drawn = means[random.integers(0, len(means), (_RESAMPLES, len(means)))].mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return round(float(means.mean()), 4), round(float(low), 4), round(float(high), 4)


def _mean(values: Sequence[float]) -> float | None:
    return round(float(np.mean(values)), 4) if values else None


def as_json(outcomes: Sequence[Outcome], about: Mapping[str, Any]) -> dict[str, Any]:
    """Return everything, every draw included."""
    return {
        **about,
        "summary": summary(outcomes),
        "outcomes": [asdict(outcome) for outcome in outcomes],
    }


def as_markdown(outcomes: Sequence[Outcome], about: Mapping[str, Any]) -> str:
    """Return a page with the table."""
    judge = about["judge"].format(**about)
    lines = [_HEAD.format(**{**about, "judge": judge}), *_table(summary(outcomes)), "", _FOOT]
    return "\n".join(lines)


def _table(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield (
        "| corpus | corrections | speakers | accuracy before | gain | UAR before | gain | told |"
        " kept | told when kept | gain when kept | kept and worse | gain as used |"
        " kept, shuffled labels | told interval holds |"
    )
    yield "|" + "---|" * 15
    for row in rows:
        cells = (
            row["corpus"], row["corrections"], row["speakers"], _share(row["accuracy_before"]),
            _change(row["accuracy_gain"]), _share(row["uar_before"]), _change(row["uar_gain"]),
            _signed(row["told_gain"]), _share(row["keep"]), _signed(row["kept_told"]),
            _signed(row["kept_gain"]), _share(row["harm"]), _change(row["gain_as_used"]),
            _share(row["false_keep"]), _share(row["told_covers"]),
        )  # fmt: skip
        yield "| " + " | ".join(map(str, cells)) + " |"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _signed(value: float | None) -> str:
    return "" if value is None else f"{value:+.3f}"


def _change(values: tuple[float, float, float]) -> str:
    return "{:+.3f} ({:+.3f} to {:+.3f})".format(*values)


_HEAD = """# {title}

Made by `python -m training.personal.simulate`. Judged by {judge};
{draws} random draws of corrections for each speaker, at most {rest} other clips of the speaker
judged ("the rest"), texts {texts}. The labels are those of the corpora: what actors were asked for.
Before and after both know the speaker's voice by {baseline} (the personal baseline), so the gain
is the adapter's own.
"""

_FOOT = """Means over speakers of means over draws, with 95 % intervals over speakers. "told": the
gain that cross-validation on the corrections tells the user. "kept": share of draws in which the
rule of `core/personal/trial.py` keeps the adapter; where few are kept, they are those that were
lucky in it, so "told when kept" may exceed "gain when kept". "kept and worse": share of draws in
which a kept adapter is worse on the rest by any amount. "gain as used": what is not kept counted
as no change. "told interval holds": share of draws in which the interval told (95 %, resampling
the corrections) holds the difference on the rest; it knows nothing of the luck in which clips are
the rest, nor that the adapter in use learned from more than those it was judged by. The form of
the adapter, its constants and the rule were chosen with these corpora in sight, so other people may
gain less; their speech is acted, and within a corpus the same sentences come again.
"""
