"""Corpora and encoders for the two-stage paper: found in a folder, or generated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from core.errors import CorpusError
from training.distributed import current
from training.generated.encoders import write_encoder
from training.generated.iemocap import write_iemocap
from training.generated.iemocap_turns import GeneratedIemocap
from training.generated.kemdy import write_kemdy19, write_kemdy20
from training.generated.kemdy_segments import GeneratedKemdy
from training.reproduce.options import ReproduceOptions

IEMOCAP, KEMDY = "iemocap", "kemdy"
"""Names of their readers; the second is KEMDy19 with KEMDy20."""
_SESSION = Path("Session1", "dialog", "EmoEvaluation")

QUICK_IEMOCAP = GeneratedIemocap(utterances=44, odd=False)
FULL_IEMOCAP = GeneratedIemocap(utterances=80)
QUICK_KEMDY = GeneratedKemdy(sessions=5, segments=16, seconds=(0.8, 1.4), spoken_texts=True)
FULL_KEMDY = GeneratedKemdy(sessions=5, segments=40, seconds=(1.0, 2.0), spoken_texts=True)

_ENCODER = "xls_r_like"


def find_corpora(options: ReproduceOptions) -> dict[str, Path]:
    """Return corpus -> its folder, of those that there are; generated ones are not made yet."""
    if options.generated:
        return {name: options.out / "corpora" / name for name in _WRITERS}
    assert options.data is not None
    places = [options.data, *sorted(p for p in options.data.glob("*") if p.is_dir())]
    found = {}
    with_sessions = [place for place in places if (place / _SESSION).is_dir()]
    if with_sessions:
        found[IEMOCAP] = with_sessions[0]
    if any((p / "annotation").is_dir() and (p / "wav").is_dir() for p in places):
        found[KEMDY] = options.data
    if not found:
        raise CorpusError(
            f"{options.data} holds neither IEMOCAP nor KEMDy19 and KEMDy20.",
            "Name another folder with --data.",
        )
    return found


def make_corpus(name: str, folder: Path, options: ReproduceOptions) -> None:
    """Generate a corpus into its folder, if it is to be generated."""
    if not options.generated:
        return
    options.say(f"generating a corpus like {name}")
    processes = current()
    if processes.is_main:
        _WRITERS[name](folder, options.quick)
    processes.wait()


def _iemocap(folder: Path, quick: bool) -> None:
    write_iemocap(folder, QUICK_IEMOCAP if quick else FULL_IEMOCAP)


def _kemdy(folder: Path, quick: bool) -> None:
    shape = QUICK_KEMDY if quick else FULL_KEMDY
    write_kemdy19(folder / "KEMDy19", shape)
    write_kemdy20(folder / "KEMDy20", replace(shape, spontaneous=True, seed=shape.seed + 1))


_WRITERS: Mapping[str, Callable[[Path, bool], None]] = {IEMOCAP: _iemocap, KEMDY: _kemdy}


def encoder_name(options: ReproduceOptions) -> str | None:
    """Return the encoder asked for, a generated one with --generated; None: the paper's."""
    if options.speech or not options.generated:
        return options.speech
    folder = options.out / "encoders" / _ENCODER
    width, layers, features = (32, 2, 16) if options.quick else (48, 2, 32)
    processes = current()
    if processes.is_main:
        write_encoder(_ENCODER, folder, width=width, layers=layers, features=features)
    processes.wait()
    return str(folder)


def generated_sentences(options: ReproduceOptions) -> tuple[str, ...]:
    """Return what generated corpora and their encoder are, for the report."""
    if not options.generated:
        return ()
    return (
        "The corpora are generated in the published layouts, with synthetic voices that say the"
        " vowels of made-up sentences. Their figures say that everything works, nothing about"
        " people, and can't be compared with the paper's.",
        "The encoder is generated: XLS-R's architecture, tiny and with random weights, so that a"
        " frozen one knows nothing: rows of adapters alone are at their worst here. In so few steps"
        " recognition does not learn to write: a WER of 100 is that of saying nothing.",
    )
