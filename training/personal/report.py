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
    kept adapter is worse on the rest; `false_keep` the share that was kept with shuffled labels.
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
    lines = [_HEAD.format(**about), *_table(summary(outcomes)), "", _FOOT]
    return "\n".join(lines)


def _table(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield (
        "| corpus | corrections | speakers | accuracy before | gain | UAR before | gain | told |"
        " kept | gain when kept | kept and worse | gain as used | kept, shuffled labels |"
    )
    yield "|" + "---|" * 13
    for row in rows:
        cells = (
            row["corpus"], row["corrections"], row["speakers"], _share(row["accuracy_before"]),
            _change(row["accuracy_gain"]), _share(row["uar_before"]), _change(row["uar_gain"]),
            _signed(row["told_gain"]), _share(row["keep"]), _signed(row["kept_gain"]),
            _share(row["harm"]), _change(row["gain_as_used"]), _share(row["false_keep"]),
        )  # fmt: skip
        yield "| " + " | ".join(map(str, cells)) + " |"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _signed(value: float | None) -> str:
    return "" if value is None else f"{value:+.3f}"


def _change(values: tuple[float, float, float]) -> str:
    return "{:+.3f} ({:+.3f} to {:+.3f})".format(*values)


_HEAD = """# Personal adapters on speakers who were never heard

Made by `python -m training.personal.simulate` with the checkpoint {checkpoint} (sha256 {sha256}),
{draws} random draws of corrections for each speaker, {rest} other clips of the speaker judged at
most, texts {texts}. Before and after both know the speaker's voice by the corrected clips (the
personal baseline), so the gain is the adapter's own.
"""

_FOOT = """Intervals (95 %) are over speakers. "told": the gain that cross-validation on the
corrections tells the user. "kept": share of draws in which the rule of `core/personal/trial.py`
keeps the adapter. "gain as used": with what is not kept counted as no change.
"""
