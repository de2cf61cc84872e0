"""Two-stage training on real clips: `emoscope reproduce two-stage --data DIR`.

`DIR` holds `speech/manifest.csv`. The compact encoder's frame network is trained from random
weights, so nothing here is a claim about the paper's figures: what can be compared is which of its
trainings helps another, at the same optimiser steps, on speakers that nobody trained on.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from core.errors import ConfigError
from training.compact_encoders import read_speech_config
from training.progress import Reporter
from training.reproduce.mrl_mkd import check_options
from training.reproduce.options import ReproduceOptions
from training.reproduce.rows import Reproduction
from training.reproduce.tables import write_json
from training.reproduce.two_stage_real_batches import Sampling
from training.reproduce.two_stage_real_figures import judged_clips
from training.reproduce.two_stage_real_kept import KeptTrainings
from training.reproduce.two_stage_real_markdown import markdown
from training.reproduce.two_stage_real_parts import FOLDS, folds_of
from training.reproduce.two_stage_real_plan import ROWS, TRAININGS, RealRow
from training.reproduce.two_stage_real_report import RowSaid, content_of, reproduction
from training.reproduce.two_stage_real_runs import Runs, lesson_of
from training.reproduce.two_stage_real_training import (
    RealRecipe,
    Said,
    head_weights,
)
from training.speech import SpeechCorpus, load_corpus, quick_config

RECIPE = Path(__file__).resolve().parents[1] / "configs" / "embedded" / "speech.yaml"
"""Of the features and virtual speakers alone."""
_QUICK = RealRecipe(dim=16, blocks=1, attention_layers=1, sampling=Sampling(steps=1, batch=8))
_MEANINGLESS = (
    *("variant", "mglra", "protocol", "figure", "speech", "text", "second_text", "frozen", "task"),
)
"""Options that say nothing of these trainings."""


def run(options: ReproduceOptions) -> Reproduction:
    """Train and judge every row; leaves two_stage_real.json and .md in the folder of the run.

    Raises ConfigError, CorpusError or MediaError.
    """
    began = time.monotonic()
    rows = asked_rows(options)
    reporter = options.reporter or Reporter()
    corpus = _corpus(options, reporter)
    folds = folds_of(corpus.clips, corpus.banks[0].digests)[: options.folds or FOLDS]
    recipe = _QUICK if options.quick else RealRecipe()
    lessons = [lesson_of(corpus, fold, recipe) for fold in folds]
    kept = KeptTrainings(_out(options) / "trainings", resume=options.resume)
    runs = [Runs(lessons, seed, kept, reporter) for seed in range(options.seeds)]
    said = _trained(rows, runs)
    judged = judged_clips(corpus.clips, folds)
    told = [RowSaid(row, said[row.name], head_weights(row.name, lessons[0])) for row in rows]
    content = content_of(judged, folds, told, recipe, sum(each.seconds for each in runs))
    write_json(options.out / "two_stage_real.json", content)
    (options.out / "two_stage_real.md").write_text(markdown(content), encoding="utf-8")
    return reproduction(content, time.monotonic() - began)


def asked_rows(options: ReproduceOptions) -> list[RealRow]:
    """Return the rows to run. Raises ConfigError: an option or a row has no meaning here."""
    check_options(options, _MEANINGLESS)
    known = [row.name for row in ROWS]
    if unknown := sorted(set(options.rows) - set(known)):
        raise ConfigError(f"There is no row {', '.join(unknown)}.", f"Rows: {', '.join(known)}.")
    return [row for row in ROWS if not options.rows or row.name in options.rows]


def _corpus(options: ReproduceOptions, reporter: Reporter) -> SpeechCorpus:
    assert options.data is not None
    config = read_speech_config(RECIPE)
    config = quick_config(config) if options.quick else config
    measured = _out(options) / "measured"
    return load_corpus(options.data, config, measured, reporter, quick=options.quick)


def _out(options: ReproduceOptions) -> Path:
    """Return where measures and trainings are kept; those of a quick run stay apart."""
    return options.out / "quick" if options.quick else options.out


def _trained(rows: Sequence[RealRow], seeds: Sequence[Runs]) -> dict[str, list[list[Said]]]:
    """Return what each row said per seed and fold, trained in the order of the plan."""
    names = {row.name for row in rows}
    order = [stage.name for stage in TRAININGS if stage.name in names]
    found: dict[str, list[list[Said]]] = {name: [] for name in order}
    for runs in seeds:
        for name in order:
            found[name].append(runs.said(name))
    return found
