"""The baseline: speech, text and emotion joined the obvious way, as a script would do it.

Hugging Face models in eager fp32, speech padded to 10 s and text to 128 tokens so that every call
looks alike, faster-whisper with its defaults (float32, beam of five, 30 s whatever was said),
everything again on the whole buffer at each update, one step after the other, on all cores. Both
sides are told the language: asking for it would encode the same sound twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.bench.whisper_model import LANGUAGE
from core.types import SAMPLE_RATE, FloatArray

PADDED_SECONDS, PADDED_TOKENS = 10, 128


@dataclass(frozen=True, slots=True)
class NaiveModels:
    """Hugging Face encoders, the head over both, and the tokenizer: the weights of ours."""

    wav2vec2: Any
    roberta: Any
    head: Any
    tokenizer: Any


@dataclass(frozen=True, slots=True)
class NaiveAnswer:
    """Text, and logits (C,) of the emotion."""

    text: str
    logits: FloatArray


def load_models(checkpoint: Path) -> NaiveModels:
    """Take the models out of a checkpoint, so that both sides compute with the same weights."""
    from core.models.checkpoint import load_checkpoint

    loaded: Any = load_checkpoint(checkpoint)
    model = loaded.model
    return NaiveModels(model.speech.model, model.text.model, model.head, loaded.processor.tokenizer)


class NaiveScript:
    """What a user would write.

    Args:
        models: loaded.
        whisper: folder of the recognition model.
        threads: of everything; left to themselves the libraries take all cores.
    """

    def __init__(self, models: NaiveModels, whisper: Path, threads: int) -> None:
        from faster_whisper import WhisperModel

        self._models = models
        self._threads = threads
        self._whisper = WhisperModel(
            str(whisper), device="cpu", compute_type="float32", cpu_threads=threads
        )

    def answer(self, buffer: FloatArray) -> NaiveAnswer:
        """Recognise and judge everything heard so far, shape (n,)."""
        import torch

        segments, _ = self._whisper.transcribe(buffer, language=LANGUAGE)
        text = " ".join(segment.text.strip() for segment in segments)
        torch.set_num_threads(self._threads)
        with torch.no_grad():
            heard = self._models.wav2vec2(_padded(buffer)).last_hidden_state.mean(dim=1)
            tokens, mask = self._tokens(text)
            read = self._models.roberta(input_ids=tokens, attention_mask=mask).last_hidden_state
            meant = (read * mask.unsqueeze(-1)).sum(dim=1) / mask.sum(dim=1, keepdim=True)
            head = self._models.head
            logits = head.out(head.norm(torch.cat([heard, meant], dim=1))).logits
        return NaiveAnswer(text, logits[0].numpy())

    def _tokens(self, text: str) -> tuple[Any, Any]:
        """Return tokens and mask (1, PADDED_TOKENS)."""
        import torch

        tokenizer = self._models.tokenizer
        ids = list(tokenizer.encode(text).ids)[:PADDED_TOKENS]
        lacking = PADDED_TOKENS - len(ids)
        padded = ids + [tokenizer.pad_id] * lacking
        return torch.tensor([padded]), torch.tensor([[1] * len(ids) + [0] * lacking])


def _padded(buffer: FloatArray) -> Any:
    """Return the normalised wave (1, n), filled up to PADDED_SECONDS."""
    import torch

    wave = torch.from_numpy(buffer)
    wave = (wave - wave.mean()) / (wave.std() + 1e-7)
    lacking = max(0, PADDED_SECONDS * SAMPLE_RATE - len(wave))
    return torch.nn.functional.pad(wave, (0, lacking))[None]
