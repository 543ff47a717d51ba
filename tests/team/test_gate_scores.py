"""The four signals and trust, by the figures they were specified with."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skill_agent.conversations.turn_states import TurnBoard
from skill_agent.errors import StoreError
from skill_agent.ports import Ledger
from skill_agent.team.gate.load import Load, Loads, balances
from skill_agent.team.gate.performance import share_of
from skill_agent.team.gate.scoring import FIT, LOAD, PERFORMANCE, SKILL, overall
from skill_agent.team.gate.trust import Outcome, Outcomes, blended, reasoning, trust_of
from skill_agent.values import Message

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
SHARE = st.floats(0, 1)


def outcome(good: bool, *, hours: float = 0.0, of: str = "x", rated: bool = True) -> Outcome:
    return Outcome(of=of, good=good, at=NOW - timedelta(hours=hours), rated=rated)


@pytest.mark.parametrize(
    ("signals", "wanted"),
    [((0.2, 0.7, 0.6, 0.9), 0.51), ((0.9, 0.8, 0.8, 0.7), 0.825), ((0.8, 0.9, 0.7, 0.8), 0.805)],
)
def test_the_worked_example(signals: tuple[float, float, float, float], wanted: float) -> None:
    assert overall(*signals) == pytest.approx(wanted)


def test_the_weights_are_one_together() -> None:
    assert (SKILL, PERFORMANCE, FIT, LOAD) == (0.40, 0.25, 0.20, 0.15)
    assert pytest.approx(1.0) == SKILL + PERFORMANCE + FIT + LOAD


@given(SHARE, SHARE, SHARE, SHARE)
def test_no_sum_leaves_its_bounds(skill: float, past: float, fit: float, load: float) -> None:
    assert 0.0 <= overall(skill, past, fit, load) <= 1.0


@pytest.mark.parametrize(
    ("pattern", "trust", "wanted"),
    [(0.8, 0.5, 0.68), (0.7, 0.8, 0.89), (0.6, 0.9, 0.87), (0.9, 0.3, 0.66)],
)
def test_trust_is_blended_by_the_table(pattern: float, trust: float, wanted: float) -> None:
    assert blended(pattern, trust) == pytest.approx(wanted)


@given(SHARE, SHARE)
def test_a_blend_stays_within_its_bounds(pattern: float, trust: float) -> None:
    assert 0.0 <= blended(pattern, trust) <= 1.0


def test_a_blend_says_what_it_is_made_of() -> None:
    assert reasoning(0.8, 0.5) == "Pattern match (60%) + trust score (40%) = 0.68"
    boosted = "Pattern match (60%) + trust score (40%) = 0.74 (high-trust boost: 0.89)"
    assert reasoning(0.7, 0.8) == boosted
    assert reasoning(0.7, None) == "Pattern match only (trust lookup failed)"
    assert blended(0.7, None) == 0.7


def test_what_is_unknown_is_half_trusted_and_good_must_be_proved() -> None:
    assert trust_of([], NOW) == 0.5
    once = trust_of([outcome(True)], NOW)
    often = trust_of([outcome(True)] * 12, NOW)
    assert 0.5 <= once < 0.6 < 0.75 < often < 1.0
    assert trust_of([outcome(False)], NOW) < 0.5
    assert trust_of([outcome(False)] * 6, NOW) < 0.3


def test_outcomes_fade_by_half_in_three_days() -> None:
    fresh = trust_of([outcome(False)] * 2, NOW)
    faded = trust_of([outcome(False, hours=72)] * 4, NOW)
    assert fresh == pytest.approx(faded)
    assert trust_of([outcome(False, hours=24 * 60)] * 10, NOW) == pytest.approx(0.5, abs=0.01)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 2000)), max_size=40))
def test_trust_stays_within_its_bounds(said: list[tuple[bool, float]]) -> None:
    assert 0.0 <= trust_of([outcome(good, hours=hours) for good, hours in said], NOW) <= 1.0


def test_ratings_of_similar_queries() -> None:
    assert share_of([outcome(True)] * 3, NOW) == pytest.approx(0.8)
    old_bad = share_of([outcome(False, hours=24 * 10)], NOW)
    new_bad = share_of([outcome(False, hours=24)], NOW)
    assert new_bad == pytest.approx(old_bad - 0.1)
    assert share_of([outcome(False)] * 50, NOW) == 0.0


class Broken:
    """A ledger that cannot be asked."""

    async def last_seq(self) -> int:
        raise StoreError("the disk is gone", hint="look")


def test_trust_that_cannot_be_looked_up_is_none() -> None:
    outcomes = Outcomes(cast(Ledger, Broken()))
    assert asyncio.run(outcomes.of(["kyra"])) is None


class Counting:
    """A ledger that tells how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.head = 1

    async def last_seq(self) -> int:
        return self.head

    async def projected(self, *_: Any) -> dict[str, Any]:
        self.asked += 1
        return {}


def test_trust_is_looked_up_again_only_when_something_was_written() -> None:
    ledger, time = Counting(), [0.0]
    outcomes = Outcomes(cast(Ledger, ledger), seconds=lambda: time[0])

    async def ask() -> None:
        await outcomes.of(["kyra"])

    for _ in range(3):
        asyncio.run(ask())
    assert ledger.asked == 1
    time[0] = 60.0
    asyncio.run(ask())
    assert ledger.asked == 1
    ledger.head, time[0] = 2, 120.0
    asyncio.run(ask())
    assert ledger.asked == 2


def test_an_idle_agent_is_free_and_a_busy_one_is_less_so() -> None:
    loads = {"a": Load(), "b": Load(running=1), "c": Load(running=1, queued=3)}
    found = balances(loads)
    assert found["a"] == 1.0 > found["b"] > found["c"] > 0.0
    assert not loads["b"].full and Load(running=5).full


def test_slow_replies_count_only_against_quicker_ones() -> None:
    alike = balances({"a": Load(mean_s=60.0), "b": Load(mean_s=60.0)})
    assert alike == {"a": 1.0, "b": 1.0}
    apart = balances({"a": Load(mean_s=60.0), "b": Load(mean_s=2.0)})
    assert 0.8 <= apart["a"] < apart["b"] == 1.0


def test_load_is_read_off_the_turns() -> None:
    board = TurnBoard()
    for number in range(2):
        board.began(
            Message(
                id=f"m{number}", session="s", turn=f"t{number}", role="user", content="x",
                created_at=NOW, agent="luke",
            )
        )  # fmt: skip
    loads = Loads(board=board, clock=lambda: NOW, queued=lambda: {"ada": 2})
    assert loads.now() == {"luke": Load(running=2), "ada": Load(queued=2)}
