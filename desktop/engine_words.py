"""What computes the results, in words for people: processor, runtimes, and what is left out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

from PySide6.QtCore import QCoreApplication, QLocale

from core.pipeline.effort import LADDER, Effort
from core.types import Modality, ModelInfo, RuntimeInfo
from desktop import messages, names
from desktop.source_text import QT_TRANSLATE_NOOP

RUNTIME_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "torch": "PyTorch",
        "packed": "oneDNN",
        "onnxruntime": "ONNX Runtime",
        "openvino": "OpenVINO",
    }
)
"""Names of products, the same in every language."""

_ORIGINS: Mapping[str, str] = MappingProxyType(
    {
        "torch": QT_TRANSLATE_NOOP("Engine", "PyTorch (as it comes)"),
        "packed": QT_TRANSLATE_NOOP("Engine", "oneDNN (a part of PyTorch)"),
        "onnxruntime": QT_TRANSLATE_NOOP("Engine", "ONNX Runtime (a library of Microsoft)"),
        "openvino": QT_TRANSLATE_NOOP("Engine", "OpenVINO (a library of Intel)"),
    }
)
"""What people may never have heard of, with whose it is."""

PLAIN = "torch"
_PRECISIONS: Mapping[str, str] = MappingProxyType(
    {
        "fp32": QT_TRANSLATE_NOOP("Engine", "32-bit numbers"),
        "fp16": QT_TRANSLATE_NOOP("Engine", "16-bit numbers (fp16)"),
        "bf16": QT_TRANSLATE_NOOP("Engine", "16-bit numbers (bf16)"),
        "int8": QT_TRANSLATE_NOOP("Engine", "8-bit numbers (int8)"),
    }
)
_ENCODERS: Mapping[Modality, str] = MappingProxyType(
    {
        Modality.SPEECH: QT_TRANSLATE_NOOP("Engine", "Speech encoder"),
        Modality.TEXT: QT_TRANSLATE_NOOP("Engine", "Text encoder"),
        Modality.VISION: QT_TRANSLATE_NOOP("Engine", "Face encoder"),
    }
)
_REASONS: Mapping[str, str] = MappingProxyType(
    {
        "measured": QT_TRANSLATE_NOOP("Engine", "The fastest on this computer."),
        "chosen": QT_TRANSLATE_NOOP("Engine", "As chosen in the settings."),
        "only": QT_TRANSLATE_NOOP("Engine", "The only one that fits here."),
        "fallback": QT_TRANSLATE_NOOP("Engine", "In the place of another one: {detail}."),
    }
)
_STEPS: tuple[tuple[Callable[[Effort], bool], str, str], ...] = (
    (
        lambda effort: not effort.ahead,
        QT_TRANSLATE_NOOP("Engine", "nothing prepared ahead"),
        QT_TRANSLATE_NOOP("Engine", "Results are no longer prepared during a pause."),
    ),
    (
        lambda effort: not effort.partial_text,
        QT_TRANSLATE_NOOP("Engine", "text after each turn only"),
        QT_TRANSLATE_NOOP("Engine", "Text appears when a turn is over, not while it is spoken."),
    ),
    (
        lambda effort: effort.partial_seconds is not None,
        QT_TRANSLATE_NOOP("Engine", "shorter live looks"),
        QT_TRANSLATE_NOOP("Engine", "Live updates look at the newest seconds only."),
    ),
    (
        lambda effort: effort.partial_interval > LADDER[0].partial_interval,
        QT_TRANSLATE_NOOP("Engine", "fewer live updates"),
        QT_TRANSLATE_NOOP("Engine", "What is shown while somebody speaks is renewed less often."),
    ),
    (
        lambda effort: not effort.better_text,
        QT_TRANSLATE_NOOP("Engine", "no second look at texts"),
        QT_TRANSLATE_NOOP("Engine", "Finished texts are not looked at a second time."),
    ),
)
"""What a session leaves out, the last resort first: is it left out, shortly, as a sentence.

