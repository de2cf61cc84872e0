from __future__ import annotations

from core.models.runtimes.measured import ROUNDS, Memory, Times, interleaved, this_machine


class Clock:
    """Seconds that pass only when a run lets them."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_runs_alternate_and_the_shortest_time_of_each_counts():
    clock, order = Clock(), []
    costs = {"a": [0.05, 0.02, 0.04, 0.03, 0.03], "b": [0.01, 0.03, 0.02, 0.01, 0.02]}

    def run(name):
        def once(turn):
            order.append((name, turn))
            clock.now += costs[name][turn]

        return once

    found = interleaved([run("a"), run("b")], clock)
    assert [round(seconds, 6) for seconds in found] == [0.02, 0.01]
    assert order == [(name, turn) for turn in range(ROUNDS) for name in "ab"]


def test_slow_runs_are_measured_twice_and_no_more():
    clock, turns = Clock(), []

    def slow(turn):
        turns.append(turn)
        clock.now += 10.0

    interleaved([slow], clock)
    assert turns == [0, 1]


def test_times_are_remembered_by_what_they_depend_on(tmp_path):
    memory, key = Memory(tmp_path / "new"), this_machine(1)
    assert memory.recall(key) is None
    times = Times(
        {"torch:fp32": 1.0, "packed:fp32": 2.0}, {"openvino:fp32": "too old"}, "packed:fp32"
    )
    memory.keep(key, times)
    assert memory.recall(key) == times
    assert memory.recall(this_machine(2)) is None
    assert memory.recall(key | {"openvino": "another"}) is None


def test_a_damaged_memory_remembers_nothing(tmp_path):
    memory, key = Memory(tmp_path), {"a": "b"}
    for content in ("{", "[]", '{"speedups": {}, "failures": {}}', '{"speedups": {"a": "fast"}}'):
        memory.keep(key, Times({"torch:fp32": 1.0}, {}, "torch:fp32"))
        (file,) = tmp_path.glob("*.json")
        file.write_text(content)
        assert memory.recall(key) is None


def test_a_folder_that_cannot_be_written_to_is_no_reason_to_stop(tmp_path):
    (tmp_path / "file").write_text("")
    Memory(tmp_path / "file").keep({"a": "b"}, Times({"torch:fp32": 1.0}, {}, "torch:fp32"))
    assert Memory(tmp_path / "file").recall({"a": "b"}) is None
