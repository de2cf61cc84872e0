"""Does the low-rank RSA-CFN fall behind the published head? The difference, with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import CorpusError
from core.labels import EMOTIONS
from training.evaluation.metrics import Estimate, bootstrap_weights, confusion, uar_of
from training.evaluation.system_scores import Judged, score
from training.progress import Reporter
from training.reproduce.options import ReproduceOptions
from training.reproduce.published import LOW_RANK_ROW, RSA_CFN_ROWS
from training.reproduce.real_cells import speaker_cells
from training.reproduce.real_features import ClipFeatures, RealCorpora
from training.reproduce.real_heads import HeadRecipe, commonest_label, judged, train_and_judge
from training.reproduce.real_kept import KeptHeads
from training.reproduce.real_pairs import UnreadTexts, pair, unread_texts
from training.reproduce.rows import Column, Row, RowResult, TableReport

PAIRED = "nemo"
"""The corpus with the most clips."""
FOLDS, FOLDS_RUN = 4, 2
DIFFERENCE = "uar_difference"
COLUMNS = (
    Column("uar", "UAR"), Column("f1_macro", "macro F1"), Column("wa", "WA"),
    Column(DIFFERENCE, "UAR less that of row 10"),
)  # fmt: skip
_PUBLISHED = next(row for row in RSA_CFN_ROWS if row.name == "10")
_RECIPES: Mapping[str, HeadRecipe] = {
    "rsa_cfn": HeadRecipe(epochs=6, batch=64, learning_rate=1e-4),
    "low_rank_rsa_cfn": HeadRecipe(epochs=6, batch=64, learning_rate=3e-4),
    "early": HeadRecipe(epochs=6, batch=64),
}
_QUICK_OPTIONS = {"projection": 16, "attention": 16, "hidden": 64}


@dataclass(frozen=True)
class _Judgements:
    """Of one system: what it said in every fold, how many weights it has, and how long it took."""

    folds: tuple[Judged, ...]
    parameters: int
    seconds: float
    train_rows: int


def kept_heads(options: ReproduceOptions) -> KeptHeads:
    """Return where trained heads of this comparison are kept."""
    return KeptHeads(options.out / "heads", resume=options.resume)


def difference(one: Sequence[Judged], other: Sequence[Judged], resamples: int = 1000) -> Estimate:
    """Return the UAR of `one` less that of `other`, with a paired bootstrap interval.

    Both sequences hold trainings that judged the same rows; UAR is the mean over each sequence.
    Every resample draws the rows once for both.
    """
    weights = bootstrap_weights(len(one[0].rows), resamples)
    plain = np.ones((1, len(one[0].rows)))
    value = _mean_uar(one, plain) - _mean_uar(other, plain)
    low, high = np.percentile(_mean_uar(one, weights) - _mean_uar(other, weights), [2.5, 97.5])
    return Estimate(float(value[0]), float(low), float(high))


def _mean_uar(trainings: Sequence[Judged], weights: np.ndarray) -> np.ndarray:
    return np.mean([_uar(said, weights) for said in trainings], axis=0)


def _uar(said: Judged, weights: np.ndarray) -> np.ndarray:
    truth, chosen = said.truth.argmax(axis=1), said.chosen.argmax(axis=1)
    return uar_of(confusion(truth, chosen, said.truth.shape[1], weights))


def light_table(options: ReproduceOptions, corpora: RealCorpora, reporter: Reporter) -> TableReport:
    """Compare heads on pairs of real speech and real texts. Raises CorpusError."""
    assert options.data is not None
    if PAIRED not in corpora.names:
        raise CorpusError(
            f"The data holds no corpus {PAIRED!r}.", "It is what heads are paired on."
        )
    clips = corpora.features(PAIRED)
    texts = unread_texts(options.data, corpora.text_model)
    rows = (_PUBLISHED, LOW_RANK_ROW, next(row for row in RSA_CFN_ROWS if row.system == "early"))
    found = {}
    for row in rows:
        found[row.name] = _judge(row, clips, texts, options)
        reporter.say(f"{row.title} on pairs: {found[row.name].seconds:.0f} s")
    published = _joined(found[_PUBLISHED.name].folds)
    results = {row.name: _result(row, found[row.name], published) for row in rows}
    notes = (
        f"{PAIRED} clips, each with a text drawn by emotion that the text encoder has not read;"
        " speakers and texts of the judged pairs are new to the heads. Synthetic pairs: they show"
        " how well a head learns to use both, not how people talk.",
    )
    plain = tuple(Row(row.name, row.title, row.system) for row in rows)
    title = "Low-rank RSA-CFN against the published size: pairs of real speech and real texts"
    return TableReport(title, COLUMNS, EMOTIONS, plain, results, notes)


def _judge(
    row: Row, clips: ClipFeatures, texts: UnreadTexts, options: ReproduceOptions
) -> _Judgements:
    said, parameters, trained_rows, seconds = [], 0, 0, 0.0
    for fold, cell in enumerate(speaker_cells(clips.clips, FOLDS)[:FOLDS_RUN]):
        paired = pair(clips, texts, cell.test, seed=fold)
        trained = train_and_judge(
            row.system, paired.data, paired.train, paired.test, _recipe(row, options), seed=0,
            kept=kept_heads(options),
        )  # fmt: skip
        labels = paired.data.labels[paired.test]
        commonest = commonest_label(paired.data, paired.train)
        said.append(judged(trained.logits, labels, paired.test, commonest))
        parameters, trained_rows = trained.parameters, len(paired.train)
        seconds += trained.seconds
    return _Judgements(tuple(said), parameters, seconds, trained_rows)


def _recipe(row: Row, options: ReproduceOptions) -> HeadRecipe:
    if options.quick:
        return HeadRecipe(1, 64, options=_QUICK_OPTIONS if row.system == "rsa_cfn" else {})
    return _RECIPES[row.system]


def _joined(folds: Sequence[Judged]) -> Judged:
    """Return the judged rows of all folds as those of one."""
    first = folds[0]
    rows = np.arange(sum(len(said.rows) for said in folds))
    return Judged(
        first.problem,
        np.concatenate([said.truth for said in folds]),
        np.concatenate([said.probabilities for said in folds]),
        np.concatenate([said.chosen for said in folds]),
        rows,
        commonest=first.commonest,
    )


def _result(row: Row, found: _Judgements, published: Judged) -> RowResult:
    said = _joined(found.folds)
    scores = score([said])
    figures = dict(scores.figures)
    if row is not _PUBLISHED:
        figures[DIFFERENCE] = difference([said], [published])
    return RowResult(
        row.name, row.system, figures, (), scores.majority, tuple(scores.occurring), scores.rows,
        found.train_rows, found.parameters, found.parameters, found.seconds, (0,),
        len(found.folds),
    )  # fmt: skip
