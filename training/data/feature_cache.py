"""Features of frozen encoders: every example is encoded once, kept on disk, and never served stale.

    bank = feature_bank(speech_encoder, text_encoder, processor, examples, cache=folder)
    bank.batch([4, 7, 9])           # -> Features, padded and masked

What is kept lies under a key that depends on all of: the encoder's weights and config, the
processor, the content of the audio file and the cut (or the text), and what the copy is altered by.
Utterances are encoded at their exact length, or with so little padding that it costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.models.outputs import Encoded, Features
from core.types import Modality
from training.data.augment.config import AugmentConfig
from training.data.collate import moved_encoded
from training.data.content_digest import UtteranceProcessor, config_text, encoder_digest
from training.data.encoded_bank import EncodedBank
from training.data.example import Example
from training.data.extraction import (
    Extraction,
    ExtractionConfig,
    as_encoder,
    content_keys,
    extract,
    first_places,
)
from training.data.feature_store import FeatureStore
from training.data.loading import AudioLoader, default_digests
from training.progress import Reporter

__all__ = ["ExtractionConfig", "FeatureBank", "bank_of", "feature_bank"]


@dataclass(frozen=True)
class FeatureBank:
    """Encoded examples; row r of copy c lies at c * count + r of each bank.

    Attributes:
        speech, text: None where the system does not take the modality.
        count: examples. copies: altered versions of each beside the original, copy 0.
    """

    speech: EncodedBank | None
    text: EncodedBank | None
    count: int
    copies: int = 0

    def __len__(self) -> int:
        return self.count

    def batch(
        self,
        rows: Sequence[int] | NDArray[np.int64],
        generator: np.random.Generator | None = None,
        device: torch.device | str = "cpu",
    ) -> Features:
        """Return rows padded to the longest, as float32, with logits (B, 0).

        Args:
            generator: draws one of the copies for each row; None: originals.
        """
        chosen = np.asarray(rows, dtype=np.int64)
        if generator is not None and self.copies:
            copies = generator.integers(self.copies + 1, size=len(chosen))
            chosen = chosen + copies * self.count
        return Features(
            _batch(self.speech, chosen, device),
            _batch(self.text, chosen, device),
        )

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Positions of each example over both modalities (N,); a batch's cost grows with them."""
        banks = [bank for bank in (self.speech, self.text) if bank is not None]
        return np.sum([bank.lengths[: self.count] for bank in banks], axis=0)


def feature_bank(
    speech: nn.Module | None,
    text: nn.Module | None,
    processor: UtteranceProcessor,
    examples: Sequence[Example],
    *,
    cache: Path | None = None,
    loader: AudioLoader | None = None,
    config: ExtractionConfig | None = None,
    augment: AugmentConfig | None = None,
    altered: Iterable[int] | None = None,
    reporter: Reporter | None = None,
) -> FeatureBank:
    """Encode examples with frozen encoders, or read what was encoded before.

    Args:
        speech, text: encoders, on the device they shall run on; None: the modality is left out.
        cache: folder of all caches; None: features are only kept in memory.
        augment: its `copies` altered copies of examples are encoded as well.
        altered: examples of which there are such copies, so those of the training part; None: all.

    Raises:
        MediaError: a recording can't be used (see `loading.usable`, which finds out before).
        CorpusError: an example lacks a modality. ConfigError: the cache folder can't be written.
    """
    loader = loader or _loader(cache)
    rows = None if altered is None else frozenset(int(row) for row in altered)
    banks: dict[Modality, EncodedBank | None] = {}
    for modality, encoder in ((Modality.SPEECH, speech), (Modality.TEXT, text)):
        banks[modality] = None
        if encoder is not None:
            banks[modality] = bank_of(
                encoder,
                processor,
                examples,
                modality,
                cache=cache,
                loader=loader,
                config=config,
                augment=augment,
                altered=rows,
                reporter=reporter,
            )
    copies = augment.copies if augment is not None else 0
    return FeatureBank(banks[Modality.SPEECH], banks[Modality.TEXT], len(examples), copies)


def bank_of(
    encoder: nn.Module,
    processor: UtteranceProcessor,
    examples: Sequence[Example],
    modality: Modality,
    *,
    cache: Path | None = None,
    loader: AudioLoader | None = None,
    config: ExtractionConfig | None = None,
    augment: AugmentConfig | None = None,
    altered: Iterable[int] | None = None,
    reporter: Reporter | None = None,
) -> EncodedBank:
    """Encode one modality of examples; see `feature_bank`.

    Args:
        encoder: takes ModelInputs; a compact `SpeechEncoder` or `TextEncoder` will do as well.
    """
    config, loader = config or ExtractionConfig(), loader or _loader(cache)
    encoder = as_encoder(encoder)
    rows = None if altered is None else frozenset(int(row) for row in altered)
    job = Extraction(encoder, processor, modality, loader, config, augment, rows)
    digest = encoder_digest(encoder, processor, modality.value, asdict(config.numeric))
    keys = content_keys(job, digest, examples)
    if cache is None:
        return _in_memory(job, keys, examples, reporter or Reporter())
    store = FeatureStore(cache, digest, {"modality": modality.value, "model": config_text(encoder)})
    missing = {key: place for key, place in first_places(keys).items() if key not in store}
    try:
        for key, encoded in extract(job, examples, missing, reporter or Reporter()):
            store.add(key, *encoded)
    finally:
        store.flush()  # what was encoded before an error or an interruption is kept
    loader.digests.save()
    return store.bank(keys)


def _loader(cache: Path | None) -> AudioLoader:
    return AudioLoader(None if cache is None else default_digests(cache))


def _in_memory(
    job: Extraction, keys: Sequence[str], examples: Sequence[Example], reporter: Reporter
) -> EncodedBank:
    found: dict[str, tuple[Tensor, Tensor]] = {}
    for key, encoded in extract(job, examples, first_places(keys), reporter):
        found[key] = encoded
    pooled = torch.stack([found[key][1] for key in keys])
    return EncodedBank(tuple(found[key][0] for key in keys), pooled, torch.empty(len(keys), 0))


def _batch(
    bank: EncodedBank | None, rows: NDArray[np.int64], device: torch.device | str
) -> Encoded | None:
    if bank is None:
        return None
    encoded = bank.batch(rows)
    if str(device) == "cpu":
        return encoded
    return moved_encoded(encoded, device)
