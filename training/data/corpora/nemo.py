"""nEMO: nine actors say 90 sentences in six emotions, Polish.

Christop (2024), nEMO: dataset of emotional speech in Polish, LREC-COLING. As its repository lays it
out (https://github.com/amu-cai/nEMO): `data.tsv` with the columns file_id, emotion, raw_text,
normalized_text, speaker_id, gender, age, and the recordings `samples/<file_id>`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from training.data.corpora import labelling, manifest
from training.data.corpora.labelling import own
from training.data.corpora.manifest_file import manifest_of
from training.data.corpora.rows import require_file, require_folder
from training.data.example import Reading

CORPUS = "nemo"
LABELLINGS = {
    "own": own(
        ("neutral", "happy", "angry", "surprise", "sad", "fear"),
        {
            "happiness": "happy",
            "anger": "angry",
            "surprised": "surprise",
            "sadness": "sad",
        },
    ),
}
"""Besides "emotions": the six classes of the corpus, without disgust."""


def read(root: Path, *, strict: bool = False, classes: str = "emotions") -> Reading:
    """Read the corpus as published, or as cut into a folder with a manifest.csv.

    Args:
        classes: "emotions" (seven) or "own" (six: there is no disgust).

    Raises CorpusError.
    """
    chosen = labelling.choose(CORPUS, classes, LABELLINGS)
    table = manifest_of(root, CORPUS)
    if table is not None:
        only = {"corpus": CORPUS}
        return manifest.read(table, strict=strict, corpus=CORPUS, label_map=chosen, where=only)
    require_folder(root, "data.tsv and the folder samples")
    reading = manifest.read(
        require_file(root / "data.tsv", "data.tsv and the folder samples"),
        strict=strict,
        corpus=CORPUS,
        label_map=chosen,
        audio_root=root / "samples",
        columns={"path": "file_id", "text": "raw_text"},
        encoding="utf-8-sig",
    )
    examples = (replace(e, id=Path(e.id).stem, language="pl") for e in reading.examples)
    return replace(reading, examples=tuple(examples))
