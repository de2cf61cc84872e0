"""A recipe is a list of stages; each stage trains or assembles one part and leaves it in a folder.

A stage module offers a frozen dataclass (its configuration, read from YAML) and a function
`run(config, context)` that writes its results to `context.folder`. Later stages find the results
of earlier ones with `context.folder_of(name)`. A stage that can tell what it trains on returns a
digest of it from `run`, and has a function that says what it would be now (`FINGERPRINTS`).
"""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.errors import ConfigError
from training import config as configuration
from training.data.atomic import replace_text
from training.distributed import current
from training.progress import Reporter

STAGES: Mapping[str, tuple[str, str]] = {
    # name -> (configuration dataclass, function), imported on use
    "speech": ("training.speech:SpeechConfig", "training.speech:run"),
    "text": ("training.text:TextConfig", "training.text:run"),
    "fusion": ("training.fusion:FusionConfig", "training.fusion:run"),
    "system": ("training.system_config:SystemConfig", "training.system:run"),
    "multitask": ("training.multitask.config:MultiTaskConfig", "training.multitask.stage:run"),
    "dialogue": ("training.context.stage_config:DialogueConfig", "training.context.stage:run"),
    "export": ("training.export:ExportConfig", "training.export:run"),
}

FINGERPRINTS: Mapping[str, str] = {
    # name -> (configuration, context) -> digest of what a run would train on, imported on use
    "system": "training.system:fingerprint",
    "multitask": "training.multitask.stage:fingerprint",
    "dialogue": "training.context.stage:fingerprint",
}

_DONE = "done.json"
_BEGUN = "begun.json"
"""What a stage is, or was last, run with; only that may be resumed."""
_DEFAULT_SEED = 7


@dataclass(frozen=True, slots=True)
class StageContext:
    """Where a stage reads and writes.

    data: folder with the layout `speech/manifest.csv`, `text/<corpus>/`.
    out: folder of the whole run; every stage has a subfolder of its own name.
    quick: train for seconds on a handful of rows (to see that everything works).
    resume: go on where an interrupted run of this stage ended.
    """

    name: str
    data: Path
    out: Path
    seed: int
    quick: bool
    resume: bool
    reporter: Reporter

    @property
    def folder(self) -> Path:
        """The stage's own output folder."""
        return self.out / self.name

    def folder_of(self, stage: str) -> Path:
        """The output folder of an earlier stage. Raises ConfigError when it has not finished."""
        folder = self.out / stage
        if not (folder / _DONE).is_file():
            raise ConfigError(
                f"The stage '{self.name}' needs the results of '{stage}' in {folder}.",
                f"Train '{stage}' first, into the same --out folder.",
            )
        return folder


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a recipe: its name in `STAGES` and its configuration."""

    name: str
    config: Any


@dataclass(frozen=True, slots=True)
class Recipe:
    """What `emoscope train` runs, in order."""

    name: str
    seed: int
    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True)
class _RecipeFile:
    name: str
    stages: tuple[str, ...]
    seed: int = _DEFAULT_SEED


def load_recipe(path: Path) -> Recipe:
    """Read a recipe (`stages:` lists stage files beside it) or a single stage file (`stage: name`).

    Raises ConfigError naming the file and the key.
    """
    mapping = configuration.read_yaml(path)
    if "stage" in mapping:
        return Recipe(path.stem, _DEFAULT_SEED, (_load_stage(path),))
    recipe = configuration.from_mapping(_RecipeFile, mapping, path)
    stages = tuple(_load_stage(path.parent / name) for name in recipe.stages)
    return Recipe(recipe.name, recipe.seed, stages)


def _load_stage(path: Path) -> Stage:
    mapping = configuration.read_yaml(path)
    name = mapping.pop("stage", None)
    if name not in STAGES:
        known = ", ".join(STAGES)
        raise ConfigError(f"{path}: 'stage' is {name!r}.", f"Known stages: {known}.")
    return Stage(name, configuration.from_mapping(_resolve(STAGES[name][0]), mapping, path))


def run_recipe(recipe: Recipe, context: StageContext) -> None:
    """Run every stage; with `context.resume`, finished stages of the same configuration are kept,
    unless they know that what they train on has changed.

    `context.name` is ignored: each stage gets its own.
    """
    for stage in recipe.stages:
        mine = StageContext(
            stage.name, context.data, context.out, recipe.seed, context.quick,
            context.resume, context.reporter,
        )  # fmt: skip
        _run_stage(stage, mine)


def _run_stage(stage: Stage, context: StageContext) -> None:
    mark, begun = context.folder / _DONE, context.folder / _BEGUN
    digest = configuration.digest([stage.config, context.seed, context.quick])
    finished = context.resume and _kept_in(mark, "config") == digest
    if finished and _trained_on_the_same(stage, context, mark):
        context.reporter.say(f"{stage.name}: finished before, kept")
        return
    # What a run under another configuration has left must not leak into this one.
    resume = context.resume and not finished and _kept_in(begun, "config") == digest
    if context.resume and begun.is_file() and not resume:
        changed = "what it trains on" if finished else "its configuration"
        context.reporter.say(f"{stage.name}: {changed} has changed, training again")
    context.reporter.say(f"{stage.name}: started")
    processes = current()
    processes.wait()  # all have read the marks before one of them changes them
    if processes.is_main:
        context.folder.mkdir(parents=True, exist_ok=True)
        mark.unlink(missing_ok=True)
        replace_text(begun, json.dumps({"config": digest}))
    processes.wait()
    started = time.monotonic()
    function: Callable[[Any, StageContext], str | None] = _resolve(STAGES[stage.name][1])
    fingerprint = function(stage.config, replace(context, resume=resume)) or ""
    spent = round(time.monotonic() - started, 1)
    processes.wait()
    if processes.is_main:
        about = {"config": digest, "fingerprint": fingerprint, "seconds": spent}
        replace_text(mark, json.dumps(about))
    processes.wait()  # the next stage looks for the mark
    context.reporter.say(f"{stage.name}: done in {spent:.0f} s")


def _trained_on_the_same(stage: Stage, context: StageContext, mark: Path) -> bool:
    """Tell whether a finished stage would train on the same again; yes if it can't tell."""
    reference = FINGERPRINTS.get(stage.name)
    if reference is None:
        return True
    function: Callable[[Any, StageContext], str] = _resolve(reference)
    return _kept_in(mark, "fingerprint") == function(stage.config, context)


def _kept_in(mark: Path, key: str) -> str | None:
    """Return a digest in a mark, None without one or if it is damaged."""
    try:
        return str(json.loads(mark.read_text(encoding="utf-8"))[key])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _resolve(reference: str) -> Any:
    """Return the object behind "module:name"."""
    module, name = reference.split(":")
    return getattr(importlib.import_module(module), name)
