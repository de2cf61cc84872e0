"""What real speech and text can say about the systems: `emoscope reproduce rsa-cfn --data DIR`.

`DIR` holds `speech/manifest.csv` and `text/<corpus>/`: acted clips of one emotion each, and texts.
No clip has arousal, valence or a compound label, so there is no CCC and no label transform here,
and rows that differ in nothing else are run once. Heads are trained on compact features of encoders
that never heard the corpus (`real_features`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import ConfigError, CorpusError
from core.labels import EMOTIONS
from training.evaluation.system_scores import Judged, score
from training.progress import Reporter
from training.reproduce.options import ReproduceOptions
from training.reproduce.published import KNU_ROWS, LOW_RANK_ROW, RSA_CFN_ROWS
from training.reproduce.real_cells import Cell, cells, speaker_cells
from training.reproduce.real_features import ClipFeatures, RealCorpora
from training.reproduce.real_figure import draw_figure
from training.reproduce.real_heads import (
    HeadData,
    HeadRecipe,
    commonest_label,
    judged,
    train_and_judge,
)
from training.reproduce.real_kept import KeptHeads
from training.reproduce.real_light import difference, kept_heads, light_table
from training.reproduce.real_texts import COLUMNS, SEEDS, text_table
from training.reproduce.rows import Reproduction, Row, RowResult, TableReport

SPOKEN = "emotiontts_ko"
"""The corpus in which speech and text both say something."""
SPEAKER_FOLDS, SCRIPT_FOLDS, CORPUS_FOLDS = 3, 5, 4
LARGE = HeadRecipe(batch=32, learning_rate=1e-4)
"""For the published 328 million weights: seconds a step, and wide layers need small steps."""

SHORT = HeadRecipe(options={"text_tokens": 48, "speech_frames": 168})
"""For the mixer: compact frames are 64 ms long, so 10.7 s of speech; no clip here is longer."""
LIGHT = HeadRecipe(learning_rate=3e-4)
"""As made-up tasks have shown to suit it (see core/models/systems/low_rank_rsa_cfn.py)."""
_RECIPES: Mapping[str, HeadRecipe] = {
    "rsa_cfn": LARGE, "hybrid": LARGE, "mlp_mixer": SHORT, "low_rank_rsa_cfn": LIGHT,
}  # fmt: skip
_ONE_SEED = frozenset({"rsa_cfn", "hybrid"})
_VOTERS = ("3", "4", "7", "10")
"""Rows whose heads make up the hybrid (row 11), as the paper says it: by soft voting."""
_NARROW = {"projection": 16, "attention": 16, "hidden": 64}
_QUICK_OPTIONS: Mapping[str, Mapping[str, object]] = {
    "rsa_cfn": _NARROW,
    "hybrid": {"voters": {"rsa_cfn": _NARROW}},
}
_TITLES = {"1": "speech only", "2": "text only"}
"""Where the paper's title names an encoder that is not used here."""
_LEFT_OUT = frozenset({"9"})
"""Differs from row 10 by label transform alone."""


def _here(row: Row, name: str) -> Row:
    """Return a row of a paper as it is run here: without the paper's figures and encoders."""
    return Row(name, _TITLES.get(row.name, row.title), row.system)


_KNOWN: Mapping[str, tuple[Row, ...]] = {
    "rsa-cfn": tuple(_here(row, row.name) for row in (*RSA_CFN_ROWS, LOW_RANK_ROW)),
    "knu": tuple(_here(row, row.title) for row in KNU_ROWS if row.corpus == "kemdy20"),
}

Logits = NDArray[np.float64]


@dataclass(frozen=True)
class _Run:
    """What is judged, in which cells, and what it is counted as."""

    data: HeadData
    cells: Sequence[Cell]
    seeds: Sequence[int]
    kept: KeptHeads


@dataclass(frozen=True)
class _Said:
    """What one seed's heads said of all rows, the weights of one, and seconds of training."""

    judged: Judged
    parameters: int
    seconds: float


def run(options: ReproduceOptions) -> Reproduction:
    """Train and judge every row. Raises ConfigError, CorpusError or MediaError."""
    began = time.monotonic()
    reporter = options.reporter or Reporter()
    assert options.data is not None
    _check(options)
    corpora = RealCorpora(options.data, options.out, reporter, quick=options.quick)
    spoken = _spoken(corpora)
    tables = [_fusion_table(options, spoken, reporter)]
    images = _figure(options, spoken)
    if not options.rows:
        tables += [
            _speech_table(options, corpora, reporter),
            text_table(options, corpora, reporter),
        ]
    if not options.rows and options.paper == "rsa-cfn":
        tables.append(light_table(options, corpora, reporter))
    return Reproduction(
        name=f"{options.paper} on real clips",
        title=f"The systems of {options.paper} on real clips and texts, compact encoders",
        source="No published figure: the papers' corpora need an agreement with their owners.",
        tables=tuple(tables),
        differences=_DIFFERENCES,
        images=images,
        seconds=time.monotonic() - began,
    )


