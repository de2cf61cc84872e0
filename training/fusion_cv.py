"""Honest figures for fusion: Korean clips of unseen speakers and unseen scripts.

    python -m training.fusion_cv training/configs/embedded/speech.yaml --data DIR
        --folds-dir DIR --text DIR [--report FILE]

`--folds-dir` is what `training.speech_cv` left, `--text` the folder of the text stage. In every
fold, speech is judged by an encoder that never heard the speaker; the late fusion is fitted on
synthetic pairs of that fold's other corpora, so no Korean voice and no script took part in it.
"""

from __future__ import annotations

import argparse
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
from core.models.fusion.late import LateFusion
from training import text as text_stage
from training.data.encoded_bank import EncodedBank
from training.data.pairs import PairConfig, PairSampler
from training.data.speech_batches import SpeechSource, allowed_classes
from training.data.splits import speaker_folds
from training.data.text_split import load_parts
from training.evaluation.metrics import confusion, estimate, uar_of
from training.fusion import FusionConfig
from training.fusion_fit import Speakers, corpus_weights, fit_late, set_prior
from training.progress import Reporter
from training.speech import SpeechConfig, SpeechCorpus, load_corpus, train_encoder
from training.speech_cv import FOLDS
from training.speech_scoring import personal, predict, raw
from training.stages import load_recipe
from training.text_scoring import predict as predict_text
from training.text_scoring import single_label_rows

TARGET = "emotiontts_ko"
MOST_PER_CORPUS = 220
"""Clips of each other corpus on which the late fusion of a fold is fitted."""

Rows = NDArray[np.int64]
Logits = NDArray[np.float32]


@dataclass(frozen=True)
class FoldLogits:
    """Unseen clips of one fold: rows of the corpus, and logits by way of normalising."""

    rows: Rows
    speech: Mapping[str, Logits]


@dataclass(frozen=True)
class Texts:
    """Held-out texts of one class, encoded, and the text logits of the target's clips by row."""

    pool: EncodedBank
    labels: list[int]
    languages: list[str]
    spoken: Mapping[int, Logits]


def fold_logits(
    config: SpeechConfig, corpus: SpeechCorpus, fold: int, folder: Path, reporter: Reporter
) -> FoldLogits:
    """Rebuild the encoder of a finished fold and judge its unseen clips."""
    of_speaker = speaker_folds(corpus.clips, FOLDS)
    assigned = np.array([of_speaker[clip.speaker] for clip in corpus.clips])
    train, test = np.flatnonzero(assigned != fold), np.flatnonzero(assigned == fold)
    nobody = np.array([], dtype=np.int64)
    state = folder / f"training{fold}"
    encoder, processor = train_encoder(config, corpus, train, nobody, state, reporter, resume=True)
    source = SpeechSource(corpus.clips, corpus.banks[:1], processor.statistics, corpus.extractor)
    rows = _bounded(corpus, test, fold)
    ways = {"raw": raw(source), "personal": personal(source)}
    return FoldLogits(rows, {k: predict(encoder, source, rows, way) for k, way in ways.items()})


def _bounded(corpus: SpeechCorpus, test: Rows, seed: int) -> Rows:
    """Return all clips of the target and some of each other corpus."""
    generator = np.random.default_rng(seed)
    names = np.array([corpus.clips[row].corpus for row in test])
    parts = [
        test[names == name]
        if name == TARGET
        else generator.permutation(test[names == name])[:MOST_PER_CORPUS]
        for name in np.unique(names)
    ]
    return np.sort(np.concatenate(parts))


def load_texts(folder: Path, data: Path, corpus: SpeechCorpus) -> Texts:
    """Encode the texts that the text encoder has not seen."""
    encoder, tokenizer, info = text_stage.load(folder)
    split = info["split"]
    held_out = load_parts(data, split["goemotions_held_out"], split["seed"]).held_out
    rows = np.flatnonzero(single_label_rows(held_out)).tolist()
    logits = predict_text(encoder, tokenizer, [held_out.texts[row] for row in rows])
    target = [row for row, clip in enumerate(corpus.clips) if clip.corpus == TARGET]
    spoken = predict_text(encoder, tokenizer, [corpus.clips[row].text for row in target])
    return Texts(
        _logits_only(logits.astype(np.float32)),
        held_out.targets[rows].argmax(axis=1).tolist(),
        [held_out.languages[row] for row in rows],
        dict(zip(target, spoken.astype(np.float32), strict=True)),
    )