That a smaller recognition model would help is a notice of its own, with a button.
"""


def _translate(text: str) -> str:
    return QCoreApplication.translate("Engine", text)


def runtime_name(name: str) -> str:
    """Return what people call a runtime."""
    return RUNTIME_NAMES.get(name, name)


def mode(name: str, precision: str) -> str:
    """Return a runtime and its numbers as a choice: "OpenVINO with 8-bit numbers (int8)"."""
    if precision == "fp32":
        return _explained(name)
    text = _translate(QT_TRANSLATE_NOOP("Engine", "{runtime} with {precision}"))
    return text.format(runtime=runtime_name(name), precision=_precision(precision))


def _explained(name: str) -> str:
    return _translate(_ORIGINS.get(name, name))


def _precision(name: str) -> str:
    return _translate(_PRECISIONS.get(name, name))


def short(info: ModelInfo) -> str:
    """Return where and by what the model runs, as "CPU, OpenVINO", for the status line."""
    where = names.processor(info.device)
    runtimes = dict.fromkeys(_short_runtime(r) for r in info.runtimes if not is_plain(r))
    if not runtimes:
        return where
    text = QT_TRANSLATE_NOOP("Engine", "{device}, {runtimes}")
    if any(runtime.lossy for runtime in info.runtimes):
        text = QT_TRANSLATE_NOOP("Engine", "{device}, {runtimes} (approximate)")
    return _translate(text).format(device=where, runtimes=" + ".join(runtimes))


def _short_runtime(runtime: RuntimeInfo) -> str:
    return runtime.precision if runtime.name == PLAIN else runtime_name(runtime.name)


def where(info: ModelInfo) -> str:
    """Return the processor and why it is that one, as a sentence."""
    device = names.processor(info.device)
    if not info.device_reason:
        return device
    text = _translate(QT_TRANSLATE_NOOP("Engine", "{device}: {reason}."))
    reason = messages.device_reason(info.device_reason)
    return text.format(device=device, reason=reason.rstrip("."))


def encoder(modality: Modality) -> str:
    """Return what the encoder of a modality is called."""
    return _translate(_ENCODERS[modality])


def runtime(info: RuntimeInfo) -> str:
    """Return what computes an encoder, with which numbers, how fast and why, as sentences."""
    said = (_numbers(info), _speed(info), _difference(info), _reason(info))
    return " ".join(sentence for sentence in said if sentence)


def is_plain(info: RuntimeInfo) -> bool:
    """True for PyTorch as it comes, which everything else is compared with."""
    return info.name == PLAIN and info.precision == "fp32"


def _numbers(info: RuntimeInfo) -> str:
    """Say the runtime, its precision, and whether its results are plain PyTorch's."""
    if info.lossy:
        text = QT_TRANSLATE_NOOP("Engine", "{runtime} with {precision}: approximate results.")
    elif is_plain(info):
        text = QT_TRANSLATE_NOOP("Engine", "{runtime} with {precision}.")
    else:
        text = QT_TRANSLATE_NOOP("Engine", "{runtime} with {precision}: the same results.")
    said = _translate(text)
    return said.format(runtime=_explained(info.name), precision=_precision(info.precision))


def _difference(info: RuntimeInfo) -> str:
    if not info.difference or not math.isfinite(info.difference) or is_plain(info):
        return ""
    text = QT_TRANSLATE_NOOP(
        "Engine", "Its largest difference from PyTorch when it was checked: {difference}."
    )
    digits = max(2, -math.floor(math.log10(info.difference)))
    return _translate(text).format(difference=QLocale().toString(info.difference, "f", digits))


def _speed(info: RuntimeInfo) -> str:
    if info.speedup is None or is_plain(info):
        return ""
    text = QT_TRANSLATE_NOOP(
        "Engine", "{times} times as fast as PyTorch, measured on this computer."
    )
    return _translate(text).format(times=QLocale().toString(info.speedup, "f", 1))


def _reason(info: RuntimeInfo) -> str:
    text = _REASONS.get(info.reason, "")
    if info.reason == "fallback":
        text = text if info.detail else ""
    elif info.reason == "measured" and info.speedup is not None and not is_plain(info):
        return ""  # how fast it is has said it
    detail = messages.device_reason(info.detail).rstrip(".")
    return _translate(text).format(detail=detail) if text else info.detail


def delay(seconds: float) -> str:
    """Return how long after the words their result is shown, as "0.2 s behind"."""
    digits = 1 if seconds < 9.95 else 0
    text = _translate(QT_TRANSLATE_NOOP("Engine", "{seconds} s behind"))
    return text.format(seconds=QLocale().toString(seconds, "f", digits))


def effort(level: int, levels: int) -> str:
    """Return what is left out at a level, as "keeping up: fewer live updates (1 of 4)"."""
    text = _translate(QT_TRANSLATE_NOOP("Engine", "keeping up: {what} ({level} of {last})"))
    return text.format(what=_translate(_newest(level)), level=level, last=levels - 1)


def _newest(level: int) -> str:
    """Return the words for what this level leaves out first; of several the weightiest."""
    now = _effort(level)
    before = _effort(level - 1)
    new = [brief for left_out, brief, _ in _STEPS if left_out(now) and not left_out(before)]
    all_of_it = [brief for left_out, brief, _ in _STEPS if left_out(now)]
    fewer = QT_TRANSLATE_NOOP("Engine", "fewer live updates")
    return next(iter([*new, *all_of_it]), fewer)


def effort_steps(level: int) -> tuple[str, ...]:
    """Return everything that is left out at a level, the lightest first, as sentences."""
    now = _effort(level)
    return tuple(_translate(said) for left_out, _, said in reversed(_STEPS) if left_out(now))


def _effort(level: int) -> Effort:
    return LADDER[min(max(level, 0), len(LADDER) - 1)]
