"""A trained system as a checkpoint that opens in the app, with its model card.

Mitchell et al. (2019), Model cards for model reporting, FAT*.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.models.checkpoint import save_checkpoint
from core.models.manifest import CheckpointInfo
from core.models.processor_loading import AnyProcessor
from core.models.speech_text import ARCHITECTURE, SpeechTextModel
from core.models.systems.registry import system
from training import config as configuration
from training import trained_on
from training.evaluation.metrics import Estimate
from training.evaluation.seen import Seen
from training.evaluation.system_scores import AFFECTS
from training.report.plots import title_of
from training.report.run import majority_sentences
from training.system_data import SystemData
from training.system_facts import RunFacts, differences, metrics_json

LIMITS = """\
## Limits

- What is shown is what an annotator might say who hears or reads the same; not what somebody feels.
- The figures above are of {corpus}: other speakers, rooms, microphones and topics will be harder.
- Intervals come from resampling rows; rows of one speaker are alike, so with few speakers the truth
  may lie outside.{affect}
- Not for decisions about people: hiring, policing, medicine, grading.
"""
NO_AFFECT = "\n- Arousal and valence are derived from the probabilities."


def write_checkpoint(
    folder: Path,
    model: SpeechTextModel,
    processor: AnyProcessor,
    facts: RunFacts,
    data: SystemData,
) -> CheckpointInfo:
    """Write the checkpoint of a run. Raises CheckpointError when its weights are not finite."""
    config = facts.config
    return save_checkpoint(
        folder,
        model,
        processor,
        name=config.name,
        architecture=ARCHITECTURE,
        training={
            "config": configuration.to_mapping(config),
            "seed": config.trainer.seed,
            "split": {"digest": facts.digest, "parts": configuration.to_mapping(facts.parts)},
            "trained_on": trained_on.of_system(config, data),
        },
        metrics=metrics_json(facts),
        card=model_card(facts, data),
        calibration=facts.calibration,
        half=config.half,
    )


def model_card(facts: RunFacts, data: SystemData) -> str:
    """Return the card in Markdown; every figure in it comes from `facts`, of rows in `data`."""
    config = facts.config
    source = system(config.system).source
    licence = config.corpus.licence or "not stated in the configuration: ask before you share it"
    affect = "" if config.affect else NO_AFFECT
    sections = [
        f"# {config.name}\n",
        f"System `{config.system}` ({source}), variant {config.variant}, trained on"
        f" {config.corpus.name} by `emoscope train`. Labels: {', '.join(facts.classes)}"
        f" ({config.problem.replace('_', ' ')}).\n",
        _encoders(facts),
        "## Data\n",
        f"Licence of the corpus: {licence}. Weights trained on a corpus fall under its terms.\n",
        parts_table(facts.classes, facts.parts),
        "## Measured\n",
        f"{_strangeness(facts, data)}\n",
        figures_table(facts.scores.figures, facts.scores.majority),
        *(f"{sentence}\n" for sentence in majority_sentences(facts)),
        "## What differs from the paper\n",
        "\n".join(f"- {line}" for line in differences(config)) + "\n",
        LIMITS.format(corpus=config.corpus.name, affect=affect),
    ]
    return "\n".join(sections)


def _encoders(facts: RunFacts) -> str:
    choices = {"speech": facts.config.speech, "text": facts.config.text}
    lines = [
        f"- {name}: {choice.model} ({choice.kind}, trained: {choice.trainable})"
        for name, choice in choices.items()
        if choice is not None
    ]
    sizes = facts.sizes
    lines.append(
        f"- {sizes.all:,} parameters, {sizes.head:,} in the head, {sizes.trained:,} trained"
    )
    return "\n".join(lines) + "\n"


def _strangeness(facts: RunFacts, data: SystemData) -> str:
    """Return how far the test part is strange to the weights, in sentences."""
    config, test = facts.config, [data.examples[row] for row in data.parts.test.tolist()]
    used = [*data.parts.train.tolist(), *data.parts.validation.tolist()]
    speakers = {data.examples[row].speaker for row in used}
    known = sum(bool(e.speaker) and e.speaker in speakers for e in test)
    before = Seen.from_training({"trained_on": trained_on.of_encoders(config)})
    heard = sum(trained_on.is_heard(before, example) for example in test)
    rules = (
        (True, "On the test part, 95 % intervals; no row of it was trained on in this run."),
        (
            config.selection == "test",
            "The epoch was chosen on these very rows, which flatters the figures.",
        ),
        (
            known > 0,
            f"{known} of its {len(test)} rows are of speakers who were trained on or chose the"
            " epoch: strangers will be harder.",
        ),
        (
            heard > 0,
            f"The compact encoders had been trained or calibrated on {heard} of its {len(test)}"
            " rows, or on their speakers, before: these rows are no test of the encoders.",
        ),
        (
            heard == 0 and before.is_stated and not before.unknown,
            "By the names of corpora, speakers and files, the compact encoders had met none of"
            " these speakers and rows before; the same recordings under other names would not be"
            " noticed.",
        ),
        (
            bool(before.unknown),
            f"Not known here: {'; '.join(before.unknown)}. That may hold rows of the test part.",
        ),
    )
    return " ".join(sentence for applies, sentence in rules if applies)


def parts_table(classes: Sequence[str], parts: Mapping[str, Mapping[str, Any]]) -> str:
    """Return rows, speakers and rows per class of every part, as a table in Markdown."""
    lines = [
        f"| part | rows | speakers | {' | '.join(classes)} |",
        "|---|---:|---:|" + "---:|" * len(classes),
    ]
    for part, found in parts.items():
        counts = " | ".join(str(int(found["classes"].get(name, 0))) for name in classes)
        lines.append(f"| {part} | {found['rows']} | {found['speakers']} | {counts} |")
    return "\n".join(lines) + "\n"


def figures_table(figures: Mapping[str, Estimate], majority: Mapping[str, Estimate]) -> str:
    """Return figures beside always saying the commonest class, as a table in Markdown."""
    lines = ["| figure | this system | always the commonest class |", "|---|---:|---:|"]
    for name, found in figures.items():
        lines.append(f"| {title_of(name)} | {_cell(found)} | {_cell(majority.get(name))} |")
    return "\n".join(lines) + "\n"


def _cell(found: Estimate | None) -> str:
    if found is None or math.isnan(found.value):
        return ""
    return f"{found.value:.4f} ({found.low:.4f} to {found.high:.4f})"


def write_predictions(path: Path, facts: RunFacts, data: SystemData) -> None:
    """Write one line per test row: what it is, what was said, and every probability."""
    judged = facts.judged
    affect = [name for name in AFFECTS if name in judged.affect]
    heads = ["corpus", "id", "speaker", "true", "predicted"]
    heads += [f"p_{name}" for name in facts.classes]
    heads += [f"{name}{kind}" for name in affect for kind in ("", "_predicted")]
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(heads)
        for at, row in enumerate(judged.rows.tolist()):
            example = data.examples[row]
            line: list[Any] = [example.corpus, example.id, example.speaker]
            line += [_names(judged.truth[at], facts), _names(judged.chosen[at], facts)]
            line += [f"{p:.6f}" for p in judged.probabilities[at]]
            for name in affect:
                values = judged.affect[name]
                line += [_number(values.truth[at]), _number(values.prediction[at])]
            rows.writerow(line)


def _names(row: Any, facts: RunFacts) -> str:
    return ";".join(name for name, there in zip(facts.classes, row, strict=True) if there)


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.6f}"


def write_problems(path: Path, facts: RunFacts) -> None:
    """Write the rows of the corpus that could not be used."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["source", "reason"])
        rows.writerows([problem.source, problem.reason] for problem in facts.problems)
