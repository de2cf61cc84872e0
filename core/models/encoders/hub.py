"""Where pretrained weights come from: a folder, or a name on the Hugging Face hub.

Only weights in safetensors, JSON and text files are fetched: nothing that is unpickled or run.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from core.errors import CheckpointError, EmoscopeError

PATTERNS = ("*.safetensors", "*.safetensors.index.json", "*.json", "*.txt")
_NAME = re.compile(r"([\w-][\w.-]*(?:/[\w-][\w.-]*)?)(?:@([\w./-]+))?")
"""Name, and after an @ a branch, tag, commit or pull request (refs/pr/1)."""


@dataclass(frozen=True, slots=True)
class FetchProgress:
    """How much of a model has arrived, in bytes; `total` grows while files are still listed."""

    name: str
    done: int
    total: int


Progress = Callable[[FetchProgress], None]


def model_folder(name_or_folder: str | Path, progress: Progress | None = None) -> Path:
    """Return the folder of a model, fetched from the hub if it is not one already.

    Args:
        name_or_folder: a folder, or a name such as "klue/roberta-base", with "@revision" where it
            is not the main branch ("owner/name@refs/pr/2" often has the safetensors main lacks).
        progress: told about every piece that arrives; None: the hub's own progress bar.

    Raises:
        CheckpointError: there is neither such a folder nor, as far as can be told, such a model.
    """
    folder = Path(name_or_folder).expanduser()
    if folder.is_dir():
        return folder
    name = str(name_or_folder)
    named = _NAME.fullmatch(name)
    if folder.exists() or named is None:
        raise CheckpointError(
            f"{name} is not a folder, nor a name on the hub (owner/name).", "Check the path."
        )
    return _fetch(named[1], named[2], progress)


def _fetch(name: str, revision: str | None, progress: Progress | None) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    bar = None if progress is None else _bar(name, progress)
    try:
        found = snapshot_download(
            name,
            revision=revision,
            allow_patterns=list(PATTERNS),
            ignore_patterns=["*/*"],
            tqdm_class=bar,
        )
    except RepositoryNotFoundError as error:
        raise CheckpointError(
            f"There is no folder {name}, and the hub shows no such model to you.",
            'Check the name; a private or gated model needs "hf auth login" first.',
        ) from error
    except RevisionNotFoundError as error:
        raise CheckpointError(
            f"The hub has no revision {revision} of {name}.", "Check what stands after the @."
        ) from error
    except EmoscopeError:  # from `progress`, to stop
        raise
    except Exception as error:  # the client lets errors of its HTTP library through
        raise CheckpointError(
            f"There is no folder {name}, and no model of that name can be fetched from the hub"
            f" ({type(error).__name__}).",
            "Connect to the network, or download it elsewhere and give the folder.",
        ) from error
    return Path(found)


def _bar(name: str, progress: Progress) -> type[Any]:
    """Return a progress bar that draws nothing and tells `progress` instead."""
    from huggingface_hub.utils import tqdm

    class Bar(tqdm):
        """Counts, and reports the bytes of all files together."""

        monitor_interval = 0

        def __init__(self, *arguments: Any, **settings: Any) -> None:
            self._counts_bytes = str(settings.get("name")).endswith("snapshot_download")
            super().__init__(*arguments, **{**settings, "disable": False, "file": StringIO()})

        def display(self, *_: Any, **__: Any) -> bool:
            return True

        def update(self, n: float | None = 1) -> bool | None:
            drawn = super().update(n)
            if self._counts_bytes:
                progress(FetchProgress(name, int(self.n), int(self.total or 0)))
            return drawn

    return Bar
