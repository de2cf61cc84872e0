"""Every YAML in the tree is what it should be."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import ConfigError
from training.stages import load_recipe

ROOT = Path(__file__).resolve().parents[2] / "training" / "configs"
OTHERS = ("labels", "ready_made")  # folders of YAMLs that train nothing and have their own tests
RECIPES = sorted(path for path in ROOT.rglob("*.yaml") if path.parent.name not in OTHERS)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_recipe_and_stage_is_valid(path: Path) -> None:
    recipe = load_recipe(path)
    assert recipe.stages


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_key_is_explained(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("#")
    bare = [_key(line) for line in lines if _key(line) and "#" not in line]
    assert [key for key in bare if key != "stage"] == []


def _key(line: str) -> str:
    """Return the key of a line `key: value`; empty for other lines."""
    code = line.split("#")[0].strip().lstrip("- ")
    return code.split(":")[0] if ":" in code else ""


def test_a_misspelt_key_names_the_file_and_the_key(tmp_path: Path) -> None:
    text = (ROOT / "embedded" / "text.yaml").read_text(encoding="utf-8")
    (tmp_path / "text.yaml").write_text(text.replace("held_out:", "heldout:"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"text\.yaml.*heldout"):
        load_recipe(tmp_path / "text.yaml")


def test_an_unknown_stage_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("stage: magic\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="magic"):
        load_recipe(tmp_path / "x.yaml")
