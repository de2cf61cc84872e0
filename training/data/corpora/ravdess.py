"""RAVDESS: 24 actors say two sentences in eight emotions, English.

Livingstone & Russo (2018), The Ryerson Audio-Visual Database of Emotional Speech and Song, PLoS ONE
13(5). Everything is in a file's name, modality-channel-emotion-intensity-statement-repetition-actor
(https://zenodo.org/records/1188976): `Actor_01/03-01-06-01-02-01-12.wav`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from training.data.corpora import labelling, manifest
from training.data.corpora.labelling import Labelling, own
from training.data.corpora.manifest_file import manifest_of
from training.data.corpora.rows import RowLog, require_folder, source
from training.data.example import Example, Reading

CORPUS = "ravdess"
_MODALITIES = {"audio_and_video": "01", "audio": "03"}
_CHANNELS = {"speech": ("01",), "song": ("02",), "both": ("01", "02")}
_EMOTIONS = {
    "01": "neutral",
    "02": "calm",
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fearful",
    "07": "disgust",
    "08": "surprised",
}
_INTENSITIES = {"01": "normal", "02": "strong"}
"""What counts as style; neutral is never spoken strongly."""
_STATEMENTS = {"01": "Kids are talking by the door.", "02": "Dogs are sitting by the door."}
_SUFFIXES = (".wav", ".flac", ".mp4")

LABELLINGS = {
    "own": own(
        ("neutral", "calm", "happy", "angry", "surprise", "sad", "fear", "disgust"),
        {"fearful": "fear", "surprised": "surprise"},
    ),
}
"""Besides "emotions" (calm counts as neutral): the eight classes of the corpus."""


def read(
    root: Path,
    *,
    strict: bool = False,
    classes: str = "emotions",
    channel: str = "speech",
    modality: str = "audio",
) -> Reading:
    """Read the corpus as published, or as cut into a folder with a manifest.csv.

    Args:
        classes: "emotions" (seven, calm as neutral) or "own" (eight).
        channel: "speech", "song" or "both".
        modality: "audio" (the files 03-*) or "audio_and_video" (01-*).

    Raises CorpusError.
    """
    chosen = labelling.choose(CORPUS, classes, LABELLINGS)
    channels = _CHANNELS[labelling.one_of(CORPUS, "channel", channel, tuple(_CHANNELS))]
    wanted = _MODALITIES[labelling.one_of(CORPUS, "modality", modality, tuple(_MODALITIES))]
    table = manifest_of(root, CORPUS)
    if table is not None:
        only = {"corpus": CORPUS}
        reading = manifest.read(table, strict=strict, corpus=CORPUS, label_map=chosen, where=only)
        return replace(reading, examples=tuple(map(_with_intensity, reading.examples)))
    require_folder(root, "Actor_01 to Actor_24 with their recordings")
    log = RowLog(strict)
    found: dict[str, Example] = {}
    for path in sorted(root.rglob("*-*-*-*-*-*-*.*")):
        if path.suffix.lower() not in _SUFFIXES or path.name.startswith("."):
            continue
        try:
            example = _example(path, chosen)
            if path.stem in found:
                raise ValueError(f"the same recording as {found[path.stem].audio}")
        except ValueError as error:
            log.report(path, None, str(error))
            continue
        modality_code, channel_code = path.stem.split("-")[:2]
        if modality_code == wanted and channel_code in channels:
            found[path.stem] = example
    return Reading(tuple(found.values()), log.problems, chosen.classes)


def _with_intensity(example: Example) -> Example:
    """Return an example of a manifest with the intensity that the name of its recording says."""
    fields = () if example.audio is None else example.audio.stem.split("-")
    if len(fields) != 7 or example.style:
        return example
    return replace(example, style=_INTENSITIES.get(fields[3], ""))


def _example(path: Path, chosen: Labelling) -> Example:
    """Return the example that a file's name describes. Raises ValueError: it describes none."""
    fields = path.stem.split("-")
    if len(fields) != 7 or not all(len(field) == 2 and field.isdecimal() for field in fields):
        raise ValueError("the name is not seven numbers of two digits")
    _, _, emotion, intensity, statement, _, actor = fields
    if emotion not in _EMOTIONS or statement not in _STATEMENTS:
        raise ValueError("the name is not modality-channel-emotion-intensity-statement-...-actor")
    if intensity not in _INTENSITIES or not 1 <= int(actor) <= 24:
        raise ValueError(f"there is no intensity {intensity} or no actor {actor}")
    return Example(
        corpus=CORPUS,
        id=path.stem,
        audio=path,
        text=_STATEMENTS[statement],
        speaker=f"{CORPUS}/A{actor}",
        gender="M" if int(actor) % 2 else "F",
        style=_INTENSITIES[intensity],
        language="en",
        labels=chosen.of([_EMOTIONS[emotion]]),
        source=source(path),
    )
