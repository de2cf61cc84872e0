"""One evaluation from beginning to end: what is scored, in which order, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import CorpusError
from core.models.checkpoint import LoadedModel, load_checkpoint, read_training
from training.evaluation.baselines import FOLDER, Baselines, fit_baselines, measure_rows
from training.evaluation.clips import Clip, Measurer, read_clips
from training.evaluation.report import Evaluation, GroupReport
from training.evaluation.scoring import Predictions, Scores, corpus_predictions, pooled, score
from training.evaluation.seen import Seen
from training.evaluation.speech_scores import CorpusJudgements, SpeechEvaluator
from training.evaluation.text_parts import read_text_parts
from training.evaluation.text_scores import TextReport, score_texts

_UNSTATED = (
    "CAUTION: the checkpoint does not say what it was trained on: nothing could be left out, and"
    " figures may be of rows that it was trained on"
)

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True)
class EvaluationSettings:
    """What to evaluate.

    checkpoint, data: directories. train_data: where to fit the SVM baselines, instead of those
    kept with the checkpoint. cache: folder for measured features. seed: of random orders.
    """

    checkpoint: Path
    data: Path
    train_data: Path | None = None
    cache: Path | None = None
    seed: int = 0


def evaluate(settings: EvaluationSettings, progress: Progress) -> Evaluation:
    """Score a checkpoint on every corpus of a data folder.

    Raises:
        CheckpointError: the checkpoint can't be used.
        CorpusError: the folder holds nothing to score.
    """
    loaded = load_checkpoint(settings.checkpoint)
    seen = Seen.from_training(read_training(loaded.info))
    if not settings.data.is_dir():
        raise CorpusError(f"The data folder {settings.data} does not exist.")
    clips = read_clips(settings.data)
    measurer = Measurer(loaded.frame_processor, settings.cache)
    baselines, origin = _baselines(settings, loaded, seen, clips, measurer)
    judged = _judge_speech(clips, loaded, seen, baselines, measurer, settings.seed, progress)
    texts, notes = _judge_texts(settings.data, loaded, seen, progress)
    if not clips and not texts.scores and not notes:
        raise CorpusError(
            f"{settings.data} holds neither speech/manifest.csv nor text/<corpus>/.",
            "Name a folder with that layout.",
        )
    reports, languages = _group(judged, clips, loaded, settings.seed)
    empty = [_left_out(j) for j in judged if not j.speakers]
    return Evaluation(
        loaded.info,
        tuple(reports),
        tuple(languages),
        texts.scores,
        (*_said(seen, clips), origin, *empty, *notes),
    )


def _judge_speech(
    clips: Sequence[Clip],
    loaded: LoadedModel,
    seen: Seen,
    baselines: Baselines | None,
    measurer: Measurer,
    seed: int,
    progress: Progress,
) -> list[CorpusJudgements]:
    judged = []
    for name in dict.fromkeys(clip.corpus for clip in clips):
        own = [clip for clip in clips if clip.corpus == name]
        done = 0

        def advance(count: int, name: str = name, total: int = len(own)) -> None:
            nonlocal done
            done += count
            progress(name, done, total)

        progress(name, 0, len(own))
        evaluator = SpeechEvaluator(loaded, seen, baselines, measurer, advance)
        judged.append(evaluator.corpus(name, own, seed))
    return judged


def _judge_texts(
    data: Path, loaded: LoadedModel, seen: Seen, progress: Progress
) -> tuple[TextReport, tuple[str, ...]]:
    if loaded.processor.tokenizer is None:
        return TextReport((), ()), ("text: left out, the model takes none",)
    progress("text", 0, 1)
    folder = read_text_parts(data, loaded.frame_processor)
    found = score_texts(folder.parts, loaded, seen)
    progress("text", 1, 1)
    return found, (*folder.notes, *found.notes)


def _group(
    judged: Sequence[CorpusJudgements], clips: Sequence[Clip], loaded: LoadedModel, seed: int
) -> tuple[list[GroupReport], list[GroupReport]]:
    """Return reports by corpus and by language."""
    predictions = {j.name: corpus_predictions(j, loaded) for j in judged if j.speakers}
    by_corpus = [
        _report(j.name, [j], predictions[j.name], loaded, seed, _notes(j))
        for j in judged
        if j.speakers
    ]
    spoken = {clip.corpus: clip.language or "unknown" for clip in clips}
    by_language = []
    for language in dict.fromkeys(spoken[name] for name in predictions):
        own = [j for j in judged if j.speakers and spoken[j.name] == language]
        title = f"{language} ({', '.join(j.name for j in own)})"
        joined = _joined([predictions[j.name] for j in own])
        by_language.append(_report(title, own, joined, loaded, seed, ()))
    return by_corpus, by_language


def _joined(corpora: Sequence[dict[str, Predictions]]) -> dict[str, Predictions]:
    """Join what every corpus has, or, where only some have it (text), what they have."""
    names = dict.fromkeys(name for corpus in corpora for name in corpus)
    joined = {n: pooled(corpus[n] for corpus in corpora if n in corpus) for n in names}
    return {name: found for name, found in joined.items() if found is not None}


def _report(
    name: str,
    judged: Sequence[CorpusJudgements],
    predictions: dict[str, Predictions],
    loaded: LoadedModel,
    seed: int,
    notes: tuple[str, ...],
) -> GroupReport:
    labels = loaded.specification.labels
    heard = {clip.label for j in judged for clip in j.clips}
    scores: dict[str, Scores] = {
        name: score(found, len(labels), seed) for name, found in predictions.items()
    }
    speakers = sum(len(j.speakers) for j in judged)
    return GroupReport(name, tuple(c for c in labels if c in heard), speakers, scores, notes)


def _notes(judged: CorpusJudgements) -> tuple[str, ...]:
    notes = [_left_out(judged)] if judged.left_out else []
    if judged.text_reason:
        notes.append(f"{judged.name}: no text judged: {judged.text_reason}")
    return tuple(notes)


def _left_out(judged: CorpusJudgements) -> str:
    reasons = ", ".join(f"{count} ({reason})" for reason, count in judged.left_out.items())
    return f"{judged.name}: clips left out: {reasons or 'all'}"


def _said(seen: Seen, clips: Sequence[Clip]) -> tuple[str, ...]:
    """Return what is not known of the training, and which speakers the weights saw."""
    said = [_UNSTATED] if not seen.is_stated else []
    said += [
        f"CAUTION: not known here: {what}; it may hold rows scored here" for what in seen.unknown
    ]
    said += _namesakes(seen, clips)
    said += [
        f"trained on {corpus}: {', '.join(sorted(names))}"
        for corpus, names in seen.speakers.items()
    ]
    said += [
        f"calibrated on {corpus}: {', '.join(sorted(names))}"
        for corpus, names in seen.calibration_speakers.items()
    ]
    return tuple(said) or ("the checkpoint names no speakers it was trained on",)


def _namesakes(seen: Seen, clips: Sequence[Clip]) -> list[str]:
    """Return a caution for each corpus whose speakers were trained on under another corpus's name.

    A table without a column `corpus` is trained on as "manifest", whatever it is called here.
    """
    met: dict[tuple[str, str], set[str]] = {}
    for speaker, corpus in {(c.speaker, c.corpus) for c in clips if c.speaker}:
        for names in (seen.speakers, seen.calibration_speakers):
            for other in names:
                if (
                    other != corpus
                    and speaker in names[other]
                    and not seen.speaker(corpus, speaker)
                ):
                    met.setdefault((corpus, other), set()).add(speaker)
    return [
        f"CAUTION: {corpus}: speakers of {other} have the same names ({', '.join(sorted(who))});"
        " if they are the same people, these are figures of rows that were trained on"
        for (corpus, other), who in sorted(met.items())
    ]


def _baselines(
    settings: EvaluationSettings,
    loaded: LoadedModel,
    seen: Seen,
    clips: Sequence[Clip],
    measurer: Measurer,
) -> tuple[Baselines | None, str]:
    """Return the SVM baselines and a sentence on where they come from."""
    if settings.train_data is None:
        kept = Baselines.load(settings.checkpoint / FOLDER)
        if kept is None:
            return None, "SVM: none kept with the checkpoint; --train-data DIR fits one"
        return kept, "SVM: kept with the checkpoint, fitted on its training speakers"
    chosen = _training_clips(read_clips(settings.train_data), clips, seen)
    if len({clip.label for clip in chosen}) < 2:
        return None, f"SVM: {settings.train_data} holds no clips of training speakers"
    rows = measure_rows(chosen, measurer)
    speakers = len(set(zip(rows.corpora, rows.speakers, strict=True)))
    fitted = fit_baselines(rows, loaded.frame_processor.config.speech.mel_bands)
    return fitted, f"SVM: fitted on {len(rows.labels)} clips of {speakers} training speakers"


def _training_clips(available: Sequence[Clip], scored: Sequence[Clip], seen: Seen) -> list[Clip]:
    """Return labelled clips of the speakers the checkpoint names; never of a scored speaker.

    If it names none, those of every speaker who is not about to be scored.
    """
    labelled = [clip for clip in available if clip.label is not None]
    if any(seen.speakers.values()):
        return [c for c in labelled if c.speaker in seen.speakers.get(c.corpus, ())]
    others = {(clip.corpus, clip.speaker) for clip in scored}
    return [c for c in labelled if (c.corpus, c.speaker) not in others]
