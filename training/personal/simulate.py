"""Simulated corrections of real speakers: what a personal adapter is worth.

    python -m training.personal.simulate --data DIR [--checkpoint M] [--draws 3] [--rest 200]
        [--corrections ravdess=20,40] [--only ravdess] [--text] [--json FILE] [--markdown FILE]

    python -m training.personal.simulate --data DIR --speech-folds DIR --recipe YAML ...

Only speakers that no weight of the checkpoint was fitted on take part. Everything goes through
`core.personal`: the store, the evidence, the trial, the adapter. With the folder of a
cross-validation (`training.speech_cv`), every speaker takes part, each judged by the model that has
not heard them; what it says then goes through the trial and the adapter.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeAlias

import torch

from core.errors import ConfigError, EmoscopeError
from core.models.manifest import CheckpointInfo, read_info
from core.personal.evidence import Witness
from core.resources import embedded_checkpoint
from training.personal.folds import heard_by_folds
from training.personal.material import unseen_people
from training.personal.report import as_json, as_markdown
from training.personal.trials import Outcome, Settings, fold_outcomes, outcomes_of
from training.progress import Reporter

CORRECTIONS: Mapping[str, tuple[int, ...]] = {
    "emotiontts_ko": (10,),
    "ravdess": (20, 40),
    "nemo": (20, 50, 100),
}
"""Corpus -> how many clips a speaker corrects, where nothing else is asked for."""
_ELSE = (20, 50)


def main(argv: Sequence[str] | None = None) -> int:
    """Simulate and report; returns the exit status."""
    options = _parser().parse_args(argv)
    reporter = Reporter()
    try:
        info = read_info(
            embedded_checkpoint() if options.checkpoint == "embedded" else options.checkpoint
        )
        outcomes = simulate(info, options, reporter)
        _report(info, options, outcomes, reporter)
    except EmoscopeError as error:
        reporter.say(str(error))
        return 1
    return 0


def simulate(
    info: CheckpointInfo, options: argparse.Namespace, reporter: Reporter
) -> list[Outcome]:
    """Return what came of every draw of every speaker. Raises EmoscopeError."""
    torch.set_num_threads(1)
    settings = Settings(options.rest, options.text)
    counts = {**CORRECTIONS, **_counts(options.corrections)}
    make = _of_checkpoint if options.speech_folds is None else _of_folds
    outcomes: list[Outcome] = []
    for corpus, speaker, clips, draw_one in make(info, options, settings, reporter):
        if corpus != (options.only or corpus):
            continue
        for count in counts.get(corpus, _ELSE):
            if count < clips:
                outcomes += [o for d in range(options.draws) for o in draw_one(count, d)]
        reporter.say(f"{corpus}/{speaker.removeprefix(f'{corpus}/')}")
    if not outcomes:
        raise ConfigError("No speaker could be simulated.", "Ask for fewer corrections.")
    return sorted(outcomes, key=lambda o: (o.corpus, o.corrections, o.speaker, o.draw))


_CHECKPOINT = {
    "title": "Personal adapters on speakers who were never heard",
    "judge": "the checkpoint {checkpoint} (sha256 {sha256})",
    "baseline": "the corrected clips",
}
_FOLDS = {
    "title": "Personal adapters on every speaker, by models of four folds",
    "judge": "the models of a cross-validation of the speech recipe of {checkpoint}, each on the "
    "speakers it was not trained on, with the temperatures of that checkpoint (sha256 {sha256})",
    "baseline": "all of their clips, whose labels it does not see",
}
"""What a page says of who judged, and on what the personal baseline rests."""

Draw: TypeAlias = Callable[[int, int], list[Outcome]]
Speakers: TypeAlias = Iterator[tuple[str, str, int, Draw]]
"""Corpus, speaker, number of clips, and what comes of so many corrections in a draw."""


def _of_checkpoint(
    info: CheckpointInfo, options: argparse.Namespace, settings: Settings, reporter: Reporter
) -> Speakers:
    witness = Witness(info)
    for person in unseen_people(options.data, info):
        draw = partial(outcomes_of, witness, person, settings=settings)
        yield person.corpus, person.speaker, len(person.clips), draw


def _of_folds(
    info: CheckpointInfo, options: argparse.Namespace, settings: Settings, reporter: Reporter
) -> Speakers:
    folder, recipe = options.speech_folds, options.recipe
    for heard in heard_by_folds(recipe, options.data, folder, info.calibration, reporter):
        draw = partial(fold_outcomes, heard, settings=settings)
        yield heard.corpus, heard.speaker, len(heard.lessons.given), draw


def _report(
    info: CheckpointInfo,
    options: argparse.Namespace,
    outcomes: Sequence[Outcome],
    reporter: Reporter,
) -> None:
    about = {
        **(_CHECKPOINT if options.speech_folds is None else _FOLDS),
        "checkpoint": info.name,
        "sha256": info.digest,
        "draws": options.draws,
        "rest": options.rest,
        "texts": "given" if options.text else "not given",
    }
    page = as_markdown(outcomes, about)
    reporter.say(page)
    if options.markdown is not None:
        options.markdown.write_text(page, encoding="utf-8")
    if options.json is not None:
        text = json.dumps(as_json(outcomes, about), indent=1, ensure_ascii=False)
        options.json.write_text(text + "\n", encoding="utf-8")


def _counts(given: Sequence[str]) -> Mapping[str, tuple[int, ...]]:
    try:
        pairs = [(name, counts) for name, _, counts in (text.partition("=") for text in given)]
        return {name: tuple(int(c) for c in counts.split(",")) for name, counts in pairs}
    except ValueError as error:
        raise ConfigError(
            f"--corrections can't be read ({error}).", "Such as nemo=20,50."
        ) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="training.personal.simulate", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with speech/manifest.csv")
    parser.add_argument("--checkpoint", default="embedded", help="a folder (default: embedded)")
    parser.add_argument("--speech-folds", type=Path, metavar="DIR", help="out of a speech_cv")
    parser.add_argument(
        "--recipe", type=Path, default=Path("training/configs/embedded/speech.yaml"),
        help="that was cross-validated",
    )  # fmt: skip
    parser.add_argument("--draws", type=int, default=3, help="of corrections, for each speaker")
    parser.add_argument("--rest", type=int, default=200, help="other clips judged, at most")
    parser.add_argument("--corrections", nargs="*", default=(), metavar="CORPUS=N,N")
    parser.add_argument("--only", metavar="CORPUS", help="one corpus")
    parser.add_argument("--text", action="store_true", help="give texts, where there are some")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--markdown", type=Path, metavar="FILE")
    return parser


if __name__ == "__main__":
    sys.exit(main())
