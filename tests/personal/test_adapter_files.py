"""An adapter on disk is whole and says what is wrong with it, or is not loaded."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from core.errors import CheckpointError, ConfigError, JournalError
from core.models.baseline import SpeakerMoments
from core.models.manifest import read_info
from core.personal.adapter import check_fits
from core.personal.adapter_files import CONFIG, WEIGHTS, load_adapter, save_adapter
from core.personal.catalog import adapter_folder, adapters, find_adapter, remove_adapter
from tests.checkpoints import make_checkpoint
from tests.personal.people import make_adapter


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return read_info(make_checkpoint(tmp_path_factory.mktemp("models") / "tiny"))


@pytest.fixture
def saved(tmp_path, base) -> Path:
    adapter = make_adapter(tmp_path / "adapter", base, 5)
    moments = SpeakerMoments(np.ones((3, 4)), np.ones((3, 6)))
    save_adapter(replace(adapter, voice=moments))
    return tmp_path / "adapter"


def test_what_was_written_is_read_again(saved, base):
    adapter = load_adapter(saved)
    again = make_adapter(saved, base, 5)
    assert adapter.info == again.info
    assert adapter.labels == base.specification.labels
    assert np.array_equal(adapter.correcting.bias, again.correcting.bias)
    assert adapter.voice is not None
    assert adapter.voice.functionals.shape == (3, 6)
    check_fits(adapter, base)
    assert sorted(p.name for p in saved.iterdir()) == ["README.md", WEIGHTS, CONFIG]
    card = (saved / "README.md").read_text()
    assert base.digest in card
    assert "50.0% before, 75.0% with it" in card


def test_values_do_not_depend_on_how_arrays_lie_in_memory(tmp_path, base):
    adapter = make_adapter(tmp_path / "adapter", base, 3)
    matrix = np.arange(21, dtype=np.float32).reshape(3, 7).T
    assert not matrix.flags.c_contiguous
    save_adapter(replace(adapter, correcting=replace(adapter.correcting, matrix=matrix)))
    assert np.array_equal(load_adapter(tmp_path / "adapter").correcting.matrix, matrix)


def test_an_adapter_of_another_checkpoint_is_refused(saved, base):
    adapter = load_adapter(saved)
    with pytest.raises(CheckpointError, match="made for the checkpoint tiny, not for"):
        check_fits(adapter, replace(base, files={**base.files, "model.safetensors": "0" * 64}))
    with pytest.raises(CheckpointError, match="adapt again"):
        check_fits(replace(adapter, labels=("yes", "no")), base)


def change_config(folder: Path, **changed: object) -> None:
    config = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps(config | changed))


def change_weights(folder: Path, **changed: np.ndarray) -> None:
    """Change arrays and the sha256 with them, as only somebody who means to can."""
    arrays = load_file(folder / WEIGHTS) | changed
    save_file({k: v for k, v in arrays.items() if v is not None}, folder / WEIGHTS)
    digest = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
    change_config(folder, files={WEIGHTS: digest})


WRONG = {
    "no config": (lambda f: (f / CONFIG).unlink(), CONFIG),
    "no json": (lambda f: (f / CONFIG).write_text("{"), CONFIG),
    "a list": (lambda f: (f / CONFIG).write_text("[]"), "no personal adapter"),
    "another kind": (lambda f: change_config(f, kind="dialogue"), "no personal adapter"),
    "a later format": (lambda f: change_config(f, format_version=2), "version 2"),
    "no name": (lambda f: change_config(f, name=""), "makes no sense"),
    "no gain": (lambda f: change_config(f, gain={}), "before"),
    "an endless gain": (
        lambda f: change_config(
            f, gain={"before": float("inf"), "after": 1, "low": 0, "high": 0, "judged": 1}
        ),
        "gain",
    ),
    "no scale": (lambda f: change_config(f, scale=0.0), "scale"),
    "fewer labels": (lambda f: change_config(f, labels=["happy"]), "matrix|bias"),
    "an unknown problem": (lambda f: change_config(f, problem="regression"), "regression"),
    "an unknown modality": (lambda f: change_config(f, modality="smell"), "smell"),
    "no weights": (lambda f: (f / WEIGHTS).unlink(), WEIGHTS),
    "cut weights": (lambda f: (f / WEIGHTS).write_bytes((f / WEIGHTS).read_bytes()[:-9]), "sha256"),
    "not a number": (
        lambda f: change_weights(f, bias=np.full(7, np.nan, np.float32)),
        "bias .* not finite",
    ),
    "another type": (lambda f: change_weights(f, bias=np.zeros(7)), "bias .* float64"),
    "another shape": (lambda f: change_weights(f, mean=np.zeros(6, np.float32)), "matrix"),
    "half a voice": (lambda f: change_weights(f, **{"voice.frames": None}), "voice.functionals"),
    "one more": (lambda f: change_weights(f, more=np.zeros(1, np.float32)), "more"),
}


@pytest.mark.parametrize("what", WRONG)
def test_whatever_is_wrong_is_said_in_a_sentence(saved, what):
    spoil, said = WRONG[what]
    spoil(saved)
    with pytest.raises(CheckpointError, match=said) as raised:
        load_adapter(saved)
    assert str(saved) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_writing_again_replaces_it_whole(saved, base):
    save_adapter(make_adapter(saved, base, 3))
    assert load_adapter(saved).correcting.mean.size == 3
    assert [p.name for p in saved.parent.iterdir()] == ["adapter"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path, base):
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="file"):
        save_adapter(make_adapter(tmp_path / "file" / "adapter", base, 3))


@pytest.fixture
def root(tmp_path, base) -> Path:
    for name, digest, made in (
        ("Mina", base.digest, "2026-01-01"),
        ("Mina", "9" * 64, "2026-01-03"),
        ("Jun", base.digest, "2026-01-02"),
    ):
        adapter = make_adapter(adapter_folder(tmp_path, name, digest), base, 3, name=name)
        info = replace(adapter.info, base_digest=digest, made=made)
        save_adapter(replace(adapter, info=info))
    return tmp_path


def test_adapters_are_listed_the_newest_first(root, base):
    assert [i.made[-1] for i in adapters(root)] == ["3", "2", "1"]
    assert [i.made[-1] for i in adapters(root, person=" Mina")] == ["3", "1"]
    assert [i.name for i in adapters(root, digest=base.digest)] == ["Jun", "Mina"]
    next(root.glob("jun*/adapters/*/config.json")).write_text("{")
    assert [i.name for i in adapters(root)] == ["Mina", "Mina"]


def test_an_adapter_is_found_by_name_person_or_folder(root, base):
    found = find_adapter("Mina", base.digest, root)
    assert found.made == "2026-01-01"
    assert find_adapter(str(found.path), "whatever", root) == found
    with pytest.raises(ConfigError, match=r'no personal adapter "Ann".*There are: Mina'):
        find_adapter("Ann", base.digest, root)
    with pytest.raises(ConfigError, match="emoscope adapt"):
        find_adapter("Ann", base.digest, root / "nothing here")


def test_a_removed_adapter_is_gone(root, base):
    found = find_adapter("Jun", base.digest, root)
    remove_adapter(found)
    remove_adapter(found)
    assert [i.name for i in adapters(root)] == ["Mina", "Mina"]
