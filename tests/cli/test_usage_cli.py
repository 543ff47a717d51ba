"""`ska usage`: what was used, in tables and for scripts."""

from datetime import datetime

import pytest
from command_line import Ska
from skill_agent.cli.host.usage import begin_of, cost, own_zone

from skill_agent.conversations.figures import zone_named
from skill_agent.errors import UsageError
from skill_agent.ports import EndPart
from skill_agent.values import Usage

NOW = datetime(2026, 11, 30, 2, 15).astimezone()


def test_a_table_by_agent_and_what_may_be_spent(ska: Ska) -> None:
    paid = EndPart(usage=Usage(model="m", prompt_tokens=7, completion_tokens=2, cost_usd=0.25))
    ska.model.add(["Hi", paid], "Hello")
    ska("ask", "hi")
    ska("ask", "-a", "luke", "hi")
    done = ska("usage", "--period", "all")
    assert done.code == 0
    head, kyra, luke, whole, *budgets = done.out.splitlines()
    assert head.split() == ["agent", "turns", "calls", "prompt", "cached", "completion", "cost"]
    assert kyra.split()[:4] == ["kyra", "1", "1", "7"] and kyra.endswith("$0.25")
    assert luke.split()[:3] == ["luke", "1", "1"] and luke.endswith("$0.00")
    assert whole.split()[:4] == ["in", "all", "2", "2"] and whole.endswith("$0.25")
    assert budgets[0] == "Kyra may spend  $1.75 of $2.00 today, $29.75 of $30.00 this month"
    assert len(budgets) == 4
    told = ska("usage", "--by", "session", "--agent", "Kyra", "--since", "all", "--json").json
    (row,) = told["rows"]
    assert (row["turns"], row["calls"], row["cost_usd"]) == (1, 1, 0.25)
    assert told["total"]["prompt_tokens"] == 7
    assert [one["id"] for one in told["budgets"]] == ["kyra"]
    titled = ska("usage", "--by", "session", "--period", "all").out
    assert row["id"][:8] in titled and "hi" in titled


def test_mistakes_name_what_is_meant(ska: Ska) -> None:
    for arguments in (("--by", "week"), ("--period", "soon"), ("--agent", "nobody")):
        done = ska("usage", *arguments)
        assert (done.code, done.out) == (2, "")
        assert "error: " in done.err


@pytest.mark.parametrize(
    ("period", "day"),
    [("today", 30), ("1d", 30), ("7d", 24), ("month", 1), ("2026-11-05", 5)],
)
def test_periods_begin_at_midnight(period: str, day: int) -> None:
    begin = begin_of(period, NOW)
    assert begin is not None and (begin.day, begin.hour, begin.minute) == (day, 0, 0)
    assert begin.tzinfo is not None


def test_all_there_is_has_no_beginning() -> None:
    assert begin_of("all", NOW) is None


@pytest.mark.parametrize("period", ["", "d", "-3d", "9999999d", "2026-13-01", "0001-01-01x"])
def test_no_periods(period: str) -> None:
    with pytest.raises(UsageError, match="no period"):
        begin_of(period, NOW)


def test_an_unknown_price_is_not_taken_for_nothing() -> None:
    assert cost(0.12, 0) == "$0.12"
    assert cost(0.12, 3) == "at least $0.12, 3 calls with no known price"
    assert cost(0, 1) == "unknown, 1 call with no known price"


def test_the_machines_zone_has_a_name_that_is_understood() -> None:
    assert zone_named(own_zone()) is not None


def test_a_home_of_nothing(ska: Ska) -> None:
    done = ska("usage", "--by", "day")
    assert done.code == 0 and "nothing was used" in done.err