_DIFFERENCES = (
    "Corpora: acted clips instead of KEMDy; one label each, and Korean has four of seven classes.",
    "Encoders: the compact ones of this project, frozen, and speech encoders trained on the other"
    " corpora; the papers fine-tune wav2vec 2.0 and RoBERTa.",
    "Split: unseen speakers and, where text counts, unseen scripts; the papers split segments.",
    "CCC: no clip has arousal or valence. Label transform: no clip has a compound label. Neither"
    " can be shown here, so row 9 is row 10.",
    "Recipe: fixed epochs, nothing chosen by looking at the test part; heads see standardised"
    " features. Heads of 328 million weights: one seed and a tenth of the learning rate.",
)


_ONLY_KEMDY = ("variant", "protocol", "speech", "text", "second_text", "task", "frozen")


def _check(options: ReproduceOptions) -> None:
    """Refuse what has no meaning here. Raises ConfigError."""
    plain = {f.name: f.default for f in fields(ReproduceOptions)}
    given = [name for name in _ONLY_KEMDY if getattr(options, name) != plain[name]]
    if given:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise ConfigError(
            f"{names} means nothing on real clips with compact encoders.",
            "Leave it out, or give KEMDy20 or --generated.",
        )
    if options.figure and options.paper != "rsa-cfn":
        raise ConfigError("Only rsa-cfn has a figure.", "Leave --figure out.")


def _figure(options: ReproduceOptions, spoken: ClipFeatures) -> tuple[Path, ...]:
    if not options.figure:
        return ()
    parts = cells(spoken.clips, options.folds or SPEAKER_FOLDS, SCRIPT_FOLDS)
    return draw_figure(HeadData(spoken.labels, spoken.speech, spoken.text), parts, options.out)


def _spoken(corpora: RealCorpora) -> ClipFeatures:
    if SPOKEN not in corpora.names:
        raise CorpusError(f"The data holds no corpus {SPOKEN!r}.", "Fusion needs speech and text.")
    return corpora.features(SPOKEN)


def asked_rows(options: ReproduceOptions) -> list[Row]:
    """Return the rows to run. Raises ConfigError for a name that the paper's table lacks."""
    known = _KNOWN[options.paper]
    unknown = set(options.rows) - {row.name for row in known}
    if unknown:
        names = ", ".join(row.name for row in known)
        raise ConfigError(f"There is no row {', '.join(sorted(unknown))}.", f"Rows: {names}.")
    chosen = [row for row in known if not options.rows or row.name in options.rows]
    return [row for row in chosen if row.name not in _LEFT_OUT or row.name in options.rows]


def _fusion_table(
    options: ReproduceOptions, spoken: ClipFeatures, reporter: Reporter
) -> TableReport:
    rows = asked_rows(options)
    folds = options.folds or SPEAKER_FOLDS
    parts = cells(spoken.clips, folds, SCRIPT_FOLDS)
    data = HeadData(spoken.labels, spoken.speech, spoken.text)
    results: dict[str, RowResult] = {}
    said: dict[str, list[Judged]] = {}
    for row in rows:
        large = row.system in _ONE_SEED and not options.quick
        seeds = range(1 if large or options.quick else max(SEEDS, options.seeds))
        if row.system == "hybrid" and set(_VOTERS) <= set(said):
            results[row.name] = _vote(row, [said[name][0] for name in _VOTERS], results)
        else:
            job = _Run(data, parts, seeds, kept_heads(options))
            results[row.name], said[row.name] = _judge(row, job, recipe_of(row, options))
        reporter.say(f"{row.title}: UAR {results[row.name].figures['uar']}")
    note = (
        f"{len(spoken.clips)} clips, {len({c.speaker for c in spoken.clips})} speakers; every clip"
        f" is judged once, by a head that heard neither its speaker nor its script ({len(parts)}"
        " cells); nothing is known of the speaker."
    )
    shown = "Neutral, happy, angry and sad occur; a head may answer any of the seven."
    notes = (note, shown, *_light_note(said))
    return TableReport(
        "Speech and text: Korean clips", COLUMNS, EMOTIONS, tuple(rows), results, notes
    )


