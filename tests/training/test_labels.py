from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import ConfigError
from core.labels import EMOTIONS
from training.data.label_maps import FOLDER, load_label_map

# https://arxiv.org/abs/2005.00547, appendix; the order of the corpus's own labels.txt
GOEMOTIONS = """
admiration amusement anger annoyance approval caring confusion curiosity desire disappointment
disapproval disgust embarrassment excitement fear gratitude grief joy love nervousness
optimism pride realization relief remorse sadness surprise neutral
""".split()  # noqa: SIM905


def test_goemotions_is_covered_exactly() -> None:
    load_label_map("goemotions_ekman").check(GOEMOTIONS)


def test_kote_has_its_forty_four_labels() -> None:
    assert len(load_label_map("kote").targets) == 44


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_map_reaches_known_classes_and_cites_its_source(path: Path) -> None:
    label_map = load_label_map(path.stem)
    assert {c for c in label_map.targets.values() if c} <= set(EMOTIONS)
    assert len(label_map.source) > 20


def test_a_row_becomes_a_vector_of_classes() -> None:
    label_map = load_label_map("goemotions_ekman")
    vector = label_map.vector(["joy", "love", "nervousness"])
    assert np.flatnonzero(vector).tolist() == [EMOTIONS.index("happy"), EMOTIONS.index("fear")]


def test_a_label_left_out_on_purpose_has_no_class() -> None:
    assert load_label_map("kote").classes(["비장함"]) == frozenset()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("corpus: c\nsource: s\nmap: {happy: [joy], sad: [joy]}", "'joy' occurs twice"),
        ("corpus: c\nsource: s\nmap: {happy: [joy]}\nignored: {joy: why}", "'joy' occurs twice"),
        ("corpus: c\nsource: s\nmap: {joyful: [joy]}", "'joyful' is not one of"),
    ],
)
def test_a_faulty_map_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "m.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        load_label_map("m", tmp_path)


def test_a_map_that_misses_a_label_is_refused() -> None:
    with pytest.raises(ConfigError, match="boredom"):
        load_label_map("goemotions_ekman").check([*GOEMOTIONS, "boredom"])
