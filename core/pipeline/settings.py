"""How a session is to run: chosen once, before it starts."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.audio.segmenter import SegmenterSettings


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """Choices of one session.

    live: true for a device (late partials are dropped, lag is measured); false for a recording
        (nothing is dropped, the source waits instead, progress is told).
    speakers: name per channel; empty for the default, which is "A" and "B" for two channels and
        nobody in particular for one.
    language: what the recognition was locked to ("ko", "en"), or "auto"; written to the journal.
    file_backlog: utterances of a recording that may wait for a worker before the source waits.
    live_backlog_seconds: seconds of live speech that may wait for recognition, or for the emotion
        model, before an utterance goes without (this bounds memory; the recorded audio is never
        touched, and the turn says what it lacks).
    recognition_failures: failures in a row after which recognition is switched off.
    behind_after: seconds a finished live utterance may wait before that is called falling behind.
    attention_limit: turns whose attention maps the history keeps (the newest); None: all.
    hangover: seconds of silence that end an utterance; None: as the segmenter is set. A longer one
        waits longer before anything is final, and hides more of the work that is done meanwhile.
    ahead: prepare results within the silence that ends an utterance (live), so that they are there
        when it is over.
    better_text: look at finished texts again when nothing else is to be done (live).
    """

    live: bool = True
    speakers: tuple[str | None, ...] = ()
    language: str = "auto"
    file_backlog: int = 4
    live_backlog_seconds: float = 600.0
    recognition_failures: int = 3
    behind_after: float = 5.0
    attention_limit: int | None = 256
    hangover: float | None = None
    ahead: bool = True
    better_text: bool = True

    def speaker_of(self, channel: int, channels: int) -> str | None:
        """Return the name of whoever speaks on a channel of a source with so many channels."""
        if channel < len(self.speakers):
            return self.speakers[channel]
        return chr(ord("A") + channel) if channels > 1 else None

    def segmenting(self) -> SegmenterSettings:
        """Return how speech is cut. Raises ValueError for a hangover that makes no sense."""
        usual = SegmenterSettings()
        return usual if self.hangover is None else replace(usual, hangover=self.hangover)
