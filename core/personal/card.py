"""What people read in the folder of a personal adapter."""

from __future__ import annotations

from core.personal.types import PersonalAdapterInfo


def card_of(info: PersonalAdapterInfo) -> str:
    """Return the README.md of an adapter."""
    gain = info.gain
    return f"""# {info.name}: a personal adapter

Corrects what the checkpoint {info.base_name} says of the voice of {info.person}. Learned on this
machine from {info.corrections} turns that were corrected or confirmed; nothing of it was sent
anywhere.

- Made: {info.made}
- Checkpoint: {info.base_name}, sha256 {info.base_digest}
- Right before: {gain.before:.1%}, with it: {gain.after:.1%}, on {gain.judged} turns that it was
  not fitted on (cross-validation). Difference: {gain.low:+.1%} to {gain.high:+.1%} with 95 %
  confidence.

It is personal: it was made from recordings of a voice. To remove it, delete this folder, or use
`emoscope adapt --person "{info.person}" --remove-adapter`.
"""
