"""Doing less and doing more again, on a clock of its own."""

from __future__ import annotations

import itertools

from core.pipeline.effort import LADDER, Effort
from core.pipeline.events import EffortChanged, Notice
from core.pipeline.governor import EffortTeller, Governor, Load
from core.pipeline.settings import SessionSettings

LIVE = SessionSettings(live=True)


class Machine:
    """A governor and the load it sees, second by second."""

    def __init__(self, settings: SessionSettings = LIVE) -> None:
        self.now = 0.0
        self.offered = self.stale = 0
        self.governor = Governor(settings, clock=lambda: self.now)

    def run(
        self, seconds: int, *, waited: float = 0.0, offered: int = 4, stale: int = 0
    ) -> list[int]:
        """Let time pass under a load; return the level after each second."""
        levels = []
        for _ in range(seconds):
            self.now += 1.0
            self.offered += offered
            self.stale += stale
            self.governor.check(Load(waited, self.offered, self.stale))
            levels.append(self.governor.level)
        return levels


def test_nothing_changes_on_a_machine_that_keeps_up() -> None:
    machine = Machine()
    assert set(machine.run(600)) == {0}
    assert machine.governor.effort == LADDER[0]


def test_finals_that_wait_lead_down_one_step_at_a_time() -> None:
    levels = Machine().run(30, waited=3.0)
    assert levels[-1] == len(LADDER) - 1
    assert all(b - a in (0, 1) for a, b in zip([0, *levels], levels, strict=False))
    assert levels[1] == 0, "one moment is no reason"


def test_partials_that_are_mostly_stale_lead_down() -> None:
    assert Machine().run(30, stale=3)[-1] > 0
    assert Machine().run(30, stale=1)[-1] == 0


def test_one_overtaken_partial_of_one_is_chance() -> None:
    machine = Machine()
    machine.run(1, offered=1, stale=1)
    assert set(machine.run(30, offered=0)) == {0}


def test_what_lies_between_behind_and_calm_changes_nothing() -> None:
    """Hysteresis: neither is the effort reduced further, nor is more done at once."""
    machine = Machine()
    machine.run(7, waited=3.0)
    level = machine.governor.level
    assert level > 0
    assert set(machine.run(300, waited=0.6)) == {level}
    assert set(machine.run(300, offered=4, stale=1)) == {level}


def test_more_is_done_again_after_a_calm_while_one_step_at_a_time() -> None:
    machine = Machine()
    machine.run(30, waited=3.0)
    levels = machine.run(60)
    assert levels[8] == len(LADDER) - 1
    assert levels[-1] == 0
    assert all(a - b in (0, 1) for a, b in itertools.pairwise(levels))


def test_silence_counts_little_towards_doing_more() -> None:
    speaking, silent = Machine(), Machine()
    for machine in (speaking, silent):
        machine.run(6, waited=3.0)
    down = silent.governor.level
    assert down > 0
    silent.run(12, offered=0)
    speaking.run(12)
    assert silent.governor.level == down
    assert speaking.governor.level < down
    silent.run(200, offered=0)
    assert silent.governor.level == 0


def test_doing_more_in_vain_is_tried_ever_less_often() -> None:
    """A machine that keeps up at level 1 and not at level 0."""
    machine = Machine()
    rises = []
    for second in range(1200):
        before = machine.governor.level
        machine.run(1, waited=3.0 if before == 0 else 0.0)
        if machine.governor.level < before:
            rises.append(second)
    gaps = [b - a for a, b in itertools.pairwise(rises)]
    assert gaps[-1] > 3 * gaps[0]
    assert max(gaps) < 120, "but it goes on being tried"


def test_what_the_settings_rule_out_is_done_at_no_step() -> None:
    for settings in (
        SessionSettings(ahead=False, better_text=False),
        SessionSettings(live=False),
    ):
        governor = Governor(settings)
        assert not governor.effort.ahead
        assert not governor.effort.better_text


def test_the_ladder_only_ever_takes_away() -> None:
    def amount(effort: Effort) -> tuple[float, ...]:
        return (
            -effort.partial_interval,
            effort.partial_seconds or 99.0,
            effort.partial_text,
            effort.ahead,
            effort.better_text,
        )

    for more, less in itertools.pairwise(LADDER):
        assert all(a >= b for a, b in zip(amount(more), amount(less), strict=True))
        assert amount(more) != amount(less)
    assert [step.smaller_model for step in LADDER] == [False] * (len(LADDER) - 1) + [True]


class Whisper:
    name = "Whisper small"

    def __init__(self, smaller: str | None) -> None:
        self.smaller = smaller


def steps(machine: Machine, whisper: Whisper | None) -> list[EffortChanged | Notice]:
    teller = EffortTeller(machine.governor, lambda: whisper)
    told: list[EffortChanged | Notice] = []
    level = 0
    for waited in [3.0] * 30 + [0.0] * 60:
        machine.run(1, waited=waited)
        if machine.governor.level != level:
            level = machine.governor.level
            told.extend(teller.events(lag=waited))
    return told


def test_at_the_last_step_a_smaller_model_is_offered_and_at_the_first_no_longer() -> None:
    told = steps(Machine(), Whisper("base"))
    notices = [event for event in told if isinstance(event, Notice)]
    assert [(n.message.code, n.active) for n in notices] == [
        ("smaller_whisper", True),
        ("smaller_whisper", False),
    ]
    assert dict(notices[0].message.values) == {"model": "Whisper small", "smaller": "base"}
    offered = told.index(notices[0])
    assert isinstance(told[offered - 1], EffortChanged)
    assert told[offered - 1] == EffortChanged(len(LADDER) - 1, len(LADDER), 3.0)
    levels = [event.level for event in told if isinstance(event, EffortChanged)]
    assert levels == [1, 2, 3, 4, 3, 2, 1, 0]


def test_nothing_smaller_is_offered_where_there_is_nothing() -> None:
    for whisper in (Whisper(None), None):
        told = steps(Machine(), whisper)
        assert told
        assert all(isinstance(event, EffortChanged) for event in told)
