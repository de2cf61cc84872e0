"""The model card of a stage.

Mitchell et al. (2019), Model cards for model reporting, FAT*.
"""

from __future__ import annotations

from core.models.two_stage_config import GENDER, STYLE
from training.data.split_config import PROTOCOLS
from training.multitask.facts import StageFacts
from training.system_checkpoint import LIMITS, NO_AFFECT, figures_table, parts_table

_SOURCE = (
    "Gao, Shi, Chu & Kawahara (2024), Enhancing two-stage finetuning for speech emotion recognition"
    " using adapters, ICASSP"
)
_TAUGHT = (
    "Gender and style were learned only to help the emotion classifier. The app shows neither, and"
    " what the heads say of a person is not meant to be used."
)


def model_card(facts: StageFacts) -> str:
    """Return the card in Markdown; every figure in it comes from `facts`."""
    config = facts.config
    licence = config.corpus.licence or "not stated in the configuration: ask before you share it"
    return "\n".join([
        f"# {facts.name}\n",
        f"A two-stage model after {_SOURCE}: stage `{facts.stage.name}`, trained on"
        f" {config.corpus.name} by `emoscope train`. Labels: {', '.join(facts.data.classes)}.\n",
        _trained(facts),
        "## Data\n",
        f"Licence of the corpus: {licence}. Weights trained on a corpus fall under its terms."
        f" {PROTOCOLS[config.split.kind].description}\n",
        parts_table(facts.data.classes, facts.data.system.described),
        "## Measured\n",
        "On the test part, 95 % intervals; no row of it was trained on in this run, and it was"
        f" judged once. {_strangeness(facts)}\n",
        figures_table(facts.scores.figures, facts.scores.majority),
        _recognition(facts),
        "## What differs from the paper, and what is not claimed\n",
        "\n".join(f"- {line}" for line in differences(facts)) + "\n",
        LIMITS.format(corpus=config.corpus.name, affect=NO_AFFECT),
    ])  # fmt: skip


def differences(facts: StageFacts) -> tuple[str, ...]:
    """Return what is not as published, in sentences."""
    config, stage = facts.config, facts.stage
    rules = (
        (
            config.corpus.name != "iemocap",
            "The paper's figures are of IEMOCAP; those above are of another corpus, and say nothing"
            " about them.",
        ),
        (
            config.encoder.kind == "compact",
            "The encoder is Emoscope's compact one"
            + (", trained from random weights" if config.fresh else "")
            + "; the paper's is XLS-R with 300 million parameters.",
        ),
        (
            True,
            "One split was trained, not five folds; the epoch was chosen, and the temperature"
            " fitted, on a validation part. How the paper chose its epoch is not printed.",
        ),
        (
            bool({GENDER, STYLE} & set(stage.losses)),
            _TAUGHT,
        ),
        (
            any(name.startswith("scl") for name in stage.losses),
            "Self-contrastive losses draw the tasks' vectors together, as the paper's text says;"
            " its printed formulas would push them apart.",
        ),
        (
            stage.adapters is not None or stage.task_adapter > 0,
            "The width of the bottleneck adapters is not printed in the paper; it was chosen here.",
        ),
    )
    return tuple(sentence for applies, sentence in rules if applies)


def _trained(facts: StageFacts) -> str:
    stage, encoder = facts.stage, facts.config.encoder
    losses = ", ".join(f"{name} {weight:g}" for name, weight in stage.losses.items())
    lines = [
        f"- encoder: {encoder.model} ({encoder.kind})",
        f"- starts from: {stage.starts_from or 'the encoder, with new heads'}",
        f"- trains: {', '.join(stage.trains)}; losses: {losses}",
        f"- {facts.parameters:,} parameters, {facts.trained:,} trained;"
        f" best epoch {facts.best_epoch} of {len(facts.history)}",
    ]
    return "\n".join(lines) + "\n"


def _strangeness(facts: StageFacts) -> str:
    examples, parts = facts.data.examples, facts.data.parts
    used = [*parts.train.tolist(), *parts.validation.tolist()]
    speakers = {examples[row].speaker for row in used}
    test = [examples[row] for row in parts.test.tolist()]
    known = sum(bool(e.speaker) and e.speaker in speakers for e in test)
    nameless = sum(not e.speaker for e in test)
    if nameless:
        return f"Of {nameless} of its {len(test)} rows it is not known who speaks."
    if not known:
        return "None of its speakers was."
    return (
        f"{known} of its {len(test)} rows are of speakers who were trained on or chose the epoch:"
        " strangers will be harder."
    )


def _recognition(facts: StageFacts) -> str:
    scores = facts.scores
    if not scores.texts:
        return ""
    if not scores.unseen_rows:
        return (
            "Every text of the test part is said in the training part too, so the error rates say"
            " how well known sentences are told apart, not how well speech is recognised.\n"
        )
    rates = ", ".join(f"{name.upper()} {found}" for name, found in scores.unseen.items())
    return (
        f"Of {scores.texts} texts of the test part {scores.unseen_rows} are not said in the"
        f" training part; on these alone: {rates}.\n"
    )
