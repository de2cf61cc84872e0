"""IEMOCAP: ten actors in five sessions of two, scripted and improvised dialogues, English.

Busso, Bulut, Lee, Kazemzadeh, Mower, Kim, Chang, Lee & Narayanan (2008), IEMOCAP: interactive
emotional dyadic motion capture database, Language Resources and Evaluation 42. Read as released:
`SessionN/dialog/EmoEvaluation/<dialogue>.txt` (times, label, mean valence, activation, dominance),
`dialog/transcriptions/<dialogue>.txt`, `sentences/wav/<dialogue>/<utterance>.wav` (one
utterance) and `dialog/wav/<dialogue>.wav` (two channels, a whole dialogue).

A dialogue's name says who wears the markers (Ses01F_impro01: the woman of session 1), and an
utterance's who speaks (Ses01F_impro01_M000: her partner). In the dialogue's recording the left
channel is the one of the actor with the markers: so its use in the code of Dai, Cahyawijaya, Liu &
Fung (2021), Multimodal end-to-end sparse model for emotion recognition, NAACL
(github.com/wenliangdai/Multimodal-End2end-Sparse, src/datasets.py, `use_left`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import CorpusError
from training.data.corpora import labelling
from training.data.corpora.channel_check import without_wrong_channels
from training.data.corpora.labelling import Labelling
from training.data.corpora.media import check_media
from training.data.corpora.rows import RowLog, number, read_text, require_folder, source
from training.data.example import Example, Reading

CORPUS = "iemocap"
_LAYOUT = "IEMOCAP_full_release with Session1 to Session5"
_ENCODINGS = ("utf-8-sig", "cp1252")
_EVALUATION = re.compile(r"\[([^\]]*?) - ([^\]]*?)\]\t(\S+)\t(\S+)\t\[([^\]]*)\]")
_TRANSCRIPT = re.compile(r"(Ses\d\d[FM]_\S+_[FM]\S*) \[[^\]]*\]: ?(.*)")
_NAME = re.compile(r"(Ses(\d\d)([FM])_(impro|script)\w*)_([FM])\w+")
_STYLES = {"impro": "improvised", "script": "scripted"}
_EDGE = 0.5
"""Some means of 1 to 5 in the files lie up to this far outside; they are clipped."""

FOUR: Mapping[str, str | None] = {
    "ang": "angry",
    "hap": "happy",
    "exc": "happy",
    "sad": "sad",
    "neu": "neutral",
}
"""The 5,531 utterances of much of the literature: 1,103 angry, 1,636 happy with excited, 1,084 sad,
1,708 neutral."""
SIX = ("happy", "sad", "neutral", "angry", "excited", "frustrated")
"""The 7,380 utterances with one of these, in the order of work on conversations."""
_LEFT_OUT: Mapping[str, str | None] = dict.fromkeys(("xxx", "oth"))
_OWN = {
    "neu": "neutral",
    "hap": "happy",
    "exc": "excited",
    "ang": "angry",
    "fru": "frustrated",
    "sad": "sad",
    "sur": "surprise",
    "fea": "fear",
    "dis": "disgust",
}

_RARE: Mapping[str, str | None] = dict.fromkeys(("sur", "fea", "dis"))
LABELLINGS = {
    "4": Labelling(
        {**FOUR, **_LEFT_OUT, **_RARE, "fru": None}, ("neutral", "happy", "angry", "sad")
    ),
    "6": Labelling({**_OWN, **_LEFT_OUT, **_RARE}, SIX),
    "own": Labelling(
        {**_OWN, **_LEFT_OUT},
        (
            "neutral",
            "happy",
            "excited",
            "angry",
            "frustrated",
            "sad",
            "surprise",
            "fear",
            "disgust",
        ),
    ),
}
"""Besides "emotions". xxx (no majority) and oth (another emotion) have no class anywhere."""


@dataclass(frozen=True, slots=True)
class _Evaluation:
    """A line of EmoEvaluation: times in s, label, valence and activation in [-1, 1]."""

    line: int
    id: str
    start: float
    end: float
    label: str
    valence: float
    arousal: float


def read(
    root: Path,
    *,
    strict: bool = False,
    classes: str | int = "emotions",
    style: str = "all",
    audio: str = "sentences",
    keep_unlabelled: bool = False,
    check_audio: bool = False,
) -> Reading:
    """Read the corpus as released.

    Args:
        classes: "emotions" (seven; excited counts as happy, frustrated is left out), 4, 6 or "own"
            (nine).
        style: "improvised", "scripted" or "all".
        audio: "sentences" (a file per utterance) or "dialogs" (cut from the speaker's channel of
            the dialogue).
        keep_unlabelled: keep utterances without class too (context of a dialogue, or for arousal
            and valence alone).
        check_audio: open every recording and report the ones that can't be; with dialogs, listen
            whether each speaker is louder in the channel that is taken to be theirs.

    Raises CorpusError.
    """
    chosen = labelling.choose(CORPUS, classes, LABELLINGS)
    labelling.one_of(CORPUS, "style", style, ("all", *_STYLES.values()))
    labelling.one_of(CORPUS, "audio", audio, ("sentences", "dialogs"))
    log = RowLog(strict)
    examples = []
    for session in _sessions(root):
        for path in sorted((session / "dialog" / "EmoEvaluation").glob("Ses*.txt")):
            for example in _dialogue(path, chosen, audio, log):
                if style not in ("all", style_of(example)):
                    continue
                if not (example.labels or keep_unlabelled):
                    continue
                if not check_audio or _is_sound(example, path, log):
                    examples.append(example)
    if check_audio and audio == "dialogs":
        examples = without_wrong_channels(examples, log)
    return Reading(tuple(examples), log.problems, chosen.classes)


def style_of(example: Example) -> str:
    """Return "improvised" or "scripted", from an IEMOCAP example's dialogue."""
    return _style(example.dialogue.rpartition("/")[2])


