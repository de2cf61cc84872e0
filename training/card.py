"""The model card: what the checkpoint is made of, what was measured, and where its numbers end.

Mitchell et al. (2019), Model cards for model reporting, FAT*.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.labels import EMOTIONS
from training.evaluation import scoring
from training.evaluation.metrics import Estimate
from training.evaluation.report import Evaluation, GroupReport

_CORPORA: tuple[tuple[str, str, str], ...] = (
    (
        "RAVDESS (Livingstone & Russo 2018)",
        "English, acted, two fixed sentences; calm counts as neutral",
        "CC BY-NC-SA 4.0",
    ),
    ("nEMO (Christop 2024)", "Polish, acted, 90 sentences in every emotion", "CC BY-NC-SA 4.0"),
    (
        "EmotionTTS Open DB, Korean",
        "Korean, acted; the labels sad and angry corrected",
        "CC BY-NC-SA 4.0, research only",
    ),
    (
        "GoEmotions (Demszky et al. 2020)",
        "English forum comments; 28 labels mapped by Ekman groups",
        "Apache-2.0",
    ),
    ("GoEmotions, Korean", "machine translation of the same rows", "Apache-2.0"),
    ("KOTE (Jeon et al. 2022)", "Korean online comments; 44 labels mapped by us", "MIT"),
)

_INTRODUCTION = """\
# Emoscope's embedded model

Reads seven emotions ({classes}) from speech, from
Korean or English text, or from both. Trained from scratch by
`emoscope train training/configs/embedded/embedded.yaml`; nothing was taken from another model.
Code: Apache-2.0. **The weights are derived from corpora under CC BY-NC-SA 4.0, one of them for
research only: use them for research and for yourself, not commercially.**

## Trained on
"""

_PAIRS = """\
## How speech and text were paired

There is next to no real data with a voice, its words and an emotion. Clips were paired with texts
at random: {matched:.0%} with a text of the same class, {neutral:.0%} with a neutral one, {any:.0%}
with one of any class; {speech_clips} clips, {texts} texts. So the fusion has learned how much each
modality tends to know, not how words and voice belong together, and the word-by-time map shows
which moments of the voice were weighed while reading a word, not when the word was spoken. The
spoken scripts of the Korean corpus took no part, so every script is new to the model when scored.
"""

_LIMITS = """\
## Limits

- The voices are actors who play one emotion per sentence. How people really feel is subtler, and
  what is shown is what a stranger might hear, not what someone feels.
- {train} speakers trained the weights, {calibration} fitted the temperatures, {held_out} were
  scored here. Intervals come from resampling clips; clips of one speaker are alike, so with so few
  speakers the truth may lie outside.
- The first seconds of a new speaker are judged without a personal baseline (the speaker's own mean
  and deviation); see above for what it changes.
- Disgust was heard in one corpus only, surprise and fear in two. Korean speech was trained on four
  emotions.
- Korean text was learned mostly from machine translation. Irony, quotation and politeness are
  beyond it. Text in other languages is left out.
- Arousal and valence are derived from the probabilities.
- Not for decisions about people: hiring, policing, medicine, grading.
"""


@dataclass(frozen=True)
class CardFacts:
    """What the card is made from: the split, the fusion's facts, metrics, and the evaluation."""

    split: Mapping[str, Sequence[str]]
    fusion: Mapping[str, Any]
    metrics: Mapping[str, Any]
    evaluation: Evaluation


def model_card(facts: CardFacts) -> str:
    """Return the card in Markdown; every figure in it comes from `facts`."""
    counts = {part: len(names) for part, names in facts.split.items()}
    sections = [
        _INTRODUCTION.format(classes=", ".join(EMOTIONS)),
        _corpora(),
        _speakers(facts.split),
        _PAIRS.format(**facts.fusion["pairs"]),
        "## Measured\n\nSpeakers, scripts and rows that the weights never saw; 95 % intervals.\n",
        *(_group(group) for group in facts.evaluation.corpora),
        _folds(facts.metrics.get("folds")),
        _text(facts.metrics["text"]),
        _calibration(facts.metrics["calibration_speakers"]),
        _LIMITS.format(**counts),
    ]
    return "\n".join(sections)