def _logits_only(logits: Logits) -> EncodedBank:
    nothing = torch.empty(len(logits), 0)
    return EncodedBank(tuple(nothing), nothing, torch.from_numpy(logits))


def fitted_late(
    fold: FoldLogits, corpus: SpeechCorpus, texts: Texts, pairs: PairConfig, draws: int
) -> LateFusion:
    """Fit the late fusion on the clips of a fold that are not the target's."""
    chosen = np.flatnonzero([corpus.clips[row].corpus != TARGET for row in fold.rows])
    clips = [corpus.clips[row] for row in fold.rows[chosen]]
    labels = [clip.label for clip in clips if clip.label is not None]
    languages = [clip.language for clip in clips]
    sampler = PairSampler(pairs, labels, languages, texts.labels, texts.languages)
    banks = [_logits_only(logits[chosen]) for logits in fold.speech.values()]
    weights = corpus_weights([clip.corpus for clip in clips])
    late = LateFusion(len(EMOTIONS))
    set_prior(late, texts.pool)
    fit_late(late, Speakers(banks, labels, weights, sampler), texts.pool, draws, seed=0)
    return late.eval()


def summarise(
    folds: Sequence[FoldLogits], lates: Sequence[LateFusion], corpus: SpeechCorpus, texts: Texts
) -> dict[str, Any]:
    """Return UAR with intervals of speech, text and both, by subset and way of normalising."""
    allowed = allowed_classes(corpus.clips)
    report: dict[str, Any] = {}
    for way in folds[0].speech:
        rows, speech, text, fused = [], [], [], []
        for fold, late in zip(folds, lates, strict=True):
            here = np.flatnonzero([corpus.clips[row].corpus == TARGET for row in fold.rows])
            rows += fold.rows[here].tolist()
            speech.append(fold.speech[way][here])
            text.append(np.stack([texts.spoken[row] for row in fold.rows[here].tolist()]))
            with torch.inference_mode():
                both = late(torch.from_numpy(speech[-1]), torch.from_numpy(text[-1]))
            fused.append(both.logits.numpy())
        judged = {"speech": speech, "text": text, "fused": fused}
        chosen = {k: _choices(np.concatenate(v), allowed[rows]) for k, v in judged.items()}
        report[way] = _by_subset(corpus, rows, chosen)
    return report


def _choices(logits: Logits, allowed: NDArray[np.bool_]) -> Rows:
    return np.where(allowed, logits, -np.inf).argmax(axis=1)


def _by_subset(
    corpus: SpeechCorpus, rows: Sequence[int], chosen: Mapping[str, Rows]
) -> dict[str, Any]:
    subsets = np.array([corpus.clips[row].subset for row in rows])
    labels = np.array([corpus.clips[row].label for row in rows])
    groups = {"all": np.ones(len(rows), dtype=bool)}
    groups |= {str(name): subsets == name for name in np.unique(subsets)}
    return {
        name: {"n": int(here.sum())}
        | {k: _uar(labels[here], guess[here]) for k, guess in chosen.items()}
        for name, here in groups.items()
    }


def _uar(labels: Rows, chosen: Rows) -> dict[str, float]:
    found = estimate(lambda w: uar_of(confusion(labels, chosen, len(EMOTIONS), w)), len(labels))
    return {"value": found.value, "low": found.low, "high": found.high}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command of this module."""
    options = _parser().parse_args(argv)
    reporter = Reporter()
    try:
        config = load_recipe(options.config).stages[0].config
        pairs: FusionConfig = load_recipe(options.config.parent / "fusion.yaml").stages[0].config
        corpus = load_corpus(options.data, config, options.folds_dir / "measured", reporter)
        texts = load_texts(options.text, options.data, corpus)
        done = [k for k in range(FOLDS) if (options.folds_dir / f"fold{k}.npz").is_file()]
        if not done:
            raise EmoscopeError(f"{options.folds_dir} holds no finished fold.", "See --folds-dir.")
        folds = [fold_logits(config, corpus, k, options.folds_dir, reporter) for k in done]
        lates = [fitted_late(f, corpus, texts, pairs.pairs, pairs.draws) for f in folds]
    except EmoscopeError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    report = {"folds": done, "corpus": TARGET, "ways": summarise(folds, lates, corpus, texts)}
    text = json.dumps(report, indent=2) + "\n"
    reporter.say(text)
    if options.report is not None:
        options.report.write_text(text, encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.fusion_cv", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("config", type=Path, help="the speech stage's configuration")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--folds-dir", type=Path, required=True)
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--report", type=Path)
    return parser


if __name__ == "__main__":
    sys.exit(main())
