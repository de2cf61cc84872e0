"""KEMDy19: acted Korean dialogues, 40 voice actors in 20 sessions of a woman and a man.

`annotation/SessNN_F_res.csv` and `SessNN_M_res.csv` (two header rows; columns: number, then start
and end in the recording and in three body signals, which is why there are two tables: each holds
the signals of one actor; columns 9-12 are segment, emotion, valence and arousal) and
`wav/SessionNN/SessNN_scriptMM/SessNN_scriptMM_FLLL.wav|.txt` ("impro" for improvised ones).

Both tables of a session list all of its segments with the same evaluation, so each segment is
taken once. (KNU's code reads every row of both; its 20,554 segments fit 10,277 taken twice.)
Only columns 9-12 are published; table names (`_res` or `_eval`, with or without an actor) and
the encoding of the texts (UTF-8 or cp949) are assumptions, so all of these are accepted.
"""

from __future__ import annotations

import re
from pathlib import Path

from training.data.corpora.kemdy import Layout, read_kemdy
from training.data.example import Reading

LAYOUT = Layout(
    name="kemdy19",
    folder="kemdy19",
    tables="SessNN_F_res.csv and SessNN_M_res.csv",
    table=re.compile(r"^Sess(?:ion)?0*(\d+)(?:_?[FM])?_(?:res|eval)\.csv$", re.IGNORECASE),
    segment=re.compile(
        r"(?P<dialogue>[a-z]+\d+(?:_[a-z0-9]+)?)_(?P<speaker>(?P<gender>[FM]))\d+", re.IGNORECASE
    ),
    columns=(9, 10, 11, 12),
    times=(1, 2),
    encodings=("utf-8-sig", "cp949"),
    repeats=True,
    style="acted",
)


def read(
    root: Path, *, strict: bool = False, pairs_only: bool = True, clean: bool = True
) -> Reading:
    """Read KEMDy19: examples in the order of its tables, sorted by name, and their rows.

    A row is reported, and skipped unless `strict`, when its segment, emotion, valence or arousal
    can't be read, when the other table evaluates it otherwise, and when its recording or text is
    missing or damaged.

    Recordings that no table lists are not read.

    Args:
        root: folder with `annotation` and `wav`, or one that holds such a folder `KEMDy19...`.
        strict: raise at the first row that can't be used.
        pairs_only: skip segments that lack the recording or the text; otherwise keep what is there.
        clean: remove the marks of the transcripts, as RSA-CFN does (KNU does not).

    Raises:
        CorpusError: not the layout, or `strict` and a bad row.
    """
    return read_kemdy(root, LAYOUT, strict=strict, pairs_only=pairs_only, clean=clean)
