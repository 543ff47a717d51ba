"""`ska usage`: what was used, in tables and for scripts."""

import re
from datetime import datetime

import pytest
from command_line import Ska
from rich.cells import cell_len
from skill_agent.cli.host.plotting import bars
from skill_agent.cli.host.usage import begin_of, own_zone

from skill_agent.conversations.figures import zone_named
from skill_agent.conversations.usage import cost
from skill_agent.errors import UsageError
from skill_agent.ports import EndPart
from skill_agent.values import Usage, UsageRow

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


def test_tiers_are_told_apart_and_drawn(ska: Ska) -> None:
    ska("ask", "-m", "fast", "hi")
    ska("ask", "hi")
    told = ska("usage", "--by", "tier", "--period", "all", "--json").json
    assert {row["id"]: row["turns"] for row in told["rows"]} == {"fast": 1, "": 1}
    assert "(no tier)" in ska("usage", "--by", "tier", "--period", "all").out
    drawn = ska("usage", "--by", "tier", "--period", "all", "--plot")
    lines = drawn.out.splitlines()
    assert drawn.code == 0 and len(lines) == 2 and "\x1b" not in drawn.out
    assert all(line.endswith(" tokens") for line in lines)
    assert ska("usage", "--by", "tier", "--period", "all", "--plot", "--json").json == told


def test_bars_are_as_long_as_what_they_stand_for() -> None:
    rows = [
        ("a", UsageRow(id="a", cost_usd=2.0, prompt_tokens=1)),
        ("中文", UsageRow(id="b", cost_usd=1.0)),
        ("x" * 200, UsageRow(id="c")),
        ("least", UsageRow(id="d", cost_usd=1e-6)),
    ]
    for width in (0, 40, 80, 300):
        lines = bars(rows, width)
        filled = [sum(line.count(one) for one in "█#") for line in lines]
        assert filled[0] > filled[1] >= filled[0] // 2 - 1 and filled[2] == 0
        assert len({cell_len(line.partition("$")[0]) for line in lines}) == 1, "a straight edge"
        assert max(map(cell_len, lines)) <= max(width, 60)
        assert re.search(r"[▏▎▍▌▋▊▉█#]", lines[3]), "something is not nothing"
    assert bars([], 80) == ["nothing was used in this time"]
    free = bars([("a", UsageRow(id="a", prompt_tokens=1_200))], 80)
    assert free[0].endswith("1,200 tokens")


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
