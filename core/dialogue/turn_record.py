"""A turn as a JSON object and back: one line of the JSONL export and of the journal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from core.dialogue.context_record import context_from_record, context_to_record
from core.errors import JournalError
from core.types import (
    SAMPLE_RATE,
    ContextResult,
    Doubt,
    EmotionResult,
    Modality,
    ModelInfo,
    Transcript,
    TranscriptSource,
    Turn,
    TurnStatus,
    Word,
    seconds,
)

Record: TypeAlias = dict[str, Any]

HINDSIGHT = "hindsight"


def turn_to_record(turn: Turn) -> Record:
    """Return a turn as plain JSON values, times in seconds.

    Attention maps are left out: they are large, and can be computed again from the audio. `label`
    is the strongest of the labels that are `given`: one, or none or several if they are not
    exclusive. `context` is what the dialogue said of the turn when it was the newest, `hindsight`
    what it says with later turns in view.
    """
    return {
        "start": round(seconds(turn.start), 4),
        "end": round(seconds(turn.end), 4),
        "speaker": turn.speaker,
        **_transcript_fields(turn.transcript),
        **_emotion_fields(turn.emotion),
        "index": turn.index,
        "channel": turn.channel,
        "notes": list(turn.notes),
        "context": context_to_record(turn.context),
        HINDSIGHT: context_to_record(turn.hindsight),
    }


def hindsight_to_record(index: int, hindsight: ContextResult) -> Record:
    """Return what later turns say of an earlier one, without the rest of it."""
    return {"index": index, HINDSIGHT: context_to_record(hindsight)}


def is_hindsight(record: object) -> bool:
    """Tell a record of `hindsight_to_record` from that of a turn."""
    return isinstance(record, dict) and record.keys() == {"index", HINDSIGHT}


def _transcript_fields(transcript: Transcript | None) -> Record:
    if transcript is None:
        return {"text": "", "words": [], "language": None, "transcript": None}
    return {
        "text": transcript.text,
        "words": [
            {
                "text": word.text,
                "start": round(word.start, 3),
                "end": round(word.end, 3),
                "confidence": round(word.confidence, 4),
            }
            for word in transcript.words
        ],
        "language": transcript.language,
        "transcript": {
            "source": transcript.source.value,
            "confidence": round(transcript.confidence, 4),
            "rejection": transcript.rejection,
        },
    }


def _emotion_fields(emotion: EmotionResult | None) -> Record:
    if emotion is None:
        return {
            "label": None,
            "given": [],
            "probabilities": {},
            "arousal": None,
            "valence": None,
            "uncertain": True,
            "modalities": [],
            "modality_share": {},
            "model": None,
            "emotion": None,
        }
    return {
        "label": next(iter(emotion.given), None),
        "given": list(emotion.given),
        "probabilities": _by_label(emotion.labels, emotion.probabilities),
        "arousal": _rounded(emotion.arousal),
        "valence": _rounded(emotion.valence),
        "uncertain": emotion.uncertain,
        "modalities": [modality.value for modality in emotion.modalities],
        "modality_share": {m.value: round(s, 6) for m, s in emotion.modality_share.items()},
        "model": _model_fields(emotion.model),
        "emotion": {
            "doubts": [doubt.value for doubt in emotion.doubts],
            "affect_derived": emotion.affect_derived,
            "exclusive": emotion.exclusive,
            "thresholds": _by_label(emotion.labels, emotion.thresholds)
            if emotion.thresholds
            else {},
            "by_modality": {
                modality.value: _by_label(emotion.labels, probabilities)
                for modality, probabilities in emotion.by_modality.items()
            },
            "baseline_seconds": round(emotion.baseline_seconds, 2),
            "notes": list(emotion.notes),
            "compute_seconds": round(emotion.compute_seconds, 4),
        },
    }


def _by_label(labels: tuple[str, ...], probabilities: tuple[float, ...]) -> dict[str, float]:
    return {label: round(p, 6) for label, p in zip(labels, probabilities, strict=True)}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _model_fields(model: ModelInfo) -> Record:
    fields = {"name": model.name, "version": model.version, "digest": model.digest}
    return fields | ({"personal": model.personal} if model.personal else {})


def turn_from_record(record: Mapping[str, Any]) -> Turn:
    """Return the turn a record describes.

    Raises JournalError when a field is missing or of the wrong kind.
    """
    try:
        return Turn(
            index=int(record["index"]),
            start=round(float(record["start"]) * SAMPLE_RATE),
            end=round(float(record["end"]) * SAMPLE_RATE),
            speaker=record["speaker"],
            status=TurnStatus.FINAL,
            transcript=_read_transcript(record),
            emotion=_read_emotion(record),
            channel=int(record.get("channel", 0)),
            notes=tuple(record.get("notes", ())),
            # Sessions recorded before there were dialogue models have neither.
            context=context_from_record(record.get("context")),
            hindsight=context_from_record(record.get(HINDSIGHT)),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise JournalError(f"A turn is not readable: {error!r}.") from error


def hindsight_from_record(record: Record) -> tuple[int, ContextResult]:
    """Return the index of a turn and what later ones say of it. Raises JournalError."""
    try:
        result = context_from_record(record[HINDSIGHT])
        if result is None:
            raise ValueError("there is none")
        return int(record["index"]), result
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise JournalError(f"What is said of a turn is not readable: {error!r}.") from error


def _read_transcript(record: Mapping[str, Any]) -> Transcript | None:
    details = record.get("transcript")
    if details is None:
        return None
    words = tuple(Word(w["text"], w["start"], w["end"], w["confidence"]) for w in record["words"])
    return Transcript(
        stable=record["text"],
        language=record.get("language"),
        words=words,
        confidence=float(details["confidence"]),
        source=TranscriptSource(details["source"]),
        rejection=details["rejection"],
    )


def _read_emotion(record: Mapping[str, Any]) -> EmotionResult | None:
    details = record.get("emotion")
    if details is None:
        return None
    labels = tuple(record["probabilities"])
    modalities = tuple(Modality(name) for name in record["modalities"])
    by_modality = {
        Modality(name): tuple(opinion[label] for label in labels)
        for name, opinion in details["by_modality"].items()
    }
    return EmotionResult(
        labels=labels,
        probabilities=tuple(record["probabilities"].values()),
        arousal=record["arousal"],
        valence=record["valence"],
        affect_derived=bool(details["affect_derived"]),
        doubts=tuple(Doubt(name) for name in details["doubts"]),
        modalities=modalities,
        modality_share={Modality(m): s for m, s in record["modality_share"].items()},
        by_modality=by_modality,
        attentions=(),
        model=_read_model(record["model"], labels, modalities),
        baseline_seconds=float(details["baseline_seconds"]),
        notes=tuple(details["notes"]),
        compute_seconds=float(details["compute_seconds"]),
        # Before there were labels that stand for themselves, sessions did not say so.
        exclusive=bool(details.get("exclusive", True)),
        thresholds=_read_thresholds(details.get("thresholds") or {}, labels),
    )


def _read_thresholds(thresholds: Mapping[str, float], labels: tuple[str, ...]) -> tuple[float, ...]:
    return tuple(float(thresholds[label]) for label in labels) if thresholds else ()


def _read_model(
    fields: Mapping[str, str], labels: tuple[str, ...], modalities: tuple[Modality, ...]
) -> ModelInfo:
    return ModelInfo(
        name=fields["name"],
        version=fields["version"],
        digest=fields["digest"],
        labels=labels,
        modalities=modalities,
        personal=str(fields.get("personal", "")),  # which older sessions know nothing of
    )
