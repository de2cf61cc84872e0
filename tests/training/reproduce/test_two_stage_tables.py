"""What the tables of the two-stage paper hold: every printed cell, and rows for all that is run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import ConfigError, CorpusError
from core.models.two_stage_config import EMOTION, GENDER, RECOGNITION, STYLE
from training.evaluation.metrics import Estimate
from training.generated.iemocap import write_iemocap
from training.generated.iemocap_turns import GeneratedIemocap
from training.multitask.config import MultiTaskConfig
from training.reproduce.options import ReproduceOptions
from training.reproduce.protocols import layout_of, protocol
from training.reproduce.rows import Column, RowResult, TableReport
from training.reproduce.tables import body, heading
from training.reproduce.two_stage import all_tables, check_rows, run
from training.reproduce.two_stage_configs import CONFIGS, base_config, row_config
from training.reproduce.two_stage_data import find_corpora
from training.reproduce.two_stage_published import FIGURES, OTHERS, PRINTED, TABLE_4
from training.reproduce.two_stage_rows import ROWS
from training.stages import load_recipe

OPTIONS = ReproduceOptions("two-stage", Path("out"), generated=True, quick=True)
REAL = replace(OPTIONS, generated=False, quick=False)

PUBLISHED = """
adapters-ser 68.51 67.83 - - -
adapters-ser-asr 71.70 71.28 23.68 - -
adapters-ser-gender-style 70.19 69.85 - 85.82 80.34
full-ser 70.88 71.57 - - -
full-ser-asr 75.40 75.17 19.99 - -
full-ser-gender-style 71.05 70.27 - 86.37 82.16
full-all 76.19 75.49 20.14 97.52 89.29
setting-1 71.89 71.46 - - -
setting-2 74.92 73.81 - - -
setting-3 76.54 76.07 - - -
x_e 77.13 76.30 - 98.48 91.33
concat 76.89 76.06 - 98.77 89.29
scl-norm 77.91 77.24 - 98.31 90.23
scl-cos 78.49 77.85 - 98.64 90.57
pepino 67.20 - - - -
li - 63.40 - - -
zou 71.05 69.80 - - -
ioannides - 74.32 - - -
chen 74.30 - - - -
fang 74.03 74.95 - - -
gao-2023 76.10 74.94 - - -
"""


def test_every_printed_cell_is_there() -> None:
    rows = {row.name: row for table in (*PRINTED, TABLE_4) for row in table.rows}
    lines = [line.split() for line in PUBLISHED.split("\n") if line]
    for name, *cells in lines:
        own = rows[name] if name != "scl-cos" else PRINTED[2].rows[-1]
        expected = {
            figure: float(cell) / 100
            for figure, cell in zip(FIGURES, cells, strict=True)
            if cell != "-"
        }
        assert own.figures == pytest.approx(expected), name
    quoted = {name for name, row in rows.items() if row.figures}
    assert quoted == {name for name, *_ in lines}
    assert TABLE_4.rows[-1].figures == pytest.approx({"uar": 0.7849, "wa": 0.7785})


def test_every_row_that_is_not_quoted_of_others_can_be_run() -> None:
    told = {row.name for table in all_tables(OPTIONS) for row in table.rows}
    assert set(ROWS) | {"width-4", "width-16", "width-64", "rank-2", "rank-8", "rank-32"} == told
    assert not told & {row.name for row in OTHERS}
    real = {row.name for table in all_tables(REAL) for row in table.rows}
    assert {"width-16", "width-256", "rank-4", "rank-64"} <= real


def losses(system: str) -> list[dict[str, float]]:
    return [dict(stage.losses) for stage in row_config(system, "iemocap", None, REAL).stages]


def test_rows_are_the_stages_and_tasks_of_the_paper() -> None:
    assert losses("full-all") == [
        {EMOTION: pytest.approx(0.7), RECOGNITION: 0.1, GENDER: 0.1, STYLE: 0.1}
    ]
    first, second = losses("setting-3")
    assert first == {EMOTION: 0.9, RECOGNITION: 0.1}
    assert second == {EMOTION: 0.8, GENDER: 0.1, STYLE: 0.1}
    assert losses("scl-cos")[1] == {**second, "scl_cos": 0.1}
    assert losses("gender")[1] == {EMOTION: 0.9, GENDER: 0.1}
    assert losses("style")[1] == {EMOTION: 0.9, STYLE: 0.1}
    assert losses("emotion-alone")[1] == {EMOTION: 1.0}


@pytest.mark.parametrize(
    ("system", "frozen"),
    [("setting-1", [True, True]), ("setting-2", [False, False]), ("setting-3", [False, True])],
)
def test_settings_differ_in_what_is_tuned(system: str, frozen: list[bool]) -> None:
    stages = row_config(system, "iemocap", None, REAL).stages
    assert ["all" not in stage.trains for stage in stages] == frozen
    assert stages[0].trains != ("all",) or stages[0].adapters is None
    assert [stage.starts_from for stage in stages] == ["", "first"]


def test_sweeps_change_one_size_of_the_second_stage() -> None:
    first, second = row_config("rank-4", "iemocap", None, REAL).stages
    plain = row_config("x_e", "iemocap", None, REAL).stages
    assert first == plain[0]
    assert second.adapters is not None
    assert second.adapters.lora is not None
    assert second.adapters.lora.rank == 4
    assert plain[1].adapters == row_config("rank-64", "iemocap", None, REAL).stages[1].adapters
    wide = row_config("width-256", "iemocap", None, REAL).stages[1]
    assert wide.adapters is not None
    assert wide.adapters.bottleneck is not None
    assert (wide.adapters.bottleneck.width, wide.task_adapter) == (256, 256)


def test_everything_else_is_as_the_configuration_says() -> None:
    config = row_config("x_e", "iemocap", "an/encoder", REAL)
    base = base_config("iemocap")
    assert config.encoder == replace(base.encoder, model="an/encoder")
    assert config.split.speaker_independent
    assert config.split.folds == 5
    for stage, like in zip(config.stages, base.stages, strict=True):
        assert stage.trains == like.trains
        assert stage.trainer.epochs == like.trainer.epochs
        assert stage.trainer.learning_rate == like.trainer.learning_rate
    korean = row_config("x_e", "kemdy", None, REAL)
    assert korean.vocabulary.units == "jamo"
    assert korean.corpus.name == "kemdy"


def estimate(value: float) -> Estimate:
    return Estimate(value, value - 0.1, value + 0.1)


def test_figures_of_others_stand_in_the_fourth_table_beside_ours() -> None:
    found = {row.name: RowResult(row.name, row.system, {}) for row in OTHERS}
    found["scl-cos"] = RowResult(
        "scl-cos", "scl-cos", {"uar": estimate(0.5), "trained": estimate(1234)}, rows=7
    )
    columns = (
        Column("uar", "UA", published=True, scale=100), Column("trained", "trained", whole=True)
    )  # fmt: skip
    table = TableReport(TABLE_4.title, columns, (), TABLE_4.rows, found)
    assert heading(table)[2:5] == ["paper", "UA", "trained"]
    lines = body(table)
    assert len(lines) == len(TABLE_4.rows) == 8
    assert lines[0][2:] == ["67.20", "", "", "", ""]
    assert lines[-1][2:5] == ["78.49", "50.0 [40.0, 60.0]", "1,234"]


def test_a_row_that_there_is_not_is_named_before_anything_is_made(tmp_path: Path) -> None:
    options = replace(OPTIONS, rows=("setting-4",), out=tmp_path / "out")
    with pytest.raises(ConfigError, match="no row setting-4") as caught:
        run(options)
    assert "setting-3" in str(caught.value.remedy)
    assert not (tmp_path / "out").exists()
    for name in ("x_e", "kemdy-x_e", "table-2", "iemocap", "widths", "alone"):
        check_rows(replace(options, rows=(name,)), all_tables(options))


def test_an_option_that_means_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--frozen means nothing for two-stage"):
        run(replace(OPTIONS, frozen=True, out=tmp_path))


def test_the_layout_of_the_data_decides(tmp_path: Path) -> None:
    release = write_iemocap(tmp_path / "IEMOCAP_full_release", GeneratedIemocap(1, 8))
    assert layout_of(tmp_path, "two-stage") == "iemocap"
    assert layout_of(release, "two-stage") == "iemocap"
    assert protocol(replace(OPTIONS, generated=False, data=release)) is run
    (tmp_path / "KEMDy20" / "annotation").mkdir(parents=True)
    (tmp_path / "KEMDy20" / "wav").mkdir()
    found = find_corpora(replace(REAL, data=tmp_path))
    assert found == {"iemocap": release, "kemdy": tmp_path}
    with pytest.raises(CorpusError, match="nor IEMOCAP"):
        layout_of(release / "Session1", "two-stage")


SHIPPED = sorted(set(ROWS) & {path.stem.replace("_", "-") for path in CONFIGS.glob("*.yaml")})


def plain(config: MultiTaskConfig) -> MultiTaskConfig:
    """Leave out names, and what depends on the machine."""
    stages = (
        replace(s, name=str(n), starts_from="", trainer=replace(s.trainer, precision="fp32"))
        for n, s in enumerate(config.stages)
    )
    return replace(config, name="any", stages=tuple(stages))


def test_all_rows_of_the_three_tables_can_be_trained_by_themselves() -> None:
    named = {row.name for table in PRINTED[:3] for row in table.rows}
    assert set(SHIPPED) | {"x_e"} == named


@pytest.mark.parametrize("system", [*SHIPPED, "x_e"])
def test_a_row_is_what_its_own_configuration_trains(system: str) -> None:
    path = CONFIGS / f"{system.replace('-', '_')}.yaml"
    (stage,) = load_recipe(path).stages
    ours = row_config(system, "iemocap", None, REAL)
    assert plain(ours) == plain(stage.config)


def test_the_korean_rows_are_made_from_the_korean_configuration() -> None:
    (stage,) = load_recipe(CONFIGS / "kemdy_jamo.yaml").stages
    assert plain(row_config("scl-cos", "kemdy", None, REAL)) == plain(stage.config)
