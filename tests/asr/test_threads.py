"""How many threads recognition takes, and how they wait."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.asr.threads import MOST, choose_threads, wait_passively


def model_of(folder: Path, size: int) -> Path:
    with (folder / "model.bin").open("wb") as file:
        file.truncate(size)
    return folder


@pytest.mark.parametrize("cores", [1, 2, 8, 64])
def test_tiny_and_base_are_decoded_by_one_thread_on_any_machine(tmp_path: Path, cores: int) -> None:
    assert choose_threads(0, model_of(tmp_path, 148_000_000), cores) == 1


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 2), (3, 2), (4, 2), (6, 4), (64, MOST)])
def test_larger_models_take_what_others_leave_but_two_cores_at_least(
    tmp_path: Path, cores: int, threads: int
) -> None:
    assert choose_threads(0, model_of(tmp_path, 486_000_000), cores) == threads


def test_what_mostly_decodes_takes_one_thread(tmp_path: Path) -> None:
    assert choose_threads(0, model_of(tmp_path, 486_000_000), 64, short=True) == 1


def test_a_chosen_number_stands(tmp_path: Path) -> None:
    assert choose_threads(7, model_of(tmp_path, 1000), 2) == 7


def test_a_model_that_is_not_there_yet_gets_one_thread(tmp_path: Path) -> None:
    assert choose_threads(0, tmp_path / "nowhere", 64) == 1


def test_threads_wait_asleep_unless_the_user_chose_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    wait_passively()
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    wait_passively()
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"
