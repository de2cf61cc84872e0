"""`emoscope reproduce` on generated corpora, a row or two of each paper."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from core.errors import CorpusError
from training.generated.kemdy_segments import GeneratedKemdy
from training.reproduce import corpora, knu, rsa_cfn
from training.reproduce.adaptation import FrozenTraining
from training.reproduce.command import main
from training.reproduce.figure import ProfileBuilder, draw_profile
from training.reproduce.protocols import PROTOCOLS, layout_of


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shrink what --quick makes even more."""
    shape = GeneratedKemdy(sessions=6, segments=14, seconds=(0.4, 0.8), ties=0.15)
    monkeypatch.setattr(corpora, "QUICK_CORPUS", shape)
    for module in (rsa_cfn, knu):
        monkeypatch.setattr(module, "_QUICK", FrozenTraining(3, 1e-2, patience=0))


def reproduced(arguments: list[str], out: Path) -> dict:
    status = main([*arguments, "--generated", "--quick", "--out", str(out)])
    assert status == 0
    return json.loads((out / "results.json").read_text(encoding="utf-8"))


def test_rows_of_rsa_cfn_with_the_figure(tmp_path, capsys):
    found = reproduced(["rsa-cfn", "--rows", "8,10,10x", "--figure"], tmp_path)
    printed = capsys.readouterr().out
    main_table, backbones = found["tables"]
    assert [row["name"] for row in main_table["rows"]] == ["8", "10"]
    assert [row["name"] for row in backbones["rows"]] == ["10x", "10"]
    for row in main_table["rows"]:
        assert sum(row["counts"]) == row["rows"] == sum(row["occurring"])
        assert row["figures"]["f1_weighted"]["value"] is not None
        assert row["published"]["figures"]["f1_weighted"] > 0.89
    assert {"0.89165", "0.89254", "0.89043"} <= set(re.findall(r"0\.\d{5}", printed))
    for expected in ("generated", "Quick", "0.8048", "always the commonest class", "10874"):
        assert expected in printed, expected
    before, after, _ = found["counts"][0]["rows"]
    assert sum(after["ours"]) > sum(before["ours"])
    assert after["ours"][0] == before["ours"][0]
    assert (tmp_path / "rsa_attention.png").stat().st_size > 10_000
    assert "<svg" in (tmp_path / "rsa_attention.svg").read_text(encoding="utf-8")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "data:image/png;base64" in page
    assert "What differs from the paper" in page


def test_rows_of_knu_by_the_published_protocol(tmp_path, capsys):
    arguments = ["knu", "--rows", "20-add,19-text", "--folds", "1", "--protocol", "paper"]
    found = reproduced([*arguments, "--variant", "paper"], tmp_path)
    rows = {row["name"]: row for row in found["tables"][0]["rows"]}
    assert list(rows) == ["19-text", "20-add"]
    assert rows["20-add"]["published"]["figures"]["ccc_mean"] == pytest.approx(0.574)
    for row in rows.values():
        # softmax above one half: never more than one label
        assert sum(row["counts"]) <= row["rows"]
        assert row["figures"]["ccc_mean"]["value"] is not None
        assert row["folds"] == 1
    assert "85.18" in capsys.readouterr().out


def test_an_interrupted_run_goes_on_and_ends_with_the_same_figures(tmp_path, capsys):
    first = reproduced(["knu", "--rows", "20-text", "--folds", "2"], tmp_path)
    kept = sorted((tmp_path / "trainings").iterdir())
    assert len(kept) == 2
    kept[0].write_bytes(b"half a file")
    capsys.readouterr()
    again = reproduced(["knu", "--rows", "20-text", "--folds", "2", "--resume"], tmp_path)
    assert capsys.readouterr().err.count("finished before") == 1
    one, other = (found["tables"][0]["rows"][0] for found in (first, again))
    for name in ("figures", "majority", "counts", "parameters", "head_parameters", "rows"):
        assert one[name] == other[name], name


def test_a_row_that_does_not_exist_is_named(tmp_path, capsys):
    status = main(["rsa-cfn", "--generated", "--quick", "--rows", "12", "--out", str(tmp_path)])
    assert status == 2
    assert "There is no row 12." in capsys.readouterr().err


def test_data_folders_are_told_by_their_layout(tmp_path):
    (tmp_path / "KEMDy20_v1" / "annotation").mkdir(parents=True)
    (tmp_path / "KEMDy20_v1" / "wav").mkdir()
    assert layout_of(tmp_path) == "kemdy"
    real = tmp_path / "real"
    (real / "speech").mkdir(parents=True)
    (real / "speech" / "manifest.csv").touch()
    assert layout_of(real) == "real"
    with pytest.raises(CorpusError, match="neither KEMDy19 nor KEMDy20"):
        layout_of(real / "speech")
    assert {layout for paper, layout in PROTOCOLS if paper in ("rsa-cfn", "knu")} == {
        "kemdy",
        "real",
    }


def test_the_attention_profile_is_the_median_over_rows_of_the_mean_map():
    rng = np.random.default_rng(0)
    maps = rng.random((7, 9, 9)).astype(np.float32)
    neutral = np.array([True, False, True, False, False, True, True])
    builder = ProfileBuilder(speech=5)
    builder.add(maps[:3], neutral[:3])
    builder.add(maps[3:], neutral[3:])
    found = builder.profile()
    for group, chosen in (("neutral", neutral), ("other emotions", ~neutral)):
        expected = np.median(maps[chosen].mean(axis=0), axis=0)
        np.testing.assert_allclose(found.medians[group], expected, rtol=1e-6)
    assert found.rows == {"neutral": 4, "other emotions": 3}
    assert len(draw_profile(found).axes) == 2


def test_a_profile_of_one_group_is_drawn_alone():
    builder = ProfileBuilder(speech=2)
    builder.add(np.full((2, 4, 4), 0.25, np.float32), np.array([True, True]))
    assert len(draw_profile(builder.profile()).axes) == 1
