"""EmotionTTS Open DB, its emotional part: 15 speakers in four emotions, Korean.

https://github.com/emotiontts/emotiontts_open_db, `Dataset/SpeechCorpus/Emotional`: a folder per way
of recording, in it one per speaker with `wav/nea00101.wav`, `script/nea00101.txt` (what to read)
and `transcript/nea00101.txt` (the same spelt out). The repository holds 5 % of the corpus.

The number says the emotion: 1-100 neutral, 101-200 happy, 201-300, 301-400. The README calls the
third hundred angry and the fourth sad; the scripts are the other way round ("it breaks my heart to
hear that" is nee00201), and so are the voices. This reader follows the scripts.
"""

from __future__ import annotations

import re
from pathlib import Path

from core.errors import CorpusError
from training.data.corpora import labelling, manifest
from training.data.corpora.labelling import Labelling, own
from training.data.corpora.manifest_file import manifest_of, read_table
from training.data.corpora.rows import RowLog, read_text, require_folder, source
from training.data.example import Example, Reading

CORPUS = "emotiontts_ko"
SUBSETS = ("plain-to-emotional", "emotional-to-emotional")
"""The same plain sentences in every emotion; sentences that suit their emotion. An example's style
is its subset; other people speak in the one than in the other."""

_HUNDREDS = ("neutral", "happy", "sad", "angry")
_NAME = re.compile(r"((?:em|ne)[a-z])(\d{5})")
_WOMEN = ("ema", "emb", "nea", "neb", "nec", "ned", "nee")
_MEN = ("emf", "emg", "emh", "nek", "nel", "nem", "nen", "neo")
_SUFFIXES = (".wav", ".flac")

LABELLINGS = {"own": own(("neutral", "happy", "angry", "sad"))}
"""Besides "emotions": the four classes of the corpus."""


def read(
    root: Path,
    *,
    strict: bool = False,
    classes: str = "emotions",
    subset: str = "all",
    text: str = "script",
) -> Reading:
    """Read the corpus as published, or as cut into a folder with a manifest.csv.

    Args:
        root: the folder Emotional, or any above it.
        classes: "emotions" (seven) or "own" (four).
        subset: "plain-to-emotional" (the text says nothing about the emotion: an honest test of
            the voice), "emotional-to-emotional" (the text alone gives it away) or "all".
        text: "script" or "transcript"; a cut folder has only one.

    Raises CorpusError.
    """
    chosen = labelling.choose(CORPUS, classes, LABELLINGS)
    labelling.one_of(CORPUS, "subset", subset, ("all", *SUBSETS))
    labelling.one_of(CORPUS, "text", text, ("script", "transcript"))
    table = manifest_of(root, CORPUS)
    if table is not None:
        only = {"corpus": CORPUS} | ({} if subset == "all" else {"subset": subset})
        return manifest.read(
            table, strict=strict, corpus=CORPUS, label_map=chosen, where=only,
            columns=_style_column(table),
        )  # fmt: skip
    require_folder(root, "its folders plain-to-emotional and emotional-to-emotional")
    log = RowLog(strict)
    examples = []
    for path in sorted(root.rglob("*/wav/*")):
        folder = path.absolute().parents[2].name
        wanted = folder in SUBSETS and subset in ("all", folder)
        if wanted and path.suffix.lower() in _SUFFIXES:
            try:
                examples.append(_example(path, chosen, text))
            except ValueError as error:
                log.report(path, None, str(error))
    return Reading(tuple(examples), log.problems, chosen.classes)


def _style_column(table: Path) -> dict[str, str] | None:
    """Return where a manifest says the style: in the column subset, if it has one."""
    return {"style": "subset"} if "subset" in read_table(table, RowLog()).columns else None


def _example(path: Path, chosen: Labelling, kind: str) -> Example:
    """Return the example of a recording. Raises ValueError: its name or its text is wrong."""
    name = _NAME.fullmatch(path.stem)
    if name is None or not 1 <= int(name[2]) <= 400:
        raise ValueError("the name is not a speaker's and a number up to 00400")
    speaker = name[1]
    if speaker not in _WOMEN + _MEN:
        raise ValueError(f"there is no speaker {speaker}")
    if path.absolute().parents[1].name != speaker:
        raise ValueError(f"the folder is {path.absolute().parents[1].name}'s")
    return Example(
        corpus=CORPUS,
        id=path.stem,
        audio=path,
        text=_text(path.parents[1] / kind / f"{path.stem}.txt"),
        speaker=f"{CORPUS}/{speaker}",
        gender="F" if speaker in _WOMEN else "M",
        style=path.absolute().parents[2].name,
        language="ko",
        labels=chosen.of([_HUNDREDS[(int(name[2]) - 1) // 100]]),
        source=source(path),
    )


def _text(path: Path) -> str:
    try:
        text = " ".join(read_text(path).split())
    except CorpusError as error:
        raise ValueError(f"its text can't be read: {error.problem.rstrip('.')}") from error
    if not text:
        raise ValueError(f"{path} is empty")
    return text
