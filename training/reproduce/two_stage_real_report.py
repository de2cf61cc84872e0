"""The real comparison as JSON, as Markdown made of that JSON, and as a reproduction's tables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from core.models.two_stage_config import EMOTION, RECOGNITION
from training.evaluation.metrics import Estimate
from training.reproduce.rows import Column, Reproduction, Row, RowResult, TableReport
from training.reproduce.two_stage_real_claims import Finding, findings
from training.reproduce.two_stage_real_figures import (
    RESAMPLED,
    SEEDS_TOO,
    UA,
    Judged,
    Vector,
    estimate_of,
    figures_of,
)
from training.reproduce.two_stage_real_markdown import TABLES, Json, columns
from training.reproduce.two_stage_real_parts import Fold
from training.reproduce.two_stage_real_plan import RealRow, training
from training.reproduce.two_stage_real_training import RealRecipe, Said

TITLE = "Two-stage training on real clips, compact encoder"
DIFFERENCES = (
    "Encoder: the compact frame network from random weights; the paper fine-tunes XLS-R 300M.",
    "Budget: the same optimiser steps for every row, in one stage or in two.",
    "Adapters need a base: one trained on recognition alone, from the same training speakers, for"
    " as many steps as a first stage. Rows with adapters alone, and setting 1, have had these steps"
    " besides; the paper's base is XLS-R for every row.",
    "Style: RAVDESS's normal or strong intensity; unknown in the other corpora.",
    "Recognition is judged on scripts that nobody in the training part has said, so never on"
    " RAVDESS, which has two sentences. Korean is spelled in jamo.",
    "Emotion of a Korean script that is said in one emotion alone is judged only where the script"
    " was held out.",
    "Weights and rates that the paper does not print were set by the losses of training clips. The"
    " steps were raised once, from 1,200 to 1,800 and for all rows alike, when a first run was seen"
    " to be far from its end.",
)


_TRAINED = Column("trained", "trained", whole=True)
"""Weights that its last stage trained."""


@dataclass(frozen=True)
class RowSaid:
    """A row, what its trainings said (per seed, fold after fold), and the weights of its heads."""

    row: RealRow
    seeds: Sequence[Sequence[Said]]
    heads: int = 0


def content_of(
    judged: Judged,
    folds: Sequence[Fold],
    rows: Sequence[RowSaid],
    recipe: RealRecipe,
    seconds: float,
) -> Json:
    """Return everything that was found, as plain JSON values; `seconds` of all trainings."""
    vectors = {
        one.row.name: figures_of(
            judged, one.seeds, recognises=RECOGNITION in training(one.row.name).losses
        )
        for one in rows
    }
    return {
        "title": TITLE,
        "intervals": RESAMPLED + (SEEDS_TOO if any(len(one.seeds) > 1 for one in rows) else ""),
        "recipe": asdict(recipe),
        "corpora": {c: _counts(judged, c) for c in judged.people},
        "folds": [_fold(fold) for fold in folds],
        "seeds": max(len(one.seeds) for one in rows),
        "rows": [
            _row(one, vectors[one.row.name], recipe) | {"ua_of_seeds": _ua_of_seeds(judged, one)}
            for one in rows
        ],
        "claims": [_claim(found) for found in findings(vectors)],
        "training_seconds": round(seconds, 1),
    }


def _ua_of_seeds(judged: Judged, one: RowSaid) -> list[float]:
    found = [figures_of(judged, [said], recognises=False) for said in one.seeds]
    return [round(float(vectors[UA][0]), 5) for vectors in found]


def _counts(judged: Judged, corpus: str) -> Json:
    mine = [clip.corpus == corpus for clip in judged.spoken]
    return {
        "clips": sum(mine),
        "speakers": len(judged.people[corpus]),
        "emotions": int(judged.allowed[corpus].sum()),
        "judged_for_emotion": int((judged.honest & mine).sum()),
        "judged_for_recognition": int((judged.unsaid & mine).sum()),
    }


def _fold(fold: Fold) -> Json:
    return {
        "train": len(fold.train),
        "test": len(fold.test),
        "honest": int(fold.honest.sum()),
        "unsaid": int(fold.unsaid.sum()),
    }


def _row(one: RowSaid, vectors: Mapping[str, Vector], recipe: RealRecipe) -> Json:
    said = [each for seed in one.seeds for each in seed]
    trained, every = said[0].parameters
    stage = training(one.row.name)
    return {
        "name": one.row.name,
        "title": one.row.title,
        "table": one.row.table,
        "published": dict(one.row.published),
        "starts_from": stage.starts_from,
        "losses": dict(stage.losses),
        "steps": stage.trainer.epochs * recipe.sampling.steps,
        "parameters": {"trained": trained, "heads": one.heads, "all": every},
        "trainings": len(said),
        "judged": sum(len(each.logits[EMOTION]) for each in one.seeds[0]),
        "seeds": len(one.seeds),
        "seconds": round(sum(each.seconds for each in said) / len(said), 1),
        "figures": {name: _plain(estimate_of(vector)) for name, vector in vectors.items()},
    }


def _claim(found: Finding) -> Json:
    return {
        **asdict(found.claim),
        "difference": _plain(found.difference),
        "verdict": found.verdict,
        "corpora": {name: _plain(each) for name, each in found.corpora.items()},
    }


def _plain(estimate: Estimate) -> Json:
    values = asdict(estimate)
    return {name: None if math.isnan(x) else round(x, 5) for name, x in values.items()}


def reproduction(content: Json, seconds: float) -> Reproduction:
    """Return the tables that `emoscope reproduce` prints; `seconds` it took."""
    tables = [_table(content, number) for number in TABLES]
    return Reproduction(
        name="two-stage on real clips",
        title=TITLE,
        source="No published figure: the paper's corpus needs an agreement with its owner.",
        tables=(*(table for table in tables if table.published), _claims_table(content)),
        differences=DIFFERENCES,
        seconds=seconds,
        intervals=f"Intervals: {content['intervals']}.",
    )


def _table(content: Json, number: int) -> TableReport:
    rows = [row for row in content["rows"] if row["table"] == number]
    results = {row["name"]: _result(row) for row in rows}
    shown = tuple(Row(row["name"], row["title"], "two_stage") for row in rows)
    seen = {figure for row in rows for figure in row["figures"]}
    shown_columns = tuple(c for c in columns(content) if c.figure in seen)
    return TableReport(TABLES[number], (*shown_columns, _TRAINED), (), shown, results)


def _result(row: Json) -> RowResult:
    sizes = row["parameters"]
    figures = {name: _estimate(values) for name, values in row["figures"].items()}
    figures[_TRAINED.figure] = Estimate(*[float(sizes["trained"])] * 3)
    return RowResult(
        row["name"], "two_stage", figures, rows=row["judged"], parameters=sizes["trained"],
        head_parameters=sizes["heads"], seconds=row["seconds"],
    )  # fmt: skip


def _claims_table(content: Json) -> TableReport:
    rows, results = [], {}
    for number, claim in enumerate(content["claims"], 1):
        name = str(number)
        published = {} if claim["published"] is None else {"difference": claim["published"]}
        rows.append(Row(name, f"{claim['sentence']}: {claim['verdict']}", "", published))
        results[name] = RowResult(name, "", {"difference": _estimate(claim["difference"])})
    columns = (Column("difference", "difference", published=True, scale=100.0),)
    return TableReport("Which claims hold here", columns, (), tuple(rows), results)


def _estimate(values: Json) -> Estimate:
    return Estimate(
        *(math.nan if values[n] is None else values[n] for n in ("value", "low", "high"))
    )
