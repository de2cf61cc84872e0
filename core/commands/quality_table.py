"""What `emoscope quality` prints: a table of verdicts, and what follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table
from rich.text import Text

from core.models.manifest import CheckpointInfo
from core.quality.check import Checked
from core.quality.material import SAMPLE, Material
from core.quality.records import QualityRecord
from core.quality.rule import RULE
from core.quality.wording import shift, verdict
from core.types import Modality

_COLUMNS = ("encoder", "mode", "clips", "same label", "misleading", "largest shift", "F1", "speed")


def material_lines(material: Material) -> tuple[str, ...]:
    """Say what is judged, and what could not be read."""
    labelled = sum(bool(clip.labels) for clip in material.clips)
    with_labels = f", {labelled} labelled" if labelled else ""
    judged = (
        f"Judged: {material.description}: {len(material.clips)} clips, "
        f"{material.seconds:.0f} s, {material.texts} with a text{with_labels}."
    )
    sample = (
        "Nothing was recorded here yet, and the bundled sample is far too short to prove "
        "anything: name a folder of recordings with --data."
    )
    return (
        judged,
        *([sample] if material.kind == SAMPLE else []),
        *(f"Not read: {problem}" for problem in material.problems[:5]),
        *([f"Not read: {n - 5} more."] if (n := len(material.problems)) > 5 else []),
    )


def table(checked: Sequence[Checked]) -> Table:
    """Return a row for every mode of every encoder."""
    made = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in _COLUMNS:
        made.add_column(name, justify="left" if name in ("encoder", "mode") else "right")
    made.add_column("verdict", overflow="fold")
    for one in checked:
        made.add_row(one.modality.value, str(one.mode), *_cells(one))
    return made


def _cells(one: Checked) -> tuple[str | Text, ...]:
    record = one.record
    if record is None:
        return ("", "", "", "", "", "", Text(f"not checked: {one.problem}", style="yellow"))
    return (
        str(record.clips),
        f"{100 * record.argmax_same:.2f} %",
        str(record.misleading),
        shift(record.largest_shift),
        _f1(record),
        "" if record.speedup is None else f"{record.speedup:.2f} x",
        Text(verdict(record), style="green" if record.passed else "yellow"),
    )


def _f1(record: QualityRecord) -> str:
    if record.f1_exact is None or record.f1_lossy is None:
        return ""
    return f"{record.f1_exact:.4f} -> {record.f1_lossy:.4f}"


def explanation(
    info: CheckpointInfo,
    encoders: Sequence[Modality],
    checked: Sequence[Checked],
    material: Material,
    out: Path | None,
) -> tuple[str, ...]:
    """Say what the runtimes will do with the checkpoint from now on."""
    if not encoders:
        return (
            f"{info.name} has compact encoders, which are computed exactly in every mode: "
            "there is no lossy mode to check, and nothing is lost. (A Whisper model can still be "
            "checked: --whisper NAME.)",
        )
    lines = [*_use(info.name, checked), *_untested(encoders, material)]
    if out is not None:
        lines.append(f"The verdicts lie in {out}, where the app does not look for them.")
    return tuple(lines)


def _use(name: str, checked: Sequence[Checked]) -> tuple[str, ...]:
    passing = [one for one in checked if one.record is not None and one.record.passed]
    always = (
        'The runtime "auto" goes on with equal outputs. A lossy mode asked for by its name is used '
        "whatever the verdict, and marked.",
    )
    if not passing:
        return (
            f'The runtime "lossy" does the same as "auto" with {name}: no mode passed.',
            *always,
        )
    by_encoder: dict[str, list[str]] = {}
    for one in passing:
        by_encoder.setdefault(one.modality.value, []).append(str(one.mode))
    modes = ", and ".join(f"{m} by {' or '.join(names)}" for m, names in by_encoder.items())
    return (
        f'The runtime "lossy" may now compute {name}\'s {modes}, where that is the fastest here.',
        *always,
        "That holds for these weights on this processor, until the library behind a mode changes.",
    )


def _untested(encoders: Sequence[Modality], material: Material) -> tuple[str, ...]:
    if Modality.TEXT not in encoders or material.texts >= RULE.clips_needed():
        return ()
    return (
        f"Only {material.texts} clips have a text, which the text encoder needs: put transcripts "
        "beside the recordings, or name a Whisper model with --whisper.",
    )
