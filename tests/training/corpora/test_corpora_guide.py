"""docs/corpora.md says what the readers do: its examples are read, its names exist."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields
from pathlib import Path

import pytest

from training.data.corpora.manifest import ManifestOptions, read
from training.data.corpora.manifest_columns import COLUMNS, recognised
from training.data.corpora.registry import CORPORA, reader
from training.data.label_maps import FOLDER

from .recordings import write_wav


@pytest.fixture(scope="module")
def guide(project: Path) -> str:
    return (project / "docs" / "corpora.md").read_text(encoding="utf-8")


def test_the_manifest_of_the_guide_is_read(guide: str, tmp_path: Path) -> None:
    block = re.search(r"```\n(path,start.*?)```", guide, re.DOTALL)
    line = re.search(r"JSON Lines: `(\{.*\})`", guide)
    assert block is not None
    assert line is not None
    (tmp_path / "m.csv").write_text(block[1], encoding="utf-8")
    (tmp_path / "m.jsonl").write_text(line[1], encoding="utf-8")
    for name in ("calls/0001.wav", "notes/17.m4a"):
        write_wav(tmp_path / name, 5.0)
    reading = read(tmp_path / "m.csv", strict=True, check_audio=True)
    assert [e.labels for e in reading.examples] == [("happy",), ("happy", "surprise"), ("sad",)]
    assert [e.part for e in reading.examples] == ["train", "train", "test"]
    assert read(tmp_path / "m.jsonl", strict=True).examples[0].labels == ("happy", "surprise")


def test_every_column_of_the_guide_is_read_and_every_column_is_in_it(guide: str) -> None:
    table = guide[guide.index("| column |") : guide.index("Other columns")]
    rows = [line.split("|")[1:3] for line in table.splitlines() if line.startswith("| `")]
    assert {name for names, _ in rows for name in re.findall(r"`(\w+)`", names)} == set(COLUMNS)
    for names, synonyms in rows:
        others = [name.strip() for name in re.split(r"[,;]", synonyms.replace("...", ""))]
        assert all(recognised(other) for other in others if other), names


def test_every_corpus_and_every_option_is_in_the_guide(guide: str) -> None:
    for name in CORPORA:
        assert f"`{name}`" in guide, name
        options = set(inspect.signature(reader(name)).parameters) - {"root", "strict", "options"}
        assert all(f"`{option}`" in guide for option in options), (name, options)
    named = {option.name for option in fields(ManifestOptions)}
    assert all(f"`{option}`" in guide for option in named)


def test_every_label_map_is_in_the_guide(guide: str) -> None:
    assert {path.name for path in FOLDER.glob("*.yaml")} == set(
        re.findall(r"`(\w+\.yaml)`", guide)
    ) - {"my.yaml"}
