"""What people read in the folder of a personal adapter."""

from __future__ import annotations

from core.personal.types import PersonalAdapterInfo

_WEIGHED = """
  Turns did not all count alike: those that were wrong are corrected more often than they occur, so
  together they count for no more than a share, and turns that were left alone count for less."""


def card_of(info: PersonalAdapterInfo) -> str:
    """Return the README.md of an adapter."""
    gain = info.gain
    weighed = _WEIGHED if gain.weighed else ""
    return f"""# {info.name}: a personal adapter

Corrects what the checkpoint {info.base_name} says of the voice of {info.person}. Learned on this
machine from {info.corrections} turns that were corrected or confirmed; nothing of it was sent
anywhere.

- Made: {info.made}
- Checkpoint: {info.base_name}, sha256 {info.base_digest}
- Agreement with the labels given: {gain.before:.1%} before, {gain.after:.1%} with it, on
  {gain.judged} turns, each judged by an adapter that was not fitted on it (cross-validation; both
  know the voice from all of the turns). Difference: {gain.low:+.1%} to {gain.high:+.1%} (95 %,
  resampling these turns).{weighed}

It learned how somebody labels what they hear, from one voice. It does not tell what the person
feels, and nothing about anybody else.

It is personal: it was made from recordings of a voice. To remove it, delete this folder, or use
`emoscope adapt --person "{info.person}" --remove-adapter`.
"""
