"""Finished trainings of the real comparison, kept so that an interrupted one goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from training import config as configuration
from training.data.atomic import replace_file
from training.reproduce.two_stage_real_plan import chain
from training.reproduce.two_stage_real_training import Lesson, Said, Start

VERSION = 1
"""Raised whenever the way from clips to a trained model changes in this program's code."""
_ELSEWHERE = ("keeps_convolved",)
"""What a stage says of pretrained encoders alone."""
_ENCODER, _ADAPTERS, _LOGITS = "encoder/", "adapters/", "logits/"


class KeptTrainings:
    """A folder with a file per training: its weights and what it said.

    resume: whether those that lie there already are used, or trained again.
    """

    def __init__(self, folder: Path, *, resume: bool) -> None:
        self._folder = folder
        self._resume = resume

    def find(self, key: str) -> tuple[Start, Said] | None:
        """Return what was kept under a key; None if it is not there, damaged, or not wanted."""
        if not self._resume:
            return None
        try:
            with safe_open(self._path(key), framework="pt") as file:
                about = json.loads(file.metadata()["about"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            start = Start(_under(tensors, _ENCODER), _under(tensors, _ADAPTERS))
            logits = {name: x.numpy() for name, x in _under(tensors, _LOGITS).items()}
            trained, every = about["parameters"]
            said = Said(logits, tuple(about["texts"]), (trained, every), about["seconds"])
        except (OSError, SafetensorError, KeyError, ValueError, TypeError):
            return None
        return start, said

    def keep(self, key: str, start: Start, said: Said) -> None:
        """Write it, whole or not at all."""
        tensors = {f"{_ENCODER}{name}": x.contiguous() for name, x in start.encoder.items()}
        tensors |= {f"{_ADAPTERS}{name}": x.contiguous() for name, x in start.adapters.items()}
        tensors |= {f"{_LOGITS}{name}": torch.from_numpy(x) for name, x in said.logits.items()}
        about = {"texts": said.texts, "parameters": said.parameters, "seconds": said.seconds}
        replace_file(
            self._path(key), lambda new: save_file(tensors, new, {"about": json.dumps(about)})
        )

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.safetensors"


def key_of(name: str, lesson: Lesson) -> str:
    """Return a digest of all that a training depends on, the trainings it starts from included."""
    clips = lesson.source.speech.clips
    parts = {
        part: [clips[row].path for row in rows.tolist()]
        for part, rows in (("train", lesson.train), ("test", lesson.test))
    }
    stages = [
        {key: value for key, value in configuration.to_mapping(stage).items()
         if key not in _ELSEWHERE}
        for stage in chain(name)
    ]  # fmt: skip
    about = [VERSION, stages, lesson.recipe, lesson.vocabulary.symbols, lesson.seed, parts]
    return f"{name}-{lesson.seed}-{configuration.digest(about)[:16]}"


def _under(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {n.removeprefix(prefix): x for n, x in tensors.items() if n.startswith(prefix)}
