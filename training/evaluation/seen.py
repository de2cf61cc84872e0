"""What a checkpoint has seen, as named in its training.yaml under `trained_on`.

    trained_on:
      speakers: {ravdess: [A01, A02], nemo: [...]}       # weights were fitted on these
      calibration_speakers: {ravdess: [A19], ...}        # temperatures, thresholds, the epoch were
      clips: {emotiontts_ko: [path in the manifest]}     # single clips, where not whole speakers
      scripts: {emotiontts_ko: [text or its digest]}     # spoken texts that were trained on
      texts:                                             # rows of text corpora
        - {corpus: goemotions_en, part: train}           # a whole part ...
        - {corpus: kote, part: val, rows: [0, 3, 5]}     # ... or rows of it, counted from 0
      unknown: [what the makers of X trained it on]      # what can't be named here

Every key may be missing. Nothing named here may be scored. Where nothing at all is named, or
`unknown` says something, figures may be of rows that were trained on, and that must be said.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.errors import CheckpointError

Names = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Seen:
    """Speakers, clips, scripts and text rows that may not be scored, by corpus."""

    speakers: Names = field(default_factory=dict)
    calibration_speakers: Names = field(default_factory=dict)
    clips: Names = field(default_factory=dict)
    scripts: Names = field(default_factory=dict)
    texts: Mapping[tuple[str, str], frozenset[int] | None] = field(default_factory=dict)
    """(corpus, part) -> rows counted from 0; None: all of them."""
    unknown: tuple[str, ...] = ()
    """What can't be named: "what the makers of X trained it on"."""
    is_stated: bool = True
    """Whether the checkpoint names anything at all; if not, nothing may be called unseen."""

    def speaker(self, corpus: str, speaker: str) -> bool:
        """Tell whether weights were trained, or temperatures fitted, on this speaker."""
        fitted = (self.speakers, self.calibration_speakers)
        return any(speaker in names.get(corpus, ()) for names in fitted)

    def clip(self, corpus: str, path: str) -> bool:
        """Tell whether weights were trained on this clip; `path` as in the manifest.

        Manifests of one corpus may lie in different folders, so `mine/a.wav` is also `a.wav`.
        """
        names = self.clips.get(corpus, frozenset())
        parts = path.replace("\\", "/").split("/")
        return any("/".join(parts[at:]) in names for at in range(len(parts)))

    def script(self, corpus: str, text: str) -> bool:
        """Tell whether this spoken text, in any spelling, took part in training."""
        known = self.scripts.get(corpus, frozenset())
        return bool(known) and not known.isdisjoint((script_key(text), script_digest(text)))

    def row(self, corpus: str, part: str, row: int) -> bool:
        """Tell whether this row of a text part was trained on."""
        rows = self.texts.get((corpus, part), frozenset())
        return rows is None or row in rows

    @classmethod
    def from_training(cls, training: Mapping[str, Any]) -> Seen:
        """Read the content of training.yaml. Raises CheckpointError when it makes no sense."""
        values = training.get("trained_on") or {}
        try:
            return cls(
                speakers=_names(values.get("speakers")),
                calibration_speakers=_names(values.get("calibration_speakers")),
                clips=_names(values.get("clips")),
                scripts=_names(values.get("scripts"), _script),
                texts=dict(_part(entry) for entry in values.get("texts") or ()),
                unknown=tuple(str(what) for what in values.get("unknown") or ()),
                is_stated=any(values.values()),
            )
        except (TypeError, ValueError, AttributeError, KeyError) as error:
            raise CheckpointError(
                f"training.yaml does not say clearly what was trained on ({error!r})."
            ) from error


def _names(values: Any, key: Any = str) -> dict[str, frozenset[str]]:
    return {str(c): frozenset(key(str(n)) for n in names) for c, names in (values or {}).items()}


def _part(entry: Mapping[str, Any]) -> tuple[tuple[str, str], frozenset[int] | None]:
    rows = entry.get("rows")
    chosen = None if rows is None else frozenset(int(row) for row in rows)
    return (str(entry["corpus"]), str(entry["part"])), chosen


def script_key(text: str) -> str:
    """Return a text without spaces, punctuation and case: spellings of one script are equal."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).casefold()


def script_digest(text: str) -> str:
    """Return what stands for a text in a checkpoint that others may get: no transcript leaves."""
    return "#" + hashlib.sha256(script_key(text).encode()).hexdigest()[:16]


def _script(named: str) -> str:
    return named if named.startswith("#") else script_key(named)


def as_training(
    speakers: Mapping[str, Iterable[str]],
    calibration_speakers: Mapping[str, Iterable[str]],
    texts: Iterable[tuple[str, str, Iterable[int] | None]] = (),
    scripts: Mapping[str, Iterable[str]] | None = None,
    clips: Mapping[str, Iterable[str]] | None = None,
    unknown: Iterable[str] = (),
) -> dict[str, Any]:
    """Return the `trained_on` section for `save_checkpoint(training=...)`."""
    parts = [
        {"corpus": corpus, "part": part} | ({} if rows is None else {"rows": sorted(rows)})
        for corpus, part, rows in texts
    ]
    return {
        "speakers": {c: sorted(names) for c, names in speakers.items()},
        "calibration_speakers": {c: sorted(names) for c, names in calibration_speakers.items()},
        "scripts": {c: sorted(names) for c, names in (scripts or {}).items()},
        "clips": {c: sorted(names) for c, names in (clips or {}).items()},
        "texts": parts,
        "unknown": list(unknown),
    }
