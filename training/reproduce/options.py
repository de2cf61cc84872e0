"""What `emoscope reproduce` was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.models.systems.head import Variant
from training.progress import Reporter

PROTOCOLS = ("default", "paper")


@dataclass(frozen=True)
class ReproduceOptions:
    """The arguments of the command, checked.

    Attributes:
        paper: "rsa-cfn", "knu", "mrl-mkd" or "two-stage".
        data: folder of the corpus; None with `generated`.
        generated: make a small corpus in the published layout, and tiny encoders.
        out: everything that is kept goes here.
        rows: names of rows; empty: all.
        variant: of the systems of RSA-CFN and KNU.
        mglra: variant of MGLRA, of MRL/MKD: "full" as the paper draws it, or "released".
        protocol: "paper" is the published split, and the epoch chosen on the test part; "default"
            holds out speakers (of MRL/MKD: dialogues) and chooses on a validation part.
        quick: shrink corpus, epochs and projections to end within a minute.
        folds: how many of the folds are run, None: as many as the protocol has by default.
        seeds: trainings per fold, or of each row where there are no folds.
        figure: also draw the attention figure.
        speech, text, second_text: encoders by hub name or folder instead of the paper's; the last
            is the one table 3 compares with.
        task: of KNU's systems: "total", "classification" or "regression".
        frozen: train heads on cached features even where the paper fine-tunes.
        resume: take trainings that were finished in `out` before with the same settings.
        threads: of the processor.
    """

    paper: str
    out: Path
    data: Path | None = None
    generated: bool = False
    rows: tuple[str, ...] = ()
    variant: Variant = Variant.CORRECTED
    mglra: str = "full"
    protocol: str = "default"
    quick: bool = False
    folds: int | None = None
    seeds: int = 1
    figure: bool = False
    speech: str | None = None
    text: str | None = None
    second_text: str | None = None
    frozen: bool = False
    task: str = "total"
    resume: bool = False
    threads: int = 0
    reporter: Reporter | None = None

    def say(self, line: str) -> None:
        """Tell the user."""
        if self.reporter is not None:
            self.reporter.say(line)
