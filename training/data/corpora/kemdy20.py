"""KEMDy20: spontaneous Korean talk, 80 adults in 40 sessions of two, with ten outside taggers.

`annotation/SessNN_eval.csv` (two header rows; columns: number, start and end in the session (s),
segment, emotion, valence, arousal, then three per tagger) and
`wav/SessionNN/SessNN_scriptMM_UserKKKF_LLL.wav|.txt` (16 kHz; cp949). 24 compound labels occur
beside the seven; disgust is spelled "disqust"; names of session 17 begin with another session in
its table than on disk.
"""

from __future__ import annotations

import re
from pathlib import Path

from training.data.corpora.kemdy import Layout, read_kemdy
from training.data.example import Reading

LAYOUT = Layout(
    name="kemdy20",
    folder="kemdy20",
    tables="SessNN_eval.csv",
    table=re.compile(r"^Sess(?:ion)?0*(\d+)_eval\.csv$", re.IGNORECASE),
    segment=re.compile(
        r"(?P<dialogue>[a-z]+\d+)_(?P<speaker>User\d+(?P<gender>[FM]))_(\d+)", re.IGNORECASE
    ),
    columns=(3, 4, 5, 6),
    times=(1, 2),
    encodings=("cp949", "utf-8-sig"),
    repeats=False,
    style="spontaneous",
)


def read(
    root: Path, *, strict: bool = False, pairs_only: bool = True, clean: bool = True
) -> Reading:
    """Read KEMDy20: examples in the order of its tables, sorted by name, and their rows.

    A row is reported, and skipped unless `strict`, when its segment, emotion, valence or arousal
    can't be read, when it is listed twice, and when its recording or text is missing or damaged.

    Recordings that no table lists are not read.

    Args:
        root: folder with `annotation` and `wav`, or one that holds such a folder `KEMDy20...`.
        strict: raise at the first row that can't be used.
        pairs_only: skip segments that lack the recording or the text; otherwise keep what is there.
        clean: remove the marks of the transcripts, as RSA-CFN does (KNU does not).

    Raises:
        CorpusError: not the layout, or `strict` and a bad row.
    """
    return read_kemdy(root, LAYOUT, strict=strict, pairs_only=pairs_only, clean=clean)
