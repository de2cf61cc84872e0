"""The protocol of the MRL/MKD paper: six systems on features of IEMOCAP and of MELD."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import fields, replace

from core.errors import ConfigError, CorpusError
from training.context.parts import DialogueParts
from training.data.dialogues import DialogueSet
from training.data.feature_files.published import CORPORA
from training.reproduce import published
from training.reproduce.dialogue_lab import DialogueLab, Run, clear_states
from training.reproduce.dialogue_results import INTERVALS, SPREAD, row_result
from training.reproduce.mrl_mkd_data import features_of, shape_of
from training.reproduce.mrl_mkd_recipes import READING, published_recipe, quick_recipe
from training.reproduce.mrl_mkd_systems import DialogueRecipe, as_system
from training.reproduce.options import ReproduceOptions
from training.reproduce.rows import Column, Reproduction, Row, RowResult, TableReport

TITLE = "MGLRA with Matryoshka representations and distillation on IEMOCAP and MELD"
COLUMNS = (
    Column("accuracy", "accuracy", published=True, scale=100),
    Column("f1_weighted", "weighted F1", published=True, scale=100),
    Column("f1_weighted" + SPREAD, "spread", scale=100),
    Column("f1_macro", "macro F1", scale=100),
    Column("uar", "UAR", scale=100),
)
MEANINGLESS = ("variant", "folds", "figure", "speech", "second_text", "task")
"""Options that say nothing of a dialogue model."""


def run(options: ReproduceOptions) -> Reproduction:
    """Run the rows that were asked for, corpus by corpus.

    Raises:
        ConfigError: there is no such row, or an option means nothing here.
        CorpusError: no corpus is there, one is refused, or has not its layout.
    """
    started = time.monotonic()
    check_options(options, (*MEANINGLESS, "text", "frozen"))
    rows = chosen_rows(options, published.MRL_MKD_ROWS)
    tables: list[TableReport] = []
    missing: list[str] = []
    for corpus in dict.fromkeys(row.corpus for row in rows):
        mine = [row for row in rows if row.corpus == corpus]
        try:
            dialogues = features_of(corpus, options)
        except CorpusError as error:
            if options.generated or options.rows or "holds no" not in error.problem:
                raise
            missing.append(f"{corpus} was left out: {error}")
            continue
        tables.append(_table(corpus, mine, dialogues, options))
    clear_states(options.out)
    return Reproduction(
        name="mrl-mkd",
        title=_title(options),
        source=published.MRL_MKD_SOURCE,
        tables=tuple(tables),
        differences=(*missing, *_differences(options)),
        seconds=time.monotonic() - started,
        intervals=INTERVALS,
    )


def check_options(options: ReproduceOptions, meaningless: Sequence[str]) -> None:
    """Refuse options that mean nothing here. Raises ConfigError."""
    plain = {f.name: f.default for f in fields(ReproduceOptions)}
    given = [name for name in meaningless if getattr(options, name) != plain[name]]
    if given:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise ConfigError(f"{names} means nothing for {options.paper}.", "Leave it out.")


def chosen_rows(options: ReproduceOptions, known: Sequence[Row]) -> list[Row]:
    """Return the rows asked for, as `meld-mrl` or as `mrl` of all corpora. Raises ConfigError."""
    names = {row.name for row in known} | {row.system for row in known}
    unknown = [name for name in options.rows if name not in names]
    if unknown:
        systems = ", ".join(dict.fromkeys(row.system for row in known))
        raise ConfigError(
            f"There is no row {', '.join(unknown)}.",
            f"Rows: {systems}, of one corpus with its name before it, such as {known[0].name}.",
        )
    wanted = set(options.rows)
    return [row for row in known if not wanted or wanted & {row.name, row.system}]


def _title(options: ReproduceOptions) -> str:
    how = "generated data" if options.generated else str(options.data)
    quick = ", quick" if options.quick else ""
    return (
        f"{TITLE}: published figures beside those of {how}"
        f" ({options.mglra} MGLRA, {options.protocol} protocol{quick})"
    )


def parts_of(dialogues: DialogueSet, options: ReproduceOptions) -> DialogueParts:
    """Return the parts by the protocol: "paper" trains on all but test, and chooses on that."""
    train, dev, test = (dialogues.part(name) for name in ("train", "dev", "test"))
    if options.protocol == "paper":
        train = replace(train, dialogues=(*train.dialogues, *dev.dialogues))
        return DialogueParts(train, test, test)
    return DialogueParts(train, dev, test)


def row_recipe(row: Row, options: ReproduceOptions) -> DialogueRecipe:
    """Return how a row is trained."""
    make = quick_recipe if options.quick else published_recipe
    return as_system(row.system, make(row.corpus, options.mglra))


def _table(
    corpus: str, rows: Sequence[Row], dialogues: DialogueSet, options: ReproduceOptions
) -> TableReport:
    parts = parts_of(dialogues, options)
    lab = DialogueLab(parts, options)
    first = published_recipe(corpus, options.mglra).training.trainer.seed
    seeds = [first + n for n in range(options.seeds)]
    found: dict[str, list[Run]] = {row.name: [] for row in rows}
    for seed in seeds:
        for row in rows:
            found[row.name].append(lab.run(row.name, row_recipe(row, options), seed))
        lab.forget_teachers()
    results: dict[str, RowResult] = {
        row.name: row_result(row, found[row.name], seeds, parts, (READING,)) for row in rows
    }
    return TableReport(
        f"{corpus.upper()}: {len(parts.train.dialogues)} dialogues to train on,"
        f" {len(parts.validation.dialogues)} to choose by, {len(parts.test.dialogues)} judged",
        COLUMNS,
        CORPORA[corpus].classes,
        tuple(rows),
        results,
        _notes(seeds, options),
    )


def _notes(seeds: Sequence[int], options: ReproduceOptions) -> tuple[str, ...]:
    chosen = (
        "The epoch of each training is the one with the best weighted F1 on the test part, as"
        " published: figures are too good by what that chooses."
        if options.protocol == "paper"
        else "The epoch of each training is the one with the best weighted F1 on dialogues held out"
        " of the training part; the test part is judged once, after that."
    )
    return (chosen, f"Seeds: {', '.join(map(str, seeds))}; figures are their mean. In per cent.")


def _differences(options: ReproduceOptions) -> tuple[str, ...]:
    shape = shape_of(options)
    made = (
        f"The features are generated: {shape.train} and {shape.test} dialogues in the published"
        " layouts, whose labels depend on all modalities and on the turn before. Their figures say"
        " that everything works, and can't be compared with the paper's.",
    )
    quick = ("Quick: a narrow MGLRA, 8 epochs, a larger learning rate.",)
    choice = (
        "Epoch: chosen on a tenth of the training dialogues, held out; the paper's scripts keep the"
        " best epoch on the test part, and are run in a loop over random seeds.",
    )
    return (
        *(made if options.generated else ()),
        *(quick if options.quick else ()),
        *(choice if options.protocol == "default" else ()),
        _VARIANTS[options.mglra],
        "Attention runs over the turns of a dialogue (in the released code over the batch), and the"
        " graph hides values in training alone (there in the test as well): corrected in both"
        " variants.",
        "Optimiser: AdamW, whose weight decay is not part of the gradient, of weight matrices alone"
        " (Adam with L2 in the paper).",
        "MRL with MKD: the losses are added; nobody published a script that combines them.",
    )


_VARIANTS = {
    "full": "MGLRA: with recurrent alignment, graph filtering and reconstruction of hidden nodes,"
    " as its paper draws it; published rows are of the smaller code (--variant released).",
    "released": "MGLRA: as the released code computes it, which the published rows are of.",
}