def _style(dialogue: str) -> str:
    kind = dialogue.partition("_")[2]
    return next((style for key, style in _STYLES.items() if kind.startswith(key)), "")


def _sessions(root: Path) -> list[Path]:
    """Return Session1 and so on, in `root` or in the IEMOCAP_full_release below it."""
    require_folder(root, _LAYOUT)
    for folder in (root, root / "IEMOCAP_full_release"):
        found = sorted(folder.glob("Session[0-9]"))
        if found:
            break
    else:
        raise CorpusError(f"{root} has no folder Session1.", f"Give the folder {_LAYOUT}.")
    for session in found:
        require_folder(session / "dialog" / "EmoEvaluation", _LAYOUT)
    return found


def _is_sound(example: Example, path: Path, log: RowLog) -> bool:
    if example.audio is None:
        return True
    try:
        check_media(example.audio, example.end)
    except ValueError as error:
        log.report(path, int(example.source.rpartition(":")[2]), str(error))
        return False
    return True


def _dialogue(path: Path, chosen: Labelling, audio: str, log: RowLog) -> Iterator[Example]:
    """Yield the usable utterances of a dialogue in the order in which they are spoken."""
    texts = _transcription(path, log)
    evaluations = sorted(_evaluations(path, log), key=lambda e: (e.start, e.id))
    seen: set[str] = set()
    for turn, evaluation in enumerate(evaluations):
        try:
            if evaluation.id in seen:
                raise ValueError(f"{evaluation.id} occurs twice")
            seen.add(evaluation.id)
            yield _example(path, evaluation, turn, texts, chosen, audio)
        except ValueError as error:
            log.report(path, evaluation.line, str(error))


def _evaluations(path: Path, log: RowLog) -> Iterator[_Evaluation]:
    """Yield the lines "[start - end] utterance label [v, a, d]"; all others are comments."""
    for line, content in enumerate(read_text(path, _ENCODINGS).splitlines(), start=1):
        if not content.startswith("["):
            continue  # the header, blank lines, and C- and A- lines of single annotators
        match = _EVALUATION.fullmatch(content.strip())
        try:
            if match is None:
                raise ValueError("the line is not [start - end], utterance, label, [v, a, d]")
            yield _evaluation(line, *match.groups())
        except ValueError as error:
            log.report(path, line, str(error))


def _evaluation(line: int, start: str, end: str, name: str, label: str, affect: str) -> _Evaluation:
    first, last = number(start), number(end)
    if first < 0 or last <= first:
        raise ValueError(f"{name} ends at {last:g} s but begins at {first:g} s")
    values = [number(value) for value in affect.split(",")]
    if len(values) != 3:
        raise ValueError(f"[{affect}] is not valence, activation and dominance")
    valence, arousal = (_scaled(value) for value in values[:2])
    return _Evaluation(line, name, first, last, label, valence, arousal)


def _scaled(value: float) -> float:
    """Return a mean of ratings from 1 to 5 in [-1, 1]."""
    if not 1 - _EDGE <= value <= 5 + _EDGE:
        raise ValueError(f"{value:g} is no mean of ratings from 1 to 5")
    return min(max((value - 3) / 2, -1.0), 1.0)


def _transcription(path: Path, log: RowLog) -> dict[str, str]:
    """Return utterance -> text of the dialogue of `path`, leaving out remarks between them."""
    transcript = path.parents[1] / "transcriptions" / path.name
    if not transcript.is_file():
        log.report(transcript, None, "the dialogue has no transcription")
        return {}
    lines = read_text(transcript, _ENCODINGS).splitlines()
    matches = (_TRANSCRIPT.match(line.strip()) for line in lines)
    return {match[1]: match[2].strip() for match in matches if match is not None}


def _example(
    path: Path,
    evaluation: _Evaluation,
    turn: int,
    texts: Mapping[str, str],
    chosen: Labelling,
    audio: str,
) -> Example:
    """Return an utterance's example. Raises ValueError: a part of it is missing or wrong."""
    name = _NAME.fullmatch(evaluation.id)
    if name is None or name[1] != path.stem:
        raise ValueError(f"{evaluation.id} is no utterance of {path.stem}")
    text = texts.get(evaluation.id)
    if not text:
        raise ValueError(f"{evaluation.id} has no transcription")
    session = path.parents[2]
    example = Example(
        corpus=CORPUS,
        id=evaluation.id,
        audio=session / "sentences" / "wav" / path.stem / f"{evaluation.id}.wav",
        text=text,
        speaker=f"{CORPUS}/Ses{name[2]}{name[5]}",
        session=f"{CORPUS}/Session{int(name[2])}",
        dialogue=f"{CORPUS}/{path.stem}",
        turn=turn,
        gender=name[5],
        style=_style(path.stem),
        language="en",
        labels=chosen.of([evaluation.label]),
        arousal=evaluation.arousal,
        valence=evaluation.valence,
        source=source(path, evaluation.line),
    )
    if audio == "dialogs":
        example = replace(
            example,
            audio=session / "dialog" / "wav" / f"{path.stem}.wav",
            start=evaluation.start,
            end=evaluation.end,
            channel=0 if name[3] == name[5] else 1,
        )
    if example.audio is None or not example.audio.is_file():
        raise ValueError(f"there is no recording {example.audio}")
    return example
