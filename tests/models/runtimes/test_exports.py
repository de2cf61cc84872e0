from __future__ import annotations

import json
import logging
import os
import time

import pytest

from core.models.runtimes.exports import ABOUT, GRAPH, ExportCache

KEY = {"weights": "w", "stage": "s"}


class Maker:
    """Writes a graph, and counts how often."""

    def __init__(self, content: bytes = b"graph" * 100) -> None:
        self.content, self.made = content, 0

    def __call__(self, path):
        self.made += 1
        path.write_bytes(self.content)


def test_a_graph_is_made_once(tmp_path):
    make = Maker()
    first = ExportCache(tmp_path).graph(KEY, make)
    assert ExportCache(tmp_path).graph(KEY, make) == first
    assert make.made == 1
    assert first.read_bytes() == make.content


def test_that_a_graph_is_made_is_told_before_and_only_then(tmp_path):
    make = Maker()
    told = []
    cache = ExportCache(tmp_path, exporting=lambda: told.append(make.made))
    cache.graph(KEY, make)
    cache.graph(KEY, make)
    assert told == [0]


def test_whatever_it_depends_on_makes_it_another(tmp_path):
    make, cache = Maker(), ExportCache(tmp_path)
    paths = {cache.graph(KEY | change, make) for change in ({}, {"weights": "x"}, {"onnx": "2"})}
    assert len(paths) == make.made == 3


def truncate(place):
    (place / GRAPH).write_bytes((place / GRAPH).read_bytes()[:-7])


def flip(place):
    content = bytearray((place / GRAPH).read_bytes())
    content[13] ^= 1
    (place / GRAPH).write_bytes(content)


def edit(place):
    about = json.loads((place / ABOUT).read_text())
    (place / ABOUT).write_text(json.dumps(about | {"sha256": "0" * 64}))


def nonsense(place):
    (place / ABOUT).write_text("[1, 2")


def lacking(place):
    (place / ABOUT).write_text("{}")


def without_about(place):
    (place / ABOUT).unlink()


def without_graph(place):
    (place / GRAPH).unlink()


def add(place):
    (place / "weights.bin").write_bytes(b"not ours")


@pytest.mark.parametrize(
    "spoil", [add, truncate, flip, edit, nonsense, lacking, without_about, without_graph]
)
def test_a_spoiled_export_is_noticed_and_made_again(tmp_path, caplog, spoil):
    make = Maker()
    path = ExportCache(tmp_path).graph(KEY, make)
    spoil(path.parent)
    with caplog.at_level(logging.WARNING):
        again = ExportCache(tmp_path).graph(KEY, make)
    assert make.made == 2
    assert again.read_bytes() == make.content
    assert "made again" in caplog.text
    ExportCache(tmp_path).graph(KEY, make)
    assert make.made == 2


def test_a_file_beside_the_graph_belongs_to_it(tmp_path):
    def make(path):
        path.write_bytes(b"graph")
        path.with_name("weights.bin").write_bytes(b"weights")
        made.append(path)

    made = []
    path = ExportCache(tmp_path).graph(KEY, make)
    ExportCache(tmp_path).graph(KEY, make)
    assert len(made) == 1
    path.with_name("weights.bin").write_bytes(b"weighty")
    ExportCache(tmp_path).graph(KEY, make)
    assert len(made) == 2
    assert path.with_name("weights.bin").read_bytes() == b"weights"


def test_an_export_that_fails_leaves_nothing_behind(tmp_path):
    def fail(path):
        path.write_bytes(b"half")
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        ExportCache(tmp_path).graph(KEY, fail)
    assert list(tmp_path.iterdir()) == []
    assert ExportCache(tmp_path).graph(KEY, Maker()).is_file()


def test_one_that_another_process_made_meanwhile_is_taken(tmp_path):
    other = Maker(b"theirs")

    def slow(path):
        path.write_bytes(b"ours")
        ExportCache(tmp_path).graph(KEY, other)

    path = ExportCache(tmp_path).graph(KEY, slow)
    assert path.is_file()
    assert ExportCache(tmp_path).graph(KEY, Maker()) == path
    assert [place.name for place in tmp_path.iterdir()] == [path.parent.name]


def test_what_was_not_used_for_the_longest_goes_first_and_what_is_in_hand_stays(tmp_path):
    keys = [KEY | {"n": str(n)} for n in range(4)]
    places = [ExportCache(tmp_path).graph(key, Maker(b"x" * 1000)).parent for key in keys[:3]]
    for age, place in enumerate((places[1], places[0], places[2])):
        os.utime(place / ABOUT, (1_000_000 - age, 1_000_000 - age))
    kept = places[1]
    newest = ExportCache(tmp_path, 2 * 1400).graph(keys[3], Maker(b"x" * 1000)).parent
    assert set(tmp_path.iterdir()) == {kept, newest}
    too_large = ExportCache(tmp_path, 100)
    in_hand = [too_large.graph(key, Maker()).parent for key in keys[:2]]
    assert set(tmp_path.iterdir()) == set(in_hand)


def test_using_an_export_makes_it_recent(tmp_path):
    old, other = (ExportCache(tmp_path).graph(KEY | {"n": n}, Maker()).parent for n in "ab")
    for place in (old, other):
        os.utime(place / ABOUT, (1_000_000, 1_000_000))
    ExportCache(tmp_path).graph(KEY | {"n": "a"}, Maker())
    assert (old / ABOUT).stat().st_mtime > (other / ABOUT).stat().st_mtime


def test_the_difference_from_torch_is_noted_beside_the_graph(tmp_path):
    cache, make = ExportCache(tmp_path), Maker()
    path = cache.graph(KEY, make)
    cache.note_difference(path, "onnxruntime:fp32", 3e-6)
    cache.note_difference(path, "openvino:bf16", 0.04)
    about = json.loads((path.parent / ABOUT).read_text())
    assert about["differences"] == {"onnxruntime:fp32": 3e-6, "openvino:bf16": 0.04}
    assert about["depends_on"] == KEY
    assert ExportCache(tmp_path).graph(KEY, make) == path
    assert make.made == 1


def test_what_a_killed_process_left_goes_when_it_is_old(tmp_path):
    for name, age in (("draft-old", 2 * 86_400), ("draft-new", 60)):
        (tmp_path / name).mkdir()
        (tmp_path / name / GRAPH).write_bytes(b"half")
        written = time.time() - age
        os.utime(tmp_path / name, (written, written))
    ExportCache(tmp_path).graph(KEY, Maker())
    assert [path.name for path in tmp_path.glob("draft-*")] == ["draft-new"]


def test_a_whole_export_of_another_process_is_not_replaced_under_its_feet(tmp_path):
    theirs = []

    def slow(path):
        path.write_bytes(b"graph" * 100)
        theirs.append(ExportCache(tmp_path).graph(KEY, Maker()).stat().st_ino)

    found = ExportCache(tmp_path).graph(KEY, slow)
    assert [found.stat().st_ino] == theirs
