"""What `emoscope adapt` prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.table import Table

from core.personal.adapting import LEAST_CORRECTIONS, LEAST_RIGHT
from core.personal.corrections import CorrectionStore
from core.personal.types import AdaptationReport, Correction, Gain, PersonalAdapterInfo

_DIGITS = 8
"""Of a correction's id: enough to tell them apart."""


def person_table(store: CorrectionStore, made: Sequence[PersonalAdapterInfo]) -> Table:
    """Return who is known: corrections, how long they are, and adapters."""
    table = Table("person", "corrections", "confirmed", "seconds", "kB", "adapters")
    for name in sorted({*store.persons(), *(info.person for info in made)}):
        summary = store.summary(name)
        own = [f"{i.base_name}: {gain_text(i.gain)}" for i in made if i.person == name]
        table.add_row(
            name,
            str(summary.corrections),
            str(summary.confirmed),
            f"{summary.seconds:.0f}",
            f"{summary.bytes / 1000:.0f}",
            "\n".join(own) or "none",
        )
    table.caption = f"kept in {store.folder}"
    return table


def correction_table(corrections: Sequence[Correction]) -> Table:
    """Return what a person said."""
    table = Table("id", "label", "model said", "from", "to", "recording", "text", "weight")
    for one in corrections:
        table.add_row(
            one.id[:_DIGITS],
            one.label,
            one.said or "?",
            f"{one.start:.1f}",
            f"{one.end:.1f}",
            one.source,
            one.text or "",
            f"{one.weight:g}",
        )
    return table


def gain_text(gain: Gain) -> str:
    """Return for example "62 % -> 71 % (+9, from +2 to +16) on 50 turns"."""
    change = 100 * (gain.after - gain.before)
    return (
        f"{gain.before:.0%} -> {gain.after:.0%} ({change:+.0f}, from {100 * gain.low:+.0f} to "
        f"{100 * gain.high:+.0f}) on {gain.judged} turns"
    )


def outcome_lines(report: AdaptationReport, person: str) -> Iterator[str]:
    """Yield what came of adapting, as sentences."""
    if report.gain is not None:
        yield f"Agreement with the labels, not learned from: {gain_text(report.gain)}."
        if report.gain.weighed:
            yield "(Wrong ones count for less: they are corrected more often than they occur.)"
    yield _OUTCOMES[report.reason].format(
        person=person,
        count=report.corrections,
        least=LEAST_CORRECTIONS,
        right=f"{LEAST_RIGHT:.0%}",
        path=report.adapter.path if report.adapter else "",
    )
    if report.skipped:
        yield (
            f"{report.skipped} corrections were not used: their clip is missing, or the checkpoint "
            "has no such label."
        )


_OUTCOMES = {
    "kept": 'Kept: {path}. Use it with --personal "{person}".',
    "no_gain": "Not kept: on turns it had not learned from it did not help beyond chance.",
    "too_few": "{count} corrections of {person} can be used; it takes {least}. Correct or confirm "
    "more turns.",
    "one_label": "All corrections of {person} have the same label. Correct or confirm others, too.",
    "only_wrong": "Fewer than {right} of the turns were right before. Confirm some that were: "
    "whoever learns from mistakes alone unlearns what was right.",
    "cancelled": "Cancelled; nothing was changed.",
}
