"""Honest figures for the speech recipe: speaker-grouped cross-validation.

    python -m training.speech_cv training/configs/embedded/speech.yaml --data DIR --out DIR
        [--folds 0,2] [--report FILE]

Folds that are done are kept, so folds may be trained apart (`--folds`); the report is written once
all of them lie in the folder.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from core.errors import EmoscopeError
from core.labels import EMOTIONS
from training import config as configuration
from training.data.corpora.speech import Clip
from training.data.speech_batches import SpeechSource, allowed_classes
from training.data.splits import speaker_folds
from training.evaluation.baselines import BaselineRows, fit_baselines
from training.evaluation.metrics import confusion, estimate, uar_of
from training.progress import Reporter
from training.speech import SpeechConfig, SpeechCorpus, load_corpus, train_encoder
from training.speech_scoring import Rows, causal, personal, predict, raw
from training.svm import baseline_columns, normalise_by_speaker

FOLDS = 4
CAUSAL_SECONDS = (10, 30, 60)
BASELINES = ("svm_uar", "svm_uar_personal")


@dataclass(frozen=True)
class FoldResult:
    """Out-of-fold decisions: clip numbers (n,) and, by name, the class chosen for each (n,)."""

    rows: Rows
    chosen: Mapping[str, NDArray[np.int64]]


def main(argv: Sequence[str] | None = None) -> int:
    """Train and judge folds; returns the exit status."""
    options = _parser().parse_args(argv)
    torch.set_num_threads(options.threads)
    reporter = Reporter()
    try:
        mapping = configuration.read_yaml(options.config)
        mapping.pop("stage", None)
        config = configuration.from_mapping(SpeechConfig, mapping, options.config)
        cross_validate(config, options.data, options.out, options.folds, options.report, reporter)
    except EmoscopeError as error:
        reporter.say(str(error))
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="training.speech_cv", description=__doc__)
    parser.add_argument("config", type=Path, help="the YAML of the speech stage")
    parser.add_argument("--data", type=Path, required=True, help="folder with speech/manifest.csv")
    parser.add_argument("--out", type=Path, required=True, help="folder for folds and measures")
    parser.add_argument("--folds", type=_numbers, default=tuple(range(FOLDS)), help="e.g. 0,2")
    parser.add_argument("--report", type=Path, help="JSON to write; a CSV of decisions beside it")
    parser.add_argument("--threads", type=int, default=1)
    return parser


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


def cross_validate(
    config: SpeechConfig,
    data: Path,
    out: Path,
    folds: Sequence[int],
    report: Path | None,
    reporter: Reporter,
) -> dict[str, Any] | None:
    """Train the missing ones of `folds`; return the report if all folds are there, else None."""
    corpus = load_corpus(data, config, out / "measured", reporter)
    of_speaker = speaker_folds(corpus.clips, FOLDS)
    assigned = np.array([of_speaker[clip.speaker] for clip in corpus.clips])
    for fold in folds:
        path = out / f"fold{fold}.npz"
        if not path.is_file():
            reporter.say(f"fold {fold + 1} of {FOLDS}")
            _save(path, run_fold(config, corpus, assigned, fold, out, reporter))
    paths = [out / f"fold{fold}.npz" for fold in range(FOLDS)]
    if not all(path.is_file() for path in paths):
        return None
    results = [_load(path) for path in paths]
    figures = summarise(corpus, results)
    reporter.say(json.dumps(figures["corpora"], indent=1))
    if report is not None:
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
        _write_decisions(report.with_suffix(".csv"), corpus.clips, results)
    return figures


def run_fold(
    config: SpeechConfig,
    corpus: SpeechCorpus,
    assigned: NDArray[np.int64],
    fold: int,
    out: Path,
    reporter: Reporter,
) -> FoldResult:
    """Train on the other folds and decide on this one; nothing of this fold is looked at before."""
    train, test = np.flatnonzero(assigned != fold), np.flatnonzero(assigned == fold)
    corpus.check({"train": train, "test": test})
    torch.manual_seed(fold)
    nobody = np.array([], dtype=np.int64)
    folder = out / f"training{fold}"
    encoder, processor = train_encoder(config, corpus, train, nobody, folder, reporter, resume=True)
    source = SpeechSource(corpus.clips, corpus.banks[:1], processor.statistics, corpus.extractor)
    ways = {"uar": raw(source), "uar_personal": personal(source)}
    ways |= {f"uar_causal_{s}": causal(source, s, seed=fold) for s in CAUSAL_SECONDS}
    chosen: dict[str, NDArray[np.int64]] = {}
    for with_frames, suffix in ((True, ""), (False, "_heads_only")):
        for name, way in ways.items():
            logits = predict(encoder, source, test, way, with_frames=with_frames)
            among = np.where(source.allowed[test], logits, -np.inf)
            chosen[name + suffix] = among.argmax(axis=1)
    return FoldResult(test, chosen | _baseline_decisions(corpus, train, test))


def _baseline_decisions(
    corpus: SpeechCorpus, train: Rows, test: Rows
) -> dict[str, NDArray[np.int64]]:
    """Return what support vector machines choose, one per corpus, raw and speaker-normalised."""
    functionals, bands = corpus.banks[0].functionals, corpus.extractor.config.mel_bands
    clips = corpus.clips
    fitted = fit_baselines(
        BaselineRows(
            functionals[train].astype(np.float64),
            [clips[r].emotion for r in train],
            [clips[r].corpus for r in train],
            [clips[r].speaker for r in train],
        ),
        bands,
    )
    features = functionals[test][:, baseline_columns(bands)].astype(np.float64)
    normalised = normalise_by_speaker(features, [clips[r].speaker for r in test])
    corpora = np.array([clips[r].corpus for r in test])
    chosen = {name: np.zeros(len(test), dtype=np.int64) for name in BASELINES}
    for corpus_name in np.unique(corpora):
        here = corpora == corpus_name
        for name, machines, x in (
            (BASELINES[0], fitted.raw, features),
            (BASELINES[1], fitted.personal, normalised),
        ):
            labels = machines[str(corpus_name)].predict(x[here])
            chosen[name][here] = [EMOTIONS.index(label) for label in labels]
    return chosen


def summarise(corpus: SpeechCorpus, results: Sequence[FoldResult]) -> dict[str, Any]:
    """Return the report: per corpus every figure with its 95 % bootstrap interval over clips."""
    rows = np.concatenate([result.rows for result in results])
    names = list(results[0].chosen)
    chosen = {name: np.concatenate([r.chosen[name] for r in results]) for name in names}
    labels = np.array([corpus.clips[row].label for row in rows])
    corpora = np.array([corpus.clips[row].corpus for row in rows])
    allowed = allowed_classes(corpus.clips)
    report: dict[str, Any] = {}
    for name in sorted(set(corpora)):
        here = corpora == name
        clips = [corpus.clips[row] for row in rows[here]]
        report[name] = {
            "n": int(here.sum()),
            "speakers": len({clip.speaker for clip in clips}),
            "classes": [EMOTIONS[k] for k in np.flatnonzero(allowed[rows[here][0]])],
        }
        for figure in names:
            report[name][figure] = _recall(labels[here], chosen[figure][here])
    means = {f: float(np.mean([c[f]["value"] for c in report.values()])) for f in names}
    return {
        "method": f"{FOLDS} folds by speaker; every clip is judged by a model that never heard "
        "its speaker; intervals: 95 %, bootstrap over clips",
        "corpora": report,
        "mean": means,
    }


def _recall(labels: NDArray[np.int64], chosen: NDArray[np.int64]) -> dict[str, float]:
    found = estimate(
        lambda weights: uar_of(confusion(labels, chosen, len(EMOTIONS), weights)), len(labels)
    )
    return {"value": found.value, "low": found.low, "high": found.high}


def _write_decisions(path: Path, clips: Sequence[Clip], results: Sequence[FoldResult]) -> None:
    """Write one line per clip: what it is, and what was decided on it, by figure."""
    names = list(results[0].chosen)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["path", "fold", "emotion", *names])
        for fold, result in enumerate(results):
            for n, row in enumerate(result.rows):
                decided = [EMOTIONS[int(result.chosen[name][n])] for name in names]
                writer.writerow([clips[row].path, fold, clips[row].emotion, *decided])


def _save(path: Path, result: FoldResult) -> None:
    arrays: dict[str, Any] = dict(result.chosen)
    np.savez_compressed(path, rows=result.rows, **arrays)


def _load(path: Path) -> FoldResult:
    with np.load(path) as arrays:
        chosen = {name: arrays[name] for name in arrays.files if name != "rows"}
        return FoldResult(arrays["rows"], chosen)


if __name__ == "__main__":
    sys.exit(main())
