"""Fits the pretrained encoders of a model with what computes them best on this machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.models.runtimes.base import Preference, parse_preference

if TYPE_CHECKING:
    from core.models.runtimes.fitting import Fitting
    from core.models.runtimes.measured import Measure
    from core.types import RuntimeInfo


def equip(
    model: Any,
    processor: Any,
    digest: str,
    preference: str | Preference = "auto",
    *,
    threads: int = 1,
    cache: Path | None = None,
    store: Path | None = None,
    measure: Measure | None = None,
    exporting: Callable[[], None] | None = None,
) -> tuple[RuntimeInfo, ...]:
    """Choose what computes each pretrained encoder of a model, and let it.

    The first time with a checkpoint this exports its encoders, where a library that needs it is
    installed (about 5 s for one of the base size; large ones only when asked for by name), and
    measures for a second or two; both are remembered. Encoders on a GPU, and others than pretrained
    ones, are left alone. Under "auto" and "lossy" so are small ones, which take torch no time.

    The encoders keep their own weights, for padded batches, for training and for going back to
    torch: a packed or exported encoder of the base size costs 370 MB on top (int8: 100 MB).

    Args:
        model: an EmotionModel in evaluation mode.
        processor: the model's; tells how long its clips are.
        digest: of the checkpoint's weights; "" has them hashed instead.
        preference: "auto", "lossy", a runtime or a mode (see `base.parse_preference`).
        threads: for one computation; those of torch are set elsewhere.
        cache: folder for exports and times; None: that of the user.
        store: where results of quality checks lie; None: the usual place.
        measure: how times are taken; None: by the clock.
        exporting: called before an encoder is exported.

    Returns:
        what computes each encoder, speech first.

    Raises:
        ConfigError: there is no such preference.
    """
    wanted = parse_preference(preference) if isinstance(preference, str) else preference
    from core.models.runtimes.subjects import subjects_of

    found = subjects_of(model, _longest_seconds(processor))
    if not found:
        return ()
    fitting = _fitting(wanted, digest, threads, cache or default_cache(), store, measure, exporting)
    return tuple(fitting.fit(subject) for subject in found)


def _fitting(
    wanted: Preference,
    digest: str,
    threads: int,
    folder: Path,
    store: Path | None,
    measure: Measure | None,
    exporting: Callable[[], None] | None,
) -> Fitting:
    from core.models.runtimes.exports import ExportCache
    from core.models.runtimes.fitting import Fitting
    from core.models.runtimes.measured import Memory, interleaved

    return Fitting(
        wanted,
        digest,
        threads,
        ExportCache(folder / "exports", exporting=exporting),
        Memory(folder / "measured"),
        store,
        measure or interleaved,
    )


def default_cache() -> Path:
    """Return the user's folder for exports and times."""
    from platformdirs import user_cache_path

    return Path(user_cache_path("emoscope", appauthor=False)) / "runtimes"


def _longest_seconds(processor: Any) -> float | None:
    found = getattr(getattr(processor, "config", None), "longest_seconds", None)
    return None if found is None else float(found)
