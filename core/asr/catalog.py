"""Which Whisper models there are, and which of them are on this machine. Never asks the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from platformdirs import user_data_path

from core.errors import RecognitionError


@dataclass(frozen=True, slots=True)
class WhisperModel:
    """A published model: its repository at the Hugging Face hub, download size, and licence."""

    name: str
    repository: str
    megabytes: int
    licence: str = "MIT"
    english_only: bool = False


_MODELS = (
    WhisperModel("tiny", "Systran/faster-whisper-tiny", 78),
    WhisperModel("base", "Systran/faster-whisper-base", 148),
    WhisperModel("small", "Systran/faster-whisper-small", 486),
    WhisperModel("medium", "Systran/faster-whisper-medium", 1531),
    WhisperModel("turbo", "mobiuslabsgmbh/faster-whisper-large-v3-turbo", 1622),
    WhisperModel("large-v3", "Systran/faster-whisper-large-v3", 3091),
)
CATALOG: Mapping[str, WhisperModel] = MappingProxyType({model.name: model for model in _MODELS})
"""Name -> model, smallest first."""

DEFAULT_MODEL = "small"
"""The smallest that is usable for Korean: on spontaneous Korean speech tiny gets 31 to 34 % of the
syllables wrong and base 21 to 23 %, where medium has 12 % (KsponSpeech; Phonetics and Speech
Sciences 15(3), 2023, p. 75, table 4) but is too slow for a laptop's CPU."""

REQUIRED_FILES = ("model.bin", "config.json", "tokenizer.json")
_VOCABULARIES = ("vocabulary.json", "vocabulary.txt")
OPTIONAL_FILES = ("preprocessor_config.json",)


def models_folder() -> Path:
    """Return the folder that downloaded models are kept in, one folder each."""
    return user_data_path("emoscope", appauthor=False) / "whisper"


def is_model_file(name: str) -> bool:
    """Whether a file of a repository belongs to the model."""
    return name in (*REQUIRED_FILES, *_VOCABULARIES, *OPTIONAL_FILES)


def missing_files(folder: Path) -> tuple[str, ...]:
    """Return what a model folder lacks; empty when it is complete."""
    lacking = [name for name in REQUIRED_FILES if not _has(folder, name)]
    if not any(_has(folder, name) for name in _VOCABULARIES):
        lacking.append(_VOCABULARIES[0])
    return tuple(lacking)


def _has(folder: Path, name: str) -> bool:
    file = folder / name
    return file.is_file() and file.stat().st_size > 0


def check_folder(folder: Path) -> None:
    """Refuse a folder that is no complete CTranslate2 Whisper model. Raises RecognitionError.

    Checked before loading, because faster-whisper would ask the network for a missing tokenizer.
    """
    if not folder.is_dir():
        raise RecognitionError(
            f"There is no Whisper model folder {folder}.", "Choose a folder or download a model."
        )
    if (folder / "model.safetensors").is_file() and not (folder / "model.bin").is_file():
        raise RecognitionError(
            f"{folder} holds a Whisper model for transformers.",
            "Convert it with ct2-transformers-converter, copying tokenizer.json.",
        )
    if lacking := missing_files(folder):
        raise RecognitionError(
            f"The Whisper model in {folder} is incomplete: {', '.join(lacking)} missing.",
            "Download the model again, or copy the missing files into the folder.",
        )


def looks_like_folder(model: str) -> bool:
    """Whether a model was given as a folder rather than by its name in the catalog."""
    return model not in CATALOG


def find_model(model: str, root: Path | None = None) -> Path | None:
    """Return the folder of an installed model, None when it is not on this machine.

    A name is looked up among the downloaded models (`root`) and in the Hugging Face cache; a folder
    is returned when it exists. Raises RecognitionError for a folder that is incomplete.
    """
    if looks_like_folder(model):
        folder = Path(model).expanduser()
        if not folder.exists():
            return None
        check_folder(folder)
        return folder
    own = (root or models_folder()) / model
    if own.is_dir() and not missing_files(own):
        return own
    return _find_in_hub_cache(CATALOG[model].repository)


def require_model(model: str) -> Path:
    """Return the folder of a model. Raises RecognitionError when it is not on this machine."""
    folder = find_model(model)
    if folder is not None:
        return folder
    if looks_like_folder(model):
        check_folder(Path(model).expanduser())
    raise RecognitionError(
        f"The Whisper model {model} is not on this machine.",
        f"Download it ({CATALOG[model].megabytes} MB) or choose its folder.",
    )


def _find_in_hub_cache(repository: str) -> Path | None:
    """Return the snapshot of a repository that other programs have downloaded."""
    from huggingface_hub import try_to_load_from_cache  # costs 0.2 s to import

    found = try_to_load_from_cache(repository, "model.bin")
    if not isinstance(found, str):
        return None
    folder = Path(found).parent
    return None if missing_files(folder) else folder


def installed_models(root: Path | None = None) -> tuple[str, ...]:
    """Return the names of the catalog that can be used at once."""
    return tuple(name for name in CATALOG if find_model(name, root) is not None)


def smaller_model(model: str, root: Path | None = None) -> str | None:
    """Return the next smaller model of the catalog, rather one that is on this machine.

    None for the smallest and for folders, whose size is not known.
    """
    if looks_like_folder(model):
        return None
    names = list(CATALOG)
    smaller = names[: names.index(model)][::-1]
    here = next((name for name in smaller if find_model(name, root) is not None), None)
    return here or next(iter(smaller), None)
