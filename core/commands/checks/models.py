"""Which models are here, on which processor they run, and why."""

from __future__ import annotations

from pathlib import Path

from core.asr.catalog import CATALOG, DEFAULT_MODEL, find_model, installed_models, models_folder
from core.commands.checks import Finding, Status
from core.errors import CheckpointError
from core.resources import dialogue_checkpoint, embedded_checkpoint

NVIDIA_DRIVER = Path("/proc/driver/nvidia/version")
REASONS = {
    "chosen": "asked for",
    "torch_without_cuda": "this build of PyTorch has no CUDA",
    "no_cuda_device": "there is no NVIDIA GPU, or none that can be seen",
    "no_driver": "there is an NVIDIA GPU, but no driver that works with this PyTorch",
    "gpu_too_old": "this PyTorch is built for newer GPUs only",
    "too_little_memory": "less memory is free on the GPU than the model takes",
    "device_failed": "the GPU does not answer",
}
CUDA_REMEDY = "To use the GPU: delete .venv, then EMOSCOPE_TORCH=cuda ./run (about 3 GB)."
REMEDIES = {
    "no_driver": "Install NVIDIA's driver (Debian, Ubuntu: nvidia-driver), then start again.",
    "gpu_too_old": "Nothing has to be done: everything runs on the CPU.",
    "too_little_memory": "Close other programs that use the GPU.",
    "device_failed": "Look whether nvidia-smi lists it; a driver just updated needs a restart.",
}
"""What to do where a GPU is there and yet not used."""


def check_processor(name: str) -> Finding:
    """Say whether models run on a GPU, and if not, why not."""
    import torch

    from core.models.device import CUDA, choose_device

    choice = choose_device()
    if choice.device == CUDA:
        return Finding(name, Status.OK, f"GPU: {torch.cuda.get_device_name(0)}")
    reason = REASONS.get(choice.reason, choice.reason)
    detail = f"CPU: {reason} (PyTorch {torch.__version__})."
    if choice.reason == "torch_without_cuda" and NVIDIA_DRIVER.exists():
        return Finding(name, Status.WARN, detail, CUDA_REMEDY)
    if remedy := REMEDIES.get(choice.reason):
        return Finding(name, Status.WARN, detail, remedy)
    return Finding(name, Status.OK, detail)


def check_emotion_model(name: str) -> Finding:
    """Load the embedded checkpoint, every file compared with its recorded sha256."""
    from core.models.checkpoint import load_checkpoint

    folder = embedded_checkpoint()
    try:
        info = load_checkpoint(folder).info
    except CheckpointError as error:
        return Finding(
            name, Status.FAIL, error.problem, "Restore it: git checkout assets, or clone again."
        )
    size = sum((folder / file).stat().st_size for file in info.files) / 1e6
    detail = f"{info.name} {info.version}, {size:.1f} MB, sha256 {info.digest[:12]}…, intact, loads"
    return Finding(name, Status.OK, detail)


def check_dialogue_model(name: str) -> Finding:
    """Load the dialogue model that ships, and say whether it reads the embedded checkpoint."""
    from core.models.context.checkpoint import load_dialogue_checkpoint
    from core.models.manifest import read_info

    folder = dialogue_checkpoint()
    without = "Until then each turn is judged by itself."
    if not folder.is_dir():
        return Finding(name, Status.WARN, "No dialogue model is here.", without)
    try:
        info = load_dialogue_checkpoint(folder).info
        fits = read_info(embedded_checkpoint()).digest == info.specification.utterance_model
    except CheckpointError as error:
        return Finding(
            name, Status.WARN, error.problem, f"Restore it: git checkout assets. {without}"
        )
    if not fits:
        detail = f"{info.name} reads another model's features than those of the embedded one."
        return Finding(name, Status.WARN, detail, f"Restore both: git checkout assets. {without}")
    size = sum((folder / file).stat().st_size for file in info.files) / 1e6
    return Finding(
        name,
        Status.OK,
        f"{info.name} {info.version}, {size:.1f} MB, {info.specification.window} turns, "
        f"sha256 {info.digest[:12]}…, intact, loads",
    )


def check_recognition_model(name: str) -> Finding:
    """Say which Whisper models are here; without one, name the default and its size."""
    if found := installed_models():
        return Finding(name, Status.OK, f"Whisper: {', '.join(found)} ({find_model(found[0])})")
    model = CATALOG[DEFAULT_MODEL]
    detail = (
        f"No Whisper model is here, so Emoscope works on the voice alone. The default is "
        f'"{model.name}" ({model.megabytes} MB, {model.licence}).'
    )
    remedy = (
        "Nothing is downloaded unasked: get it in the window (Get one…), or put a faster-whisper "
        f"model into {models_folder() / model.name}"
    )
    return Finding(name, Status.WARN, detail, remedy)
