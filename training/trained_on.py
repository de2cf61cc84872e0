"""The section `trained_on` of a checkpoint: from examples, and from the checkpoints it is made of.

What it names is never scored again; see `training.evaluation.seen`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from core.errors import CheckpointError
from core.models.checkpoint import read_training
from core.models.manifest import CheckpointInfo, read_info
from core.resources import embedded_checkpoint
from training.data.example import Example
from training.evaluation.seen import Seen, as_training, script_digest
from training.system_config import SystemConfig
from training.system_data import SystemData
from training.system_encoders import EMBEDDED

TextRow = tuple[str, str, int | None]
"""Corpus, name of the file of a part, and row counted from 0; None: any row."""

_FILES: Mapping[str, tuple[str, ...]] = {
    "train": ("train",),
    "dev": ("dev", "val"),
    "test": ("test",),
    "": ("train", "dev", "val", "test"),
}
_NAMES = ("speakers", "calibration_speakers", "scripts", "clips")


def of_system(config: SystemConfig, data: SystemData) -> dict[str, Any]:
    """Return the section of a trained system: its own rows and what its encoders were trained on.

    Rows that chose the epoch were not trained on, but are no strangers to the weights either.
    """
    parts = data.parts
    chose, held_out = parts.validation.tolist(), parts.test.tolist()
    if config.selection == "test":
        chose, held_out = chose + held_out, []
    own = of_examples(
        *([data.examples[row] for row in rows] for rows in (parts.train.tolist(), chose, held_out))
    )
    return union((own, of_encoders(config)))


def of_encoders(config: SystemConfig) -> dict[str, Any]:
    """Return what the encoders of a system were trained on before."""
    choices = [choice for choice in (config.speech, config.text) if choice is not None]
    models = dict.fromkeys((choice.kind, choice.model) for choice in choices)
    return union(
        of_folder(embedded_checkpoint() if name == EMBEDDED else Path(name))
        if kind == "compact"
        else of_makers((name,))
        for kind, name in models
    )


def of_makers(names: Iterable[str]) -> dict[str, Any]:
    """Return the section of models that others trained: nobody here knows on what."""
    return as_training(
        {}, {}, unknown=[f"what the makers of {name} trained it on" for name in names]
    )


def of_folder(folder: Path) -> dict[str, Any]:
    """Return the section of the checkpoint in a folder; see `of_checkpoint`."""
    return of_checkpoint(read_info(folder))


def of_checkpoint(info: CheckpointInfo) -> dict[str, Any]:
    """Return the section of a checkpoint; one without says that it is not known."""
    try:
        training = read_training(info)
        if Seen.from_training(training).is_stated:
            return dict(training["trained_on"])
    except CheckpointError:
        pass
    return as_training({}, {}, unknown=[f"what {info.name} {info.version} was trained on"])


def of_examples(
    fitted: Iterable[Example], chose: Iterable[Example] = (), held_out: Iterable[Example] = ()
) -> dict[str, Any]:
    """Return the section of weights fitted on some rows and chosen or calibrated on others.

    Speakers are named where they are known, else clips. Of what was said a digest is kept.

    Args:
        held_out: rows that may be scored; a text part that has none of them is named as a whole.
    """
    fitted, chose = tuple(fitted), tuple(chose)
    used = (*fitted, *chose)
    scripts = ((e.corpus, script_digest(e.text)) for e in used if e.audio is not None and e.text)
    clips = ((e.corpus, clip_name(e)) for e in used if e.audio is not None and not e.speaker)
    return as_training(
        _by_corpus((e.corpus, speaker_name(e)) for e in fitted if e.speaker),
        _by_corpus((e.corpus, speaker_name(e)) for e in chose if e.speaker),
        _texts(used, held_out),
        _by_corpus(scripts),
        _by_corpus(clips),
    )


def union(sections: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return one section that names all that several do."""
    sections = tuple(sections)
    found: dict[str, dict[str, set[str]]] = {
        key: _by_corpus(
            (corpus, str(name))
            for section in sections
            for corpus, names in (section.get(key) or {}).items()
            for name in names
        )
        for key in _NAMES
    }
    texts = [entry for section in sections for entry in section.get("texts") or ()]
    rows = (
        (entry["corpus"], entry["part"], row)
        for entry in texts
        for row in ((None,) if entry.get("rows") is None else entry["rows"])
    )
    unknown = dict.fromkeys(w for section in sections for w in section.get("unknown") or ())
    return as_training(
        found["speakers"], found["calibration_speakers"], _joined(rows),
        found["scripts"], found["clips"], unknown,
    )  # fmt: skip


def is_heard(seen: Seen, example: Example) -> bool:
    """Tell whether a section names this row, by its speaker, clip, script or place in a text."""
    corpus = example.corpus
    return (
        (bool(example.speaker) and seen.speaker(corpus, speaker_name(example)))
        or (example.audio is not None and seen.clip(corpus, clip_name(example)))
        or (bool(example.text) and seen.script(corpus, example.text or ""))
        or any(
            (of, part) in seen.texts if row is None else seen.row(of, part, row)
            for of, part, row in text_rows(example)
        )
    )


def speaker_name(example: Example) -> str:
    """Return a speaker without the corpus before the name."""
    return example.speaker.removeprefix(f"{example.corpus}/")


def clip_name(example: Example) -> str:
    """Return a recording as its manifest names it, or its file's name."""
    path = "" if example.audio is None else example.audio.as_posix()
    given = example.id.partition("#")[0].replace("\\", "/")
    return given if path.endswith(f"/{given}") else path.rpartition("/")[2]


def text_rows(example: Example) -> tuple[TextRow, ...]:
    """Return where a text stands in the tables of a text corpus, as far as that is known."""
    if not example.text or (example.audio is not None and not example.part):
        return ()
    part, _, number = example.id.rpartition("/")
    file = Path(example.source.rpartition(":")[0]).stem
    if example.audio is None and part == example.part and number.isdigit() and file:
        return ((example.corpus, file, int(number)),)
    files = _FILES.get(example.part, (example.part,))
    return tuple((example.corpus, name, None) for name in files)


def _texts(
    used: Iterable[Example], held_out: Iterable[Example]
) -> list[tuple[str, str, list[int] | None]]:
    scored = {(corpus, part) for e in held_out for corpus, part, _ in text_rows(e)}
    found = _joined(row for example in used for row in text_rows(example))
    return [(c, part, rows if (c, part) in scored else None) for c, part, rows in found]


def _joined(rows: Iterable[TextRow]) -> list[tuple[str, str, list[int] | None]]:
    """Group rows by corpus and part; a part of which any row may be meant counts as a whole."""
    found: dict[tuple[str, str], set[int | None]] = {}
    for corpus, part, row in rows:
        found.setdefault((corpus, part), set()).add(row)
    return [
        (corpus, part, None if None in numbers else sorted(n for n in numbers if n is not None))
        for (corpus, part), numbers in sorted(found.items())
    ]


def _by_corpus(pairs: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for corpus, name in pairs:
        found.setdefault(corpus, set()).add(name)
    return found
