"""The rows of the two-stage paper: which stages, with which tasks; and sweeps over sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from core.models.two_stage_config import GENDER, RECOGNITION, STYLE
from training.multitask.config import SCL_COS, SCL_NORM
from training.reproduce.options import ReproduceOptions
from training.reproduce.rows import Row
from training.reproduce.two_stage_published import PrintedTable

FULL, ADAPTERS = "full", "adapters"


@dataclass(frozen=True, slots=True)
class Part:
    """A stage of a row.

    Attributes:
        tuned: `FULL` or `ADAPTERS`; beside: tasks beside emotion.
        tasks_apart: each task has its own adapter after pooling (x_e, x_g, x_s in the paper).
        fusion: emotion is read from all of their vectors. scl: a loss that draws them together.
    """

    tuned: str
    beside: tuple[str, ...] = ()
    tasks_apart: bool = False
    fusion: bool = False
    scl: str = ""


_BOTH = (GENDER, STYLE)
_FULL_FIRST, _ADAPTERS_FIRST = Part(FULL, (RECOGNITION,)), Part(ADAPTERS, (RECOGNITION,))
_X_E = Part(ADAPTERS, _BOTH, tasks_apart=True)
_CONCAT = replace(_X_E, fusion=True)

ROWS: Mapping[str, tuple[Part, ...]] = MappingProxyType(
    {
        "adapters-ser": (Part(ADAPTERS),),
        "adapters-ser-asr": (_ADAPTERS_FIRST,),
        "adapters-ser-gender-style": (Part(ADAPTERS, _BOTH),),
        "full-ser": (Part(FULL),),
        "full-ser-asr": (_FULL_FIRST,),
        "full-ser-gender-style": (Part(FULL, _BOTH),),
        "full-all": (Part(FULL, (RECOGNITION, *_BOTH)),),
        "setting-1": (_ADAPTERS_FIRST, Part(ADAPTERS, _BOTH)),
        "setting-2": (_FULL_FIRST, Part(FULL, _BOTH)),
        "setting-3": (_FULL_FIRST, Part(ADAPTERS, _BOTH)),
        "x_e": (_FULL_FIRST, _X_E),
        "concat": (_FULL_FIRST, _CONCAT),
        "scl-norm": (_FULL_FIRST, replace(_CONCAT, scl=SCL_NORM)),
        "scl-cos": (_FULL_FIRST, replace(_CONCAT, scl=SCL_COS)),
        "emotion-alone": (_FULL_FIRST, replace(_X_E, beside=())),
        "gender": (_FULL_FIRST, replace(_X_E, beside=(GENDER,))),
        "style": (_FULL_FIRST, replace(_X_E, beside=(STYLE,))),
    }
)
"""Name of a row -> its stages."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Adapters of a run: those of all rows, and those that are swept over.

    Attributes:
        rank: of LoRA; width: of the bottlenecks of layers and of tasks.
        ranks, widths: of the sweeps, in which the other one stays.
    """

    rank: int
    width: int
    ranks: tuple[int, ...]
    widths: tuple[int, ...]


PUBLISHED = Sizes(64, 64, (4, 16, 64, 128), (16, 64, 256))
TINY = Sizes(8, 16, (2, 8, 32), (4, 16, 64))
"""For generated encoders, whose states have 32 or 48 numbers."""


def sizes_of(options: ReproduceOptions) -> Sizes:
    """Return the sizes of adapters of a run."""
    return TINY if options.generated else PUBLISHED


def sweeps(options: ReproduceOptions) -> tuple[PrintedTable, ...]:
    """Return the sweeps over width and rank as tables without published figures."""
    sizes = sizes_of(options)
    return (
        PrintedTable(
            "widths",
            "Width of the bottlenecks (not in the paper)",
            tuple(_swept("width", n) for n in sizes.widths),
            (f"The row x_e; LoRA of rank {sizes.rank}.",),
        ),
        PrintedTable(
            "ranks",
            "Rank of LoRA (not in the paper)",
            tuple(_swept("rank", n) for n in sizes.ranks),
            (f"The row x_e; bottlenecks of width {sizes.width}.",),
        ),
    )


def _swept(what: str, number: int) -> Row:
    return Row(f"{what}-{number}", f"{what} {number}", f"{what}-{number}")