def _vote(row: Row, voters: Sequence[Judged], results: Mapping[str, RowResult]) -> RowResult:
    """Return the soft vote of four trained heads: the mean of their probabilities."""
    mean = np.mean([said.probabilities for said in voters], axis=0)
    chosen = np.eye(mean.shape[1])[mean.argmax(axis=1)]
    scores = score([replace(voters[0], probabilities=mean, chosen=chosen)])
    parameters = sum(results[name].parameters for name in _VOTERS)
    return replace(
        results[_VOTERS[-1]], name=row.name, system=row.system, figures=scores.figures,
        counts=tuple(scores.predicted), parameters=parameters, head_parameters=parameters,
        seconds=0.0,
    )  # fmt: skip


def _light_note(said: Mapping[str, Sequence[Judged]]) -> tuple[str, ...]:
    """Say how far the low-rank RSA-CFN lies from the published one, if both were run."""
    if "10" not in said or LOW_RANK_ROW.name not in said:
        return ()
    found = difference(said[LOW_RANK_ROW.name], said["10"])
    return (f"UAR of the low-rank RSA-CFN less that of row 10: {found}.",)


def recipe_of(row: Row, options: ReproduceOptions) -> HeadRecipe:
    """Return how a row's head is trained; a quick run narrows the widest."""
    recipe = _RECIPES.get(row.system, HeadRecipe())
    if options.quick:
        return HeadRecipe(epochs=3, options=_QUICK_OPTIONS.get(row.system, recipe.options))
    return recipe


def _judge(
    row: Row, job: _Run, recipe: HeadRecipe, counted: bool = True
) -> tuple[RowResult, list[Judged]]:
    """Train a row's head in every cell with every seed."""
    found = [_out_of_cell(row.system, job, recipe, seed) for seed in job.seeds]
    said = [one.judged for one in found]
    scores = score(said)
    result = RowResult(
        name=row.name,
        system=row.system,
        figures=scores.figures,
        counts=tuple(scores.predicted) if counted else (),
        majority=scores.majority,
        occurring=tuple(scores.occurring),
        rows=scores.rows,
        train_rows=len(job.cells[0].train),
        parameters=found[0].parameters,
        head_parameters=found[0].parameters,
        seconds=sum(one.seconds for one in found),
        seeds=tuple(job.seeds),
        folds=len(job.cells),
    )
    return result, said


def _out_of_cell(system: str, job: _Run, recipe: HeadRecipe, seed: int) -> _Said:
    """Return what heads say of the rows they never saw, and how many weights one has."""
    logits: Logits = np.full((len(job.data.labels), len(EMOTIONS)), np.nan)
    trained = [
        train_and_judge(system, job.data, cell.train, cell.test, recipe, seed, job.kept)
        for cell in job.cells
    ]
    for cell, head in zip(job.cells, trained, strict=True):
        logits[cell.test] = head.logits
    rows = np.flatnonzero(np.isfinite(logits[:, 0]))
    commonest = commonest_label(job.data, job.cells[0].train)
    said = judged(logits[rows], job.data.labels[rows], rows, commonest, seed)
    return _Said(said, trained[0].parameters, sum(head.seconds for head in trained))


def _speech_table(
    options: ReproduceOptions, corpora: RealCorpora, reporter: Reporter
) -> TableReport:
    rows: list[Row] = []
    results: dict[str, RowResult] = {}
    recipe = HeadRecipe(epochs=3) if options.quick else HeadRecipe()
    for name in corpora.names:
        reporter.say(f"speech alone: {name}")
        features = corpora.features(name)
        parts = speaker_cells(features.clips, options.folds or CORPUS_FOLDS)
        speakers = len({clip.speaker for clip in features.clips})
        for known, bank in (("", features.speech), ("+", features.personal)):
            title = f"{name}, {speakers} speakers" + (", each known" if known else "")
            row = Row(f"{name}{known}", title, "speech", corpus=name)
            seeds = range(1 if options.quick else SEEDS)
            job = _Run(HeadData(features.labels, bank), parts, seeds, kept_heads(options))
            rows.append(row)
            results[row.name], _ = _judge(row, job, recipe, counted=False)
    note = (
        "Every clip is judged by a head that never heard its speaker, on an encoder that never"
        ' heard its corpus. "Known": normalised by all of the speaker\'s unlabelled clips.'
    )
    return TableReport("Speech alone", COLUMNS, EMOTIONS, tuple(rows), results, (note,))
