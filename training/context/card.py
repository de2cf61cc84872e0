"""The card of a dialogue model: what it is, trained on what, under which terms, how good, limits.

Mitchell et al. (2019), Model cards for model reporting, FAT*.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from training.context.answers import CAUSAL, FULL
from training.context.facts import DialogueFacts
from training.context.judged import POOLED
from training.context.scores import Estimate

_READINGS = {
    CAUSAL: "live: each turn as the last one of its window",
    FULL: "in hindsight: the whole dialogue in view",
}
_WHO = {
    "model": "this model",
    "utterance": "the utterance alone (same features)",
    "bilstm": "LSTM over turns",
    "mglra": "MGLRA",
    "majority": "always the commonest class",
}
_FIGURES = {"f1_weighted": "weighted F1", "accuracy": "accuracy", "f1_macro": "macro F1"}

_LIMITS = """\
## Limits

- What is shown is what an annotator might say of the turn, not what somebody feels.
- It reads features of one utterance model{utterance}; those of another mean nothing to it.
- The figures are of {corpora}: other people, topics and languages will be harder.
- Intervals come from resampling dialogues; dialogues of one series, or of the same speakers, are
  alike, so the truth may lie outside.
- A turn that was recognised wrongly, or given to the wrong speaker, misleads the turns after it.
- Not for decisions about people: hiring, policing, medicine, grading.
"""
_EXTRA = """\
- The voices it was trained with are clips given to written turns by their label alone: it knows
  what a voice adds, not how voice, words and dialogue go together.
"""


def dialogue_card(facts: DialogueFacts) -> str:
    """Return the card in Markdown; every figure in it comes from `facts`."""
    config = facts.config
    utterance = f" ({facts.utterance})" if facts.utterance else ""
    limits = _LIMITS.format(utterance=utterance, corpora=", ".join(_corpora(facts)))
    extra = _EXTRA if config.source.extra_speech is not None else ""
    sections = [
        f"# {config.name}\n",
        _introduction(facts),
        "## Data\n",
        _licences(facts),
        _parts(facts),
        "## Measured\n",
        "On the test part, which took no part in any choice; 95 % intervals over dialogues, and by"
        " how much this model is above what it is compared with on the same dialogues.\n",
        *_tables(facts),
        _nested(facts),
        limits + extra,
    ]
    return "\n".join(section for section in sections if section)


def _introduction(facts: DialogueFacts) -> str:
    config, specification = facts.config, facts.trained.model.specification
    reads = ", ".join(specification.features)
    source = facts.utterance or "published feature files"
    return (
        f"Architecture `{config.model.architecture}`, {facts.parameters:,} parameters: reads the"
        f" features ({reads}) of {source} for each turn of a dialogue, and who speaks, and says"
        " what each turn shows in its context. It is meant for windows of"
        f" {specification.window} turns. Labels: {', '.join(facts.classes)}. Trained by"
        " `emoscope train`.\n"
    )


def _licences(facts: DialogueFacts) -> str:
    source = facts.config.source
    unknown = "not stated in the configuration: ask before you share it"
    lines = [f"- {c.name}: {c.licence or unknown}" for c in source.corpora]
    if source.folder:
        lines.append(f"- {', '.join(_corpora(facts))} (features): {source.licence or unknown}")
    if source.extra_speech is not None:
        lines += [
            f"- {c.name} (voices given to written turns by label): {c.licence or unknown}"
            for c in source.extra_speech.corpora
        ]
    lines.append("\nWeights trained on a corpus fall under its terms.")
    return "\n".join(lines) + "\n"


def _corpora(facts: DialogueFacts) -> list[str]:
    return [name for name in facts.judged.corpora if name != POOLED]


def _parts(facts: DialogueFacts) -> str:
    rows = ["| part | dialogues | turns | labelled | classes |", "|---|---|---|---|---|"]
    for name, part in facts.parts.items():
        classes = ", ".join(f"{label} {n}" for label, n in part["classes"].items())
        counts = " | ".join(str(part[key]) for key in ("dialogues", "turns", "labelled"))
        rows.append(f"| {name} | {counts} | {classes} |")
    left = f"\n{facts.problems} rows could not be used." if facts.problems else ""
    return "\n".join(rows) + "\n" + left


def _tables(facts: DialogueFacts) -> Iterable[str]:
    rows: dict[tuple[str, str], list[str]] = {}
    for corpus, reading, who, own, above in facts.judged.rows():
        cells = [_cell(own[figure]) for figure in _FIGURES]
        cells.append(_signed(above["f1_weighted"]) if above else "")
        line = f"| {_WHO.get(who, who)} | {' | '.join(cells)} |"
        rows.setdefault((corpus, reading), []).append(line)
    heads = [*_FIGURES.values(), "weighted F1: this model above"]
    for (corpus, reading), lines in rows.items():
        title = "all corpora" if corpus == POOLED else corpus
        yield f"### {title}, {_READINGS[reading]}\n"
        yield "\n".join([f"| | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|", *lines, ""])


def _nested(facts: DialogueFacts) -> str:
    nested: Mapping[str, Mapping[str, Mapping[str, float]]] = facts.judged.nested_figures()
    if not nested:
        return ""
    readings = list(next(iter(nested.values())))
    lines = [
        "### Nested sizes, weighted F1\n",
        f"| dimensions | {' | '.join(_READINGS[r] for r in readings)} |",
        "|---" * (len(readings) + 1) + "|",
    ]
    for size, found in nested.items():
        cells = " | ".join(f"{found[r]['f1_weighted']:.3f}" for r in readings)
        lines.append(f"| {size} | {cells} |")
    return "\n".join(lines) + "\n"


def _cell(found: Estimate) -> str:
    return f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"


def _signed(found: Estimate) -> str:
    return f"{found.value:+.3f} ({found.low:+.3f} to {found.high:+.3f})"
