"""What words alone can say of the MRL/MKD paper: dialogues of MELD and EmoryNLP as text.

`DIR` holds `text/meld` and `text/emorynlp`. One modality is there, so a teacher of it alone is the
model that sees single utterances. Beside the paper's six systems stand what they have to be better
than, trained in the same run on the same dialogues: the commonest class, the utterance alone, and a
bidirectional LSTM over turns.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from training.context.answers import READINGS
from training.context.features import DialogueCorpus, dialogue_set, read_dialogues
from training.context.fine_tuning import FineTuningConfig, fine_tuned
from training.context.parts import DialogueParts, split_parts
from training.context.scores import Estimate, Scored, differences, pooled, scored
from training.context.utterance_features import UtteranceEncoder, load_utterance_encoder
from training.reproduce.dialogue_lab import DialogueLab, Run, clear_states
from training.reproduce.dialogue_results import INTERVALS, SPREAD, row_result
from training.reproduce.mrl_mkd import MEANINGLESS, check_options, chosen_rows
from training.reproduce.mrl_mkd_recipes import (
    QUICK_EPOCHS,
    TITLES,
    UTTERANCE,
    TextRecipe,
    text_recipe,
)
from training.reproduce.options import ReproduceOptions
from training.reproduce.rows import Column, Reproduction, Row, RowResult, TableReport

CORPORA = ("meld", "emorynlp")
FINE_TUNING = FineTuningConfig()
"""Of the text encoder, once for all corpora; `--frozen` leaves it as it is."""
_QUICK_EVERY = 25
_NAMES = {"causal": "live", "full": "in hindsight"}
COLUMNS = tuple(
    column
    for reading in READINGS
    for column in (
        Column(f"{reading}_f1_weighted", f"weighted F1 {_NAMES[reading]}", scale=100),
        Column(f"{reading}_f1_weighted{SPREAD}", "spread", scale=100),
        Column(f"{reading}_accuracy", f"accuracy {_NAMES[reading]}", scale=100),
    )
)
_DIFFERENCES = tuple(
    replace(column, title=f"{column.title}: more")
    for column in COLUMNS
    if not column.figure.endswith(SPREAD)
)


@dataclass(frozen=True)
class _Judged:
    """A corpus: its parts, and the trainings of each system by name."""

    parts: DialogueParts
    runs: Mapping[str, Sequence[Run]]


def run(options: ReproduceOptions) -> Reproduction:
    """Run the rows that were asked for.

    Raises:
        ConfigError: there is no such row, or an option means nothing here.
        CorpusError: a corpus can't be read. CheckpointError: nor can the encoder.
    """
    started = time.monotonic()
    check_options(options, (*MEANINGLESS, "protocol"))
    recipes = _recipes(options)
    rows = chosen_rows(options, known_rows(list(recipes)))
    seeds = {n: [r.config.training.trainer.seed + k for k in range(options.seeds)]
             for n, r in recipes.items()}  # fmt: skip
    used = dict.fromkeys(row.corpus for row in rows)
    encoder = _encoder(options, recipes[next(iter(used))])
    # fine-tuned on all corpora whatever rows are asked for, so that a row is the same alone
    needed = used if options.frozen else recipes
    parts = _parts(options, {name: recipes[name] for name in needed}, encoder)
    judged = {
        name: _judge([r for r in rows if r.corpus == name], options, recipes[name], parts[name],
                     seeds[name])
        for name in used
    }  # fmt: skip
    clear_states(options.out)
    tables = [_table(name, rows, each, seeds[name]) for name, each in judged.items()]
    return Reproduction(
        name="mrl-mkd on texts",
        title=f"Dialogue models on the words of {' and '.join(judged)} ({options.mglra} MGLRA"
        f"{', quick' if options.quick else ''})",
        source="No published figure: the paper's have speech, text and vision, and its test part.",
        tables=(*tables, *_difference_table(judged)),
        differences=_said(encoder.loaded.info.name, judged, options),
        seconds=time.monotonic() - started,
        intervals=INTERVALS,
    )


def _recipes(options: ReproduceOptions) -> dict[str, TextRecipe]:
    """Return the recipes of the corpora that are there."""
    assert options.data is not None
    recipes = {name: text_recipe(name) for name in CORPORA}
    return {
        name: recipe
        for name, recipe in recipes.items()
        if all((options.data / each.path).is_dir() for each in recipe.config.source.corpora)
    }


def known_rows(corpora: Sequence[str]) -> tuple[Row, ...]:
    """Return every row of these corpora."""
    return tuple(
        Row(f"{corpus}-{system}", title, system, corpus=corpus)
        for corpus in corpora
        for system, title in TITLES.items()
    )


def _encoder(options: ReproduceOptions, recipe: TextRecipe) -> UtteranceEncoder:
    name = options.text or recipe.config.source.utterance
    return load_utterance_encoder(name, options.out / "cache", options.reporter)


def _parts(
    options: ReproduceOptions, recipes: Mapping[str, TextRecipe], encoder: UtteranceEncoder
) -> dict[str, DialogueParts]:
    """Return the dialogues of each corpus as features of its words."""
    read = {name: _read(recipe, options) for name, recipe in recipes.items()}
    frozen = {
        name: split_parts(
            dialogue_set(read[name], encoder, ("text",), speakers=recipe.config.model.speakers),
            recipe.config.parts,
        )
        for name, recipe in recipes.items()
    }
    if options.frozen:
        return frozen
    tuning = _quick(FINE_TUNING) if options.quick else FINE_TUNING
    corpora = {name: (read[name], frozen[name]) for name in recipes}
    return fine_tuned(
        corpora, encoder, tuning, cache=options.out / "cache", reporter=options.reporter
    )


def _read(recipe: TextRecipe, options: ReproduceOptions) -> DialogueCorpus:
    assert options.data is not None
    read = read_dialogues(recipe.config.source.corpora, options.data, options.reporter)
    return replace(read, dialogues=read.dialogues[::_QUICK_EVERY]) if options.quick else read


def _quick(config: FineTuningConfig) -> FineTuningConfig:
    return replace(config, folds=2, trainer=replace(config.trainer, epochs=1))


def _judge(
    rows: Sequence[Row],
    options: ReproduceOptions,
    recipe: TextRecipe,
    parts: DialogueParts,
    seeds: Sequence[int],
) -> _Judged:
    lab = DialogueLab(parts, options)
    runs: dict[str, list[Run]] = {row.system: [] for row in rows}
    for seed in seeds:
        for row in rows:
            made = recipe.of(row.system, options.mglra, quick=options.quick)
            runs[row.system].append(lab.run(row.name, made, seed))
        lab.forget_teachers()
    return _Judged(parts, runs)


def _table(corpus: str, rows: Sequence[Row], judged: _Judged, seeds: Sequence[int]) -> TableReport:
    mine = tuple(row for row in rows if row.corpus == corpus)
    parts = judged.parts
    results = {
        row.name: row_result(row, judged.runs[row.system], seeds, parts, READINGS) for row in mine
    }
    note = (
        f"{parts.train.utterances:,} utterances of {len(parts.train.dialogues):,} dialogues to"
        f" train on, {len(parts.validation.dialogues):,} dialogues of the training part held out to"
        f" choose the epoch, the {parts.test.utterances:,} utterances of the dev part judged once."
        f" Seeds: {', '.join(map(str, seeds))}; figures are their mean. In per cent."
    )
    live = (
        "Live: each turn as the last of a window, with nothing that follows. In hindsight: the"
        " whole dialogue in view."
    )
    return TableReport(corpus, COLUMNS, parts.train.classes, mine, results, (note, live))


def _difference_table(judged: Mapping[str, _Judged]) -> tuple[TableReport, ...]:
    """Return by how much each system is above the utterance alone, all corpora pooled."""
    everywhere = [name for name in TITLES if all(name in j.runs for j in judged.values())]
    systems = [name for name in everywhere if name != UTTERANCE]
    if not systems or UTTERANCE not in everywhere:
        return ()
    rows = tuple(Row(name, TITLES[name], name) for name in systems)
    results = {name: _above(judged, name) for name in systems}
    note = (
        "Figure less that of the utterance alone, mean over seeds; an interval without zero says"
        " that context helps. Dialogues are drawn within their corpus; weighted F1 weighs every"
        " class of every corpus by its support."
    )
    title = f"Above the utterance alone: {' and '.join(judged)}"
    title += ", pooled" if len(judged) > 1 else ""
    return (TableReport(title, _DIFFERENCES, (), rows, results, (note,)),)


def _above(judged: Mapping[str, _Judged], system: str) -> RowResult:
    runs = [run for each in judged.values() for run in each.runs[system]]
    parameters = max(run.parameters for run in runs)
    return RowResult(
        system, system, above_alone(judged, system), parameters=parameters,
        head_parameters=parameters, seconds=sum(run.seconds for run in runs),
    )  # fmt: skip


def above_alone(judged: Mapping[str, _Judged], system: str) -> dict[str, Estimate]:
    """Return READING_FIGURE -> by how much a system exceeds the utterance alone."""
    found = {}
    for reading in READINGS:
        ours, alone = (_pooled(judged, name, reading) for name in (system, UTTERANCE))
        for name, each in differences(ours, alone).items():
            found[f"{reading}_{name}"] = each
    return found


def _pooled(judged: Mapping[str, _Judged], system: str, reading: str) -> list[Scored]:
    """Return the corpora as one, per seed."""
    each = [[scored(run.answers[reading]) for run in j.runs[system]] for j in judged.values()]
    return [pooled(list(of_seed)) for of_seed in zip(*each, strict=True)]


def _said(
    encoder: str, judged: Mapping[str, _Judged], options: ReproduceOptions
) -> tuple[str, ...]:
    quick = (f"Quick: every {_QUICK_EVERY}th dialogue, {QUICK_EPOCHS} epochs.",)
    files = ", ".join(f"{name}_text.yaml" for name in judged)
    paper = "(RoBERTa-large, four layers, fine-tuned on the corpus, in the paper)"
    features = (
        f"Features: pooled text vectors of the checkpoint '{encoder}', frozen {paper}."
        if options.frozen
        else f"Features: pooled text vectors of the checkpoint '{encoder}' and, beside them, what"
        f" that encoder says after fine-tuning on the other {FINE_TUNING.folds - 1} of"
        f" {FINE_TUNING.folds} folds of the training dialogues {paper}. Every model of a table"
        " reads the same ones; the fine-tuning draws from one seed."
    )
    return (
        *(quick if options.quick else ()),
        "Modalities: the words alone; neither corpus has its recordings here. A representation of"
        " one modality is nested from its beginning, whatever the layout.",
        features,
        "Teacher: the model of single utterances (in the paper a unimodal MGLRA per modality).",
        "Judged: the dev part; the test part is not here. Speakers are numbered by their first"
        " utterance.",
        f"Recipe: training/configs/dialogue/{files}, the same for every model of a table.",
    )