def _corpora() -> str:
    lines = ["| corpus | what it is | licence |", "|---|---|---|"]
    lines += [f"| {' | '.join(row)} |" for row in _CORPORA]
    return "\n".join(lines) + "\n"


def _speakers(split: Mapping[str, Sequence[str]]) -> str:
    lines = ["## Speakers\n"]
    titles = {"train": "trained", "calibration": "temperatures and fusion", "held_out": "scored"}
    for part, title in titles.items():
        lines.append(f"- {title}: {', '.join(sorted(split[part]))}")
    return "\n".join(lines) + "\n"


def _group(group: GroupReport) -> str:
    rows = [
        f"### {group.name} ({group.speakers} speakers; {', '.join(group.classes)})\n",
        "| judged by | clips | UAR | weighted F1 | ECE |",
        "|---|---|---|---|---|",
    ]
    titles = {
        scoring.MAJORITY: "always the commonest class",
        scoring.SVM_RAW: "SVM of all corpora, raw",
        scoring.SVM_CORPUS_RAW: "SVM of this corpus, raw",
        scoring.SVM_PERSONAL: "SVM of all corpora, speaker-normalised",
        scoring.SVM_CORPUS_PERSONAL: "SVM of this corpus, speaker-normalised",
        scoring.SPEECH: "speech",
        scoring.PERSONAL: "speech, personal baseline",
        scoring.TEXT: "text",
        scoring.FUSED: "speech and text, personal baseline",
    }
    for name, title in titles.items():
        found = group.scores.get(name)
        if found is not None:
            cells = (_cell(found.uar), _cell(found.f1_weighted), _cell(found.ece))
            rows.append(f"| {title} | {found.n} | {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


_FOLD_FIGURES: Mapping[str, str] = {
    "uar": "speech",
    "uar_causal_10": "speech, 10 s of the speaker heard before",
    "uar_causal_30": "speech, 30 s heard before",
    "uar_causal_60": "speech, 60 s heard before",
    "uar_personal": "speech, all clips of the speaker heard",
    "svm_uar": "SVM of each corpus, raw",
    "svm_uar_personal": "SVM of each corpus, speaker-normalised",
}


def _folds(report: Mapping[str, Any] | None) -> str:
    """Return the cross-validation of the speech recipe (see `training.speech_cv`), if there is one.

    Raises KeyError when the report is of another kind.
    """
    if report is None:
        return ""
    corpora = report["corpora"]
    heads = [f"{name} ({found['speakers']} speakers)" for name, found in corpora.items()]
    rows = [
        "### The same recipe on every speaker, by cross-validation\n",
        f"Speech alone, UAR. {report['method'].capitalize()}.",
        "The recipe was chosen on these folds, so the figures are slightly optimistic.\n",
        f"| judged by | {' | '.join(heads)} | mean |",
        "|---|" + "---|" * (len(heads) + 1),
    ]
    for figure, title in _FOLD_FIGURES.items():
        cells = (_fold_cell(found[figure]) for found in corpora.values())
        rows.append(f"| {title} | {' | '.join(cells)} | {report['mean'][figure]:.3f} |")
    return "\n".join(rows) + "\n"


def _fold_cell(figure: Mapping[str, float]) -> str:
    return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"


def _cell(figure: Estimate | None) -> str:
    if figure is None:
        return ""
    return f"{figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})"


def _text(metrics: Mapping[str, Any]) -> str:
    rows = [
        "### Text alone (several labels, thresholds fitted on other rows)\n",
        "| part | rows | macro F1 | calibration error, one label | " + " | ".join(EMOTIONS) + " |",
        "|---|---|---|---|" + "---|" * len(EMOTIONS),
    ]
    for name, found in metrics.items():
        per_class = " | ".join(f"{found['f1'][emotion]:.2f}" for emotion in EMOTIONS)
        rows.append(
            f"| {name} | {found['n']} | {found['f1_macro']:.3f} |"
            f" {found['ece_single_label']:.3f} | {per_class} |"
        )
    return "\n".join(rows) + "\n"


def _calibration(errors: Mapping[str, float]) -> str:
    listed = ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in errors.items())
    return f"Calibration error on the speakers that fitted the temperatures: {listed}.\n"
