from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from core.errors import ConfigError
from training import config as configuration


@dataclass(frozen=True)
class Inner:
    rate: float = 0.1
    sizes: tuple[int, ...] = (1, 2)

    def __post_init__(self) -> None:
        if self.rate < 0:
            raise ValueError("rate must not be negative")


@dataclass(frozen=True)
class Outer:
    name: str
    inner: Inner = field(default_factory=Inner)
    limit: int | None = None
    flag: bool = False
    weights: Mapping[str, float] = field(default_factory=dict)


def read(tmp_path: Path, text: str) -> Outer:
    path = tmp_path / "some.yaml"
    path.write_text(text, encoding="utf-8")
    return configuration.load(Outer, path)


def test_a_configuration_survives_the_round_trip(tmp_path: Path) -> None:
    config = Outer("a", Inner(0.5, (3,)), 4, True, {"x": 1.5})
    configuration.dump(config, tmp_path / "c.yaml")
    assert configuration.load(Outer, tmp_path / "c.yaml") == config


def test_integers_become_floats_where_floats_are_meant(tmp_path: Path) -> None:
    assert read(tmp_path, "name: a\ninner: {rate: 1}").inner.rate == 1.0


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("name: a\nspeling: 1", "speling"),
        ("name: a\ninner: {rat: 1}", "inner.rat"),
        ("flag: true", "name"),
        ("name: 3", "name"),
        ("name: a\ninner: {sizes: [1, x]}", r"inner.sizes\[1\]"),
        ("name: a\nlimit: true", "limit"),
        ("name: a\ninner: {rate: -1}", "rate must not be negative"),
        ("name: a\ninner: 3", "inner"),
        ("name: a\nweights: {x: heavy}", "weights.x"),
        ("- a list", "keys and values"),
        ("name: [", "YAML"),
    ],
)
def test_nonsense_names_the_file_and_the_key(tmp_path: Path, text: str, key: str) -> None:
    with pytest.raises(ConfigError, match=key) as caught:
        read(tmp_path, text)
    assert "some.yaml" in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.yaml"):
        configuration.load(Outer, tmp_path / "absent.yaml")


def test_the_digest_changes_with_any_value() -> None:
    first, second = configuration.digest(Outer("a")), configuration.digest(Outer("a", Inner(0.2)))
    assert first != second
    assert first == configuration.digest(Outer("a"))
