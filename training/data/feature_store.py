"""Encoded utterances on disk: safetensors shards beside JSON indices, each written in one step.

    store = FeatureStore(folder, digest)          # reads the indices that are there
    store.add(key, sequence, pooled); store.flush()
    bank = store.bank(keys)                       # memory-mapped: what isn't used isn't read

A killed run loses what was not flushed, no more. Several processes may read and write at once: each
shard has a name of its own, so at worst an utterance is there twice. A shard that is damaged counts
as absent, and its utterances are encoded again.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from core.errors import ConfigError
from training.data.atomic import replace_file, replace_text
from training.data.encoded_bank import EncodedBank

SHARD_BYTES = 64 * 2**20
"""A shard is written when it has so much"""
SHARD_SECONDS = 60.0
"""or when its first utterance is so old."""
_FORMAT = 1


@dataclass
class _Pending:
    """Utterances that are not on disk yet."""

    keys: list[str] = field(default_factory=list)
    sequences: list[Tensor] = field(default_factory=list)
    pooled: list[Tensor] = field(default_factory=list)
    size: int = 0
    since: float = 0.0


class FeatureStore:
    """Sequences (T_i, D) and pooled vectors (D') of one encoder, by content key.

    Args:
        folder: of all encoders. digest: of this one; its features lie in a folder of its own.
        about: shown to people who wonder what the folder holds.
    """

    def __init__(self, folder: Path, digest: str, about: Mapping[str, Any] | None = None) -> None:
        self.folder = folder / digest[:24]
        self._digest = digest
        self._places: dict[str, tuple[str, int]] = {}
        self._offsets: dict[str, list[int]] = {}
        self._shards: dict[str, dict[str, Tensor]] = {}
        self._pending = _Pending()
        self._open(dict(about or {}))

    def __contains__(self, key: str) -> bool:
        return key in self._places

    def __len__(self) -> int:
        return len(self._places)

    def add(self, key: str, sequence: Tensor, pooled: Tensor) -> None:
        """Keep an utterance: sequence (T, D) in the type it shall have on disk, pooled (D')."""
        pending = self._pending
        if not pending.keys:
            pending.since = time.monotonic()
        pending.keys.append(key)
        pending.sequences.append(sequence.detach().cpu().contiguous())
        pending.pooled.append(pooled.detach().float().cpu().contiguous())
        pending.size += sequence.numel() * sequence.element_size()
        if pending.size >= SHARD_BYTES or time.monotonic() - pending.since >= SHARD_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what was added. Raises ConfigError when the folder takes no more."""
        pending, self._pending = self._pending, _Pending()
        if not pending.keys:
            return
        tensors = {
            "sequence": torch.cat(pending.sequences),
            "pooled": torch.stack(pending.pooled),
        }
        offsets = [0]
        for sequence in pending.sequences:
            offsets.append(offsets[-1] + len(sequence))
        name = f"shard-{uuid.uuid4().hex[:16]}"
        index = {"format": _FORMAT, "encoder": self._digest, "keys": pending.keys}
        index["offsets"] = offsets
        try:
            replace_file(self._path(name), lambda part: save_file(tensors, part))
            replace_text(self._path(name).with_suffix(".json"), json.dumps(index))
        except (OSError, SafetensorError) as error:
            raise ConfigError(
                f"{self.folder} can't be written ({error}).",
                "Choose another cache folder, or make room on the disk.",
            ) from error
        self._learn(name, pending.keys, offsets)

    def bank(self, keys: Sequence[str]) -> EncodedBank:
        """Return utterances in the order of `keys`. Raises KeyError for one that is not there."""
        places = [self._places[key] for key in keys]
        shards = {name: self._tensors(name) for name in {place[0] for place in places}}
        views = {name: self._views(name, shards[name]) for name in shards}
        sequences = tuple(views[name][row] for name, row in places)
        pooled = torch.stack([shards[name]["pooled"][row] for name, row in places])
        return EncodedBank(sequences, pooled, torch.empty(len(keys), 0))

    def _views(self, name: str, shard: dict[str, Tensor]) -> tuple[Tensor, ...]:
        offsets = self._offsets[name]
        lengths = [stop - start for start, stop in pairwise(offsets)]
        return torch.split(shard["sequence"], lengths)

    def _open(self, about: dict[str, Any]) -> None:
        for path in sorted(self.folder.glob("shard-*.json")):
            self._read_index(path)
        described = self.folder / "about.json"
        if not described.is_file():
            try:
                text = json.dumps({"encoder": self._digest, **about}, indent=1, default=str)
                replace_text(described, text + "\n")
            except OSError as error:
                raise ConfigError(
                    f"{self.folder} can't be written ({error}).", "Choose another cache folder."
                ) from error

    def _read_index(self, path: Path) -> None:
        try:
            index = json.loads(path.read_text(encoding="utf-8"))
            if index["format"] != _FORMAT or index["encoder"] != self._digest:
                return
            keys, offsets = list(index["keys"]), [int(n) for n in index["offsets"]]
            shard = self._tensors(path.stem)
            if len(shard["pooled"]) != len(keys) or len(shard["sequence"]) != offsets[-1]:
                return
        except (OSError, ValueError, KeyError, TypeError, IndexError, SafetensorError):
            return
        self._learn(path.stem, keys, offsets)

    def _learn(self, name: str, keys: Sequence[str], offsets: list[int]) -> None:
        self._offsets[name] = offsets
        for row, key in enumerate(keys):
            self._places[key] = (name, row)

    def _tensors(self, name: str) -> dict[str, Tensor]:
        if name not in self._shards:  # mapped into memory: pages are read when they are used
            self._shards[name] = load_file(self._path(name))
        return self._shards[name]

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.safetensors"
